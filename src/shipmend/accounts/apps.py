from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "shipmend.accounts"
    label = "accounts"
