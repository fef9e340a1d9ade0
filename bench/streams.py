"""Many streams on one web process: the memory of each, and how soon a stop reaches all of them.

`python -m bench.streams --folder DIR` prints its measurements as JSON. The readers share one process and acknowledge nothing. A delivery
counts from just *before* the stop's COMMIT was sent until the reading process has the new state in its hands, its own work on all the other
streams included.
"""

import argparse
import asyncio
import json
import re
import resource
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from bench.rig import Rig, operator
from demo.clock import boot_ns

STREAMS = 1000
STOPS = 20
# How many connect at the same time; a console's trading processes do not all start at once either.
AT_ONCE = 20
STATE = re.compile(rb'event: state\ndata: {"epoch":(\d+)')
LEASE = b"event: lease\n"
# No event's beginning is longer, so this much of what came before is kept.
OVERLAP = 64


class StreamReader(asyncio.Protocol):
    """One trading process's stream, read and not kept. `arrived`: the steady clock (ns) at the newest state."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._tail = b""
        self.epoch = -1
        self.arrived = 0
        self.leased = asyncio.Event()
        self.lost: Exception | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now = boot_ns()
        text = self._tail + data
        for found in STATE.finditer(text):
            if int(found[1]) > self.epoch:
                self.epoch, self.arrived = int(found[1]), now
        if LEASE in text:
            self.leased.set()
        self._tail = text[-OVERLAP:]

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = exc or ConnectionError("the console ended the stream")
        self.leased.set()


@dataclass
class Crowd:
    """The open streams."""

    rig: Rig
    readers: list[StreamReader]

    async def grow(self, count: int) -> None:
        """Open streams until there are `count`, each with its first lease."""
        for begin in range(len(self.readers), count, AT_ONCE):
            await asyncio.gather(
                *(self._open(number) for number in range(begin, min(begin + AT_ONCE, count)))
            )

    async def have(self, epoch: int) -> list[int]:
        """When each stream's state of this epoch arrived."""
        while any(reader.epoch < epoch for reader in self.readers):
            self._check()
            await asyncio.sleep(0.01)
        return [reader.arrived for reader in self.readers]

    async def _open(self, number: int) -> None:
        path = f"/monitoring/stream?name=bench-{number}&instance={uuid.uuid4().hex}"
        request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.rig.token}\r\n\r\n"
        loop = asyncio.get_running_loop()
        _, reader = await loop.create_connection(
            lambda: StreamReader(request.encode()), self.rig.host, self.rig.port
        )
        await asyncio.wait_for(reader.leased.wait(), 60)
        self.readers.append(reader)
        self._check()

    def _check(self) -> None:
        lost = [reader.lost for reader in self.readers if reader.lost is not None]
        if lost:
            raise RuntimeError(f"{len(lost)} streams were lost") from lost[0]


async def measure(rig: Rig, *, streams: int, stops: int) -> dict[str, Any]:
    """`bytes_first`, `bytes_all`: the web process's own memory with one stream and with all; `delivered`: milliseconds, for each stop and stream."""
    web = psutil.Process(rig.web.pid)
    crowd = Crowd(rig, [])
    await crowd.grow(1)
    first = web.memory_full_info().uss
    await crowd.grow(streams)
    delivered: list[float] = []
    with operator(rig) as commands:
        for _ in range(stops):
            stop = await asyncio.to_thread(commands.ask, "stop")
            arrivals = await crowd.have(stop["epoch"])
            delivered += [(arrived - stop["committing"]) / 1e6 for arrived in arrivals]
            rearmed = await asyncio.to_thread(commands.ask, "rearm")
            await crowd.have(rearmed["epoch"])
    # Last, so that what the stops have grown counts as well.
    everything = web.memory_full_info().uss
    return {"streams": streams, "bytes_first": first, "bytes_all": everything, "delivered": delivered}


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.streams", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--streams", type=int, default=STREAMS)
    parser.add_argument("--stops", type=int, default=STOPS)
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with Rig(options.folder, term=2.0) as rig:
        print(json.dumps(asyncio.run(measure(rig, streams=options.streams, stops=options.stops))))


if __name__ == "__main__":
    main()
