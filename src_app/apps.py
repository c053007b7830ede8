"""The project as an application: its system checks, its addresses, and grants after each migration."""

from django.apps import AppConfig, apps
from django.urls import register_converter


class ProjectConfig(AppConfig):
    name = "src_app"
    label = "src_app"

    def ready(self) -> None:
        from src_app import checks, database, whole_numbers

        checks.register_all()
        register_converter(whole_numbers.RecordConverter, "record")
        # Django sends the signal after a migration for applications with models alone; this one has none.
        database.connect_grants(apps.get_app_config("accounts"))
