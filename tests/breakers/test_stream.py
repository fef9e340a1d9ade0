"""The event `breakers` on the trading processes' stream, from a real console."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection

from monitoring.breakers import services
from monitoring.breakers.models import BreakerVersion, CircuitBreaker
from opsconsole.accounts.models import User
from tests.breakers.reporting import Process, a_breaker
from tests.cast import ROOT, token_of
from tests.console import ConsoleProcess
from tests.live.web import StreamReader

Open = Callable[[], StreamReader]


@pytest.fixture
def stream(console: ConsoleProcess, trader: User) -> Iterator[Open]:
    """Opens the stream of a trading process."""
    headers = {"Authorization": f"Bearer {token_of(trader)}"}
    opened = []

    def open_stream() -> StreamReader:
        path = f"/monitoring/stream?name=AAPL&instance={uuid.uuid4().hex}"
        opened.append(StreamReader(console.port, path, headers))
        return opened[-1]

    Process().report(a_breaker("yahoo_finance"), a_breaker("sec_edgar"), now=None)
    yield open_stream
    for reader in opened:
        reader.close()


def version(reader: StreamReader, wanted: int) -> dict[str, Any]:
    """The event that brings this version."""
    while (data := reader.until("breakers").data)["version"] != wanted:
        pass  # of the test before, or of what came earlier
    return data


def test_everything_comes_after_hello_and_state_and_changes_at_once(stream: Open) -> None:
    first = stream()
    services.tune(actor=ROOT, name="yahoo_finance", values={"timeout_seconds": 5}, reason="")
    services.force_open(actor=ROOT, name="sec_edgar", reason="bad filings")
    assert version(first, 2)["whole"] in {True, False}
    second = stream()
    names = [event.name for event, _ in zip(second.events(), range(4), strict=False)]
    assert names[:2] == ["hello", "state"]
    whole = version(stream(), 2)
    assert whole["whole"]
    assert [(one["name"], one["version"]) for one in whole["breakers"]] == [
        ("sec_edgar", 2),
        ("yahoo_finance", 1),
    ]
    assert whole["breakers"][0]["hold"] == {
        "state": "OPEN",
        "by": "tests",
        "reason": "bad filings",
        "left_s": None,
    }
    assert whole["breakers"][1]["config"] == {"timeout_seconds": 5.0}
    services.reset(actor=ROOT, name="yahoo_finance", reason="")
    for reader in (first, second):
        change = version(reader, 3)
        assert (change["whole"], [one["name"] for one in change["breakers"]]) == (False, ["yahoo_finance"])
        assert (change["breakers"][0]["reset"], change["breakers"][0]["config"]) == (
            3,
            {"timeout_seconds": 5.0},
        )
    # The hub's clock, as in leases.
    assert reader.until("lease").data["s"] > change["s"] > whole["s"]


def test_a_change_that_nobody_announced_is_found(stream: Open) -> None:
    reader = stream()
    reader.until("lease")
    CircuitBreaker.objects.filter(name="sec_edgar").update(version=7, reset_version=7)
    BreakerVersion.objects.update_or_create(pk=1, defaults={"value": 7})
    assert [one["reset"] for one in version(reader, 7)["breakers"]] == [7]


@contextmanager
def unreadable() -> Iterator[None]:
    """The table of breakers cannot be read."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE monitoring_circuitbreaker RENAME TO away")
        cursor.execute("UPDATE monitoring_breakerversion SET value = 9")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE away RENAME TO monitoring_circuitbreaker")


def test_a_read_that_fails_costs_no_lease_and_is_tried_again(stream: Open, console: ConsoleProcess) -> None:
    services.reset(actor=ROOT, name="sec_edgar", reason="")
    reader = stream()
    version(reader, 1)
    with unreadable():
        leases = [reader.until("lease").data["s"] for _ in range(8)]
    assert leases == sorted(set(leases))
    assert version(reader, 9)["version"] == 9
    assert "Reading breakers for the streams failed: ProgrammingError" in console.log.read_text()
