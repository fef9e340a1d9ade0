"""Metrics are recorded from any thread, in any loop, for whichever console there is."""

import asyncio
import threading
from collections.abc import Callable

import pytest
from opsclient import OpsConsole
from opsclient.metrics import MetricsCollector

from tests.client.console_server import ConsoleServer, Handler, eventually
from tests.client.ledger import key

Collect = Callable[..., MetricsCollector]


# From any thread, in any loop


def test_threads_lose_nothing(collector: MetricsCollector, server: ConsoleServer) -> None:
    def work() -> None:
        for _ in range(5_000):
            collector.record_trade("AAPL", "BUY", slippage_bps=1, duration_seconds=0.1)
            collector.record_cache("redis", 1, 1)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        collector.flush(timeout=0.01)
    assert collector.flush()
    assert server.metrics.total("trades_total") == 30_000
    for name in ("trade_slippage_bps", "trade_execution_duration_seconds"):
        assert server.metrics.histograms[key(name, ticker="AAPL")]["count"] == 30_000
    assert len(server.metrics.batches) > 1


def test_the_lock_is_free_while_a_batch_is_sent(collector: MetricsCollector, server: ConsoleServer) -> None:
    arrived, go_on = threading.Event(), threading.Event()

    def hold(_handler: Handler, _path: str, _data: object) -> bool:
        arrived.set()
        go_on.wait(10)
        return False

    server.post_answer = hold
    collector.record_volatility_breach("AAPL")
    collector.flush(timeout=0)
    assert arrived.wait(10)
    recorded = threading.Thread(target=collector.record_volatility_breach, args=("AAPL",))
    recorded.start()
    recorded.join(5)
    assert not recorded.is_alive()
    assert collector.status()["waiting_batches"] == 1
    go_on.set()
    assert collector.flush()
    assert server.metrics.total("volatility_breach_total") == 2


def test_in_a_loop_flushing_waits_only_where_it_is_awaited(
    collector: MetricsCollector, server: ConsoleServer
) -> None:
    async def work() -> tuple[bool, bool, int]:
        beats = 0

        async def beat() -> None:
            nonlocal beats
            while True:
                beats += 1
                await asyncio.sleep(0)

        beating = asyncio.create_task(beat())
        collector.record_volatility_breach("AAPL")
        at_once = collector.flush()
        later = await collector.flush_async()
        beating.cancel()
        return at_once, later, beats

    go_on = threading.Event()
    server.post_answer = lambda *_: not go_on.wait(0.2) and False
    at_once, later, beats = asyncio.run(work())
    assert (at_once, later) == (False, True)
    assert beats > 10


# Which console


def test_the_console_may_come_later(server: ConsoleServer, connect: Callable[..., OpsConsole]) -> None:
    collector = MetricsCollector()
    collector.record_volatility_breach("AAPL")
    assert not collector.flush(timeout=0)
    assert "no console" in collector.status()["away"]
    connect()
    eventually(lambda: server.metrics.total("volatility_breach_total") == 1, "the console is found")
    collector.close()


def test_arguments_go_before_the_environment(server: ConsoleServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSCLIENT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("OPSCLIENT_NAME", "by-variable")
    with MetricsCollector(server.url, token="sesame") as collector:
        collector.record_volatility_breach("AAPL")
        assert collector.flush()
        assert collector.status()["console"] == server.url
    assert server.metrics.batches[0]["client"] == "by-variable"
    assert "sesame" not in repr(collector)
