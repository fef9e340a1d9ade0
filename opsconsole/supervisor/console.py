"""One run of the console: start in order, tell when all answer, stop in order."""

import asyncio
import http.client
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from opsconsole.embedded import servers as embedded
from opsconsole.embedded.errors import StartError
from opsconsole.embedded.folder import DataFolder
from opsconsole.embedded.processes import Program
from opsconsole.supervisor.children import Child, describe, say, stop_children
from opsconsole.supervisor.programs import ConsolePrograms

READY_SECONDS = 60.0
# Together well under the 5 s that a stop may take, on a busy machine too. Database and queue go last, so that the others end in good order.
STOP_SECONDS = 2.4
STOP_SERVERS_SECONDS = 1.2


class Console:
    """Runs all programs of one console until it is told to stop."""

    def __init__(
        self, folder: DataFolder, servers: embedded.Servers, programs: ConsolePrograms, *, demo: bool
    ) -> None:
        self._folder = folder
        self._servers = servers
        self._programs = programs
        self._demo = demo
        self._stop = asyncio.Event()
        self._server_children: list[Child] = []
        self._children: list[Child] = []

    async def run(self) -> None:
        """Raises StartError if something cannot start; whatever did start has been stopped then."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._stop.set)
        starting = asyncio.create_task(self._start())
        stopping = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
            await stopping
            say("console", "stopping")
        finally:
            starting.cancel()
            stopping.cancel()
            await stop_children(self._children, seconds=STOP_SECONDS)
            await stop_children(self._server_children, seconds=STOP_SERVERS_SECONDS)

    async def _start(self) -> None:
        await self._start_servers()
        await self._start_programs()
        self._announce()
        if self._demo:
            self._keep(self._programs.demo())

    async def _start_servers(self) -> None:
        self._server_children = [Child(program, self._folder) for program in self._servers.programs()]
        for child in self._server_children:
            child.start()
        await self._until(self._servers.answer, "PostgreSQL and Valkey")
        if self._servers.cluster:
            await asyncio.to_thread(self._servers.cluster.ensure_database)

    async def _start_programs(self) -> None:
        stages = Stages()
        prepare = Child(self._programs.prepare(stages.writer), self._folder)
        self._children.append(prepare)
        ended = prepare.run_once()
        stages.close_writer()
        await stages.reached("prepared", ended)
        if "prepared" not in stages.seen:
            raise StartError(f"The preparation of the console {describe(await ended)}; its log is above.")
        began = time.time()
        beat = self._programs.beat()
        for program in (self._programs.web(), self._programs.worker(), self._programs.urgent(), beat):
            self._keep(program)
        await self._until(self._web_answers, "The web process")
        await stages.reached("worker", ended)
        if "worker" not in stages.seen:
            say("console", "the Celery workers do not answer: is the queue (REDIS_URL) reachable?")
        await self._until(lambda: _touched(self._folder.path / "beat", began), "Celery beat")

    def _keep(self, program: Program) -> None:
        child = Child(program, self._folder)
        self._children.append(child)
        child.start()

    def _web_answers(self) -> bool:
        address = self._programs.url.removeprefix("http://").rsplit(":", 1)[0].strip("[]")
        connection = http.client.HTTPConnection(address, self._programs.port, timeout=2)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    async def _until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not await asyncio.to_thread(condition):
            if time.monotonic() > deadline:
                raise StartError(f"{what} did not answer within {READY_SECONDS:g} s; the log is above.")
            await asyncio.sleep(0.05)

    def _announce(self) -> None:
        path = self._folder.path / "credentials.json"
        credentials = json.loads(path.read_text(encoding="utf-8"))
        self._folder.record(url=self._programs.url)
        say("console", sign_in(credentials, path, terminal=sys.stdout.isatty()))
        print(f"Console ready: {self._programs.url}", flush=True)  # noqa: T201 - for the person, and for scripts that wait


def sign_in(credentials: Mapping[str, str | None], path: Path, *, terminal: bool) -> str:
    """How to sign in. The password itself is for a person's terminal only: any other output may end up in a log."""
    name, password = credentials["username"], credentials["password"]
    if password is None:
        return f"Sign in as {name} with the password you chose"
    if terminal:
        return f"Sign in as {name} with the password {password} (as long as it was not changed)"
    return f"Sign in as {name}; the first password is in {path}"


class Stages:
    """The stages that the preparation reports through a pipe, a line each."""

    def __init__(self) -> None:
        self._reader, self.writer = os.pipe()
        self.seen: set[str] = set()
        self._changed = asyncio.Event()
        os.set_blocking(self._reader, False)
        asyncio.get_running_loop().add_reader(self._reader, self._read)

    def close_writer(self) -> None:
        os.close(self.writer)

    def _read(self) -> None:
        chunk = os.read(self._reader, 4096)
        if not chunk:
            asyncio.get_running_loop().remove_reader(self._reader)
            os.close(self._reader)
        # Each line is written at once, and is far shorter than what a pipe passes on whole.
        self.seen.update(chunk.decode("ascii").split())
        self._changed.set()

    async def reached(self, stage: str, ended: asyncio.Task[int]) -> None:
        """Wait until the stage is reported, or the process that reports has ended."""
        while stage not in self.seen and not ended.done():
            self._changed.clear()
            change = asyncio.create_task(self._changed.wait())
            await asyncio.wait({change, ended}, return_when=asyncio.FIRST_COMPLETED)
            change.cancel()


def _touched(directory: Path, since: float) -> bool:
    """Whether beat has written its schedule: it does so once it has loaded it. A second covers coarse file times."""
    return any(path.stat().st_mtime >= since - 1 for path in directory.iterdir())


def free_port(host: str, port: int) -> int:
    """The port, or a free one for 0. Raises StartError if it cannot be listened on."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            return int(probe.getsockname()[1])
    except OSError as error:
        raise StartError(
            f"{host} port {port} cannot be listened on ({error.strerror}): choose another with --host and --port."
        ) from None
