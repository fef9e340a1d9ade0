"""While the console is away: what waits is kept in order, on the disk, within bounds, and is delivered once."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from opsclient import ConfigurationError
from opsclient.alerts.lines import parse
from opsclient.smart_alerts import AlertDecision, AlertPriority, SmartAlertManager

from tests.client.console_server import ConsoleServer, Handler, eventually

Make = Callable[..., SmartAlertManager]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool"


def files(spool: Path) -> list[Path]:
    return sorted(spool.glob("*.jsonl"))


def stored(manager: SmartAlertManager) -> None:
    """Wait until the disk has what waits."""
    desk = manager._desk
    assert desk is not None
    eventually(lambda: all(entry.stored for entry in desk.queue.entries()), "the spool is written")


def raise_some(manager: SmartAlertManager, count: int, priority: str = "LOW") -> None:
    for number in range(count):
        manager.send_alert_sync("PERFORMANCE", "away", title=f"{priority} {number}", priority=priority)


def child(number: int, end: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.client.alerting_child", str(number), end]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "client")])}
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ, cwd=ROOT
    )


def finish(process: subprocess.Popen[str]) -> str:
    """Let it go on to its end; what it had said."""
    assert process.stdout is not None
    said = process.stdout.readline()
    process.communicate("go\n", timeout=20)
    return said


# Refusals


def test_a_folder_that_cannot_be_used_is_refused_by_name(
    manage: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(ConfigurationError, match="spool_dir must be a folder"):
        manage(spool_dir=file)
    monkeypatch.setenv("OPSCLIENT_SPOOL_DIR", str(file / "deeper"))
    with pytest.raises(ConfigurationError, match="OPSCLIENT_SPOOL_DIR must be a folder"):
        manage()


def test_without_a_folder_that_was_named_the_memory_must_do(
    manage: Make, server: ConsoleServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "state"
    file.touch()
    monkeypatch.delenv("OPSCLIENT_SPOOL_DIR")
    monkeypatch.setenv("XDG_STATE_HOME", str(file))
    server.stop()
    manager = manage()
    assert "kept in memory alone" in manager.problem
    assert manager.alert_data_quality_sync("yahoo", "stale").queued
    server.start()
    assert manager.flush()
    assert len(server.alerts) == 1


def test_by_default_it_is_a_folder_of_the_users(
    manage: Make, server: ConsoleServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPSCLIENT_SPOOL_DIR")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    server.stop()
    manager = manage(name="desk/../7")
    raise_some(manager, 1)
    stored(manager)
    assert len(files(tmp_path / "state" / "opsclient" / "alerts" / "desk____7")) == 1


# In order, once


def test_what_waited_goes_out_in_order_in_few_requests_when_the_console_is_back(
    manage: Make, server: ConsoleServer, spool: Path
) -> None:
    server.stop()
    manager = manage()
    raise_some(manager, 120)
    assert manager.pending == 120
    stored(manager)
    (file,) = files(spool)
    assert (file.stat().st_mode & 0o777, spool.stat().st_mode & 0o777) == (0o600, 0o700)
    server.start()
    assert manager.flush()
    assert server.titles() == [f"LOW {number}" for number in range(120)]
    assert len(server.posts) < 10
    times = [alert["occurred_at"] for alert in server.alerts]
    assert times == sorted(times)
    eventually(lambda: file.stat().st_size == 0, "the file is emptied")
    manager.close()
    assert files(spool) == []


def test_a_request_whose_answer_was_lost_is_repeated_as_it_was(manage: Make, server: ConsoleServer) -> None:
    server.stop()
    manager = manage()
    raise_some(manager, 3)

    def lose(handler: Handler, _path: str, data: dict[str, object]) -> bool:
        server.post_answer = None
        server.take_alerts(data, handler.headers["Idempotency-Key"])
        raise_some(manager, 1, "HIGH")  # it does not find a way into the request that is repeated
        handler.close_connection = True
        return True

    # The first alert has travelled alone already, so it stays alone; the other two share a request.
    server.start()
    server.post_answer = lambda _handler, _path, data: bool(
        len(data["alerts"]) > 1 and lose(_handler, _path, data)
    )
    assert manager.flush()
    assert server.titles() == ["LOW 0", "LOW 1", "LOW 2", "HIGH 0"]


# Across the end of a process


def test_what_a_killed_process_left_is_delivered_by_the_next_of_its_name(
    manage: Make, server: ConsoleServer, spool: Path, caplog: pytest.LogCaptureFixture
) -> None:
    manage().close()  # sets the environment
    server.stop()
    assert finish(child(60, "kill")) == "queued 60\n"
    assert len(files(spool)) == 1
    stranger = manage(name="other")
    server.start()
    raise_some(stranger, 1)
    assert stranger.flush()
    assert server.titles() == ["LOW 0"]
    heir = manage()
    eventually(lambda: len(server.alerts) == 61, "everything is delivered")
    assert server.titles()[1:] == [f"number {index}" for index in range(60)]
    assert "60 alerts of an earlier process" in caplog.text
    heir.close()
    stranger.close()
    assert files(spool) == []


def test_a_process_that_ends_leaves_what_it_could_not_deliver(
    manage: Make, server: ConsoleServer, spool: Path
) -> None:
    manage().close()
    server.stop()
    finish(child(3, "exit"))
    server.start()
    assert len(files(spool)) == 1
    manage()
    eventually(lambda: len(server.alerts) == 3, "everything is delivered")


def test_a_kill_between_the_sending_and_the_answer_is_no_second_alert(
    manage: Make, server: ConsoleServer
) -> None:
    manage().close()
    server.stop()
    process = child(10, "kill")
    assert process.stdout is not None
    process.stdout.readline()

    def take_and_kill(handler: Handler, _path: str, data: dict[str, object]) -> bool:
        server.take_alerts(data, handler.headers["Idempotency-Key"])
        if len(server.alerts) > 1:  # the request with many
            process.kill()
            process.wait(20)
            server.post_answer = None
        else:
            handler.answer(200, server.take_alerts(data, handler.headers["Idempotency-Key"])[1])
        handler.close_connection = True
        return True

    server.post_answer = take_and_kill
    server.start()
    process.wait(20)
    manager = manage()
    raise_some(manager, 1)
    assert manager.flush()
    assert server.titles() == [*(f"number {index}" for index in range(10)), "LOW 0"]


def test_what_was_delivered_is_not_left_to_the_next(manage: Make, server: ConsoleServer, spool: Path) -> None:
    body = {"error": {"code": "code", "message": "no", "details": {}}}
    server.post_answer = lambda handler, _path, data: bool(server.alerts and handler.answer(503, body))
    manager = manage()
    raise_some(manager, 3)
    assert server.titles() == ["LOW 0"]
    (file,) = files(spool)

    def waiting() -> list[str]:
        return [entry.alert.title for entry in parse(file.read_bytes()).entries]

    eventually(lambda: waiting() == ["LOW 1", "LOW 2"], "the file says what waits")


def test_a_child_that_lives_on_does_not_keep_what_its_parent_left(
    manage: Make, server: ConsoleServer
) -> None:
    manage().close()
    server.stop()
    process = child(3, "orphan")
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdout.readline()
    process.stdin.write("go\n")
    process.stdin.flush()
    process.wait(20)
    server.start()
    manage()
    eventually(lambda: len(server.alerts) == 3, "what the parent left is delivered")
    process.communicate("end\n", timeout=20)


def test_a_living_process_keeps_its_own(manage: Make, server: ConsoleServer, spool: Path) -> None:
    server.stop()
    first, second = manage(), manage()
    raise_some(first, 2)
    stored(first)
    third = manage()
    raise_some(third, 1, "HIGH")
    stored(third)
    assert (first.pending, second.pending, third.pending) == (2, 0, 1)
    assert len(files(spool)) == 2
    server.start()
    assert first.flush()
    assert third.flush()
    assert sorted(server.titles()) == ["HIGH 0", "LOW 0", "LOW 1"]


def test_a_file_with_half_a_line_loses_only_that_line(
    manage: Make, server: ConsoleServer, spool: Path
) -> None:
    manage().close()
    server.stop()
    finish(child(3, "kill"))
    (file,) = files(spool)
    file.write_bytes(file.read_bytes()[:-30])
    server.start()
    manage()
    eventually(lambda: len(server.alerts) == 2, "what can be read is delivered")


# Bounds


def test_when_it_is_full_the_oldest_of_the_least_urgent_go_and_the_console_is_told(
    manage: Make, server: ConsoleServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.stop()
    manager = manage(spool_alerts=5)
    raise_some(manager, 1)  # it has travelled, so it stays
    raise_some(manager, 2, "HIGH")
    raise_some(manager, 4, "MEDIUM")
    refused = manager.send_alert_sync("PERFORMANCE", "away", title="late", priority=AlertPriority.LOW)
    assert (refused.decision, bool(refused)) == (AlertDecision.REFUSED, False)
    assert "the spool is full" in caplog.text
    server.start()
    assert manager.flush()
    eventually(lambda: len(server.alerts) == 6, "the loss is told")
    assert server.titles()[:5] == ["LOW 0", "HIGH 0", "HIGH 1", "MEDIUM 2", "MEDIUM 3"]
    loss = server.alerts[5]
    assert loss["title"] == "Alerts of desk were lost"
    assert (loss["details"]["lost"], loss["details"]["by_priority"]) == (3, {"MEDIUM": 2, "LOW": 1})


def test_losses_are_told_by_the_next_process_too(manage: Make, server: ConsoleServer) -> None:
    server.stop()
    manager = manage(spool_alerts=2)
    raise_some(manager, 5)
    manager.close(timeout=0.1)
    server.start()
    manage()
    eventually(lambda: len(server.alerts) == 3, "the loss is told")
    assert server.alerts[2]["details"]["lost"] == 3


def test_the_file_is_written_anew_before_it_grows_for_ever(
    manage: Make, server: ConsoleServer, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opsclient.alerts.spool.SLACK_BYTES", 2000)
    server.stop()
    manager = manage(spool_alerts=3)
    raise_some(manager, 200)
    stored(manager)

    def is_small() -> bool:
        return all(file.stat().st_size < 6000 for file in files(spool)) and len(files(spool)) == 1

    eventually(is_small, "the file is small")
    server.start()
    assert manager.flush()
    assert server.titles()[0] == "LOW 0"


def test_a_disk_that_cannot_be_written_holds_nothing_back(
    manage: Make, server: ConsoleServer, spool: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.stop()
    manager = manage()
    spool.rmdir()
    raise_some(manager, 3)
    eventually(lambda: "cannot be written" in caplog.text, "it is said")
    desk = manager._desk
    assert desk is not None
    assert desk.spool.problem
    server.start()
    assert manager.flush()
    assert len(server.alerts) == 3


# Forks


def test_a_fork_delivers_neither_twice_nor_never(manage: Make, server: ConsoleServer) -> None:
    manage().close()
    server.stop()
    process = child(3, "fork")
    assert process.stdout is not None
    process.stdout.readline()
    server.start()
    process.communicate("go\n", timeout=30)
    assert sorted(server.titles()) == ["number 0", "number 1", "number 2", "of the child"]
