"""The console's own breakers: reported within the process, and steered by operators as those of any other."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError
from opsclient.circuit_breaker import CircuitState

from alerts import guarding
from alerts.channels.base import SendFailed
from alerts.chat.bot import Bot, Call
from alerts.guarding import Held
from monitoring.breakers import own as own_breakers
from monitoring.breakers import services
from monitoring.breakers.models import BreakerApplied, BreakerProcess, BreakerState, BreakerTransition
from monitoring.breakers.own import CONFIG, OwnBreakers
from monitoring.tasks import report_own_breakers
from opsconsole.embedded.processes import wait_until
from tests.alerts.bot_server import bot_server
from tests.alerts.rows import BOT
from tests.breakers.reporting import told
from tests.cast import ROOT

NAME = "telegram:desk"
FAILURES = CONFIG.failure_threshold or 0
OUT = SendFailed("Telegram: Bad Gateway", status=502)


@pytest.fixture
def own(transactional_db: None) -> Iterator[OwnBreakers]:
    made = OwnBreakers()
    yield made
    made.close(20.0)


def fail(own: OwnBreakers, times: int = FAILURES) -> None:
    for _ in range(times):
        permit = own.guard(NAME, urgent=False)
        assert not isinstance(permit, Held)
        permit.ended(OUT)


def test_before_it_is_told_to_it_reports_nothing(own: OwnBreakers) -> None:
    fail(own)
    assert own.get(NAME).state is CircuitState.OPEN
    own.close()
    assert not BreakerProcess.objects.exists()


def test_an_opening_is_reported_and_an_operator_s_reset_closes_it(own: OwnBreakers) -> None:
    own.report()
    fail(own)
    assert wait_until(BreakerTransition.objects.exists, seconds=20)
    row = BreakerTransition.objects.get()
    assert (row.client, row.to_state, row.cause_text) == ("console", "OPEN", "Telegram: Bad Gateway")
    assert told() == [(f"Circuit breaker open: {NAME}", False)]
    services.reset(actor=ROOT, name=NAME, reason="mended")
    # Another breaker begins, which is reported at once; else it takes until the next report.
    own.get("telegram:other")
    assert wait_until(lambda: BreakerApplied.objects.filter(at__isnull=False).exists(), seconds=20)
    assert own.get(NAME).state is CircuitState.CLOSED
    assert wait_until(lambda: BreakerState.objects.get(breaker__name=NAME).state == "CLOSED", seconds=20)
    assert told()[-1] == (f"Circuit breaker open: {NAME}", True)


def test_what_happens_while_the_database_is_away_is_told_later(
    own: OwnBreakers, monkeypatch: pytest.MonkeyPatch
) -> None:
    away: list[int] = []
    real = services.take_report

    def take(**fields: Any) -> services.Taken:
        if len(away) < 2:
            away.append(1)
            raise OperationalError("no connection")
        return real(**fields)

    monkeypatch.setattr(services, "take_report", take)
    own.report()
    fail(own)
    assert wait_until(BreakerTransition.objects.exists, seconds=20)
    assert len(away) == 2


def test_workers_report_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    reported: list[bool] = []
    monkeypatch.setattr(own_breakers.breakers, "report", lambda: reported.append(True))
    report_own_breakers(sender="worker")
    assert reported == [True]


def test_a_bot_that_does_not_answer_is_not_asked_for_a_while(settings: Any) -> None:
    made = OwnBreakers()
    guarding.register(made.guard)
    with bot_server() as server:
        settings.ALERTS_TELEGRAM_URL = server.url
        server.fails = (502, {"ok": False, "description": "Bad Gateway"})
        for _ in range(FAILURES):
            with pytest.raises(SendFailed, match="502"):
                Bot(BOT).updates(offset=0)
        with pytest.raises(SendFailed, match="not tried: circuit breaker telegram-bot:") as error:
            Bot(BOT).call(Call("sendMessage", {}))
    assert error.value.retry_after
    assert BOT not in error.value.text
