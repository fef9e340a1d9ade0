"""Many writers at the same time: what is sent, deduped and limited is exactly what one writer after the other would have made of it."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from random import Random
from threading import Barrier

import pytest
from django.db import connection, transaction

from alerts.locking import lock_decisions
from alerts.models import Alert, HourCount, KindTally, MinuteTally
from alerts.services.raised import RaisedAlert
from alerts.services.raising import raise_alerts
from alerts.services.repeats import Repeat, count_repeats
from tests.alerts.raising import NOON, an_alert, set_rule
from tests.cast import ROOT

WRITERS = 8
BATCHES = 12
CATEGORIES = ("RISK_WARNING", "SYSTEM_ERROR", "COST_ALERT")
LIMIT = 20


def batches(writer: int) -> Iterator[list[RaisedAlert]]:
    """Of 0 to 60 alerts of 90 kinds, in an order of its own."""
    random = Random(writer)
    for _ in range(BATCHES):
        yield [
            an_alert(f"a{random.randrange(30)}", category=random.choice(CATEGORIES))
            for _ in range(random.randrange(60))
        ]


def oracle() -> Counter[tuple[str, str]]:
    """All alerts, one after the other, at times that lie within one hour and one window. Of the order nothing depends but who comes first."""
    known: set[tuple[str, str]] = set()
    sent: Counter[str] = Counter()
    decided: Counter[tuple[str, str]] = Counter()
    for alert in [alert for writer in range(WRITERS) for batch in batches(writer) for alert in batch]:
        key = alert.category, alert.title
        if key in known:
            decision = "DEDUPED"
        elif sent[alert.category] < LIMIT:
            decision = "SENT"
            known.add(key)
            sent[alert.category] += 1
        else:
            decision = "RATE_LIMITED"
        decided[alert.category, decision] += 1
    return decided


def write(writer: int, together: Barrier) -> Counter[tuple[str, str]]:
    decided: Counter[tuple[str, str]] = Counter()
    try:
        together.wait(30)
        for number, batch in enumerate(batches(writer)):
            at = NOON + timedelta(seconds=number)
            outcomes = raise_alerts(actor=ROOT, alerts=batch, now=at)
            for alert, outcome in zip(batch, outcomes, strict=True):
                decided[alert.category, str(outcome.decision)] += 1
    finally:
        connection.close()
    return decided


@pytest.mark.django_db(transaction=True)
def test_concurrent_writers_agree_with_one_writer() -> None:
    together = Barrier(WRITERS)
    with ThreadPoolExecutor(WRITERS) as pool:
        parts = [future.result() for future in [pool.submit(write, n, together) for n in range(WRITERS)]]
    answered = sum(parts, Counter())
    expected = oracle()
    total = expected.total()
    assert total > 2000
    # Which kinds are sent depends on who comes first, so how often they repeat does, too: but the sums do not.
    assert {key: count for key, count in answered.items() if key[1] == "SENT"} == {
        (category, "SENT"): LIMIT for category in CATEGORIES
    }
    for category in CATEGORIES:
        kinds = Alert.objects.filter(category=category)
        raised_again = sum(kinds.filter(sent_count=1).values_list("count", flat=True)) - LIMIT
        limited = sum(kinds.filter(sent_count=0).values_list("count", flat=True))
        before = sum(
            entry["count"]
            for history in kinds.filter(sent_count=1).values_list("history", flat=True)
            for entry in history
            if entry["decision"] == "RATE_LIMITED"
        )
        assert before == 0
        assert answered[category, "DEDUPED"] == raised_again
        assert answered[category, "RATE_LIMITED"] == limited
        assert raised_again + limited + LIMIT == sum(
            count for (of, _), count in expected.items() if of == category
        )
    # Every place that counts has the same numbers.
    tallies: Counter[tuple[str, str]] = Counter()
    for category, decision, count in MinuteTally.objects.values_list("category", "decision", "count"):
        tallies[category, decision] += count
    assert tallies == answered
    assert dict(HourCount.objects.values_list("category", "sent")) == dict.fromkeys(CATEGORIES, LIMIT)
    assert sum(KindTally.objects.values_list("raised", flat=True)) == total
    assert sum(Alert.objects.values_list("count", flat=True)) == total


@pytest.mark.django_db(transaction=True)
def test_one_writer_agrees_with_the_oracle() -> None:
    answered = sum((write(writer, Barrier(1)) for writer in range(WRITERS)), Counter())
    assert answered == oracle()


@pytest.mark.django_db
def test_counting_repeats_is_deciding_them() -> None:
    """The same alerts, once decided each time and once counted where the newest decision stands: the same sums."""
    set_rule(max_per_hour=8, dedupe_window_minutes=10)
    sums, counted = [], 0
    for quick in (False, True):
        Alert.objects.all().delete()
        HourCount.objects.all().delete()
        MinuteTally.objects.all().delete()
        random = Random(7)
        for step in range(200):
            at = NOON + timedelta(seconds=40 * step)
            alerts = [an_alert(f"a{random.randrange(12)}") for _ in range(step % 7)]
            known = {row.title: row.pk for row in Alert.objects.filter(state="FIRING")} if quick else {}
            with transaction.atomic():
                lock_decisions()
                numbers = Counter(known[alert.title] for alert in alerts if alert.title in known)
                taken = count_repeats(repeats=[Repeat(pk, n, None) for pk, n in numbers.items()], at=at)
            others = [alert for alert in alerts if known.get(alert.title) not in taken]
            raise_alerts(actor=ROOT, alerts=others, now=at)
            counted += len(alerts) - len(others)
        sums.append(
            list(
                MinuteTally.objects.order_by("minute", "decision").values_list("minute", "decision", "count")
            )
        )
    assert sums[0] == sums[1]
    assert counted > 100
