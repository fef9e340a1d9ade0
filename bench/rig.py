"""A console of its own for measuring: PostgreSQL, Valkey and one web process, each of which can be killed,
frozen and started again.
"""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from bench.fleet import LateError, WallShift, freeze, wait_until
from demo.clock import boot_ns
from opsconsole.embedded import servers
from opsconsole.embedded.folder import DataFolder
from opsconsole.embedded.processes import Program
from opsconsole.supervisor.console import free_port
from opsconsole.supervisor.programs import ConsolePrograms, console_environ

ROOT = Path(__file__).resolve().parent.parent
# Both by one process, since each takes a second to load the console.
PREPARE = """
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("createtoken", user="bench", name="bench", role="trading-system")
"""


class Server:
    """One program of the rig."""

    def __init__(self, program: Program, log: Path) -> None:
        self._program = program
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError(f"{self._program.name} does not run")
        return self._process.pid

    def start(self) -> None:
        with self._log.open("ab") as output:
            self._process = self._program.start(output)

    def freeze(self) -> int:
        """Suspend it and its children. Returns the steady clock (ns) at a time from which it did nothing.

        Raises LateError, with all of them running.
        """
        leader = psutil.Process(self.pid)
        try:
            freeze([leader])  # first, so that it starts no more children
            freeze(leader.children(recursive=True))
        except LateError:
            self.thaw()
            raise
        return boot_ns()

    def thaw(self) -> None:
        leader = psutil.Process(self.pid)
        for process in [*leader.children(recursive=True), leader]:
            with suppress(psutil.NoSuchProcess):
                process.resume()

    def kill(self) -> int:
        """As if it had crashed. Returns the steady clock (ns) at a time from which it was gone."""
        return self._end(signal.SIGKILL)

    def stop(self) -> int:
        """In order, with its own signal. Returns the steady clock (ns) at a time from which it was gone."""
        return self._end(self._program.stop_signal)

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _end(self, number: signal.Signals) -> int:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(30)
            self._process = None
        return boot_ns()


class Rig:
    """The console. `term`: the lease's, in seconds. `durable`: whether PostgreSQL waits for its disk, as a
    console does. `health`: whether it looks at itself; it would tell of what is killed here, among the alerts that are counted.
    """

    def __init__(self, folder: Path, *, term: float, durable: bool = True, health: bool = True) -> None:
        self.term = term
        self.path = folder
        self._folder = DataFolder(folder)
        self._folder.hold("bench")
        without = {
            name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}
        }
        embedded = servers.prepare(self._folder, without, lambda _text: None, durable=durable)
        if embedded.cluster is None or embedded.valkey is None:
            raise RuntimeError("the rig needs its own PostgreSQL and Valkey")
        self.cluster, self._valkey_answers = embedded.cluster, embedded.valkey.answers
        self.environ = console_environ(self._folder, without) | embedded.environ()
        self.environ["OPSCONSOLE_LEASE_TERM"] = str(term)
        self.environ["OPSCONSOLE_HEALTH_CHECKS"] = "yes" if health else "no"
        self.wall_shift = WallShift(folder / "shift-web")
        port = free_port("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{port}"
        self.host, self.port = "127.0.0.1", port
        programs = ConsolePrograms.new(self._folder, self.environ, "127.0.0.1", port)
        web = programs.web()
        web = replace(web, environ={**web.environ, **self.wall_shift.environ(folder)})
        self.postgres = Server(self.cluster.program(durable=durable), folder / "postgres.log")
        self.valkey = Server(embedded.valkey.program(), folder / "valkey.log")
        self.web = Server(web, folder / "web.log")
        # Not started by the rig itself: what they do is of no interest to most measurements.
        self.worker = Server(programs.worker(), folder / "worker.log")
        self.urgent = Server(programs.urgent(), folder / "urgent.log")
        self.beat = Server(programs.beat(), folder / "beat.log")

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.callback(self._release)
            self.valkey.start()
            self.postgres.start()
            self.wait_postgres()
            self.cluster.ensure_database()
            self.token = self.manage("shell", "-v", "0", "-c", PREPARE).strip().splitlines()[-1]
            self.start_web()
            stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._release()

    def client_environ(self, url: str | None = None) -> dict[str, str]:
        """What a trading process needs to follow this console."""
        return {
            "OPSCLIENT_URL": url or self.url,
            "OPSCLIENT_TOKEN": self.token,
            "PYTHONPATH": self.environ["PYTHONPATH"],
        }

    def manage(self, *arguments: str) -> str:
        """Run a command of manage.py on this console. Returns its output."""
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        done = subprocess.run(
            command, env=self.environ, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
        )
        return done.stdout

    def start_web(self) -> None:
        """Returns when it answers. Raises LateError."""
        self.web.start()
        wait_until(self._web_answers, "the web process answers", every=0.05)

    def wait_postgres(self) -> None:
        wait_until(self.cluster.answers, "PostgreSQL answers", every=0.02)

    def wait_valkey(self) -> None:
        wait_until(self._valkey_answers, "Valkey answers", every=0.02)

    def _web_answers(self) -> bool:
        if not self.web.is_running():
            raise RuntimeError(f"the web process ended; its log is {self.path / 'web.log'}")
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=1) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _release(self) -> None:
        for server in (self.beat, self.worker, self.urgent, self.web, self.valkey, self.postgres):
            if server.is_running():
                server.thaw()
                server.stop()
        self._folder.release()


def measured_inside(folder: Path, module: str, *arguments: str) -> str:
    """What `python -m module` prints in a process with the settings of a console of its own: PostgreSQL and Valkey run, no web process."""
    rig = Rig(folder, term=2.0, durable=False)
    with ExitStack() as stack:
        stack.push(rig)
        rig.valkey.start()
        rig.postgres.start()
        rig.wait_postgres()
        rig.wait_valkey()
        rig.cluster.ensure_database()
        rig.manage("migrate", "--verbosity", "0")
        # Pages name their files by what is collected.
        rig.manage("collectstatic", "--no-input", "--verbosity", "0")
        command = [sys.executable, "-m", module, *arguments]
        done = subprocess.run(
            command, env=rig.environ, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
        )
        return done.stdout


class Operator:
    """The process that stops and re-arms trading (`bench.switch`)."""

    def __init__(self, rig: Rig) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.switch"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=rig.environ,
            process_group=0,
        )

    def ask(self, do: str, **fields: Any) -> dict[str, Any]:
        """Raises RuntimeError when the process has ended, after its own message."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the operator's process was started without pipes")
        print(json.dumps({"do": do, **fields}), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the operator's process has ended; its message stands above")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait(10)


@contextmanager
def operator(rig: Rig) -> Iterator[Operator]:
    found = Operator(rig)
    try:
        yield found
    finally:
        found.close()
