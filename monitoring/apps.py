from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    name = "monitoring"

    def ready(self) -> None:
        from monitoring.metrics import own  # noqa: PLC0415  it needs the models, which exist only now

        own.register()
