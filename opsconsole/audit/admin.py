"""The trail in the admin: to read, never to write."""

from django.contrib import admin

from opsconsole.audit.models import AuditEvent
from opsconsole.audit.readonly import ReadOnlyAdmin


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ("at", "actor_kind", "actor_name", "action", "object_label", "reason", "request_id")
    list_filter = ("actor_kind",)
    search_fields = ("=request_id", "action__startswith", "actor_name__startswith")
    exclude = ("leaf",)
    readonly_fields = ("leaf_hex",)
    ordering = ("-at", "-id")

    @admin.display(description="leaf")
    def leaf_hex(self, event: AuditEvent) -> str:
        return bytes(event.leaf).hex()
