from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "src_app.accounts"
    label = "accounts"

    def ready(self) -> None:
        from src_app.accounts import second_factor

        second_factor.connect()
