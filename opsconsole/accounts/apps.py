from django.apps import AppConfig

from opsconsole.accounts import checks as checks


class AccountsConfig(AppConfig):
    name = "opsconsole.accounts"
    label = "accounts"
    verbose_name = "Accounts"
