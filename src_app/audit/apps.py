from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "src_app.audit"
    label = "audit"

    def ready(self) -> None:
        from src_app.audit import sign_in

        sign_in.connect()
