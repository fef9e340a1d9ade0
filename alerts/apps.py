from django.apps import AppConfig


class AlertsConfig(AppConfig):
    name = "alerts"

    def ready(self) -> None:
        from alerts import parts  # noqa: PLC0415  it needs the models, which exist only now

        parts.register()
