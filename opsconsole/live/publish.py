"""One line on the bus, sent by PostgreSQL when the transaction commits, and never when it does not."""

import json

from django.db import connection

CHANNEL = "opsconsole"


def publish(topic: str, *, ids: tuple[int | str, ...] = ()) -> None:
    """Say that something of `topic` (such as `killswitch`, `clients`, `audit`) has changed.

    It is a hint, not the data: listeners read the database. `ids` are kept short (NOTIFY carries less than 8,000 bytes).
    """
    if not connection.in_atomic_block:
        raise RuntimeError("publish() belongs in the transaction of the change it announces")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, announcement(topic, ids=ids)])


def announcement(topic: str, *, ids: tuple[int | str, ...] = ()) -> str:
    """What `publish()` sends, for a change that is one statement and announces itself in it: `pg_notify(CHANNEL, announcement(…))`."""
    return json.dumps({"topic": topic, "ids": ids[:50]}, separators=(",", ":"))
