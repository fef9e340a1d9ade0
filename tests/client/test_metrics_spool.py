"""While the console is away, and across the end of a process: nothing is lost, nothing is counted twice."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from opsclient.metrics import MetricsCollector
from opsclient.metrics.batch import Batch
from opsclient.metrics.spool import Spool, parse

from tests.client.console_server import ConsoleServer, Handler, eventually
from tests.client.ledger import key

Collect = Callable[..., MetricsCollector]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool"


def files(spool: Path) -> list[Path]:
    return sorted(spool.glob("metrics-*.jsonl"))


def record_batches(collector: MetricsCollector, count: int, number: int = 1) -> None:
    """So many flushes, each with so many trades."""
    for _ in range(count):
        for _ in range(number):
            collector.record_trade("AAPL", "BUY", slippage_bps=1.0)
        collector._desk.collect()


def child(number: int, end: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.client.metering_child", str(number), end]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "client")])}
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ, cwd=ROOT
    )


def finish(process: "subprocess.Popen[str]") -> str:
    """Let it go on to its end; what it has said."""
    assert process.stdout is not None
    said = process.stdout.readline()
    more, _ = process.communicate("go\n", timeout=20)
    return said + more


def sent_ids(server: ConsoleServer) -> list[str]:
    return [data["batch_id"] for _, data, _ in server.posts]


# A lost answer


def test_a_batch_whose_answer_was_lost_is_repeated_as_it_was(
    collector: MetricsCollector, server: ConsoleServer
) -> None:
    def lose(handler: Handler, _path: str, data: dict[str, Any]) -> bool:
        server.metrics.take(data)
        if len(server.posts) == 3:
            server.post_answer = None
        record_batches(collector, 1)  # it does not find a way into the batch that is repeated
        handler.close_connection = True
        return True

    server.post_answer = lose
    record_batches(collector, 1, 5)
    assert collector.flush()
    assert collector.flush(), "what was recorded while the first was under way"
    ids = sent_ids(server)
    assert ids[:4] == [ids[0]] * 4
    assert server.posts[0][1] == server.posts[3][1]
    assert server.metrics.total("trades_total") == 8


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_console_that_has_trouble_is_asked_again_with_the_same(
    collector: MetricsCollector, server: ConsoleServer, status: int
) -> None:
    body = {"error": {"code": "code", "message": "not now", "details": {}}}

    def trouble(handler: Handler, _path: str, _data: object) -> bool:
        if len(server.posts) == 3:
            server.post_answer = None
        return handler.answer(status, body)

    server.post_answer = trouble
    record_batches(collector, 1)
    assert not collector.flush(timeout=0)
    eventually(lambda: collector.status()["away"], "it says so")
    assert f"{status}: not now" in collector.status()["last_error"]
    assert collector.flush()
    assert sent_ids(server) == [sent_ids(server)[0]] * 4
    status_now = collector.status()
    assert (status_now["away"], status_now["waiting_since"], status_now["sent_batches"]) == (None, None, 1)


# While the console is away


def test_what_waited_is_sent_in_order_with_its_own_time(
    collect: Collect, server: ConsoleServer, spool: Path
) -> None:
    server.stop()
    collector = collect()
    record_batches(collector, 30)
    status = collector.status()
    assert status["waiting_batches"] == 30
    (file,) = files(spool)
    assert (file.stat().st_mode & 0o777, spool.stat().st_mode & 0o777) == (0o600, 0o700)
    waiting = parse(file.read_bytes())
    assert status["waiting_since"] == waiting[0].sent_at
    server.start()
    assert collector.flush()
    assert server.metrics.total("trades_total") == 30
    taken = [batch["batch_id"] for batch in server.metrics.batches]
    assert taken == [batch.id for batch in waiting]
    times = [batch["sent_at"] for batch in server.metrics.batches]
    assert times == sorted(times)
    eventually(lambda: file.stat().st_size == 0, "the file is emptied")
    collector.close()
    assert files(spool) == []


def test_a_batch_is_on_the_disk_before_it_is_sent(
    collector: MetricsCollector, server: ConsoleServer, spool: Path
) -> None:
    seen: list[bool] = []

    def look(_handler: Handler, _path: str, data: dict[str, Any]) -> bool:
        (file,) = files(spool)
        seen.extend(batch.sealed for batch in parse(file.read_bytes()) if batch.id == data["batch_id"])
        return False

    server.post_answer = look
    record_batches(collector, 1)
    assert collector.flush()
    assert seen == [True]


def test_what_waited_while_the_console_was_away_is_sealed_on_the_disk_before_it_is_sent(
    collect: Collect, server: ConsoleServer, spool: Path
) -> None:
    server.stop()
    collector = collect()
    record_batches(collector, 1)
    eventually(lambda: collector.status()["away"], "it knows that the console is away")
    record_batches(collector, 1)
    (file,) = files(spool)
    assert [batch.sealed for batch in parse(file.read_bytes())] == [True, False]
    sealed: list[bool] = []

    def look(_handler: Handler, _path: str, data: dict[str, Any]) -> bool:
        sealed.extend(batch.sealed for batch in parse(file.read_bytes()) if batch.id == data["batch_id"])
        return False

    server.post_answer = look
    server.start()
    assert collector.flush()
    assert sealed == [True, True]


def test_when_it_is_full_the_oldest_are_merged_and_no_count_is_lost(
    collect: Collect, server: ConsoleServer, spool: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.stop()
    collector = collect(spool_batches=10)
    collector.record_risk("var", 1)
    record_batches(collector, 1)
    eventually(lambda: collector.status()["away"], "it knows that the console is away")
    for number in range(50):
        collector.record_risk("var", number)
        record_batches(collector, 1, 2)
        assert collector.status()["waiting_batches"] <= 10
    assert "the spool of metrics is full" in caplog.text
    (file,) = files(spool)
    assert len(parse(file.read_bytes())) == collector.status()["waiting_batches"]
    server.start()
    assert collector.flush()
    assert server.metrics.total("trades_total") == 101
    slippage = server.metrics.histograms[key("trade_slippage_bps", ticker="AAPL")]
    assert (slippage["count"], slippage["sum"]) == (101, 101)
    assert server.metrics.gauges[key("risk_score", risk_type="var", ticker="all")] == 49
    times = [batch["sent_at"] for batch in server.metrics.batches]
    assert times == sorted(times)
    # What may have been sent before it was full has kept its id.
    assert sent_ids(server)[0] == server.metrics.batches[0]["batch_id"]
    assert server.metrics.batches[0]["series"][0]["inc"] == 1


def test_the_bytes_are_bounded_too(collect: Collect, server: ConsoleServer) -> None:
    server.stop()
    collector = collect(spool_bytes=4_000)
    record_batches(collector, 1)
    eventually(lambda: collector.status()["away"], "it knows that the console is away")
    record_batches(collector, 40)
    assert collector.status()["waiting_bytes"] <= 4_000
    server.start()
    assert collector.flush()
    assert server.metrics.total("trades_total") == 41


def test_the_file_is_written_anew_before_it_grows_for_ever(
    spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opsclient.metrics.spool.SLACK_BYTES", 2_000)
    spool.mkdir()
    waiting = Spool(spool, owner=("metrics-desk",), problem="", most=100, most_bytes=100_000)
    sizes = []
    for number in range(100):  # one always waits
        body = b'{"batch_id":"%d","sent_at":"","series":[]}' % number
        waiting.add([Batch(str(number), "", body, number)], at_once=True)
        if number:
            first = waiting.next()
            assert first is not None
            waiting.remove(first)
        sizes.append(sum(file.stat().st_size for file in files(spool)))
    assert max(sizes) < 2_500
    (file,) = files(spool)
    assert [batch.id for batch in parse(file.read_bytes())] == ["98", "99"]
    waiting.tidy()
    assert [batch.id for batch in parse(file.read_bytes())] == ["99"]


def test_without_a_folder_batches_wait_in_memory(
    collect: Collect, server: ConsoleServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "state"
    file.touch()
    monkeypatch.delenv("OPSCLIENT_SPOOL_DIR")
    monkeypatch.setenv("XDG_STATE_HOME", str(file))
    server.stop()
    collector = collect()
    record_batches(collector, 5)
    status = collector.status()
    assert (status["waiting_batches"], status["spool_dir"]) == (5, None)
    assert status["spool_problem"]
    server.start()
    assert collector.flush()
    assert server.metrics.total("trades_total") == 5


def test_a_disk_that_cannot_be_written_holds_nothing_back(
    collect: Collect, server: ConsoleServer, spool: Path, caplog: pytest.LogCaptureFixture
) -> None:
    collector = collect()
    eventually(lambda: collector._desk.spool and collector._desk.spool.tidy())
    spool.rmdir()
    record_batches(collector, 3)
    assert collector.flush()
    assert server.metrics.total("trades_total") == 3
    assert caplog.text.count("the spool of metrics cannot be written") == 1


# Across the end of a process


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
    said, _ = process.communicate("go\n", timeout=30)
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


# What the console does not take


def answer_with(status: int, message: str) -> Callable[[Handler, str, dict[str, Any]], bool]:
    body = {"error": {"code": "code", "message": message, "details": {"client": "no such client"}}}
    return lambda handler, _path, _data: handler.answer(status, body)


def test_a_series_that_is_rejected_is_said_once_and_the_others_count(
    collector: MetricsCollector, server: ConsoleServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.metrics.bad = {"risk_score"}
    for _ in range(3):
        collector.record_risk("var", 1)
        record_batches(collector, 1)
    assert collector.flush()
    assert server.metrics.total("trades_total") == 3
    assert caplog.text.count("the console does not take risk_score: no such metric") == 1
    status = collector.status()
    assert (status["rejected_series"], status["last_error"]) == (3, "risk_score: no such metric")


def test_a_batch_that_cannot_be_used_is_given_up_and_the_next_goes_on(
    collector: MetricsCollector, server: ConsoleServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.post_answer = answer_with(400, "bad")
    record_batches(collector, 1)
    record_batches(collector, 1)
    assert collector.flush()
    assert len(server.posts) == 2
    assert caplog.text.count("the console can use nothing of it (400: bad; client: no such client)") == 1
    server.post_answer = None
    record_batches(collector, 1)
    assert collector.flush()
    assert server.metrics.total("trades_total") == 1
    assert collector.status()["given_up_batches"] == 2


def test_a_batch_that_is_too_large_is_sent_in_parts(
    collector: MetricsCollector, server: ConsoleServer, caplog: pytest.LogCaptureFixture
) -> None:
    def small_only(handler: Handler, _path: str, data: dict[str, Any]) -> bool:
        if len(data["series"]) > 1 or data["series"][0]["labels"]["ticker"] == "T4":
            return handler.answer(413, {"error": {"code": "c", "message": "too large", "details": {}}})
        return False

    server.post_answer = small_only
    for number in range(5):
        collector.record_volatility_breach(f"T{number}")
    assert collector.flush()
    assert server.metrics.total("volatility_breach_total") == 4
    assert caplog.text.count("one series alone is too large") == 1


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_console_that_refuses_is_asked_rarely_and_not_for_ever(
    collector: MetricsCollector,
    server: ConsoleServer,
    status: int,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server.post_answer = answer_with(status, "not you")
    record_batches(collector, 3)
    eventually(lambda: collector.status()["away"], "it says so")
    collector._desk.sender.hurry()  # type: ignore[union-attr]
    eventually(lambda: len(server.posts) == 2, "it asks again")
    assert caplog.text.count("not you") == 1
    assert "sesame" not in caplog.text
    assert collector.status()["waiting_batches"] == 3
    monkeypatch.setattr("opsclient.metrics.sender.GIVE_UP_S", 0.0)
    collector._desk.sender.hurry()  # type: ignore[union-attr]
    eventually(lambda: collector.status()["given_up_batches"] == 3, "it is given up")
    assert collector.flush()
    server.post_answer = None
    record_batches(collector, 1)
    collector._desk.sender.hurry()  # type: ignore[union-attr]
    assert collector.flush()
    assert server.metrics.total("trades_total") == 1


def test_a_batch_over_which_the_console_breaks_does_not_hold_up_the_others_for_ever(
    collect: Collect, server: ConsoleServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opsclient.metrics.sender.MOST_FAILURES", 3)
    monkeypatch.setattr("opsclient.metrics.sender.BREAKING_S", 0.0)
    body = {"error": {"code": "code", "message": "bug", "details": {}}}
    server.post_answer = lambda handler, _path, data: bool(
        data["series"][0]["labels"].get("ticker") == "POISON" and handler.answer(500, body)
    )
    collector = collect()
    collector.record_volatility_breach("POISON")
    record_batches(collector, 1)
    assert collector.flush()
    assert collector.status()["given_up_batches"] == 1
    record_batches(collector, 1)
    assert collector.flush()
    assert server.metrics.total("trades_total") == 1


def test_an_answer_of_something_else_is_not_taken_for_the_consoles(
    collector: MetricsCollector, server: ConsoleServer
) -> None:
    server.post_answer = lambda handler, *_: handler.answer(200, {"hello": "world"})
    record_batches(collector, 1)
    eventually(lambda: collector.status()["away"], "it says so")
    server.post_answer = None
    assert collector.flush()
    assert server.metrics.total("trades_total") == 1
