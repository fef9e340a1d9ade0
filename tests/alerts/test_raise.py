"""Raising alerts: refusals, then what becomes of them, what is written and what is told."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from alerts.choices import AlertState, Decision, DeliveryKind
from alerts.matching import Matcher
from alerts.models import Alert, Delivery, HourCount, KindTally, MinuteTally
from alerts.services import silencing
from alerts.services.incidents import LONGEST_HISTORY, folded
from alerts.services.raising import decide_alerts, raise_alerts
from killswitch import services as killswitch
from opsconsole.accounts.models import User
from tests.alerts.raising import NIGHT, NOON, a_channel, an_alert, decisions, minutes, raised, set_rule, the
from tests.cast import ROOT, acting

pytestmark = pytest.mark.django_db


@pytest.mark.django_db(transaction=True)
def test_deciding_belongs_in_a_transaction() -> None:
    with pytest.raises(RuntimeError):
        decide_alerts(actor=ROOT, alerts=[an_alert()], now=NOON)


def test_nothing_at_all() -> None:
    assert raise_alerts(actor=ROOT, alerts=[], now=NOON) == []


def test_the_first_is_sent_and_told() -> None:
    desk = a_channel()
    a_channel("later", escalation=1)
    text = "\u202e <b>IBM</b> \t\n ü"
    details = {"value": 52.3, "at": NOON, "nested": [None, True]}
    sent = an_alert(
        message=text, labels={"symbol": "IBM"}, annotations={"runbook": "https://x"}, details=details
    )
    outcome = raised(NOON, sent)[0]
    alert = the(outcome)
    assert (outcome.decision, outcome.new, outcome.state) == (Decision.SENT, True, AlertState.FIRING)
    assert outcome.trace == alert.trace
    # The default priority of the category's rule.
    assert (alert.priority, alert.message, alert.labels) == ("HIGH", text, {"symbol": "IBM"})
    assert alert.annotations == {"runbook": "https://x"}
    assert alert.details == {"value": 52.3, "at": "2026-11-23T12:05:00Z", "nested": [None, True]}
    assert (alert.source, alert.raised_by, alert.count, alert.sent_count) == ("tests", "tests", 1, 1)
    assert alert.starts_at == alert.first_at == alert.last_at == alert.sent_at == alert.last_sent_at == NOON
    assert (alert.due_at, alert.escalate_at, alert.dedupe_until) == (minutes(15), minutes(15), minutes(15))
    delivery = Delivery.objects.get()
    assert (delivery.alert, delivery.channel, delivery.kind) == (alert, desk, DeliveryKind.FIRING)
    assert HourCount.objects.get().sent == 1
    assert MinuteTally.objects.values_list("category", "priority", "decision", "count").get() == (
        *("RISK_WARNING", "HIGH", "SENT", 1),
    )
    assert KindTally.objects.values_list("title", "raised", "sent", "acted").get() == ("Volatility", 1, 1, 0)


def test_a_repeat_is_a_duplicate_until_the_window_is_over() -> None:
    a_channel()
    alert = the(raised(NOON)[0])
    assert decisions(minutes(1)) == ["DEDUPED"]
    assert decisions(minutes(14.9)) == ["DEDUPED"]
    alert.refresh_from_db()
    assert (alert.count, alert.decision, alert.repeats, alert.decided_at) == (3, "DEDUPED", 1, minutes(1))
    assert (alert.repeated_at, alert.last_at) == (minutes(14.9), minutes(14.9))
    assert [(entry["decision"], entry["count"]) for entry in alert.history] == [("SENT", 1)]
    assert decisions(minutes(15)) == ["SENT"]
    alert.refresh_from_db()
    assert [(entry["decision"], entry["count"]) for entry in alert.history] == [("SENT", 1), ("DEDUPED", 2)]
    assert alert.history[1]["trace"][-1]["age_seconds"] == 60
    assert datetime.fromisoformat(alert.history[1]["until"]) == minutes(14.9)
    assert (alert.sent_count, alert.sent_at, alert.last_sent_at) == (2, NOON, minutes(15))
    kinds = Delivery.objects.order_by("pk").values_list("kind", flat=True)
    # What still waits tells of the repeat, too.
    assert list(kinds) == [DeliveryKind.FIRING]
    assert dict(MinuteTally.objects.filter(decision="DEDUPED").values_list("minute", "count")) == {
        minutes(1): 1,
        minutes(14): 1,
    }


def test_several_of_the_same_in_one_batch() -> None:
    outcomes = raised(NOON, *[an_alert()] * 5, an_alert("Other"), an_alert())
    assert [outcome.decision for outcome in outcomes] == ["SENT", *["DEDUPED"] * 4, "SENT", "DEDUPED"]
    assert len({outcome.alert_id for outcome in outcomes}) == 2
    assert [outcome.new for outcome in outcomes].count(True) == 2
    alert = the(outcomes[0])
    assert (alert.count, alert.repeats) == (6, 4)
    assert [entry["decision"] for entry in alert.history] == ["SENT"]
    assert MinuteTally.objects.get(decision="DEDUPED").count == 5
    assert KindTally.objects.get(title="Volatility").raised == 6


def test_a_storm_is_few_rows() -> None:
    for second in range(10):
        raised(NOON + timedelta(seconds=second), *[an_alert(f"a{n % 50}") for n in range(500)])
    assert Alert.objects.count() == 50
    assert sum(Alert.objects.values_list("count", flat=True)) == 5000
    assert sum(MinuteTally.objects.values_list("count", flat=True)) == 5000
    assert HourCount.objects.get().sent == 20
    assert Alert.objects.filter(decision="RATE_LIMITED").count() == 30
    assert Alert.objects.filter(sent_count=1).count() == 20


def test_the_number_of_queries_does_not_grow_with_the_batch() -> None:
    def queries(number: int) -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            raised(NOON, *[an_alert(f"{number}-{n}") for n in range(number)])
        return len(captured)

    set_rule(max_per_hour=1)
    raised(NOON, an_alert("first"))
    assert queries(2) == queries(200) <= 20


def test_limit_counts_clock_hours_and_categories() -> None:
    set_rule(max_per_hour=2)
    alerts = [an_alert(f"a{n}") for n in range(4)]
    assert decisions(minutes(54), *alerts) == ["SENT", "SENT", "RATE_LIMITED", "RATE_LIMITED"]
    assert decisions(minutes(54.9), alerts[2], an_alert(category="SYSTEM_ERROR")) == ["RATE_LIMITED", "SENT"]
    # A new hour: those that were held are told, the others are duplicates.
    assert decisions(minutes(55), *alerts) == ["DEDUPED", "DEDUPED", "SENT", "SENT"]
    assert list(HourCount.objects.order_by("hour", "category").values_list("category", "sent")) == [
        ("RISK_WARNING", 2),
        ("SYSTEM_ERROR", 1),
        ("RISK_WARNING", 2),
    ]


def test_a_changed_rule_counts_from_the_next_alert_on() -> None:
    raised(NOON)
    assert decisions(minutes(1)) == ["DEDUPED"]
    set_rule(dedupe_window_minutes=1)
    assert decisions(minutes(2)) == ["SENT"]
    set_rule(enabled=False)
    assert decisions(minutes(4)) == ["DISABLED"]
    assert decisions(minutes(5)) == ["DISABLED"]
    set_rule(enabled=True, min_priority="CRITICAL")
    assert decisions(minutes(6)) == ["BELOW_MINIMUM"]


def test_force_is_sent_whatever_the_rules_say() -> None:
    set_rule(enabled=False, max_per_hour=0)
    assert decisions(NOON, an_alert(force=True), an_alert(), an_alert(force=True)) == [
        "SENT",
        "DISABLED",
        "SENT",
    ]
    alert = Alert.objects.get()
    assert alert.forced
    assert alert.trace == [{"gate": "force", "passed": True, "forced": True}]
    assert HourCount.objects.get().sent == 2


def silence(at: datetime, *, ends: float, starts: float = 0) -> None:
    silencing.create(
        actor=ROOT,
        matchers=[Matcher("symbol", "IBM|AAPL", is_regex=True)],
        starts_at=minutes(starts),
        ends_at=minutes(ends),
        comment="known",
        now=at,
    )


def test_silence_holds_what_matches_until_it_ends() -> None:
    ibm, tsla = an_alert(labels={"symbol": "IBM"}), an_alert(labels={"symbol": "TSLA"})
    silence(NOON, ends=30)
    outcomes = raised(minutes(1), ibm, tsla)
    assert [outcome.decision for outcome in outcomes] == ["SILENCED", "SENT"]
    assert outcomes[0].trace[-1]["comment"] == "known"
    assert outcomes[1].trace[2] == {"gate": "silence", "passed": True, "active": 1}
    assert decisions(minutes(29.9), ibm) == ["SILENCED"]
    assert decisions(minutes(30), ibm) == ["SENT"]


def test_silence_that_is_still_to_come() -> None:
    ibm = an_alert(labels={"symbol": "IBM"})
    raised(NOON, ibm)
    silence(NOON, starts=5, ends=30)
    assert decisions(minutes(1), ibm) == ["DEDUPED"]
    assert decisions(minutes(4.9), ibm) == ["DEDUPED"]
    assert decisions(minutes(5), ibm) == ["SILENCED"]


def test_more_urgent_is_told_at_once_and_stays() -> None:
    a_channel()
    raised(NOON, an_alert(priority="LOW"))
    outcome = raised(minutes(1), an_alert(priority="CRITICAL"))[0]
    alert = the(outcome)
    assert (outcome.decision, outcome.trace[5]["raised_from"]) == (Decision.SENT, "LOW")
    assert (alert.priority, alert.due_at, alert.escalate_at) == ("CRITICAL", minutes(1), minutes(6))
    # A less urgent one is a duplicate, and changes nothing of that.
    assert decisions(minutes(2), an_alert(priority="LOW")) == ["DEDUPED"]
    alert.refresh_from_db()
    assert alert.priority == "CRITICAL"


def test_the_newest_words_are_kept() -> None:
    raised(NOON, an_alert(message="52.3%", annotations={"a": "1"}))
    for text in ("54.8%", "52.6%"):
        assert decisions(minutes(1), an_alert(message=text, details={"n": text})) == ["DEDUPED"]
    alert = Alert.objects.get()
    assert (alert.message, alert.annotations, alert.details) == ("52.6%", {}, {"n": "52.6%"})
    assert (alert.count, alert.repeats) == (3, 1)


def test_own_key_with_other_words() -> None:
    silence(NOON, ends=30)
    raised(NOON, an_alert("Order 1 failed", dedupe_key="orders"))
    assert decisions(minutes(1), an_alert("Order 2 failed", dedupe_key="orders")) == ["DEDUPED"]
    # It is silenced by the labels that it has now.
    labels = {"symbol": "IBM"}
    assert decisions(minutes(2), an_alert("Order 3 failed", dedupe_key="orders", labels=labels)) == [
        "SILENCED"
    ]
    alert = Alert.objects.get()
    assert (alert.title, alert.labels, alert.count) == ("Order 3 failed", labels, 3)


def test_quiet_hours_hold_and_critical_passes() -> None:
    assert decisions(NIGHT, an_alert("a"), an_alert("b", priority="CRITICAL")) == ["QUIET_HOURS", "SENT"]
    held = Alert.objects.get(title="a")
    assert (held.held, held.sent_count, held.due_at) == (True, 0, None)
    # It is told when it becomes urgent, and is not held any more.
    assert decisions(minutes(1, NIGHT), an_alert("a", priority="CRITICAL")) == ["SENT"]
    held.refresh_from_db()
    assert (held.held, held.last_sent_at) == (False, minutes(1, NIGHT))


def test_an_hour_that_fills_up_at_night_limits_what_was_held() -> None:
    set_rule(max_per_hour=1)
    assert decisions(NIGHT, an_alert("a"), an_alert("a")) == ["QUIET_HOURS"] * 2
    assert decisions(minutes(1, NIGHT), an_alert("b", priority="CRITICAL"), an_alert("a")) == [
        *("SENT", "RATE_LIMITED"),
    ]
    assert decisions(minutes(2, NIGHT), an_alert("c")) == ["RATE_LIMITED"]


def test_a_long_history_keeps_its_counts() -> None:
    set_rule(dedupe_window_minutes=1, max_per_hour=100_000, quiet_start=0, quiet_end=0)
    for minute in range(120):
        raised(minutes(minute), an_alert(), an_alert())
    alert = Alert.objects.get()
    assert len(alert.history) == LONGEST_HISTORY
    assert sum(entry["count"] for entry in alert.history) + alert.repeats + 1 == alert.count == 240
    assert datetime.fromisoformat(alert.history[0]["at"]) == NOON


def test_folding_finds_the_oldest_that_has_a_companion() -> None:
    entries = [{"decision": name, "at": n, "count": 1, "until": n} for n, name in enumerate("xabab")]
    assert folded(entries) == [entries[0], entries[2], entries[3] | {"at": 1, "count": 2}, entries[4]]


def test_what_was_decided_for_one_actor_is_cut_to_its_column() -> None:
    actor = type(ROOT).system("x" * 200)
    raise_alerts(actor=actor, alerts=[an_alert()], now=NOON)
    assert len(Alert.objects.get().raised_by) == 150


def test_what_a_stop_explains_is_expected_until_trading_is_armed(alice: User, sam: User) -> None:
    quiet = an_alert("No trades", labels={"expected_when": "halted", "symbol": "IBM"})
    other = an_alert("No trades", labels={"expected_when": "halted", "symbol": "TSLA"})
    plain = an_alert("No trades", labels={"symbol": "IBM"})
    killswitch.activate(actor=acting(alice), reason="MANUAL", message="", scope="symbol:IBM", now=NOON)
    outcomes = raised(minutes(1), quiet, other, plain)
    assert [outcome.decision for outcome in outcomes] == ["EXPECTED", "SENT", "SENT"]
    assert outcomes[0].trace[-1]["because"]["scope"] == "symbol:IBM"
    assert decisions(minutes(2), quiet) == ["EXPECTED"]
    message = "it was a wrong price; the feed is right again"
    killswitch.deactivate(actor=acting(sam), message=message, scope="symbol:IBM", now=minutes(3))
    assert decisions(minutes(4), quiet) == ["SENT"]
