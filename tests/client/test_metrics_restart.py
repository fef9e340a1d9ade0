"""Across the end of a process: nothing is lost, nothing is counted twice."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.client.console_server import ConsoleServer, Handler, eventually
from tests.client.ledger import key
from tests.client.metering import Collect, child, files, finish, record_batches, sent_ids


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool"


def test_what_a_killed_process_left_is_sent_by_the_next_of_its_name(
    collect: Collect, server: ConsoleServer, spool: Path
) -> None:
    collect().close()  # sets the environment
    server.stop()
    assert finish(child(100, "kill")) == "recorded\n"
    assert len(files(spool)) == 1
    server.start()
    stranger = collect(client="other")
    assert stranger.flush()
    assert server.metrics.batches == []
    heir = collect()
    assert heir.flush()
    assert server.metrics.total("trades_total") == 100
    heir.close()
    assert files(spool) == []


def test_a_kill_between_the_sending_and_the_answer_counts_nothing_twice(
    collect: Collect, server: ConsoleServer
) -> None:
    collect().close()
    processes: list[subprocess.Popen[str]] = []

    def take_and_kill(handler: Handler, _path: str, data: dict[str, Any]) -> bool:
        server.post_answer = None
        server.metrics.take(data)
        processes[0].kill()
        processes[0].wait(20)
        handler.close_connection = True
        return True

    server.stop()
    processes.append(child(7, "kill"))
    assert processes[0].stdout is not None
    processes[0].stdout.readline()
    server.post_answer = take_and_kill
    server.start()
    processes[0].wait(20)
    eventually(lambda: server.metrics.batches, "it has arrived")
    heir = collect()
    record_batches(heir, 1)
    assert heir.flush()
    assert server.metrics.total("trades_total") == 8
    assert sent_ids(server)[0] == sent_ids(server)[1]


def test_a_process_that_ends_has_sent_everything(collect: Collect, server: ConsoleServer) -> None:
    collect().close()
    assert finish(child(1_000, "exit")) == "recorded\n"
    assert server.metrics.total("trades_total") == 1_000


def test_a_process_that_ends_while_the_console_is_away_leaves_everything(
    collect: Collect, server: ConsoleServer
) -> None:
    collect().close()
    server.stop()
    finish(child(10, "exit"))
    server.start()
    assert collect().flush()
    assert server.metrics.total("trades_total") == 10


def test_a_file_with_half_a_line_loses_only_that_line(
    collect: Collect, server: ConsoleServer, spool: Path
) -> None:
    server.stop()
    collector = collect()
    record_batches(collector, 3)
    collector.close(timeout=0.1)
    (file,) = files(spool)
    file.write_bytes(file.read_bytes()[:-30])
    server.start()
    assert collect().flush()
    assert server.metrics.total("trades_total") == 2


def test_a_fork_counts_from_nothing_and_the_parent_goes_on(collect: Collect, server: ConsoleServer) -> None:
    collect().close()
    server.stop()
    process = child(3, "fork")
    assert process.stdout is not None
    assert process.stdout.readline() == "recorded\n"
    server.start()
    said, _ = process.communicate("go\n", timeout=60)
    assert said == "child 0\n"
    assert server.metrics.counters == {
        key("trades_total", ticker="AAPL", side="BUY", status="filled"): 3,
        key("trades_total", ticker="IBM", side="BUY", status="filled"): 1,
        key("trades_total", ticker="IBM", side="SELL", status="filled"): 1,
    }


def test_a_worker_of_multiprocessing_has_sent_everything_when_it_ends(
    collect: Collect, server: ConsoleServer
) -> None:
    collect().close()
    finish(child(3, "worker"))
    assert server.metrics.total("trades_total", ticker="IBM", side="BUY", status="filled") == 1
    assert server.metrics.total("trades_total") == 4


def test_kills_at_any_moment_leave_an_exact_total(collect: Collect, server: ConsoleServer) -> None:
    """The process resumes where the console's total says that it was, so a loss or a repetition shows."""
    collect().close()
    wanted = 4_000
    lost: list[int] = []

    def lose_some(handler: Handler, _path: str, data: dict[str, Any]) -> bool:
        if len(server.posts) % 3:
            return False
        server.metrics.take(data)
        lost.append(1)
        handler.close_connection = True
        return True

    server.post_answer = lose_some
    for kill in range(8):
        probe = collect()
        assert probe.flush(timeout=20), "what was left is sent"
        probe.close()
        done = server.metrics.total("trades_total")
        process = child(wanted, f"from {done:.0f}")
        assert process.stdout is not None
        for _ in range(3 + kill % 3):
            process.stdout.readline()
        process.kill()
        process.communicate(timeout=20)
    server.post_answer = None
    probe = collect()
    assert probe.flush(timeout=20)
    done = server.metrics.total("trades_total")
    assert 0 < done < wanted
    finish(child(wanted, f"from {done:.0f}"))
    assert server.metrics.total("trades_total") == wanted
    assert lost
