from django.apps import AppConfig


class RunbooksConfig(AppConfig):
    name = "opsconsole.runbooks"
    label = "runbooks"

    def ready(self) -> None:
        from opsconsole.runbooks import wiring  # noqa: PLC0415  it needs the models, which exist only now

        wiring.register()
