"""POSTs of alerts that were written down as they came, to be decided in a moment, in their order."""

from collections.abc import Iterable

from django.db.models import QuerySet, Sum

from alerts.models import PostedAlerts


def waiting() -> int:
    """How many alerts wait to be decided."""
    found: int | None = _open().aggregate(size=Sum("size"))["size"]
    return found or 0


def write_down(posts: Iterable[PostedAlerts]) -> None:
    """Keep them. Once this is committed they will be decided, whatever becomes of this process."""
    PostedAlerts.objects.bulk_create(posts)


def oldest(*, most: int) -> list[PostedAlerts]:
    """The next ones to decide: of at most so many alerts, and at least one post."""
    wanted, size = [], 0
    for pk, of_one in _open().order_by("pk").values_list("pk", "size")[:most]:
        size += of_one
        if wanted and size > most:
            break
        wanted.append(pk)
    return list(PostedAlerts.objects.filter(pk__in=wanted).order_by("pk"))


def all_waiting() -> Iterable[PostedAlerts]:
    """Everything that waits, in its order; a few at a time are in memory."""
    return _open().order_by("pk").iterator(chunk_size=50)


def forget(posts: Iterable[PostedAlerts]) -> None:
    """They are decided. In that transaction."""
    PostedAlerts.objects.filter(pk__in=[post.pk for post in posts]).delete()


def set_aside(post: PostedAlerts) -> None:
    """It cannot be decided, and shall hold up none behind it."""
    PostedAlerts.objects.filter(pk=post.pk).update(failed=True)


def _open() -> QuerySet[PostedAlerts]:
    return PostedAlerts.objects.filter(failed=False)
