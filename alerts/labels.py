"""What labels from outside mean here, and the labels by which alerts of every source are found and silenced."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alerts.choices import Category
from alerts.matching import Matcher, parse_matchers
from alerts.models import LabelRule

# The title of an alert whose sender gave it no name.
UNNAMED = "alert"
# Of an alert that no label rule gives a category.
OTHERWISE = Category.SYSTEM_ERROR
# Answers that one set of rules remembers.
MOST_REMEMBERED = 10_000


def seen_labels(*, category: str, title: str, labels: Mapping[str, str]) -> Mapping[str, str]:
    """What matchers look at. An alert that did not come with Prometheus' `alertname` has its title as one, and its category."""
    if "alertname" in labels or title == UNNAMED:
        return labels
    return {"alertname": title, "category": category, **labels}


@dataclass(frozen=True, slots=True)
class Meaning:
    """`priority` None: the default one of the category's rule."""

    category: str
    priority: str | None


@dataclass(frozen=True, slots=True)
class _Rule:
    matchers: tuple[Matcher, ...]
    category: str
    priority: str


class LabelMapping:
    """The enabled label rules in their order. Safe in threads: what is remembered is only ever added."""

    def __init__(self, rows: Sequence[tuple[Any, str, str]]) -> None:
        self._rules = [
            _Rule(parse_matchers(matchers), category, priority) for matchers, category, priority in rows
        ]
        self._names = sorted({matcher.name for rule in self._rules for matcher in rule.matchers})
        self._remembered: dict[tuple[str, ...], Meaning] = {}

    def meaning(self, labels: Mapping[str, str]) -> Meaning:
        """The category of the first rule that matches and gives one, and the priority likewise."""
        asked = tuple(labels.get(name, "") for name in self._names)
        found = self._remembered.get(asked)
        if found is None:
            found = self._read(labels)
            if len(self._remembered) >= MOST_REMEMBERED:
                self._remembered = {}
            self._remembered[asked] = found
        return found

    def _read(self, labels: Mapping[str, str]) -> Meaning:
        category = priority = ""
        for rule in self._rules:
            if (category or not rule.category) and (priority or not rule.priority):
                continue
            if all(matcher.matches(labels) for matcher in rule.matchers):
                category, priority = category or rule.category, priority or rule.priority
        return Meaning(category or OTHERWISE, priority or None)


_newest: tuple[list[tuple[Any, str, str]], LabelMapping] | None = None


def mapping() -> LabelMapping:
    """The rules as they are now: one short query; they are compiled again only after a change."""
    global _newest  # noqa: PLW0603  one value per process, replaced as a whole
    rows = list(LabelRule.objects.filter(enabled=True).values_list("matchers", "category", "priority"))
    if _newest is None or _newest[0] != rows:
        _newest = (rows, LabelMapping(rows))
    return _newest[1]
