"""A trading process for tests that end it. Usage: metering_child.py NUMBER kill|exit|fork

It records so many trades, waits until they are in the spool, says `recorded` and how many batches wait, and then ends in that way.
"""

import os
import signal
import sys
import time

from opsclient.metrics import MetricsCollector


def main(number: str, end: str) -> None:
    """Record, say so, and end."""
    collector = MetricsCollector(client="desk")
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
    if end == "fork":
        collector.record_trade("IBM", "BUY")  # the parent's, and not flushed yet
        child = os.fork()
        if child == 0:
            collector.record_trade("IBM", "SELL")
            os._exit(0 if collector.flush(timeout=10) else 1)
        _, status = os.waitpid(child, 0)
        print("child", os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
