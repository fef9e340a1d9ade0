"""Checks of the database: `manage.py check --database default`."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connection

from alerts.models import Channel
from alerts.services.channels import secret_names


@register(Tags.database)
def channels_can_be_read(
    app_configs: Any, *, databases: Sequence[str] | None = None, **kwargs: Any
) -> Sequence[CheckMessage]:
    """A channel whose secrets were sealed with another SECRET_KEY tells nobody anything."""
    # `migrate` runs the checks before it has made the table.
    if not databases or Channel._meta.db_table not in connection.introspection.table_names():
        return []
    broken = [
        channel.name for channel in Channel.objects.exclude(secrets="") if secret_names(channel) is None
    ]
    if not broken:
        return []
    return [
        Error(
            f"The secrets of these channels cannot be read, so they send nothing: {', '.join(broken)}.",
            hint="Put the key that OPSCONSOLE_SECRET_KEY had before into OPSCONSOLE_SECRET_KEY_FALLBACKS, then run manage.py "
            "resealchannels; or enter the secrets again.",
            id="alerts.E001",
        )
    ]
