"""Reads of the alerts: the list with its filters, and one alert with everything that is known of it."""

import re
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from itertools import product
from operator import and_

from django.db.models import Prefetch, Q
from django.utils import timezone

from alerts import walks
from alerts.choices import AlertState, Category, Decision, Priority
from alerts.labels import seen_labels
from alerts.models import Alert, AlertRule, Delivery, DeliveryAttempt
from alerts.response import overdue
from alerts.silence_index import CompiledSilence, open_silences

LABEL = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
NUMBER = re.compile(r"#?([0-9]{1,18})")
# Columns of the index `alert_filters`, with everything that can stand in them.
FEW = {
    "category": Category.values,
    "priority": Priority.values,
    "decision": Decision.values,
    "state": AlertState.values,
}
# Earlier incidents of the same kind that are shown beside one.
EARLIER = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What is asked for; empty and None mean any.

    `search`: words that all stand in the title, `name=value` of a label, or an alert's number. `since`, `until`: when the first one was
    taken in; `until` itself is not included.
    """

    category: str = ""
    priority: str = ""
    decision: str = ""
    state: str = ""
    source: str = ""
    search: str = ""
    since: datetime | None = None
    until: datetime | None = None
    acknowledged: bool | None = None
    overdue: bool | None = None


@dataclass(frozen=True, slots=True)
class AlertPage:
    """`next_id`: pass it as `before_id` for older alerts; None on the last page.

    A page may have fewer rows than asked for and still a next one: it looks at no more than `walks.WINDOW` alerts.
    """

    results: list[Alert]
    next_id: int | None


@dataclass(frozen=True, slots=True)
class Detail:
    """One alert. `deliveries` with their `tries`, oldest first; `silences`: that hold it now; `earlier`: incidents of the same labels."""

    alert: Alert
    rule: AlertRule
    deliveries: list[Delivery]
    silences: list[CompiledSilence]
    earlier: list[Alert]


@dataclass(frozen=True, slots=True)
class Search:
    words: tuple[str, ...]
    labels: dict[str, str]
    number: int | None


def is_overdue(alert: Alert, *, now: datetime) -> bool:
    """As `response.overdue()`, of a row at hand."""
    due = alert.due_at is not None and alert.due_at <= now
    return due and alert.state == AlertState.FIRING and alert.acknowledged_at is None


def recent(
    filters: Filters, *, limit: int, before_id: int | None = None, now: datetime | None = None
) -> AlertPage:
    """The newest alerts that match, older than `before_id`. A few milliseconds at a million alerts, whatever the filters."""
    moment = now or timezone.now()
    within = walks.range_of(before_id=before_id, since=filters.since, until=filters.until)
    asked = parse_search(filters.search)
    walked, rest = _walk(filters, asked, within, limit=limit, now=moment)
    found = {alert.pk: alert for alert in walks.matching(walked.ids, rest, most=limit + 1)}
    if asked.number is not None:
        numbered = Alert.objects.filter(
            _columns(filters), within.as_q(), _people(filters, moment), pk=asked.number
        )
        found |= {
            alert.pk: alert for alert in numbered if walked.horizon is None or alert.pk >= walked.horizon
        }
    results = sorted(found.values(), key=lambda alert: -alert.pk)
    if len(results) > limit:
        return AlertPage(results[:limit], results[limit - 1].pk)
    return AlertPage(results, walked.horizon)


def parse_search(text: str) -> Search:
    words, labels = [], {}
    for token in text.split():
        if label := LABEL.fullmatch(token):
            labels[label[1]] = label[2]
        else:
            words.append(token)
    number = NUMBER.fullmatch(text.strip())
    return Search(tuple(words), labels, int(number[1]) if number else None)


def _walk(
    filters: Filters, asked: Search, within: walks.Range, *, limit: int, now: datetime
) -> tuple[walks.Walked, Q]:
    """The ids to look at, by the narrowest index that there is, and what is still to be asked of their rows."""
    columns, people = _columns(filters), _people(filters, now)
    most = walks.WINDOW
    if asked.words:
        titles, rest = walks.titles_with(asked.words), columns & people & _labels(asked)
        if titles is None:
            return walks.newest(Q(), within, most=most), rest & _titled(asked)
        return walks.along({"title": titles}, within, most=most if rest else len(titles) * (limit + 1)), rest
    if asked.labels:
        return walks.labelled(asked.labels, within, most=limit + 1), columns & people & _labels(asked)
    if filters.overdue:
        return walks.overdue(overdue(now), within), columns & people
    if filters.source:
        rest = _columns(filters, but="source") & people
        return walks.along({"source": [filters.source]}, within, most=most if rest else limit + 1), rest
    if filters.acknowledged:
        rest = columns & _people(filters, now, but="acknowledged")
        owned = Q(acknowledged_at__isnull=False)
        return walks.newest(owned, within, most=most if rest else limit + 1), rest
    if columns:
        keys = _keys(filters)
        size = len(keys["category"])
        return walks.along(keys, within, most=max(most if people else 0, size * (limit + 1))), people
    return walks.newest(Q(), within, most=most if people else limit + 1), people


def _keys(filters: Filters) -> dict[str, list[str]]:
    """Every combination of the four columns that fulfils the filters."""
    wanted = [[given] if (given := getattr(filters, name)) else values for name, values in FEW.items()]
    rows = list(product(*wanted))
    return {name: [row[index] for row in rows] for index, name in enumerate(FEW)}


def _columns(filters: Filters, *, but: str = "") -> Q:
    names = [name for name in (*FEW, "source") if name != but and getattr(filters, name)]
    return Q(**{name: getattr(filters, name) for name in names})


def _labels(asked: Search) -> Q:
    return Q(labels__contains=asked.labels) if asked.labels else Q()


def _titled(asked: Search) -> Q:
    return reduce(and_, (Q(title__icontains=word) for word in asked.words))


def _people(filters: Filters, now: datetime, *, but: str = "") -> Q:
    """What depends on who owns it, and on the time."""
    found = Q()
    if filters.acknowledged is not None and but != "acknowledged":
        found &= Q(acknowledged_at__isnull=not filters.acknowledged)
    if filters.overdue is not None:
        found &= overdue(now) if filters.overdue else ~overdue(now)
    return found


def detail(pk: int, *, now: datetime | None = None) -> Detail:
    """Raises Alert.DoesNotExist."""
    alert = Alert.objects.select_related("assignee").get(pk=pk)
    tries = Prefetch("tries", queryset=DeliveryAttempt.objects.order_by("number"))
    earlier = Alert.objects.filter(fingerprint=alert.fingerprint, state=AlertState.RESOLVED, pk__lt=pk)
    return Detail(
        alert=alert,
        rule=AlertRule.objects.get(category=alert.category),
        deliveries=list(alert.deliveries.prefetch_related(tries).order_by("pk")),
        silences=silences_of(alert, now=now or timezone.now()),
        earlier=list(earlier.order_by("-pk")[:EARLIER]),
    )


def silences_of(alert: Alert, *, now: datetime) -> list[CompiledSilence]:
    """The silences that hold it now, the one that ends first at the beginning."""
    labels = seen_labels(category=alert.category, title=alert.title, labels=alert.labels)
    return open_silences(at=now).covering(labels, at=now)
