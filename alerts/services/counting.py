"""Counts of the batch, added to those of the hour, the minute and the day in one statement each. Under `lock_decisions()`."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime

from django.db import connection

from alerts.decision import hour_of

SENT = "SELECT category, sent FROM alerts_hourcount WHERE hour = %s AND category = ANY(%s)"
# Rows in the order of their keys, so that two that write the same ones cannot wait for each other.
HOUR = """
INSERT INTO alerts_hourcount (category, hour, sent)
SELECT t.category, %s, t.sent FROM unnest(%s::text[], %s::int[]) AS t (category, sent) ORDER BY t.category
ON CONFLICT ON CONSTRAINT one_count_an_hour DO UPDATE SET sent = alerts_hourcount.sent + EXCLUDED.sent
"""
MINUTE = """
INSERT INTO alerts_minutetally (minute, category, priority, decision, count)
SELECT %s, t.category, t.priority, t.decision, t.count
FROM unnest(%s::text[], %s::text[], %s::text[], %s::bigint[]) AS t (category, priority, decision, count)
ORDER BY t.category, t.priority, t.decision
ON CONFLICT ON CONSTRAINT one_tally_a_minute DO UPDATE SET count = alerts_minutetally.count + EXCLUDED.count
"""
KIND = """
INSERT INTO alerts_kindtally (day, category, title, raised, sent, acted)
SELECT %s, t.category, t.title, t.raised, t.sent, 0
FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::bigint[]) AS t (category, title, raised, sent)
ORDER BY t.category, t.title
ON CONFLICT ON CONSTRAINT one_tally_a_kind_and_day
DO UPDATE SET raised = alerts_kindtally.raised + EXCLUDED.raised, sent = alerts_kindtally.sent + EXCLUDED.sent
"""


def sent_in_hour(categories: Iterable[str], *, at: datetime) -> dict[str, int]:
    """How many alerts of each category were sent in the clock hour of `at`."""
    wanted = list(categories)
    with connection.cursor() as cursor:
        cursor.execute(SENT, [hour_of(at), wanted])
        return dict.fromkeys(wanted, 0) | dict(cursor.fetchall())


class Tallies:
    """What one batch adds."""

    def __init__(self) -> None:
        # By category, priority and decision; by category and title; sent ones by category and title.
        self._decided: Counter[tuple[str, str, str]] = Counter()
        self._raised: Counter[tuple[str, str]] = Counter()
        self._sent: Counter[tuple[str, str]] = Counter()

    def add(self, *, category: str, priority: str, title: str, decision: str, count: int = 1) -> None:
        self._decided[category, priority, decision] += count
        self._raised[category, title] += count
        if decision == "SENT":
            self._sent[category, title] += count

    def add_sent(self, *, category: str, title: str) -> None:
        """One that was sent without being raised once more."""
        self._raised[category, title] += 0
        self._sent[category, title] += 1

    def write(self, *, at: datetime) -> None:
        sent: Counter[str] = Counter()
        for (category, _), count in self._sent.items():
            sent[category] += count
        with connection.cursor() as cursor:
            if sent:
                cursor.execute(HOUR, [hour_of(at), list(sent), list(sent.values())])
            if self._decided:
                keys = [list(column) for column in zip(*self._decided, strict=True)]
                minute = at.astimezone(UTC).replace(second=0, microsecond=0)
                cursor.execute(MINUTE, [minute, *keys, list(self._decided.values())])
            if self._raised:
                keys = [list(column) for column in zip(*self._raised, strict=True)]
                numbers = [list(self._raised.values()), [self._sent[key] for key in self._raised]]
                cursor.execute(KIND, [at.astimezone(UTC).date(), *keys, *numbers])
