"""Whether an incident chatters: raised three or more times within a minute.

An incident keeps how often it was raised between two times, not when; so it counts where even the most even spread would put three into
one minute. At least these chatter.
"""

from django.db.models.expressions import RawSQL


def _minutes(start: str, end: str) -> str:
    """SQL: the number of minutes that the time between two columns touches; one where the second is NULL."""
    return f"(floor(extract(epoch FROM greatest({end} - {start}, interval '0')) / 60) + 1)"


# Raised `count` times from `first_at` to `last_at`; decided once more than `repeats` from `decided_at` to `repeated_at`.
CHATTERS = RawSQL(  # noqa: S611  columns of our own
    f"(count > 2 * {_minutes('first_at', 'last_at')} OR repeats + 1 > 2 * {_minutes('decided_at', 'repeated_at')})",
    (),
)
