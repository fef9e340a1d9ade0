from django.apps import AppConfig
from django.conf import settings

from opsconsole.live.companions import register_companion


class AuditConfig(AppConfig):
    name = "opsconsole.audit"
    label = "audit"
    verbose_name = "Audit trail"

    def ready(self) -> None:
        from opsconsole.audit import parts  # noqa: PLC0415  they need the models, which exist only now
        from opsconsole.audit.sealing.sealer import Sealer  # noqa: PLC0415  likewise

        if settings.AUDIT_SEALING:
            register_companion(Sealer)
        parts.register()
