"""Values as people ask for them: with their age, and null with a reason where they are not known. Never 0 for unknown."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

# A gauge that was not reported for so long says nothing about now.
STALE = timedelta(minutes=5)
NEVER = "never reported"


@dataclass(frozen=True, slots=True)
class Value:
    """`at`: when it was reported. `last_value`: of a stale one. `parts`: of several series put together, each with its own labels."""

    value: float | None = None
    at: datetime | None = None
    age_seconds: float | None = None
    reason: str | None = None
    last_value: float | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    parts: tuple["Value", ...] = ()

    def of(self, value: float | None) -> "Value":
        """Another number with the same age; unknown stays unknown."""
        return self if self.value is None else replace(self, value=value, parts=())


def unknown(reason: str) -> Value:
    return Value(reason=reason)


def known(value: float, at: datetime, *, now: datetime) -> Value:
    return Value(value, at, _age(at, now))


def gauge(value: float, at: datetime, *, labels: Mapping[str, str], now: datetime) -> Value:
    """The newest value of one gauge; unknown when it is stale."""
    if now - at <= STALE:
        return Value(value, at, _age(at, now), labels=labels)
    reason = f"stale, last reported {ago(now - at)} ago"
    return Value(None, at, _age(at, now), reason, last_value=value, labels=labels)


def together(
    parts: Iterable[Value], combine: Callable[[list[float]], float], *, every: bool, since: datetime
) -> Value:
    """Several gauges as one, as old as the oldest of them.

    `every`: each part is needed, as in a sum over clients, so that one stale part makes all of it unknown; else the stale ones are left out.
    Parts that were not reported since `since` are over, while others are not.
    """
    parts = tuple(parts)
    if not parts:
        return unknown(NEVER)
    lately = tuple(part for part in parts if part.at is not None and part.at >= since) or parts
    fresh = tuple(part for part in lately if part.value is not None)
    taken = lately if every else fresh or lately
    numbers = [part.last_value if part.value is None else part.value for part in taken]
    oldest = min(taken, key=lambda part: part.at or since)
    found = combine([number for number in numbers if number is not None])
    if oldest.value is None:
        who = ", ".join(oldest.labels.values())
        reason = f"{oldest.reason} by {who}" if who and len(taken) > 1 else oldest.reason
        return Value(None, oldest.at, oldest.age_seconds, reason, last_value=found, parts=taken)
    return Value(found, oldest.at, oldest.age_seconds, parts=taken)


def ago(length: timedelta) -> str:
    """`40 s`, `7 min`, `2 h 06 min`, `3 days`."""
    seconds = int(length.total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    if seconds < 86_400:
        return f"{seconds // 3600} h {seconds % 3600 // 60:02d} min"
    return f"{seconds // 86_400} day{'' if seconds < 172_800 else 's'}"


def _age(at: datetime, now: datetime) -> float:
    return round(max(0.0, (now - at).total_seconds()), 3)
