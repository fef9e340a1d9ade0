"""The lock of what processes are told. Order of locks: a reporting process's own rows, then the version's row, then breakers by their keys.

Commands begin with the version's row and never wait for the rows of processes, so nobody waits in a circle.
"""

from datetime import datetime

from django.db import connection

# On the bus, for the hubs: there is something to tell. Pages listen to `breakers`, which each report announces.
COMMANDS = "breakercommands"


def lock_version() -> tuple[int, datetime]:
    """Held until the commit, so that versions become visible in order. Returns the newest one and the database's time."""
    with connection.cursor() as cursor:
        for _ in range(2):
            cursor.execute(
                "SELECT value, clock_timestamp() FROM monitoring_breakerversion WHERE id = 1 FOR NO KEY UPDATE"
            )
            row = cursor.fetchone()
            if row is not None:
                return row[0], row[1]
            cursor.execute(
                "INSERT INTO monitoring_breakerversion (id, value) VALUES (1, 0) ON CONFLICT (id) DO NOTHING"
            )
    raise AssertionError("not reached: the row is there after the insert")


def set_version(value: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE monitoring_breakerversion SET value = %s WHERE id = 1", [value])


def version_now() -> int:
    """The newest that is committed. 0: nothing was ever told."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT value FROM monitoring_breakerversion WHERE id = 1")
        row = cursor.fetchone()
    return row[0] if row is not None else 0
