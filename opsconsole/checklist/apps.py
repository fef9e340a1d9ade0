from django.apps import AppConfig


class ChecklistConfig(AppConfig):
    name = "opsconsole.checklist"
    label = "checklist"
    verbose_name = "Daily checklist"

    def ready(self) -> None:
        from opsconsole.checklist import parts  # noqa: PLC0415  it needs the models, which exist only now

        parts.register()
