"""The trading process whose metrics pass a threshold: it follows the console, reports to it, and is stopped by it.

`python -m bench.breach_trader --name NAME` reads the console from OPSCLIENT_URL and OPSCLIENT_TOKEN. It takes one JSON object a line, answers with
one, and ends when its standard input closes.

    {"do": "trade"}              → when it may trade
    {"do": "breach", …what}      → called, heard: the steady clock (ns) just before it recorded the value, and when it first was not to trade
    {"do": "report", …what}      → reported: whether the console has it

`what`: `portfolio`, the arguments of update_portfolio, or `risk`, a score for record_risk. With a breach, a trade in each of 33 tickers was
recorded just before, so that the value travels among a hundred other series.
"""

import argparse
import json
import logging
import os
import sys
from typing import Any

from opsclient import KillSwitch, OpsConsole
from opsclient.metrics import MetricsCollector

from bench.fleet import wait_until
from demo.clock import boot_ns

Message = dict[str, Any]

TICKERS = [f"T{number:02}" for number in range(33)]


class Trader:
    """Follows the console until `close`."""

    def __init__(self, name: str) -> None:
        self._console = OpsConsole(
            os.environ["OPSCLIENT_URL"], token=os.environ["OPSCLIENT_TOKEN"], name=name
        )
        self._kill_switch = KillSwitch(console=self._console)
        self._metrics = MetricsCollector(console=self._console)

    def do(self, request: Message) -> Message:
        """Raises LateError when what is waited for does not come."""
        if request["do"] == "trade":
            wait_until(self._kill_switch.is_trading_allowed, "the process may trade")
            return {}
        if request["do"] == "report":
            self._record(request)
            return {"reported": self._metrics.flush(now=True)}
        for ticker in TICKERS:
            self._metrics.record_trade(ticker, "BUY", slippage_bps=1.8, duration_seconds=0.04)
        called = boot_ns()
        self._record(request)
        wait_until(
            lambda: not self._kill_switch.is_trading_allowed(), "the process hears the stop", every=0.002
        )
        return {"called": called, "heard": boot_ns()}

    def close(self) -> None:
        self._metrics.close()
        self._console.close()

    def _record(self, what: Message) -> None:
        if "portfolio" in what:
            self._metrics.update_portfolio(**what["portfolio"])
        else:
            self._metrics.record_risk("exposure", what["risk"])


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.breach_trader", description=__doc__)
    parser.add_argument("--name", default="breach")
    trader = Trader(parser.parse_args().name)
    # Many stops, each said by the process, would bury what the measurement says.
    logging.disable(logging.CRITICAL)
    for line in sys.stdin:
        print(json.dumps(trader.do(json.loads(line))), flush=True)
    trader.close()


if __name__ == "__main__":
    main()
