from django.apps import AppConfig

from opsconsole.live.endpoints import register_endpoint


class AlertsConfig(AppConfig):
    name = "alerts"

    def ready(self) -> None:
        from alerts import checks, parts  # noqa: F401, PLC0415  they need the models, which exist only now; checks register themselves
        from alerts.alertmanager.native import PATHS, AlertsEndpoint  # noqa: PLC0415  likewise

        register_endpoint(PATHS, AlertsEndpoint)
        parts.register()
