"""A canary's way: the worker's turn, the outbox's, the call outside."""

import logging
from datetime import timedelta
from pathlib import Path

import pytest
from celery.beat import _evaluate_entry_kwargs
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from alerts.delivering import drain
from monitoring.health.watchdog import canaries
from monitoring.health.watchdog.models import Canary, CanaryState
from monitoring.tasks import fly_canary
from opsconsole.accounts.models import User
from tests.cast import caller
from tests.pages.browse import Browse
from tests.scripts.test_schedule import scheduler
from tests.watchdog.conftest import KEY, NOW, Outside

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


def fly(*, after: timedelta = timedelta(0)) -> Canary | None:
    return canaries.fly(sent_at=NOW + after - SECOND, worker="console@host", now=NOW + after)


def test_beat_sends_it_with_the_time_at_which_it_does(tmp_path: Path) -> None:
    scheduler(tmp_path / "schedule").sync()
    entry = scheduler(tmp_path / "schedule").schedule["watchdog.fly"]
    sent = _evaluate_entry_kwargs(entry.kwargs)
    before = timezone.now() - SECOND
    fly_canary.apply(kwargs=sent)
    canary = Canary.objects.get()
    assert before < canary.sent_at <= canary.worker_at


def test_several_beats_let_one_fly() -> None:
    assert fly() is not None
    assert fly(after=2 * SECOND) is None
    assert fly(after=60 * SECOND) is not None
    assert Canary.objects.count() == 2


def test_the_turn_of_the_outbox_calls_the_address(outside: Outside) -> None:
    fly()
    drain(critical=True, clock=lambda: NOW + SECOND)
    assert outside.calls == []
    drain(critical=False, clock=lambda: NOW + SECOND)
    drain(critical=False, clock=lambda: NOW + 2 * SECOND)
    assert outside.calls == [f"/ping/{KEY}?via=console"]
    canary = Canary.objects.get()
    assert (canary.state, canary.error) == (CanaryState.ANSWERED, "")
    assert (canary.worker_at, canary.outbox_at, canary.answered_at) == (NOW, NOW + SECOND, NOW + SECOND)


def test_of_those_that_waited_the_newest_goes(outside: Outside) -> None:
    fly()
    fly(after=60 * SECOND)
    drain(critical=False, clock=lambda: NOW + 61 * SECOND)
    assert len(outside.calls) == 1
    assert list(Canary.objects.values_list("state", flat=True)) == [
        CanaryState.ANSWERED,
        CanaryState.OVERTAKEN,
    ]


def test_a_refusal_is_none_and_the_address_is_nowhere(
    outside: Outside, bob: User, browse: Browse, caplog: pytest.LogCaptureFixture
) -> None:
    outside.status = 404
    with caplog.at_level(logging.DEBUG):
        fly()
        drain(critical=False, clock=lambda: NOW)
        page = browse(bob).get("/health/-/watchdog").content.decode()
        info = caller(bob).get("/monitoring/system/info")
    canary = Canary.objects.get()
    assert (canary.state, canary.error, canary.answered_at) == (
        CanaryState.FAILED,
        "127.0.0.1: it answered 404",
        None,
    )
    assert "127.0.0.1: it answered 404" in page
    assert info.json()["watchdog"]["address_set"] is True
    assert KEY not in page + info.content.decode() + caplog.text


def test_after_five_failures_the_breaker_holds_it(outside: Outside) -> None:
    outside.status = 500
    for minute in range(6):
        fly(after=minute * 60 * SECOND)
        drain(critical=False, clock=lambda: NOW)
    assert len(outside.calls) == 5
    newest = Canary.objects.first()
    assert newest is not None
    assert newest.error.startswith("not tried: circuit breaker watchdog is open since")


def test_without_an_address_the_outbox_is_its_end(settings: Settings, bob: User, browse: Browse) -> None:
    settings.WATCHDOG_SECRET_URL = ""
    fly()
    drain(critical=False, clock=lambda: NOW)
    assert Canary.objects.get().state == CanaryState.NO_ADDRESS
    assert "set OPSCONSOLE_WATCHDOG_URL" in browse(bob).get("/health/-/watchdog").content.decode()


def test_old_ones_are_forgotten() -> None:
    fly()
    fly(after=timedelta(days=7))
    assert canaries.forget(now=NOW + timedelta(days=7, seconds=1)) == 1


def test_who_may_not_read_health_may_not_read_this(charlie: User, browse: Browse) -> None:
    assert Client().get("/health/-/watchdog").status_code == 302
    assert browse(charlie).get("/health/-/watchdog").status_code == 403
