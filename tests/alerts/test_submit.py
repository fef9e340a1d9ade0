"""Alerts raised inside the transaction of another change: they wait for nobody, and are decided after it."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Event, Thread

import pytest
from django.db import connection, transaction

from alerts.locking import lock_decisions
from alerts.models import Alert, Submission
from alerts.services.submitting import decide_submissions, submit
from tests.alerts.raising import NOON, an_alert, minutes
from tests.cast import ROOT


@pytest.fixture
def _locked_elsewhere(transactional_db: None) -> Iterator[None]:
    """Somebody is deciding, and takes their time."""
    held, done = Event(), Event()

    def hold() -> None:
        with transaction.atomic():
            lock_decisions()
            held.set()
            done.wait(30)
        connection.close()

    thread = Thread(target=hold)
    thread.start()
    assert held.wait(10)
    yield
    done.set()
    thread.join(10)
    # So that the thread which was woken has nothing left to do.
    decide_submissions(now=NOON)


@pytest.mark.django_db(transaction=True)
def test_belongs_in_a_transaction() -> None:
    with pytest.raises(RuntimeError):
        submit(actor=ROOT, alert=an_alert(), now=NOON)


@pytest.mark.django_db
def test_refuses_what_raising_refuses() -> None:
    with pytest.raises(ValueError, match=re.escape("title must not be empty")):
        submit(actor=ROOT, alert=an_alert(title=""), now=NOON)
    assert not Submission.objects.exists()


@pytest.mark.django_db
def test_is_decided_in_its_order_with_everything_that_it_said() -> None:
    details = {"value": 52.3}
    first = an_alert(labels={"symbol": "IBM"}, details=details, priority="CRITICAL", ends_at=minutes(60))
    submit(actor=ROOT, alert=first, now=NOON)
    submit(actor=ROOT, alert=first, now=minutes(1))
    submit(actor=ROOT, alert=an_alert("Other", dedupe_key="key", starts_at=minutes(-3)), now=minutes(1))
    assert decide_submissions(now=minutes(2)) == 3
    assert decide_submissions(now=minutes(2)) == 0
    alert, other = Alert.objects.order_by("pk")
    assert (alert.priority, alert.labels, alert.details) == ("CRITICAL", {"symbol": "IBM"}, details)
    assert (alert.starts_at, alert.first_at, alert.ends_at) == (NOON, minutes(2), minutes(60))
    assert (alert.count, alert.decision, alert.raised_by) == (2, "DEDUPED", "tests")
    assert other.starts_at == minutes(-3)


@pytest.mark.django_db(transaction=True)
def test_nothing_is_left_of_a_change_that_was_taken_back() -> None:
    with transaction.atomic():
        submit(actor=ROOT, alert=an_alert(), now=NOON)
        transaction.set_rollback(True)
    assert not Submission.objects.exists()
    assert decide_submissions(now=NOON) == 0


@pytest.mark.usefixtures("_locked_elsewhere")
def test_the_change_does_not_wait_for_whoever_decides() -> None:
    with transaction.atomic():
        # The server would end a wait for a lock after this.
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '100ms'")
        submit(actor=ROOT, alert=an_alert(), now=NOON)
    assert Submission.objects.count() == 1
    assert not Alert.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_several_deciders_decide_each_once() -> None:
    stored = [_stored(number) for number in range(50)]
    Submission.objects.bulk_create(Submission(at=NOON, alert=alert) for alert in stored)
    together = Barrier(4)

    def decider() -> int:
        try:
            together.wait(10)
            return decide_submissions(now=NOON + timedelta(seconds=1))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        decided = [future.result() for future in [pool.submit(decider) for _ in range(4)]]
    assert sum(decided) == 50
    assert Alert.objects.count() == 50
    assert not Submission.objects.exists()


def _stored(number: int) -> dict[str, object]:
    """As `submit()` writes it, without waking anybody."""
    with transaction.atomic():
        submit(actor=ROOT, alert=an_alert(f"a{number}"), now=NOON)
        stored: dict[str, object] = Submission.objects.get().alert
        transaction.set_rollback(True)
    return stored
