"""One load generator for both peers: posts alerts to /api/v2/alerts as Prometheus does, with little CPU of its own.

`python -m bench.load --port N --workload storm|unique [--alerts 100000] [--batch 64] [--connections 8] [--token T]` makes all requests
first, then sends them over connections that stay open, and prints JSON: seconds, failed, and each request's milliseconds.
`--workload get --path P` sends so many times the same GET instead.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import uvloop

STORM_FINGERPRINTS = 500
STATUS_OK = b"HTTP/1.1 200"


def alert(number: int, *, starts_at: str, ends_at: str) -> dict[str, Any]:
    """About 480 bytes as JSON, as Prometheus sends one; `number` makes its labels differ."""
    return {
        "annotations": {
            "description": f"The feed of venue-{number % 7} has sent nothing for two minutes; strategies stay out.",
            "summary": "Market data is stale",
        },
        "endsAt": ends_at,
        "startsAt": starts_at,
        "generatorURL": "http://prometheus:9090/graph?g0.expr=feed_age_seconds+%3E+120&g0.tab=1",
        "labels": {
            "alertname": f"FeedStale{number % 20}",
            "cluster": "desk-eu-1",
            "environment": "production",
            "instance": f"feed-{number}:9100",
            "job": "feeds",
            "severity": "warning",
            "symbol": f"SYM{number % 1000}",
            "venue": f"venue-{number % 7}",
        },
    }


def alerts(workload: str, count: int) -> Iterator[dict[str, Any]]:
    """`storm`: over 500 fingerprints, one after the other; `unique`: each its own."""
    now = datetime.now(UTC)
    starts_at = (now - timedelta(minutes=1)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    ends_at = (now + timedelta(hours=1)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    for number in range(count):
        which = number % STORM_FINGERPRINTS if workload == "storm" else number
        yield alert(which, starts_at=starts_at, ends_at=ends_at)


def requests(
    workload: str, *, count: int, batch: int, port: int, token: str = "", path: str = "/api/v2/alerts"
) -> list[bytes]:
    """Each a whole HTTP request."""
    made, waiting = [], []
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
    if token:
        head += f"Authorization: Bearer {token}\r\n"
    for one in alerts(workload, count):
        waiting.append(json.dumps(one, separators=(",", ":")))
        if len(waiting) == batch:
            made.append(_request(head, waiting))
            waiting = []
    if waiting:
        made.append(_request(head, waiting))
    return made


def gets(path: str, *, count: int, port: int, token: str = "") -> list[bytes]:
    """The same GET so many times."""
    authorization = f"Authorization: Bearer {token}\r\n" if token else ""
    head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{authorization}\r\n"
    return [head.encode()] * count


def _request(head: str, texts: list[str]) -> bytes:
    content = f"[{','.join(texts)}]".encode()
    return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content


class Connection(asyncio.Protocol):
    """Sends the next request when the answer to the one before is whole."""

    def __init__(self, work: "Work") -> None:
        self._work = work
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._sent_at = 0.0
        self._waiting: bytes | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's is one, but not by inheritance.
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, mark, rest = self._received.partition(b"\r\n\r\n")
        if not mark or len(rest) < _length(head):
            return
        self._received, self._waiting = b"", None
        self._work.answered(time.perf_counter() - self._sent_at, ok=head.startswith(STATUS_OK))
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting is not None and self._waiting.startswith(b"GET"):
            # A server may close what it has kept alive: it is asked again over another one. What was posted may have been taken.
            self._work.again(self._waiting)
        else:
            self._work.left()

    def _send(self) -> None:
        request = self._work.next()
        assert self._transport is not None
        if request is None:
            self._transport.close()
            return
        self._sent_at, self._waiting = time.perf_counter(), request
        self._transport.write(request)


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line[15:])
    return 0


class Work:
    """What all connections share."""

    def __init__(self, made: list[bytes], connections: int, port: int) -> None:
        self._rest = iter(made)
        self._again: list[bytes] = []
        self._open = connections
        self._port = port
        self._connecting: set[asyncio.Task[None]] = set()
        self.milliseconds: list[float] = []
        self.failed = 0
        self.reconnected = 0
        self.done = asyncio.get_running_loop().create_future()

    def next(self) -> bytes | None:
        return self._again.pop() if self._again else next(self._rest, None)

    def answered(self, seconds: float, *, ok: bool) -> None:
        self.milliseconds.append(1000 * seconds)
        self.failed += not ok

    def again(self, request: bytes) -> None:
        """Its connection was lost before the answer came."""
        self.reconnected += 1
        self._again.append(request)
        task = asyncio.ensure_future(self.connect())
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def connect(self) -> None:
        try:
            await asyncio.get_running_loop().create_connection(
                lambda: Connection(self), "127.0.0.1", self._port
            )
        except OSError:
            self.left()

    def left(self) -> None:
        self._open -= 1
        if not self._open and not self.done.done():
            self.done.set_result(None)


async def send(made: list[bytes], *, port: int, connections: int) -> dict[str, Any]:
    """Returns when every request is answered, or the server takes no connections any more."""
    work = Work(made, connections, port)
    began = time.perf_counter()
    for _ in range(connections):
        await work.connect()
    await work.done
    seconds = time.perf_counter() - began
    unanswered = len(made) - len(work.milliseconds)
    return {
        "seconds": seconds,
        "failed": work.failed + unanswered,
        "reconnected": work.reconnected,
        "milliseconds": work.milliseconds,
    }


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--workload", choices=["storm", "unique", "get"], required=True)
    parser.add_argument("--alerts", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--token", default="")
    parser.add_argument("--path", default="/", help="of get")
    given = parser.parse_args()
    if given.workload == "get":
        made = gets(given.path, count=given.alerts, port=given.port, token=given.token)
    else:
        made = requests(
            given.workload, count=given.alerts, batch=given.batch, port=given.port, token=given.token
        )
    found = uvloop.run(send(made, port=given.port, connections=given.connections))
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
