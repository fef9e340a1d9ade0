"""Which servers this run brings with it, their addresses, and running them for the length of a block."""

import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from opsconsole.embedded import postgres, valkey
from opsconsole.embedded.errors import StartError
from opsconsole.embedded.folder import DataFolder
from opsconsole.embedded.processes import Identity, Program, stop_all, wait_until

# A server that was killed replays its log first.
START_SECONDS = 60.0
STOP_SECONDS = 4.0


@dataclass(frozen=True)
class Servers:
    """What runs embedded; None where the environment names a server of one's own."""

    cluster: postgres.Cluster | None
    valkey: valkey.Valkey | None
    durable: bool = True

    def programs(self) -> list[Program]:
        programs = []
        if self.valkey:
            programs.append(self.valkey.program())
        if self.cluster:
            programs.append(self.cluster.program(durable=self.durable))
        return programs

    def answer(self) -> bool:
        """Whether each of them takes requests now."""
        return (self.cluster is None or self.cluster.answers()) and (
            self.valkey is None or self.valkey.answers()
        )

    def environ(self) -> dict[str, str]:
        """The variables that lead Django to them."""
        found: dict[str, str] = {}
        if self.cluster:
            found |= {"DATABASE_URL": self.cluster.url, "OPSCONSOLE_EMBEDDED": "1"}
        if self.valkey:
            found |= {"REDIS_URL": self.valkey.url, "OPSCONSOLE_EMBEDDED_BROKER": "1"}
        return found


def prepare(
    folder: DataFolder, environ: Mapping[str, str], log: Callable[[str], None], *, durable: bool = True
) -> Servers:
    """Make ready what the environment does not name. The folder must be held. Raises StartError."""
    own_database = is_set(environ, "DATABASE_URL")
    own_redis = is_set(environ, "REDIS_URL")
    if own_database and own_redis:
        return Servers(None, None)
    directory = folder.make_directory()
    return Servers(
        None if own_database else postgres.prepare(folder, directory, log),
        None if own_redis else valkey.prepare(folder, directory),
        durable,
    )


def is_set(environ: Mapping[str, str], name: str) -> bool:
    return bool(environ.get(name) or environ.get(f"{name}_FILE"))


@contextmanager
def running(
    folder: DataFolder, servers: Servers, output: IO[bytes], *, for_tests: bool = False
) -> Iterator[dict[str, str]]:
    """Run the servers for the length of the block, which gets the variables that lead to them.

    Their log goes to `output`. Start it from a thread that outlives the block. Raises StartError.
    """
    started: dict[Identity, Program] = {}
    children: list[subprocess.Popen[bytes]] = []
    try:
        for program in servers.programs():
            child = program.start(output)
            children.append(child)
            if identity := Identity.of(child.pid):
                started[identity] = program
                folder.record_process(program.name, identity, program.stop_signal)
        _wait_ready(servers, children)
        if servers.cluster:
            servers.cluster.ensure_database(for_tests=for_tests)
        yield servers.environ()
    finally:
        stop_all(
            {identity: program.stop_signal for identity, program in started.items()}, seconds=STOP_SECONDS
        )
        for child in children:
            child.wait()


def _wait_ready(servers: Servers, children: list[subprocess.Popen[bytes]]) -> None:
    def over() -> bool:
        return any(child.poll() is not None for child in children) or servers.answer()

    if not wait_until(over, seconds=START_SECONDS, interval=0.05):
        raise StartError(
            f"The embedded servers did not answer within {START_SECONDS:g} s; their log is above."
        )
    if any(child.poll() is not None for child in children):
        raise StartError("An embedded server ended while starting; its log is above.")


def data_path(root: Path, environ: Mapping[str, str]) -> Path:
    """The data folder that the environment names: `OPSCONSOLE_DATA`, or `var` in the checkout."""
    named = environ.get("OPSCONSOLE_DATA")
    return Path(named).absolute() if named else root / "var"
