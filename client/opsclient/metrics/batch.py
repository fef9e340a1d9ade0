"""A batch as it travels and waits: made once, never changed, counted once by its id."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import uuid4

from opsclient.metrics.tally import Pending

MOST_SERIES = 2_000
MOST_BYTES = 512 * 1024


@dataclass(slots=True)
class Batch:
    """`body`: what is posted. `sealed`: it may have been sent, so it stays as it is.

    `generation`: of the flush that made it; 0: of an earlier process.
    """

    id: str
    sent_at: str
    body: bytes
    generation: int
    sealed: bool = False
    failures: int = 0

    def line(self) -> bytes:
        """The line of the spool's file that says it."""
        sealed = b"true" if self.sealed else b"false"
        return b'{"add":"%s","sealed":%s,"batch":%s}' % (self.id.encode(), sealed, self.body)


def build(pending: Pending, *, client: str, sent_at: str, generation: int) -> list[Batch]:
    """Batches of all that was recorded; more than one only if there is much."""
    return _batches(_texts(pending), client=client, sent_at=sent_at, generation=generation)


def read(record: dict[str, Any]) -> Batch:
    """From a line of the spool's file. Raises ValueError, TypeError or KeyError."""
    data = record["batch"]
    if not isinstance(data["series"], list) or data["batch_id"] != record["add"]:
        raise ValueError("not a batch")
    body = json.dumps(data, separators=(",", ":")).encode()
    return Batch(str(record["add"]), str(data["sent_at"]), body, 0, sealed=bool(record["sealed"]))


def merge(batches: Sequence[Batch]) -> list[Batch]:
    """What these say together, as of the newest: counters and histograms are summed, gauges have their newest value."""
    totals: dict[object, dict[str, Any]] = {}
    data: dict[str, Any] = {}
    for batch in batches:
        data = json.loads(batch.body)
        for row in data["series"]:
            _sum_up(totals, row)
    return _batches(
        (json.dumps(row, separators=(",", ":")) for row in totals.values()),
        client=data["client"],
        sent_at=data["sent_at"],
        generation=min(batch.generation for batch in batches),
    )


def split(batch: Batch) -> list[Batch]:
    """Two halves of a batch that the console found too large; empty if it cannot be split."""
    data = json.loads(batch.body)
    rows = data["series"]
    if len(rows) < 2:
        return []
    halves = rows[: len(rows) // 2], rows[len(rows) // 2 :]
    return [
        _batch(
            [json.dumps(row, separators=(",", ":")) for row in half],
            data["client"],
            batch.sent_at,
            batch.generation,
        )
        for half in halves
    ]


def compact(batches: Sequence[Batch], *, most: int, most_bytes: int) -> list[Batch]:
    """Fewer batches that say the same: one a minute; where that is too much still, the older half of them as one."""
    by_minute = groupby(batches, key=lambda batch: batch.sent_at[:16])  # as far as the minute
    fewer = [part for _, group in by_minute for part in _merged(list(group))]
    while len(fewer) > most or sum(len(batch.body) for batch in fewer) > most_bytes:
        half = max(2, len(fewer) // 2)
        shorter = _merged(fewer[:half]) + fewer[half:]
        if len(shorter) >= len(fewer):
            break
        fewer = shorter
    return fewer


def _merged(batches: list[Batch]) -> list[Batch]:
    return merge(batches) if len(batches) > 1 else batches


def _sum_up(totals: dict[object, dict[str, Any]], row: dict[str, Any]) -> None:
    buckets = len(row["histogram"]["buckets"]) if "histogram" in row else 0
    key = (row["name"], tuple(sorted(row["labels"].items())), "inc" in row, buckets)
    total = totals.setdefault(key, row)
    if total is row:
        return
    if "inc" in row:
        total["inc"] += row["inc"]
    elif "set" in row:
        total["set"] = row["set"]
    else:
        mine, more = total["histogram"], row["histogram"]
        mine["count"] += more["count"]
        mine["sum"] += more["sum"]
        mine["buckets"] = [a + b for a, b in zip(mine["buckets"], more["buckets"], strict=True)]


def _texts(pending: Pending) -> Iterator[str]:
    for series, value in pending.counters.items():
        yield f'{series.head}"inc":{value!r}}}'
    for series, value in pending.gauges.items():
        yield f'{series.head}"set":{value!r}}}'
    for series, (hits, misses) in pending.lookups.items():
        yield f'{series.head}"set":{100 * hits / (hits + misses)!r}}}'
    for series, (total, *buckets) in pending.histograms.items():
        counts = [int(count) for count in buckets]
        texts = ",".join(map(str, counts))
        yield f'{series.head}"histogram":{{"count":{sum(counts)},"sum":{total!r},"buckets":[{texts}]}}}}'


def _batches(texts: Iterable[str], *, client: str, sent_at: str, generation: int) -> list[Batch]:
    made: list[Batch] = []
    part: list[str] = []
    size = 0
    for text in texts:
        if part and (len(part) >= MOST_SERIES or size + len(text) > MOST_BYTES):
            made.append(_batch(part, client, sent_at, generation))
            part, size = [], 0
        part.append(text)
        size += len(text) + 1
    if part:
        made.append(_batch(part, client, sent_at, generation))
    return made


def _batch(texts: list[str], client: str, sent_at: str, generation: int) -> Batch:
    name = uuid4().hex
    head = json.dumps({"batch_id": name, "client": client, "sent_at": sent_at}, separators=(",", ":"))
    body = f'{head[:-1]},"series":[{",".join(texts)}]}}'.encode()
    return Batch(name, sent_at, body, generation)
