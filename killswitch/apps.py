from django.apps import AppConfig


class KillSwitchConfig(AppConfig):
    name = "killswitch"
    verbose_name = "Kill switch"
