"""One alert as this process raises it, cleaned so that the console takes it. Pure.

Title and labels say which alert it is, so they must not hold what changes from one time to the next (scores, prices, counts):
those belong into the details. Otherwise nothing is ever a duplicate.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from opsclient import clock
from opsclient.alerts.choices import DEFAULT_PRIORITIES, AlertCategory, AlertPriority, known
from opsclient.jsonable import jsonable

LONGEST_TITLE = 200
LONGEST_MESSAGE = 4000
LONGEST_KEY = 200
MOST_LABELS = 32
LONGEST_LABEL_NAME = 64
LONGEST_LABEL = 512
LONGEST_DETAILS = 16 * 1024

# Control characters but for line feed and tab, and the marks that turn the direction of text: the console refuses them.
_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_BREAKS = re.compile(r"\r\n?|\u2028|\u2029")
_NOT_IN_LABEL_NAME = re.compile(r"[^a-zA-Z0-9_]")


@dataclass(frozen=True, slots=True)
class Alert:
    """What is told to the console. `priority` None leaves it to the rule of the category."""

    category: AlertCategory
    title: str
    message: str = ""
    priority: AlertPriority | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    force: bool = False
    dedupe_key: str | None = None
    resolved: bool = False
    occurred_at: str = ""

    @property
    def urgency(self) -> AlertPriority:
        """The priority, or the usual one of the category; what the spool and the direct way go by."""
        return self.priority or DEFAULT_PRIORITIES[self.category]

    @property
    def identity(self) -> str:
        """The same for alerts that the console takes for the same."""
        own = self.dedupe_key or [self.title, sorted(self.labels.items())]
        return json.dumps([self.category, own])

    def body(self) -> dict[str, Any]:
        """The alert in the API's words."""
        given = {
            "priority": self.priority,
            "force": self.force or None,
            "dedupe_key": self.dedupe_key,
            "resolved": self.resolved or None,
            "occurred_at": self.occurred_at or None,
        }
        return {
            "category": self.category,
            "title": self.title,
            "message": self.message,
            "labels": dict(self.labels),
            "details": dict(self.details),
            **{name: value for name, value in given.items() if value is not None},
        }


def make(
    category: AlertCategory | str,
    message: object = "",
    *,
    title: object = None,
    priority: AlertPriority | str | None = None,
    labels: Mapping[str, object] | None = None,
    details: Mapping[str, Any] | None = None,
    force: bool = False,
    dedupe_key: object = None,
    resolved: bool = False,
) -> Alert:
    """An alert of whatever was given, as of now. Without a title it is the first line of the message.

    Texts are cut and cleaned and never refused. Raises ConfigurationError for an unknown category or priority.
    """
    text = clean(message, LONGEST_MESSAGE)
    heading = text if title is None else clean(title, LONGEST_TITLE)
    kind = known(AlertCategory, category, argument="category")
    return Alert(
        category=kind,
        title=one_line(heading) or kind.replace("_", " ").capitalize(),
        message=text,
        priority=None if priority is None else known(AlertPriority, priority, argument="priority"),
        labels=_labels(labels or {}),
        details=_details(details),
        force=bool(force),
        dedupe_key=None if dedupe_key is None else one_line(clean(dedupe_key, LONGEST_KEY)) or None,
        resolved=resolved,
        occurred_at=clock.utc_text(),
    )


def read(body: Mapping[str, Any]) -> Alert:
    """The alert of a body that was written by `Alert.body`. Raises ValueError or TypeError if it was not."""
    priority = body.get("priority")
    return Alert(
        category=AlertCategory(body["category"]),
        title=str(body["title"]),
        message=str(body.get("message", "")),
        priority=None if priority is None else AlertPriority(priority),
        labels=dict(body.get("labels", {})),
        details=dict(body.get("details", {})),
        force=body.get("force") is True,
        dedupe_key=body.get("dedupe_key"),
        resolved=body.get("resolved") is True,
        occurred_at=str(body.get("occurred_at", "")),
    )


def clean(value: object, longest: int) -> str:
    """The value as a text that the console takes; what is too long ends with an ellipsis."""
    try:
        text = str(value)
    except Exception:
        text = f"<{type(value).__name__}>"
    text = _UNWANTED.sub("", _BREAKS.sub("\n", text.encode("utf-8", "replace").decode())).strip()
    return text if len(text) <= longest else text[: longest - 1] + "…"


def one_line(text: str) -> str:
    """The first line, as long as a title may be."""
    line = " ".join(text.split("\n", 1)[0].split())
    return line if len(line) <= LONGEST_TITLE else line[: LONGEST_TITLE - 1] + "…"


def _labels(given: Mapping[str, object]) -> dict[str, str]:
    labels: dict[str, str] = {}
    for name, value in list(given.items())[:MOST_LABELS]:
        text = one_line(clean(value, LONGEST_LABEL)) if value is not None else ""
        if text:
            labels[_label_name(name)] = text
    return labels


def _label_name(name: object) -> str:
    text = _NOT_IN_LABEL_NAME.sub("_", str(name))[:LONGEST_LABEL_NAME]
    return text if text and not text[0].isdigit() else f"_{text}"


def _details(given: object) -> dict[str, Any]:
    if given is None:
        return {}
    data = _cleaned(jsonable(given))
    details = data if isinstance(data, dict) else {"details": data}
    size = len(json.dumps(details))
    return details if size <= LONGEST_DETAILS else {"left_out_bytes": size}


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value, LONGEST_MESSAGE)
    if isinstance(value, dict):
        return {one_line(clean(name, LONGEST_LABEL)): _cleaned(item) for name, item in value.items()}
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return str(value)
    return [_cleaned(item) for item in value] if isinstance(value, list) else value
