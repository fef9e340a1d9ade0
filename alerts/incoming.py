"""An alert as it is posted to the API, read into what the engine takes. Refusals name the field and what is allowed."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from alerts import limits
from alerts.api_fields import checking, moment, one_of, within
from alerts.choices import Category, Priority
from alerts.services.raised import RaisedAlert, check
from opsconsole.api import fields as f
from opsconsole.api.body import Body
from opsconsole.api.errors import ApiError, invalid

SOURCE = "api"
BODY_LIMIT = 2 * 1024 * 1024
# An alert may say that it ends so far ahead; raised again, it goes on.
LASTS = timedelta(days=30)
FIELDS = (
    *("category", "priority", "title", "message", "labels", "annotations", "details", "force", "dedupe_key"),
    *("starts_at", "occurred_at", "ends_at", "resolved", "generator_url", "source", "sent_directly"),
)


def items_of(body: Body) -> list[Any] | None:
    """The alerts of `{"alerts": […]}` or of a bare list; None where the body is a single alert. 400 for none, or for too many."""
    items: Any
    if body.problems and body.raw.startswith("["):
        try:
            items = json.loads(body.raw)
        except (ValueError, RecursionError):
            raise ApiError(400, "invalid_body", "The body is not valid JSON.") from None
    else:
        fields = body.or_refuse()
        if "alerts" not in fields:
            return None
        f.refuse_unknown(fields, "alerts")
        items = fields["alerts"]
    if not isinstance(items, list) or not 1 <= len(items) <= limits.BATCH:
        raise invalid("alerts", f"must be a list of 1 to {limits.BATCH} alerts")
    return items


def read_alert(fields: Any, *, now: datetime) -> RaisedAlert:
    """400 for the first field that cannot be used."""
    if not isinstance(fields, Mapping):
        raise invalid("alert", "must be an object")
    f.refuse_unknown(fields, *FIELDS)
    title, message = words(fields)
    priority = one_of(fields, "priority", Priority.values)
    alert = RaisedAlert(
        category=category(fields),
        priority=Priority(priority) if priority else None,
        title=title,
        message=message,
        labels=_named(fields, "labels", limits.check_labels),
        annotations=_named(fields, "annotations", limits.check_annotations),
        details=_named(fields, "details", limits.check_details),
        source=_line(fields, "source", limits.SOURCE) or SOURCE,
        force=_flag(fields, "force"),
        starts_at=_begin(fields, now),
        ends_at=_end(fields, now),
        generator_url=_line(fields, "generator_url", limits.URL),
        dedupe_key=_line(fields, "dedupe_key", limits.DEDUPE_KEY) or None,
        resolved=_flag(fields, "resolved"),
        sent_directly=_flag(fields, "sent_directly"),
    )
    with checking():
        check(alert)
    return alert


def category(fields: Mapping[str, Any]) -> Category:
    found = one_of(fields, "category", Category.values)
    if not found:
        raise invalid("category", f"is missing; must be one of {', '.join(Category.values)}")
    return Category(found)


def words(fields: Mapping[str, Any]) -> tuple[str, str]:
    """Title and message. Without a title it is the message's first line, shortened."""
    title, message = _line(fields, "title", limits.TITLE), _given(fields, "message")
    with checking():
        limits.check_text("message", message, longest=limits.MESSAGE)
    message = str(message).strip()
    if not title and not message:
        raise invalid("title", f"is missing; give a title of 1 to {limits.TITLE} characters, or a message")
    return title or _short(message.splitlines()[0].strip()), message


def _short(line: str) -> str:
    return line if len(line) <= limits.TITLE else line[: limits.TITLE - 1] + "…"


def _begin(fields: Mapping[str, Any], now: datetime) -> datetime | None:
    """`occurred_at` is another name for `starts_at`."""
    given = [name for name in ("starts_at", "occurred_at") if fields.get(name) not in (None, "")]
    if len(given) > 1:
        raise invalid("occurred_at", "must be left out where starts_at is given: they are the same")
    at = moment(fields, given[0]) if given else None
    with checking():
        if at is not None:
            limits.check_time(given[0], at, now=now)
    return at


def _end(fields: Mapping[str, Any], now: datetime) -> datetime | None:
    """One that has passed: the alert is over."""
    at = moment(fields, "ends_at")
    within(at, "ends_at", now=now, past=limits.OLDEST, future=LASTS)
    return at


def _given(fields: Mapping[str, Any], name: str) -> Any:
    value = fields.get(name)
    return "" if value is None else value


def _line(fields: Mapping[str, Any], name: str, longest: int) -> str:
    value = _given(fields, name)
    with checking():
        limits.check_line(name, value, longest=longest)
    return str(value).strip()


def _named(fields: Mapping[str, Any], name: str, check: Callable[[str, object], None]) -> dict[str, Any]:
    value = fields.get(name)
    with checking():
        check(name, {} if value is None else value)
    return dict(value or {})


def _flag(fields: Mapping[str, Any], name: str) -> bool:
    return fields.get(name) is not None and f.flag(fields, name)
