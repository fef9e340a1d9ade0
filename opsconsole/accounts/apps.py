from django.apps import AppConfig

from opsconsole.accounts import checks  # noqa: F401  importing registers them


class AccountsConfig(AppConfig):
    name = "opsconsole.accounts"
    label = "accounts"
    verbose_name = "Accounts"
