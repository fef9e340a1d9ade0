"""The services outside of the desk, as a process of their own: what they answer, and that they fail as they are told, and heal."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from opsclient.circuit_breaker import CircuitBreakerManager, Transition

from demo.__main__ import main
from demo.analyst import calls_of
from demo.control import Control, Refused, kept
from demo.prices import load
from demo.services import CONFIG, Services
from demo.store import Store
from demo.wire import ServiceError, ask

ROOT = Path(__file__).parents[2]
TOKEN = "of-the-tests"
DAY = "2008-09-29"
CHART = f"/v8/finance/chart/IBM?date={DAY}"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    Store.make(tmp_path / "traders.sqlite")
    return Store(tmp_path / "traders.sqlite")


@pytest.fixture
def control(store: Store, tmp_path: Path) -> Iterator[Control]:
    command = [sys.executable, "-m", "demo.outside", "--database", str(tmp_path / "traders.sqlite")]
    environ = os.environ | {"DEMO_CONTROL_TOKEN": TOKEN}
    with subprocess.Popen(
        command, cwd=ROOT, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield Control(int(process.stdout.readline()), TOKEN)
        process.communicate(timeout=20)
    assert process.returncode == 0


def broken(control: Control, what: str) -> None:
    assert control.tell({"break": what, "seconds": 600})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--break", "yahoo"], "argument --break: the services are yahoo_finance, sec_edgar, claude_api or"),
        (
            ["--break", "sec_edgar:fire"],
            "sec_edgar can fail with errors, slow, resets or hangs, not with 'fi",
        ),
        (["--break", "database:errors"], "database can fail with hangs, not with 'errors'"),
        (["--break", "database", "--for", "0"], "argument --for: must be a number of seconds above 0"),
        (["--for", "5"], "argument --for: needs --break"),
        (["--heal", "yahoo"], "argument --heal: the services are"),
        (["--heal", "--break", "database"], "argument --heal: not allowed with --break"),
    ],
)
def test_what_cannot_fail_is_refused_with_what_can(
    given: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(given)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_where_no_demo_runs_nothing_heals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "demo").mkdir()
    # Of one that was killed.
    Control(9, "token").keep(tmp_path / "demo")
    assert main(["--data", str(tmp_path), "--heal"]) == 1
    assert f"No demo runs on {tmp_path}" in capsys.readouterr().err


def test_a_demo_that_runs_is_told(
    control: Control, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "demo"
    folder.mkdir()
    control.keep(folder)
    assert main(["--data", str(tmp_path), "--break", "claude_api:resets", "--for", "90"]) == 0
    assert capsys.readouterr().out == "claude_api cuts connections off for 90 s.\n"
    assert main(["--data", str(tmp_path), "--break", "claude_api", "--days", "5"]) == 1
    assert "--days is for a new one" in capsys.readouterr().err
    assert main(["--data", str(tmp_path), "--heal", "claude_api"]) == 0
    assert main(["--data", str(tmp_path), "--heal"]) == 0
    assert capsys.readouterr().out == "claude_api works.\nEvery service works.\n"
    assert (folder / "control.json").stat().st_mode & 0o077 == 0
    Control(9, "another demo's").forget(folder)
    assert kept(folder) == control
    control.forget(folder)
    assert kept(folder) is None


def test_nobody_breaks_anything_without_the_token(control: Control) -> None:
    assert Control(control.port, "wrong").tell({"break": "yahoo_finance", "seconds": 600}) is None
    with pytest.raises(Refused, match="the services are yahoo_finance"):
        control.tell({"break": "bloomberg", "seconds": 600})
    with pytest.raises(Refused, match="seconds must lie between"):
        control.tell({"break": "yahoo_finance", "seconds": 0})
    assert control.tell({}) == "all works"


def test_they_answer_what_the_tape_and_the_analyst_have(control: Control, store: Store) -> None:
    async def look() -> None:
        services = Services("IBM", CircuitBreakerManager(), port=control.port, store=store)
        bar = next(bar for bar in load()["IBM"] if bar.date == DAY)
        assert await services.close_of(DAY) == bar.close
        assert await services.close_of("2008-09-28") is None  # a Sunday
        assert await services.filings(DAY) == ["2008-08-01"]
        for call in calls_of("IBM", DAY):
            if call.provider == "anthropic":
                assert await services.analysis(call.model, DAY, 1) == call
        assert await services.cached_day(DAY) is None
        await services.keep("2008-09-26", 120.0)
        assert await services.cached_day(DAY) == "2008-09-26"

    asyncio.run(look())


def test_errors_and_resets(control: Control) -> None:
    broken(control, "yahoo_finance")
    with pytest.raises(ServiceError, match="500"):
        asyncio.run(ask(control.port, "GET", CHART))
    broken(control, "yahoo_finance:resets")
    with pytest.raises(ConnectionResetError):
        asyncio.run(ask(control.port, "GET", CHART))
    # The others go on.
    assert asyncio.run(ask(control.port, "GET", f"/submissions/IBM.json?date={DAY}"))["tickers"] == ["IBM"]
    control.tell({"heal": "yahoo_finance"})
    assert asyncio.run(ask(control.port, "GET", CHART))["chart"]["error"] is None


@pytest.mark.parametrize("kind", ["slow", "hangs"])
def test_who_waits_is_let_go_when_it_heals(control: Control, kind: str) -> None:
    broken(control, f"sec_edgar:{kind}")

    async def wait() -> dict[str, object]:
        asked = asyncio.create_task(ask(control.port, "GET", f"/submissions/IBM.json?date={DAY}"))
        await asyncio.to_thread(control.tell, {})
        assert not asked.done()
        await asyncio.to_thread(control.tell, {"heal": ""})
        return await asked

    if kind == "slow":
        assert asyncio.run(wait())["tickers"] == ["IBM"]
    else:
        with pytest.raises(ConnectionResetError):
            asyncio.run(wait())


@pytest.mark.parametrize(
    ("what", "why", "cause"),
    [
        ("yahoo_finance:errors", "failure_threshold", "ServiceError"),
        ("yahoo_finance:slow", "slow_rate", "SlowCalls"),
        ("sec_edgar:resets", "failure_threshold", "ConnectionResetError"),
        ("claude_api:hangs", "failure_threshold", "CallDeadlineExceeded"),
        ("database:hangs", "failure_threshold", "OperationalError"),
    ],
)
def test_each_way_to_fail_opens_the_breaker_of_its_service_alone(
    control: Control, store: Store, what: str, why: str, cause: str
) -> None:
    manager = CircuitBreakerManager()
    told: list[Transition] = []
    services = Services("IBM", manager, port=control.port, store=store)
    manager.add_listener(told.append)
    broken(control, what)
    calls: dict[str, Callable[[], Coroutine[Any, Any, object]]] = {
        "yahoo_finance": lambda: services.close_of(DAY),
        "sec_edgar": lambda: services.filings(DAY),
        "claude_api": lambda: services.analysis("claude-sonnet-4-5", DAY, 1),
        "database": lambda: services.keep(DAY, 114.46),
    }

    async def call_all() -> None:
        together = CONFIG.minimum_number_of_calls
        async with asyncio.timeout(20):
            await asyncio.gather(*(call() for call in calls.values() for _ in range(together)))

    asyncio.run(call_all())
    (opening,) = told
    service = what.partition(":")[0]
    assert (opening.breaker, opening.after, opening.why) == (service, "OPEN", why)
    assert opening.cause is not None
    assert opening.cause.type == cause
    control.tell({"heal": service})
    manager.reset(service)
    before = manager[service].get_status()["counts"]["failure"]
    asyncio.run(calls[service]())
    assert manager[service].get_status()["window"]["calls"] == 1
    assert manager[service].get_status()["counts"]["failure"] == before


def test_the_database_is_locked(control: Control, store: Store) -> None:
    broken(control, "database")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        store.keep("IBM", DAY, 114.46)
    control.tell({"heal": "database"})
    store.keep("IBM", DAY, 114.46)
    assert store.latest("IBM", until=DAY) == DAY
