"""Each delivery is one worker's at a time; what a dead worker held comes back, marked."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction

from alerts import claims, delivering, fallback, outcomes
from alerts.channels.base import SEND_LIMIT, Receipt, SendFailed
from alerts.choices import AttemptOutcome, DeliveryState, Priority
from alerts.claims import LEASE, claim_next
from alerts.models import Channel, Delivery, DeliveryAttempt
from alerts.outcomes import reclaim
from tests.alerts.outbox import NOW, Clock, a_channel, an_alert, put
from tests.alerts.receiver import Receiver

pytestmark = pytest.mark.django_db


def test_a_claim_outlasts_every_send() -> None:
    assert timedelta(seconds=SEND_LIMIT) < LEASE


def test_a_claimed_delivery_is_nobody_elses(desk: Receiver) -> None:
    a_channel(desk)
    put(an_alert())
    assert claim_next(critical=False, now=NOW) is not None
    assert claim_next(critical=False, now=NOW) is None


def test_a_claim_that_ran_out_is_put_back_and_marked(desk: Receiver) -> None:
    a_channel(desk)
    put(an_alert())
    claim_next(critical=False, now=NOW)
    clock = Clock(NOW + LEASE)
    assert reclaim(now=NOW + LEASE - timedelta(seconds=1)) == 0
    assert delivering.drain(critical=False, clock=clock) == 1
    row = Delivery.objects.get()
    assert (row.state, row.attempts, row.failures, row.maybe_duplicate) == (DeliveryState.SENT, 2, 1, True)
    (call,) = desk.calls
    assert call.body["maybe_duplicate"] is True
    assert call.headers["X-Opsconsole-Maybe-Duplicate"] == "true"
    assert call.headers["X-Opsconsole-Attempt"] == "2"
    outcomes_of = DeliveryAttempt.objects.order_by("number").values_list("outcome", flat=True)
    assert list(outcomes_of) == [AttemptOutcome.UNKNOWN, AttemptOutcome.SENT]


@pytest.mark.parametrize("result", ["sent", "failed"])
def test_a_worker_whose_claim_was_taken_over_changes_nothing_but_its_own_try(
    desk: Receiver, result: str
) -> None:
    a_channel(desk)
    put(an_alert())
    stale = claim_next(critical=False, now=NOW)
    assert stale is not None
    later = NOW + LEASE
    reclaim(now=later)
    fresh = claim_next(critical=False, now=later)
    assert fresh is not None
    if result == "sent":
        assert outcomes.sent(stale, Receipt(), now=later) is False
        expected = AttemptOutcome.SENT
    else:
        assert outcomes.failed(stale, SendFailed("no", permanent=True), now=later) is False
        expected = AttemptOutcome.REFUSED
    row = Delivery.objects.get()
    assert (row.state, row.claim) == (DeliveryState.SENDING, fresh.token)
    assert DeliveryAttempt.objects.get(number=1).outcome == expected
    assert DeliveryAttempt.objects.get(number=2).outcome == AttemptOutcome.OPEN


def test_a_delivery_that_ends_its_worker_every_time_is_given_up_in_the_end(
    desk: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fallback, "MOST_FAILURES", 3)
    a_channel(desk)
    put(an_alert())
    now = NOW
    for _ in range(3):
        assert claim_next(critical=False, now=now) is not None
        now += LEASE
        reclaim(now=now)
    assert claim_next(critical=False, now=now) is None
    row = Delivery.objects.get()
    assert (row.state, row.attempts) == (DeliveryState.DEAD, 3)
    assert "may have arrived" in row.error


def test_a_channel_that_hangs_takes_only_some_of_the_workers(desk: Receiver) -> None:
    slow, other = a_channel(desk, "slow"), a_channel(desk, "other")
    put(*(an_alert() for _ in range(5)), channels=[slow])
    held = [claim_next(critical=False, now=NOW) for _ in range(claims.IN_FLIGHT)]
    assert {claim.channel.name for claim in held if claim} == {"slow"}
    assert claim_next(critical=False, now=NOW) is None
    put(an_alert(), channels=[other])
    claim = claim_next(critical=False, now=NOW)
    assert claim is not None
    assert claim.channel == other
    put(an_alert(priority=Priority.CRITICAL), channels=[slow])
    urgent = claim_next(critical=True, now=NOW)
    assert urgent is not None
    assert urgent.delivery.priority == Priority.CRITICAL


@pytest.mark.django_db(transaction=True)
def test_what_another_worker_holds_is_passed_over_without_waiting(desk: Receiver) -> None:
    a_channel(desk)
    first, second = put(an_alert(), an_alert())

    def elsewhere() -> int | None:
        try:
            claim = claim_next(critical=False, now=NOW)
            return claim.delivery.pk if claim else None
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as other, transaction.atomic():
        Delivery.objects.select_for_update(no_key=True).get(pk=first.pk)
        assert other.submit(elsewhere).result(10) == second.pk


@pytest.mark.django_db(transaction=True)
def test_many_workers_send_each_delivery_once(desk: Receiver) -> None:
    for name in ("a", "b", "c"):
        a_channel(desk, name)
    put(*(an_alert() for _ in range(40)))

    def work(_: int) -> int:
        try:
            return delivering.drain(critical=False, clock=Clock())
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as workers:
        list(workers.map(work, range(6)))
    # Channels that were busy with others' sends are passed over; nothing is due after this.
    delivering.drain(critical=False, clock=Clock())
    assert len(desk.calls) == 120
    assert len(set(desk.keys())) == 120
    assert set(Delivery.objects.values_list("state", "attempts")) == {(DeliveryState.SENT, 1)}
    assert Channel.objects.filter(last_success_at=NOW).count() == 3
