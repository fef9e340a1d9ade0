"""An alert as it is raised, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from alerts import limits
from alerts.choices import AlertState, Category, Decision, Priority

# Enumerations are slow to ask.
CATEGORIES, PRIORITIES = tuple(Category.values), tuple(Priority.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class RaisedAlert:
    """What a sender says. `category`, `title` and `labels` say which alert it is, unless `dedupe_key` or `identity` does.

    `priority` None: the default one of the category's rule. `source`: `api`, `prometheus`, `killswitch`, … `starts_at` None: now. `ends_at`: when
    it is over unless it is raised again; one that has passed, or `resolved`, ends it. `sent_directly`: told by its sender, who could not
    reach the console then.
    """

    category: str
    title: str
    source: str
    priority: str | None = None
    message: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    force: bool = False
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    generator_url: str = ""
    dedupe_key: str | None = None
    resolved: bool = False
    sent_directly: bool = False
    identity: UUID | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """`alert_id`, `decision` and `state` are None if there was nothing to resolve. `new`: it began an incident."""

    alert_id: int | None
    decision: Decision | None
    # As JSON: in a storm, nobody looks at most of them.
    stored_trace: str
    new: bool
    state: AlertState | None

    @property
    def trace(self) -> list[dict[str, Any]]:
        trace: list[dict[str, Any]] = msgspec.json.decode(self.stored_trace)
        return trace


NOTHING = Outcome(None, None, "[]", False, None)


def check(alert: RaisedAlert) -> None:
    """Raises ValueError with a sentence that names the field and what is allowed."""
    limits.check_choice("category", alert.category, CATEGORIES)
    if alert.priority is not None:
        limits.check_choice("priority", alert.priority, PRIORITIES)
    limits.check_line("title", alert.title, longest=limits.TITLE, empty=False)
    limits.check_line("source", alert.source, longest=limits.SOURCE, empty=False)
    limits.check_text("message", alert.message, longest=limits.MESSAGE)
    limits.check_labels("labels", alert.labels)
    limits.check_annotations("annotations", alert.annotations)
    limits.check_details("details", alert.details)
    limits.check_line("generator_url", alert.generator_url, longest=limits.URL)
    if alert.dedupe_key is not None:
        limits.check_line("dedupe_key", alert.dedupe_key, longest=limits.DEDUPE_KEY, empty=False)
    for name in ("starts_at", "ends_at"):
        moment = getattr(alert, name)
        if moment is not None:
            limits.check_moment(name, moment)
    if alert.starts_at is not None and alert.ends_at is not None and alert.starts_at > alert.ends_at:
        raise ValueError("ends_at must not lie before starts_at.")
