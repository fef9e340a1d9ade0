"""Checks of the database: `manage.py check --database default`."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connection

from alerts.models import Channel
from alerts.sealing import SealBroken, unseal


@register(Tags.database)
def channels_can_be_read(
    app_configs: Any, *, databases: Sequence[str] | None = None, **kwargs: Any
) -> Sequence[CheckMessage]:
    """A channel whose secrets were sealed with another SECRET_KEY tells nobody anything."""
    # `migrate` checks, too, before there is a table, and with fewer columns than the model has: so only these two are read.
    if not databases or Channel._meta.db_table not in connection.introspection.table_names():
        return []
    sealed = Channel.objects.exclude(secrets="").values_list("name", "secrets")
    broken = [name for name, secrets in sealed if not _can_be_read(secrets)]
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


def _can_be_read(secrets: str) -> bool:
    try:
        unseal(secrets)
    except SealBroken:
        return False
    return True
