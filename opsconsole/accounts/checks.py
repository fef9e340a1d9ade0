"""Deployment checks: `manage.py check --deploy`."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register


@register(Tags.security, deploy=True)
def local_account_is_embedded_only(app_configs: Any, **kwargs: Any) -> Sequence[CheckMessage]:
    """The loopback rule belongs to the embedded default: elsewhere, anything on the host could re-arm trading."""
    if not settings.LOCAL_ACCOUNT or settings.EMBEDDED:
        return []
    return [
        Error(
            "Requests from loopback act without credentials, but this installation has a database of its own.",
            hint="Unset OPSCONSOLE_LOCAL_ACCOUNT and give each caller an API token (manage.py createtoken).",
            id="accounts.E001",
        )
    ]
