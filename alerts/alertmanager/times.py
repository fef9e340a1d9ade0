"""Times as Alertmanager reads and writes them."""

from datetime import UTC, datetime, timedelta

# What its config calls resolve_timeout: an alert without an end of its own is over so long after it was last sent.
RESOLVE_TIMEOUT = timedelta(minutes=5)
# Such an end is rounded up to this, so that a storm of repeats does not rewrite it each time.
_STEP = 30


def read_time(text: str | None) -> datetime | None:
    """RFC 3339, or the other ISO 8601 forms that Go's strfmt takes; without a zone it is UTC. Go's zero time is none. Raises ValueError."""
    if not text:
        return None
    moment = datetime.fromisoformat(text.strip())
    if moment.year <= 1:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def time_text(moment: datetime) -> str:
    """`2026-11-23T01:51:29.160Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def timeout_from(now: datetime) -> datetime:
    """When an alert without an end is over."""
    seconds = (now + RESOLVE_TIMEOUT).timestamp()
    return datetime.fromtimestamp(-(-seconds // _STEP) * _STEP, UTC)
