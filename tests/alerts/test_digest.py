"""The end of quiet hours: what was held is told in one digest per channel, once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest
from django.db import connection

from alerts.channels.compose import message_of
from alerts.choices import DeliveryKind
from alerts.matching import Matcher
from alerts.models import Alert, Delivery
from alerts.services import silencing
from alerts.services.ending import decide_untold, release_held
from tests.alerts.raising import NIGHT, a_channel, an_alert, minutes, raised, set_rule
from tests.cast import ROOT

pytestmark = pytest.mark.django_db
MORNING = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)


def test_nothing_is_released_before_the_quiet_hours_end() -> None:
    raised(NIGHT)
    assert release_held(now=minutes(-1, MORNING)) == 0
    assert Alert.objects.get().held


def test_one_digest_per_channel_of_what_it_takes() -> None:
    a_channel("all")
    a_channel("urgent", min_priority="HIGH")
    a_channel("costs", categories=["COST_ALERT"])
    a_channel("later", escalation=1)
    a_channel("off", enabled=False)
    raised(
        NIGHT, an_alert("a"), an_alert("b", priority="LOW"), an_alert("b", priority="LOW"), an_alert("gone")
    )
    raised(minutes(1, NIGHT), an_alert("gone", resolved=True))
    assert release_held(now=MORNING) == 3
    assert release_held(now=MORNING) == 0
    digests = {delivery.channel_name: delivery for delivery in Delivery.objects.all()}
    assert sorted(digests) == ["all", "urgent"]
    content = digests["all"].content
    assert (content["reason"], content["total"], content["resolved"]) == ("quiet_hours", 2, 1)
    assert content["by_category"] == {"RISK_WARNING": 2}
    assert [(line["title"], line["count"]) for line in content["lines"]] == [("a", 1), ("b", 2)]
    assert [line["title"] for line in digests["urgent"].content["lines"]] == ["a"]
    assert (digests["all"].kind, digests["all"].priority) == (DeliveryKind.DIGEST, "HIGH")
    message = message_of(digests["all"], now=MORNING)
    assert ("Resolved meanwhile", "1") in message.facts
    assert not Alert.objects.filter(held=True).exists()


def test_it_counts_as_told() -> None:
    raised(NIGHT)
    release_held(now=MORNING)
    alert = Alert.objects.get()
    assert (alert.last_sent_at, alert.due_at, alert.sent_count) == (MORNING, minutes(15, MORNING), 0)
    assert raised(minutes(1, MORNING))[0].decision == "DEDUPED"
    assert decide_untold(now=minutes(15, MORNING)) == 0
    assert raised(minutes(15, MORNING))[0].decision == "SENT"


def test_what_was_silenced_or_switched_off_meanwhile_is_not_told() -> None:
    a_channel()
    raised(NIGHT, an_alert("a", labels={"symbol": "IBM"}), an_alert("b", category="COST_ALERT"))
    silencing.create(
        actor=ROOT,
        matchers=[Matcher("symbol", "IBM")],
        starts_at=NIGHT,
        ends_at=minutes(60, MORNING),
        comment="",
        now=NIGHT,
    )
    set_rule("COST_ALERT", enabled=False)
    assert release_held(now=MORNING) == 2
    assert not Delivery.objects.exists()


def test_only_categories_whose_quiet_hours_are_over() -> None:
    set_rule("COST_ALERT", quiet_end=9)
    raised(NIGHT, an_alert("a"), an_alert("b", category="COST_ALERT"))
    assert release_held(now=MORNING) == 1
    assert Alert.objects.get(held=True).category == "COST_ALERT"
    assert release_held(now=minutes(120, MORNING)) == 1


def test_a_change_of_the_rule_ends_them_too() -> None:
    raised(NIGHT)
    set_rule(quiet_start=0, quiet_end=0)
    assert release_held(now=minutes(1, NIGHT)) == 1


@pytest.mark.django_db(transaction=True)
def test_several_beats_tell_once() -> None:
    a_channel()
    raised(NIGHT, *[an_alert(f"a{n}") for n in range(20)])
    together = Barrier(4)

    def beat() -> int:
        try:
            together.wait(10)
            return release_held(now=MORNING)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        released = [future.result() for future in [pool.submit(beat) for _ in range(4)]]
    assert sorted(released) == [0, 0, 0, 20]
    assert Delivery.objects.get().content["total"] == 20
