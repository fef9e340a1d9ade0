from django.apps import AppConfig

from opsconsole.live.endpoints import register_endpoint


class ConsoleConfig(AppConfig):
    name = "opsconsole.console"
    label = "console"

    def ready(self) -> None:
        from opsconsole.api.shared import SharedAnswer  # noqa: PLC0415  it needs the models, which exist only now
        from opsconsole.console import parts  # noqa: PLC0415  likewise
        from opsconsole.console.views import ready  # noqa: PLC0415  likewise

        register_endpoint(("/readyz",), lambda otherwise: SharedAnswer(otherwise, ready, public=True))
        parts.register()
