from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "src_app.accounts"
    label = "accounts"
