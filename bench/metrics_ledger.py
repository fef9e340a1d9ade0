"""What the console has counted of the trades of `bench.metrics_trader`, and whether it can be right."""

import json
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from opsclient.metrics.spool import left_in
from prometheus_client.parser import text_string_to_metric_families

from bench.metrics_trader import CHUNK, SPOOL

SERIES = "SELECT name, labels->>'ticker', value, count FROM monitoring_series WHERE client = %s"
BATCHES = "SELECT id FROM monitoring_batch WHERE client = %s"
TOTALS = "SELECT client, sum(value) FROM monitoring_series WHERE name = 'trades_total' GROUP BY client"
MINUTES = """
SELECT s.client, sum(m.total) FROM monitoring_minute m JOIN monitoring_series s ON s.id = m.series_id
WHERE s.name = 'trades_total' GROUP BY s.client
"""


@dataclass(slots=True)
class Tickers:
    """By ticker: trades, observed slippages, and the sum of these."""

    trades: dict[str, float] = field(default_factory=dict)
    observed: dict[str, float] = field(default_factory=dict)
    sums: dict[str, float] = field(default_factory=dict)

    def count(self, ticker: str, number: float) -> None:
        self.trades[ticker] = self.trades.get(ticker, 0) + number

    def observe(self, ticker: str, number: float, total: float) -> None:
        self.observed[ticker] = self.observed.get(ticker, 0) + number
        self.sums[ticker] = self.sums.get(ticker, 0) + total

    @property
    def total(self) -> int:
        return int(sum(self.trades.values()))

    def wrong(self) -> list[str]:
        """Tickers that are not as if the first `total` trades had been counted once each, and no other.

        The sum of the places says so even if as many were lost as were counted twice: a trade that is missing has a smaller place than the
        one that is there in its stead.
        """
        whole, rest = divmod(self.total, CHUNK)
        right = {f"C{chunk}": CHUNK for chunk in range(whole)} | ({f"C{whole}": rest} if rest else {})
        return [
            ticker
            for ticker in sorted(right.keys() | self.trades.keys() | self.observed.keys())
            if (self.trades.get(ticker), self.observed.get(ticker), self.sums.get(ticker))
            != _whole(right.get(ticker, 0))
        ]


def _whole(count: int) -> tuple[int, int, int]:
    return count, count, count * (count - 1) // 2


def counted(database: str, client: str) -> tuple[Tickers, set[str]]:
    """What the database has of this client, and the ids of its batches, as of one moment."""
    found = Tickers()
    with psycopg.connect(database) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        for name, ticker, value, count in connection.execute(SERIES, [client]):
            if name == "trades_total":
                found.count(ticker, value)
            elif name == "trade_slippage_bps":
                found.observe(ticker, count, value)
        return found, {row[0] for row in connection.execute(BATCHES, [client])}


def safe(database: str, client: str, folder: Path) -> tuple[Tickers, int]:
    """What of a trader that is gone is counted, or will be: the database's, and what its spool has and the database has not.

    And how many batches the spool has that are counted already: the next process sends them once more.
    """
    found, known = counted(database, client)
    texts = [path.read_bytes() for path in sorted((folder / SPOOL).glob("*.jsonl"))]
    left = left_in(texts)
    for batch in left:
        if batch.id not in known:
            _add(found, json.loads(batch.body)["series"])
    return found, sum(batch.id in known for batch in left)


def _add(found: Tickers, series: Iterable[Mapping[str, Any]]) -> None:
    for row in series:
        ticker = row["labels"]["ticker"]
        if "inc" in row:
            found.count(ticker, row["inc"])
        else:
            found.observe(ticker, row["histogram"]["count"], row["histogram"]["sum"])


def totals(database: str) -> dict[str, dict[str, int]]:
    """Trades of each client in all, by where it stands: `series` and `minutes`."""
    with psycopg.connect(database) as connection:
        return {
            where: {client: int(total) for client, total in connection.execute(statement)}
            for where, statement in (("series", TOTALS), ("minutes", MINUTES))
        }


def exposed(url: str, token: str) -> dict[str, int]:
    """Trades of each client on `/metrics`."""
    request = urllib.request.Request(f"{url}/metrics", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        text = answer.read().decode()
    found: dict[str, int] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == "trades_total":
                client = sample.labels["client"]
                found[client] = found.get(client, 0) + int(sample.value)
    return found
