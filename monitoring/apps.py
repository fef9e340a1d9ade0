from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    name = "monitoring"

    def ready(self) -> None:
        from alerts import curves as alert_curves  # noqa: PLC0415  likewise
        from monitoring.health import wiring  # noqa: PLC0415  likewise
        from monitoring.metrics import own, parts  # noqa: PLC0415  they need the models, which exist only now
        from monitoring.metrics.hooks import register_listener  # noqa: PLC0415  likewise
        from monitoring.triggers import curves  # noqa: PLC0415  likewise
        from monitoring.triggers.evaluating import after_batch  # noqa: PLC0415  likewise

        own.register()
        wiring.register()
        parts.register()
        register_listener(after_batch)
        alert_curves.register(curves.drawn)
