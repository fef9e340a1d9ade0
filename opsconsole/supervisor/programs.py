"""The programs of a console, beside its database and queue."""

import os
import secrets
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from opsconsole.embedded.folder import DataFolder
from opsconsole.embedded.processes import Program

ROOT = Path(__file__).resolve().parent.parent.parent
# Web streams end within this time after a stop; see STOP_SECONDS in console.py.
GRACEFUL_SECONDS = 2


def console_environ(folder: DataFolder, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of `manage.py` and all it runs: `environ` completed by what the data folder holds.

    The client's distribution is put on the path instead of being installed: no build, no network, and a checkout's
    client always fits its console.
    """
    path = [str(ROOT), str(ROOT / "client"), *filter(None, environ.get("PYTHONPATH", "").split(os.pathsep))]
    completed = dict(environ) | {
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(path)),
        "PYTHONUNBUFFERED": "1",
        "DJANGO_SETTINGS_MODULE": "opsconsole.settings",
        "OPSCONSOLE_DATA": str(folder.path),
    }
    # Many threads that allocate little: glibc's arena for each would cost more memory than it saves time.
    completed.setdefault("MALLOC_ARENA_MAX", "2")
    if not environ.get("OPSCONSOLE_SECRET_KEY") and not environ.get("OPSCONSOLE_SECRET_KEY_FILE"):
        folder.secret_key()
        completed["OPSCONSOLE_SECRET_KEY_FILE"] = str(folder.path / "secret_key")
    return completed


@dataclass(frozen=True)
class ConsolePrograms:
    """Builds the command lines. `host` and `port` are where the web process listens."""

    folder: DataFolder
    environ: Mapping[str, str]
    host: str
    port: int
    worker_name: str
    urgent_name: str

    @classmethod
    def new(cls, folder: DataFolder, environ: Mapping[str, str], host: str, port: int) -> "ConsolePrograms":
        # A name of its own for each start: others may share the queue, and an old worker's answer must not count.
        name = f"console-{secrets.token_hex(4)}"
        return cls(folder, environ, host, port, f"{name}@localhost", f"{name}-urgent@localhost")

    @property
    def url(self) -> str:
        """Where a browser on this machine reaches the console."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(self.host, self.host)  # noqa: S104 - compared
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    def _python(self, name: str, *arguments: str, pass_fds: tuple[int, ...] = ()) -> Program:
        argv = (sys.executable, "-m", *arguments)
        return Program(name, argv, self.environ, self.folder.path, pass_fds=pass_fds)

    def prepare(self, tell: int) -> Program:
        arguments = (
            "opsconsole.prepare",
            "--url",
            self.url,
            "--worker",
            self.worker_name,
            "--worker",
            self.urgent_name,
            "--tell",
            str(tell),
        )
        return self._python("prepare", *arguments, pass_fds=(tell,))

    def web(self) -> Program:
        """Empties what earlier web processes counted (docs/exposition.md), so it is called once for a start of the console."""
        counts = self.folder.path / "web-counts"
        shutil.rmtree(counts, ignore_errors=True)
        counts.mkdir(mode=0o700)
        program = self._python(
            "web",
            *("uvicorn", "opsconsole.asgi:application", "--host", self.host, "--port", str(self.port)),
            *("--loop", "uvloop", "--http", "httptools", "--ws", "none", "--lifespan", "auto"),
            *("--no-access-log", "--no-server-header", "--log-level", "warning"),
            *("--timeout-graceful-shutdown", str(GRACEFUL_SECONDS)),
        )
        return replace(program, environ=dict(self.environ) | {"PROMETHEUS_MULTIPROC_DIR": str(counts)})

    def worker(self) -> Program:
        return self._worker("worker", self.worker_name)

    def urgent(self) -> Program:
        """The worker that takes nothing but urgent alerts."""
        return self._worker("urgent", self.urgent_name)

    def _worker(self, role: str, name: str) -> Program:
        program = self._background(role, name)
        # Celery warns of root because of pickled tasks; ours are JSON only.
        return replace(
            program, argv=(program.argv[0], "-W", "ignore:You're running the worker", *program.argv[1:])
        )

    def beat(self) -> Program:
        schedule = self.folder.path / "beat"
        schedule.mkdir(mode=0o700, exist_ok=True)
        return self._background("beat", str(schedule / "schedule"))

    def _background(self, role: str, argument: str) -> Program:
        """Django's checks are left to the preparation."""
        program = self._python(role, "opsconsole.background", role, argument)
        return replace(program, environ=dict(self.environ) | {"CELERY_SKIP_CHECKS": "1"})

    def demo(self) -> Program:
        environ = dict(self.environ) | {"OPSCLIENT_URL": self.url}
        return replace(self._python("demo", "demo"), environ=environ)
