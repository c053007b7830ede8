"""The project as an application: its system checks, and grants after each migration."""

from django.apps import AppConfig, apps


class ProjectConfig(AppConfig):
    name = "src_app"
    label = "src_app"

    def ready(self) -> None:
        from src_app import checks, database

        checks.register_all()
        # Django sends the signal after a migration for applications with models alone; this one has none.
        database.connect_grants(apps.get_app_config("accounts"))
