"""POSTs of alerts that were written down as they came, to be decided in a moment, in their order."""

from collections.abc import Iterable, Iterator, Sequence

from django.db import connection
from django.db.models import QuerySet

from alerts.models import PostedAlerts

WAITING = "SELECT coalesce(sum(size), 0)::bigint FROM alerts_postedalerts WHERE NOT failed"
WRITE = "COPY alerts_postedalerts (at, raised_by, body, size, ends, failed) FROM STDIN (FORMAT BINARY)"
# Bodies that are fetched together.
BODIES = 10
TYPES = ("timestamptz", "varchar", "bytea", "int4", "bool", "bool")


def waiting() -> int:
    """How many alerts wait to be decided."""
    with connection.cursor() as cursor:
        cursor.execute(WAITING)
        found: int = cursor.fetchone()[0]
    return found


def write_down(posts: Sequence[PostedAlerts]) -> None:
    """Keep them. Once this is committed they will be decided, whatever becomes of this process."""
    if not posts:
        return
    # Binary, since a storm's bodies would double in length as text. Django's wrapper passes this on to psycopg's own cursor.
    with connection.cursor() as cursor, cursor.copy(WRITE) as copy:
        copy.set_types(TYPES)
        for post in posts:
            copy.write_row((post.at, post.raised_by, post.body, post.size, post.ends, post.failed))


def in_order(*, most: int | None = None) -> Iterator[PostedAlerts]:
    """What waits, oldest first: of at most so many alerts (all of them), and at least one post. A few bodies at a time are in memory."""
    waiting = _open().order_by("pk").values_list("pk", "size")
    wanted: list[int] = []
    size = 0
    for pk, of_one in waiting if most is None else waiting[:most]:
        size += of_one
        if wanted and most is not None and size > most:
            break
        wanted.append(pk)
    for start in range(0, len(wanted), BODIES):
        yield from PostedAlerts.objects.filter(pk__in=wanted[start : start + BODIES]).order_by("pk")


def forget(posts: Iterable[PostedAlerts]) -> None:
    """They are decided. In that transaction."""
    PostedAlerts.objects.filter(pk__in=[post.pk for post in posts]).delete()


def set_aside(post: PostedAlerts) -> None:
    """It cannot be decided, and shall hold up none behind it."""
    PostedAlerts.objects.filter(pk=post.pk).update(failed=True)


def _open() -> QuerySet[PostedAlerts]:
    return PostedAlerts.objects.filter(failed=False)
