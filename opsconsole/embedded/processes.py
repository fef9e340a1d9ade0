"""Starting programs that die with us, and recognising a process later beyond doubt."""

import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psutil

from opsconsole.embedded.errors import StartError

LAUNCHER = Path(__file__).with_name("launch.py")


@dataclass(frozen=True)
class Account:
    """The operating-system user that a program runs as."""

    name: str
    uid: int
    gid: int


def current_account() -> Account:
    """Raises StartError if the user has no entry among the system's users (PostgreSQL refuses to run then)."""
    uid = os.geteuid()
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        raise StartError(
            f"The user that runs this (uid {uid}) is not in the system's user list, which PostgreSQL needs: "
            "add it, or set DATABASE_URL and REDIS_URL to servers of your own."
        ) from None
    return Account(entry.pw_name, uid, entry.pw_gid)


def named_account(name: str) -> Account:
    """Raises StartError for an unknown user and for root."""
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise StartError(
            f"There is no user {name!r} to run PostgreSQL as: set OPSCONSOLE_POSTGRES_USER to an existing user."
        ) from None
    if entry.pw_uid == 0:
        raise StartError("PostgreSQL refuses to run as root: set OPSCONSOLE_POSTGRES_USER to another user.")
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


@dataclass(frozen=True)
class Program:
    """A program to run. `stop_signal` asks it to end in an orderly way."""

    name: str
    argv: tuple[str, ...]
    environ: Mapping[str, str] = field(repr=False)
    cwd: Path
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    pass_fds: tuple[int, ...] = ()

    def launch_argv(self) -> list[str]:
        """The command line that starts it as its user and has it end with this process.

        The kernel binds the death signal to the starting *thread*, so start programs from one that lives on.
        """
        uid, gid = (self.account.uid, self.account.gid) if self.account else (os.geteuid(), os.getegid())
        launcher = [sys.executable, "-I", "-S", str(LAUNCHER)]
        return [*launcher, str(os.getpid()), str(int(self.stop_signal)), str(uid), str(gid), *self.argv]

    def start(self, output: IO[bytes] | int) -> subprocess.Popen[bytes]:
        """Start it in a session of its own, so that a terminal's Ctrl-C reaches us alone."""
        return subprocess.Popen(
            self.launch_argv(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=self.cwd,
            env=dict(self.environ),
            start_new_session=True,
            pass_fds=self.pass_fds,
        )


@dataclass(frozen=True)
class Identity:
    """A process beyond doubt: its id, and when it started, since ids are used again."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> "Identity | None":
        """None if there is no such process, or only its remains (a zombie)."""
        started = _started(pid)
        return cls(pid, started) if started else None

    def is_alive(self) -> bool:
        return _started(self.pid) == self.started

    def send(self, number: signal.Signals) -> None:
        """Nothing happens if it has gone."""
        if self.is_alive():
            with suppress(ProcessLookupError, PermissionError):
                os.kill(self.pid, number)

    def kill_group(self) -> None:
        """The process and what it started: it leads a group of its own."""
        if self.is_alive():
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)


def _started(pid: int) -> str | None:
    if not sys.platform.startswith("linux"):
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            process = psutil.Process(pid)
            return None if process.status() == psutil.STATUS_ZOMBIE else str(process.create_time())
        return None
    # psutil derives the time from the wall clock, which can be stepped; the ticks since boot cannot.
    try:
        fields = (
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        )
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else f"{boot}/{fields[19]}"


def stop_all(found: Mapping[Identity, signal.Signals], *, seconds: float) -> None:
    """Send each its signal, wait for all of them together, and kill what is left after `seconds`.

    A suspended process is woken, since it would not notice.
    """
    for identity, number in found.items():
        identity.send(number)
        identity.send(signal.SIGCONT)
    if not wait_until(lambda: not any(identity.is_alive() for identity in found), seconds=seconds):
        for identity in found:
            identity.kill_group()
        wait_until(lambda: not any(identity.is_alive() for identity in found), seconds=5)


def wait_until(condition: Callable[[], bool], *, seconds: float, interval: float = 0.02) -> bool:
    """Poll until the condition holds; False when it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(interval)
    return True
