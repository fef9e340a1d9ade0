"""A trading process for tests that end it. Usage: metering_child.py NUMBER kill|exit|fork|worker, or "from DONE"

It records so many trades, waits until they are in the spool, says `recorded` and how many batches wait, and then ends in that way.
With "from" it records slowly up to the number, and ends.
"""

import multiprocessing
import os
import signal
import sys
import time

from opsclient.metrics import MetricsCollector


def main(number: str, end: str) -> None:
    """Record, say so, and end."""
    collector = MetricsCollector(client="desk")
    if end.startswith("from"):
        work(collector, int(number), int(end.split()[1]))
        return
    for _ in range(int(number)):
        collector.record_trade("AAPL", "BUY", slippage_bps=1.0)
    if end != "exit":
        mark = collector._desk.mark()
        while collector._desk._collected < mark:
            collector.flush(timeout=0)
            time.sleep(0.001)
    print("recorded", flush=True)  # noqa: T201  # the tests read it
    sys.stdin.readline()
    if end == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if end == "worker":
        worker = multiprocessing.get_context("fork").Process(
            target=collector.record_trade, args=("IBM", "BUY")
        )
        worker.start()
        worker.join()
    if end == "fork":
        collector.record_trade("IBM", "BUY")  # the parent's, and not flushed yet
        child = os.fork()
        if child == 0:
            collector.record_trade("IBM", "SELL")
            os._exit(0 if collector.flush(timeout=40) else 1)
        _, status = os.waitpid(child, 0)
        print("child", os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201


def work(collector: MetricsCollector, until: int, done: int) -> None:
    """Record trades from one number to another, and say each hundredth."""
    while done < until:
        collector.record_trade("AAPL", "BUY", slippage_bps=1.0)
        done += 1
        if done % 100 == 0:
            collector.flush(timeout=0)
            time.sleep(0.02)
            print("recorded", done, flush=True)  # noqa: T201  # the tests read it


if __name__ == "__main__":
    main(*sys.argv[1:])
