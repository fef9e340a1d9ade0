from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "opsconsole.console"
    label = "console"

    def ready(self) -> None:
        from opsconsole.console import parts  # noqa: PLC0415  it needs the models, which exist only now

        parts.register()
