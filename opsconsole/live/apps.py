from django.apps import AppConfig


class LiveConfig(AppConfig):
    name = "opsconsole.live"
    label = "live"
