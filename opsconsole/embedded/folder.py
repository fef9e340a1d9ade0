"""The data folder: one owner at a time, its secret key, and a record of what runs on it."""

import fcntl
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from signal import Signals
from typing import IO, Any

from opsconsole.embedded.errors import StartError
from opsconsole.embedded.processes import Identity, stop_all, wait_until

# A socket's path may have 107 bytes; PostgreSQL's own part of it is "/pg/.s.PGSQL.5432.lock".
LONGEST_SOCKET_DIRECTORY = 70
REAP_SECONDS = 5.0
TEMPORARY = tuple(dict.fromkeys([tempfile.gettempdir(), "/tmp"]))  # noqa: S108 - mkdtemp makes it private


def write_private(path: Path, text: str) -> None:
    """Replace the file in one step; only its owner can read it, from the first byte on."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    Path(name).replace(path)


class DataFolder:
    """A data folder. `hold()` it before anything is started on it; `release()` it at the end."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock: IO[str] | None = None
        self._run: dict[str, Any] = {}

    @property
    def run_file(self) -> Path:
        return self.path / "run.json"

    def hold(self, purpose: str, *, wait_seconds: float = 0) -> None:
        """Become the folder's one owner, for the purpose named (such as "script/server").

        Raises StartError if the folder cannot be written, or someone else holds it after `wait_seconds`.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = (self.path / "lock").open("a+", encoding="utf-8")
        except OSError as error:
            raise StartError(
                f"The data folder {self.path} cannot be written ({error.strerror}): choose another with --data or OPSCONSOLE_DATA."
            ) from None
        if not wait_until(lambda: _try_lock(lock), seconds=wait_seconds):
            lock.seek(0)
            holder = lock.read().strip() or "another process"
            lock.close()
            raise StartError(
                f"The data folder {self.path} is in use by {holder}: stop that first, or choose another with --data."
            )
        lock.truncate(0)
        lock.write(f"{purpose} (process {os.getpid()})")
        lock.flush()
        self._lock = lock

    def release(self) -> None:
        """Let go of the folder, and of the directory of its sockets. All that ran on it must have ended."""
        if self._lock is None:
            return
        self._remove_directory()
        self._run = {}
        self.run_file.unlink(missing_ok=True)
        self._lock.close()
        self._lock = None

    def is_held(self) -> bool:
        """Whether some process holds the folder now."""
        try:
            lock = (self.path / "lock").open("r", encoding="utf-8")
        except OSError:
            return False
        with lock:
            return not _try_lock(lock)

    # What runs here, for the next start and for script/manage

    def record(self, **facts: Any) -> None:
        """Keep facts about this run in `run.json`; they are gone after `release()`."""
        self._run |= facts
        write_private(self.run_file, json.dumps(self._run, indent=1) + "\n")

    def record_process(self, name: str, identity: Identity, stop_signal: Signals) -> None:
        known = self._run.get("processes", {})
        entry = {"pid": identity.pid, "started": identity.started, "signal": int(stop_signal)}
        self.record(processes=known | {name: entry})

    def facts(self) -> Mapping[str, Any]:
        """What the run that holds the folder has recorded so far; empty if there is nothing to read."""
        try:
            loaded = json.loads(self.run_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return loaded if isinstance(loaded, dict) else {}

    def reclaim(self, log: Callable[[str], None]) -> None:
        """Stop what a killed run left behind, recognised by process id *and* start time, and remove its sockets."""
        facts = self.facts()
        found = {}
        for name, entry in facts.get("processes", {}).items():
            identity = Identity(int(entry["pid"]), str(entry["started"]))
            if identity.is_alive():
                log(f"stopping {name} (process {identity.pid}), left behind by a run that was killed")
                found[identity] = Signals(int(entry["signal"]))
        stop_all(found, seconds=REAP_SECONDS)
        self._run = dict(facts)
        self._remove_directory()
        self._run = {}
        self.run_file.unlink(missing_ok=True)

    # Places of this run

    def make_directory(self) -> Path:
        """A new private directory with a short path, for sockets: theirs may not be longer than 107 bytes.

        As root it can be passed through (but not listed) by others, since PostgreSQL runs as another user there.
        """
        for parent in TEMPORARY:
            if len(os.fsencode(parent)) > LONGEST_SOCKET_DIRECTORY - len("/opsconsole-12345678"):
                continue
            with suppress(OSError):
                made = Path(tempfile.mkdtemp(prefix="opsconsole-", dir=parent))
                if os.geteuid() == 0:
                    made.chmod(0o711)
                self.record(directory=str(made))
                return made
        raise StartError(
            "There is no writable directory with a short path for sockets: set TMPDIR to one, such as /tmp."
        )

    def _remove_directory(self) -> None:
        """Only what `make_directory` can have made: the record might be anyone's."""
        directory = Path(self._run.get("directory") or os.devnull)
        if str(directory.parent) in TEMPORARY and directory.name.startswith("opsconsole-"):
            shutil.rmtree(directory, ignore_errors=True)

    def secret_key(self) -> str:
        """Django's secret key, made once."""
        path = self.path / "secret_key"
        if not path.exists():
            write_private(path, secrets.token_urlsafe(50) + "\n")
        return path.read_text(encoding="utf-8").strip()


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
