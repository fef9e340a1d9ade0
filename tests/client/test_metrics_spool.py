"""While the console is away: what waits is kept in order, on the disk, within bounds, and is counted once."""

from pathlib import Path
from typing import Any

import pytest
from opsclient.metrics import MetricsCollector
from opsclient.metrics.batch import Batch
from opsclient.metrics.spool import Spool, parse

from tests.client.console_server import ConsoleServer, Handler, eventually
from tests.client.ledger import key
from tests.client.metering import Collect, files, record_batches, sent_ids


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool"


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


def test_what_may_have_been_sent_is_never_merged(spool: Path) -> None:
    spool.mkdir()
    waiting = Spool(spool, owner=("metrics-desk",), problem="", most=6, most_bytes=100_000)

    def batch(number: int) -> Batch:
        body = (
            b'{"batch_id":"%d","client":"desk","sent_at":"2026","series":[{"name":"x","labels":{},"inc":1}]}'
        )
        return Batch(str(number), "2026", body % number, number)

    waiting.add([batch(0), batch(1)], at_once=False)
    first = waiting.next()
    assert first is not None
    for number in range(2, 20):
        waiting.add([batch(number)], at_once=False)
    assert waiting.next() is first
    (file,) = files(spool)
    assert [kept.id for kept in parse(file.read_bytes())][:2] == ["0", "1"]
    assert waiting.waiting().batches <= 6


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
