"""What may stand in a rule, a response time and a label rule: checks that name the field and what is allowed. Pure but for the zones."""

from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import available_timezones

from alerts.choices import Category, Priority
from alerts.matching import parse_matchers

Check = Callable[[Any], Any]


class Refused(ValueError):
    """`field` cannot have that value; `problem` says what is allowed."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field, self.problem = field, problem


def _one_of(*allowed: str) -> Check:
    def check(value: Any) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise ValueError(f"must be one of {', '.join(name or '(empty)' for name in allowed)}")
        return value

    return check


def _whole(least: int, most: int) -> Check:
    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return value

    return check


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _text(longest: int) -> Check:
    def check(value: Any) -> str:
        if not isinstance(value, str) or len(value) > longest or not (value.isprintable() or not value):
            raise ValueError(f"must be a line of at most {longest} characters")
        return value

    return check


def _zone(value: Any) -> str:
    if not isinstance(value, str) or (value and value not in available_timezones()):
        raise ValueError("must be a time zone such as America/New_York, or empty for the desk's own")
    return value


def _matchers(value: Any) -> list[dict[str, Any]]:
    matchers = parse_matchers(value)
    if not matchers:
        raise ValueError("must have at least one matcher")
    return [matcher.as_json() for matcher in matchers]


RULE: Mapping[str, Check] = {
    "enabled": _flag,
    "default_priority": _one_of(*Priority.values),
    "min_priority": _one_of(*Priority.values),
    "max_per_hour": _whole(0, 100_000),
    "dedupe_window_minutes": _whole(0, 10_080),
    "quiet_start": _whole(0, 23),
    "quiet_end": _whole(0, 23),
    "time_zone": _zone,
    "quiet_passes": _one_of(*Priority.values),
}
RESPONSE_TIME: Mapping[str, Check] = {
    "minutes": _whole(0, 10_080),
    "next_business_day": _flag,
    "escalate_every_minutes": _whole(1, 10_080),
}
LABEL_RULE: Mapping[str, Check] = {
    "position": _whole(0, 32_767),
    "enabled": _flag,
    "matchers": _matchers,
    "category": _one_of("", *Category.values),
    "priority": _one_of("", *Priority.values),
    "comment": _text(200),
}


def checked(values: Mapping[str, Any], allowed: Mapping[str, Check]) -> dict[str, Any]:
    """The values as they are stored. Raises Refused for the first that is not allowed, and for a name that is no field."""
    found = {}
    for name, value in values.items():
        check = allowed.get(name)
        if check is None:
            raise Refused(str(name)[:64], f"is not a field here; allowed are {', '.join(allowed)}")
        try:
            found[name] = check(value)
        except ValueError as error:
            raise Refused(name, str(error).removeprefix(f"{name}: ")) from None
    return found
