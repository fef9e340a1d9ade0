from django.apps import AppConfig


class AlertsConfig(AppConfig):
    name = "alerts"

    def ready(self) -> None:
        from alerts import checks, parts  # noqa: F401, PLC0415  they need the models, which exist only now; checks register themselves

        parts.register()
