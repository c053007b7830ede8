"""The application that watches over this system itself."""

from django.apps import AppConfig


class HealthConfig(AppConfig):
    name = "src_app.health"
    label = "health"

    def ready(self) -> None:
        # Connects what notes the runs of tasks.
        from src_app.health import runs  # noqa: F401
