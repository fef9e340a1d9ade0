"""Django's database seen from the live bus: jobs in pool threads, and the parameters of the hub's own connection."""

import threading
from collections.abc import Callable
from time import monotonic
from typing import Any, TypeVar

from django.db import close_old_connections, connection

T = TypeVar("T")

# Seconds.
CHECKED_EVERY = 1.0

# What Django adds for its own cursors; the hub's connection is plain psycopg.
_DJANGO_ONLY = ("context", "cursor_factory", "pool", "prepare_threshold", "autocommit")
_LISTENER = {
    "application_name": "opsconsole-hub",
    # A standby lags behind: it would go on granting leases after a stop was committed.
    "target_session_attrs": "read-write",
    "connect_timeout": 2,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 5000,
}


def in_database(work: Callable[[], T]) -> Callable[[], T]:
    """`work`, with the pool thread's connection checked before and let go of after a failure, as Django does around a request."""

    def run() -> T:
        close_old_connections()
        try:
            return work()
        finally:
            close_old_connections()

    return run


class Steady:
    """The same for one thread that works without a pause: its connection is checked once a second, and after a failure."""

    def __init__(self) -> None:
        self._good = threading.local()

    def __call__(self, work: Callable[[], T]) -> Callable[[], T]:
        def run() -> T:
            now = monotonic()
            if now >= getattr(self._good, "until", now):
                close_old_connections()
                self._good.until = now + CHECKED_EVERY
            try:
                return work()
            except BaseException:
                self._good.until = now
                close_old_connections()
                raise

        return run


def listener_parameters() -> dict[str, Any]:
    """Arguments of `psycopg.AsyncConnection.connect()` for the hub's one connection."""
    django = {
        key: value for key, value in connection.get_connection_params().items() if key not in _DJANGO_ONLY
    }
    return django | _LISTENER | {"autocommit": True, "prepare_threshold": None}
