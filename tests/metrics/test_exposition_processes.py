"""Metrics of the web processes: several of them, restarts, and words from outside."""

import os
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families as parse_text

from monitoring.metrics.web import FOLDER, expose_web, forget_dead_processes
from opsconsole.accounts.models import User
from opsconsole.embedded.folder import DataFolder
from opsconsole.supervisor.programs import ConsolePrograms
from tests.cast import caller, token_of
from tests.console import ConsoleProcess, database_url
from tests.metrics.series import a_series

COUNTED = "django_http_responses_total_by_status_view_method_total"


def scrape(process: ConsoleProcess, token: str) -> str:
    request = urllib.request.Request(f"{process.url}/metrics", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return str(answer.read().decode())


def count(body: str, **labels: str) -> float:
    """Answers counted with these labels."""
    return sum(
        sample.value
        for family in parse_text(body)
        for sample in family.samples
        if sample.name == COUNTED and labels.items() <= sample.labels.items()
    )


def counted_of(body: str) -> set[tuple[str, frozenset[tuple[str, str]]]]:
    """Every series of the web processes."""
    return {
        (sample.name, frozenset(sample.labels.items()))
        for family in parse_text(body)
        for sample in family.samples
        if sample.name.startswith("django_")
    }


@pytest.fixture
def processes(transactional_db: None, tmp_path: Path) -> Iterator[list[ConsoleProcess]]:
    """Two web processes on one database, which count together."""
    environ = {"DATABASE_URL": database_url(connection.settings_dict), FOLDER: str(tmp_path / "counts")}
    started = [ConsoleProcess(environ, tmp_path / f"web-{number}.log") for number in range(2)]
    for process in started:
        process.start()
    yield started
    for process in started:
        process.close()


def test_several_web_processes_and_their_restarts(processes: list[ConsoleProcess], bob: User) -> None:
    first, second = processes
    token = token_of(bob)
    a_series("trades_total", 7.0, labels={"ticker": "AAPL"})
    for _ in range(3):
        scrape(first, token)
    scrape(second, token)
    seen = scrape(second, token)
    assert count(seen, view="metrics", status="200") == 4
    # Killed and started again, nothing of it is lost, and the totals are the database's.
    first.kill()
    first.start()
    after = scrape(first, token)
    assert count(after, view="metrics", status="200") == 5
    assert 'ticker="AAPL"' in after
    assert "pid=" not in after
    # Neither does a scrape make series of its own, again and again.
    assert counted_of(after)
    assert counted_of(scrape(second, token)) == counted_of(scrape(first, token))


def test_no_path_or_strange_method_becomes_a_label(bob: User) -> None:
    client = caller(bob)
    client.get("/monitoring/secret-of-mine?token=secret-of-mine")
    client.generic("BREW-1", "/metrics")
    Client().get("/nothing/secret-of-mine")
    body = expose_web()
    assert "secret-of-mine" not in body
    assert "BREW" not in body
    assert count(body, view="metrics", method="<invalid method>", status="405") >= 1


def test_a_length_that_is_no_number_is_no_failure(bob: User) -> None:
    answer = caller(bob).generic("GET", "/metrics", CONTENT_LENGTH="much")
    assert answer.status_code == 200


def test_gauges_of_dead_processes_go_and_counts_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER, str(tmp_path))
    alive, dead = os.getpid(), 2**22 - 1
    names = {f"gauge_livesum_{alive}.db", f"gauge_livesum_{dead}.db", f"counter_{dead}.db"}
    for name in names:
        (tmp_path / name).touch()
    forget_dead_processes()
    assert {path.name for path in tmp_path.iterdir()} == names - {f"gauge_livesum_{dead}.db"}


def test_a_start_of_the_console_empties_the_counts(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    folder.hold("tests")
    try:
        programs = ConsolePrograms.new(folder, {}, "127.0.0.1", 8000)
        counts = Path(programs.web().environ[FOLDER])
        (counts / "counter_1.db").touch()
        assert Path(programs.web().environ[FOLDER]) == counts
        assert list(counts.iterdir()) == []
        # Workers serve nobody: what they count would be noise.
        assert FOLDER not in programs.worker().environ
    finally:
        folder.release()
