"""Batches of metrics for measuring, as `opsclient` sends them: `python -m bench.metrics_load --port N --token T --series 500 --batches 400`.

Every connection is a client of its own with the same mix: half counters, a quarter gauges, a quarter histograms. The bodies are made first; prints
JSON: seconds, failed, and each request's milliseconds.
"""

import argparse
import asyncio
import json
import sys
from datetime import UTC, datetime
from typing import Any

import uvloop

from bench.load import send
from monitoring.metrics.catalogue import CATALOGUE

PATH = "/monitoring/metrics/push"
SLIPPAGE = len(CATALOGUE["trade_slippage_bps"].buckets) + 1


def one(number: int) -> dict[str, Any]:
    """The series with this number; the same labels for the same number."""
    ticker = f"T{number // 4}"
    match number % 4:
        case 0:
            return {
                "name": "trades_total",
                "labels": {"ticker": ticker, "side": "BUY", "status": "filled"},
                "inc": 3,
            }
        case 1:
            return {
                "name": "signals_generated_total",
                "labels": {"ticker": ticker, "signal": "BUY"},
                "inc": 1,
            }
        case 2:
            return {
                "name": "risk_score",
                "labels": {"risk_type": "volatility", "ticker": ticker},
                "set": 12.5 + number,
            }
        case _:
            buckets = [0] * SLIPPAGE
            buckets[number % SLIPPAGE], buckets[0] = 2, 1
            observed = {"count": sum(buckets), "sum": 7.25, "buckets": buckets}
            return {"name": "trade_slippage_bps", "labels": {"ticker": ticker}, "histogram": observed}


def requests(*, series: int, batches: int, clients: int, port: int, token: str) -> list[bytes]:
    """Each a whole HTTP request; neighbours are of different clients."""
    rows = json.dumps([one(number) for number in range(series)], separators=(",", ":"))
    head = f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\nAuthorization: Bearer {token}\r\n"
    run = datetime.now(UTC)
    made = []
    for number in range(batches):
        start = {
            "batch_id": f"{run.timestamp()}-{number}",
            "client": f"client-{number % clients}",
            "sent_at": run.isoformat(),
        }
        content = f'{json.dumps(start)[:-1]},"series":{rows}}}'.encode()
        made.append(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
    return made


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--token", required=True)
    parser.add_argument("--series", type=int, default=500)
    parser.add_argument("--batches", type=int, default=400)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--pause", type=float, default=0, help="seconds between batches, on one connection")
    given = parser.parse_args()
    made = requests(
        series=given.series, batches=given.batches, clients=given.clients, port=given.port, token=given.token
    )
    if given.pause:
        print(json.dumps(asyncio.run(paced(made, port=given.port, pause=given.pause))))
    else:
        print(json.dumps(uvloop.run(send(made, port=given.port, connections=given.clients))))
    return 0


async def paced(made: list[bytes], *, port: int, pause: float) -> dict[str, Any]:
    """One after the other with pauses: what a batch takes when the console has nothing else to do."""
    milliseconds: list[float] = []
    failed = 0
    for request in made:
        found = await send([request], port=port, connections=1)
        milliseconds += found["milliseconds"]
        failed += found["failed"]
        await asyncio.sleep(pause)
    return {"failed": failed, "milliseconds": milliseconds}


if __name__ == "__main__":
    sys.exit(main())
