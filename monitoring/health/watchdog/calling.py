"""The address outside, which waits for a call every minute and raises the alarm when there is none. It is a secret: most carry a key.

The call goes through a circuit breaker of the console's own.
"""

from functools import partial
from urllib.parse import urlsplit

from django.conf import settings

from alerts import guarding
from alerts.channels.base import SendFailed
from alerts.channels.http import get
from alerts.channels.networks import refusal

# Every address but those that are nobody's to ask.
ALLOWED = partial(refusal, networks=())
# The whole call. Seconds.
LIMIT = 15.0

# Of its circuit breaker.
NAME = "watchdog"


def is_set() -> bool:
    return bool(settings.WATCHDOG_SECRET_URL)


def host() -> str:
    """For pages: all of the address that is no secret. Empty: none is set."""
    return urlsplit(settings.WATCHDOG_SECRET_URL).hostname or ""


def call() -> None:
    """One GET, which must be answered with 2xx. Raises SendFailed, whose text names the host at most."""
    guarding.call(NAME, _call)


def _call() -> None:
    answer = get(settings.WATCHDOG_SECRET_URL, {}, allowed=ALLOWED, limit=LIMIT)
    if not 200 <= answer.status < 300:
        raise SendFailed(f"{host()}: it answered {answer.status}", status=answer.status)
