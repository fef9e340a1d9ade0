"""GET one alert: its decisions, deliveries with their tries, and what holds it now."""

from datetime import timedelta

from django.utils import timezone

from alerts.models import Delivery, DeliveryAttempt, Silence
from alerts.selectors import detail
from opsconsole.accounts.models import User
from tests.alerts.rows import NOW, a_channel, firing
from tests.cast import account, caller
from tests.pages.queries import most_queries

URL = "/monitoring/alerts"
SENT = [{"gate": "force", "passed": True, "forced": True}]


def test_needs_the_right_to_read(charlie: User) -> None:
    assert caller(charlie).get(f"{URL}/{firing().pk}").status_code == 403


def test_what_is_not_there_is_not_found(bob: User) -> None:
    for number in (0, 2**70):
        assert caller(bob).get(f"{URL}/{number}").status_code == 404


def test_shows_everything_that_is_known(bob: User) -> None:
    before = {"decision": "SENT", "at": "2026-11-23T13:00:00Z", "until": None, "count": 1, "trace": SENT}
    alert = firing(
        assignee=account("dana"),
        decision="DISABLED",
        trace=[{"gate": "enabled", "passed": False}],
        history=[before],
        repeats=3,
    )
    delivery = Delivery.objects.create(
        alert=alert,
        channel=a_channel(),
        channel_name="desk",
        kind="firing",
        priority="HIGH",
        state="SENT",
        created_at=NOW,
        due_at=NOW,
    )
    for number, outcome in ((2, "SENT"), (1, "THROTTLED")):
        DeliveryAttempt.objects.create(delivery=delivery, number=number, started_at=NOW, outcome=outcome)
    body = caller(bob).get(f"{URL}/{alert.pk}").json()
    assert (body["id"], body["fingerprint"], body["assignee"]) == (alert.pk, str(alert.fingerprint), "dana")
    assert (body["decision"], body["reason"]) == (
        "DISABLED",
        "suppressed: the rule of this category is switched off",
    )
    assert body["trace"] == [{"gate": "enabled", "passed": False}]
    assert body["history"] == [before | {"reason": "sent: forced, so no other gate was asked"}]
    assert [(row["channel"], row["state"]) for row in body["deliveries"]] == [("desk", "SENT")]
    assert [(row["number"], row["outcome"]) for row in body["deliveries"][0]["tries"]] == [
        (1, "THROTTLED"),
        (2, "SENT"),
    ]


def test_names_the_silences_that_hold_it_now(bob: User) -> None:
    now = timezone.now()
    for value, starts, ends in (("TSLA", -60, 60), ("IBM", -60, 60), ("TSLA", -60, -1), ("TSLA", 1, 60)):
        Silence.objects.create(
            matchers=[{"name": "symbol", "value": value, "isRegex": False, "isEqual": True}],
            starts_at=now + timedelta(minutes=starts),
            ends_at=now + timedelta(minutes=ends),
            created_by="alice",
            comment=f"{value} {starts} {ends}",
            created_at=now,
            updated_at=now,
        )
    body = caller(bob).get(f"{URL}/{firing().pk}").json()
    assert [(row["created_by"], row["comment"]) for row in body["silences"]] == [("alice", "TSLA -60 60")]


def test_names_the_incidents_before_it(bob: User) -> None:
    first = firing(state="RESOLVED", resolved_at=NOW)
    second = firing(state="RESOLVED", resolved_at=NOW, fingerprint=first.fingerprint)
    newest = firing(fingerprint=first.fingerprint)
    firing()
    found = [row["id"] for row in caller(bob).get(f"{URL}/{newest.pk}").json()["earlier"]]
    assert found == [second.pk, first.pk]


def test_costs_few_queries_whatever_the_number_of_tries(db: None) -> None:
    alert, channel = firing(), a_channel()
    for _ in range(5):
        Delivery.objects.create(
            alert=alert,
            channel=channel,
            channel_name="desk",
            kind="repeat",
            priority="HIGH",
            created_at=NOW,
            due_at=NOW,
        )
    with most_queries(8):
        detail(alert.pk, now=NOW)
