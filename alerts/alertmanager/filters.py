"""The query parameters of GET /alerts, /alerts/groups and /silences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import re2
from django.db.models import F, Q, QuerySet, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce

from alerts.alertmanager.errors import handler_error
from alerts.labels import UNNAMED
from alerts.matching import Matcher, parse_filter
from alerts.models import Alert

TRUE = frozenset({"true", "1", "yes", "ok", "y", "on", "selected", "checked", "t", "enabled"})
MOST_FILTERS = 50
LONGEST_FILTER = 4096


class Query(Protocol):
    """Django's QueryDict, as far as it is used here."""

    def get(self, key: str) -> Any: ...
    def getlist(self, key: str) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class Flags:
    """Whose alerts are shown. `active` False leaves the suppressed ones."""

    active: bool
    silenced: bool
    inhibited: bool
    muted: bool


class ReceiverPattern:
    """`receiver=`: a regular expression for the whole name."""

    def __init__(self, pattern: str) -> None:
        try:
            self._pattern = re2.compile(pattern, _quiet())
        except re2.error as error:
            raise handler_error(f"failed to parse receiver param: error parsing regexp: {error}") from None

    def matches(self, name: str) -> bool:
        return self._pattern.fullmatch(name) is not None


@dataclass(frozen=True, slots=True)
class Selection:
    """What a GET of alerts asks for."""

    matchers: tuple[Matcher, ...]
    receiver: ReceiverPattern | None
    flags: Flags

    def in_python(self) -> tuple[Matcher, ...]:
        """The matchers that PostgreSQL does not decide."""
        return tuple(matcher for matcher in self.matchers if matcher.is_regex)


def read_selection(query: Query) -> Selection:
    """Raises Refused: a filter or the receiver cannot be read."""
    pattern = query.get("receiver")
    return Selection(
        matchers=read_filters(query),
        receiver=ReceiverPattern(pattern) if pattern else None,
        flags=Flags(*(read_flag(query, name) for name in ("active", "silenced", "inhibited", "muted"))),
    )


def read_filters(query: Query) -> tuple[Matcher, ...]:
    """`filter=`, each one matcher. Raises Refused."""
    texts = query.getlist("filter")
    if len(texts) > MOST_FILTERS or any(len(text) > LONGEST_FILTER for text in texts):
        raise handler_error(f"at most {MOST_FILTERS} filters of {LONGEST_FILTER} characters can be given")
    try:
        return tuple(parse_filter(text) for text in texts)
    except ValueError as error:
        raise handler_error(str(error)) from None


def narrowed(alerts: QuerySet[Alert], matchers: Sequence[Matcher]) -> QuerySet[Alert]:
    """Those of which the labels fit; equality goes through the index on labels, regular expressions are left to Python."""
    for number, matcher in enumerate(matchers):
        if matcher.is_regex:
            continue
        if matcher.value and matcher.is_equal:
            alerts = alerts.filter(labels__contains={matcher.name: matcher.value})
            continue
        name = f"label_{number}"
        alerts = alerts.alias(
            **{
                name: Coalesce(
                    KeyTextTransform(matcher.name, F("labels")), Value("", output_field=TextField())
                )
            }
        )
        same = Q(**{name: matcher.value})
        alerts = alerts.filter(same if matcher.is_equal else ~same)
    return alerts


def named_by_sender() -> Q:
    """Alerts whose own labels are what matchers see (`alerts.labels.seen_labels`)."""
    return Q(labels__has_key="alertname") | Q(title=UNNAMED)


def same_matchers(filters: Sequence[Matcher], silence: Sequence[Mapping[str, Any]]) -> bool:
    """Whether each filter *is* one of the silence's matchers: on silences it is the matcher that is compared, not what it matches."""
    return all(matcher.as_json() in silence for matcher in filters)


def read_flag(query: Query, name: str) -> bool:
    """True unless it is given; what cannot be read counts as false, as there."""
    given = query.get(name)
    return True if given is None or given == "" else given.lower() in TRUE


def _quiet() -> Any:
    options = re2.Options()
    options.log_errors = False
    return options
