"""The spool's file: what waits survives the process. Appended to, one JSON object a line, readable by its owner alone.

    {"add": key, "alert": {…}}       an alert waits
    {"direct": key}                  it was sent directly
    {"parcel": key, "of": [keys]}    these are about to travel in one request, under this key
    {"over": [keys]}                 these need not wait any more
    {"lost": {"LOW": 3}}             so many are lost and not told yet; the latest line counts

Each process has a file of its own and holds a lock on it. A file that nobody holds belongs to a process that is gone: the next
one of that name takes over what it left.
"""

import contextlib
import json
import logging
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any
from uuid import uuid4

from opsclient.alerts.alert import read
from opsclient.alerts.entry import Entry
from opsclient.errors import ConfigurationError

try:
    import fcntl
except ImportError:  # no POSIX: the spool is kept in memory alone
    fcntl = None  # type: ignore[assignment]

logger = logging.getLogger("opsclient")

VARIABLE = "OPSCLIENT_SPOOL_DIR"


@dataclass(slots=True)
class Left:
    """What a file says: the alerts that wait, oldest first, and the losses that are not told."""

    entries: list[Entry] = field(default_factory=list)
    lost: dict[str, int] = field(default_factory=dict)


def choose(folder: str | os.PathLike[str] | None, *, name: str) -> tuple[Path | None, str]:
    """The folder for the spool, made if it is missing, and what is wrong with it (empty: nothing).

    The argument, else OPSCLIENT_SPOOL_DIR, else a folder per name among the user's state. Raises ConfigurationError if a
    folder that was named cannot be used; without one that can be, the spool is kept in memory alone.
    """
    named = "spool_dir"
    if folder is None:
        folder, named = os.environ.get(VARIABLE) or None, VARIABLE
    try:
        chosen = Path(folder).absolute() if folder is not None else _usual(name)
        if fcntl is None:
            raise OSError("this system has no file locks")
        chosen.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(chosen, os.W_OK | os.X_OK):
            raise PermissionError(f"{chosen} may not be written to")
    except (OSError, RuntimeError) as error:  # Python finds no home folder, for one
        problem = getattr(error, "strerror", None) or str(error)
        if folder is not None:
            raise ConfigurationError(
                f"{named} must be a folder that this process may write to: {problem}"
            ) from None
        return None, problem
    return chosen, ""


def _usual(name: str) -> Path:
    state = os.environ.get("XDG_STATE_HOME")
    base = Path(state) if state else Path("~/.local/state").expanduser()
    return base / "opsclient" / "alerts" / _slug(name)


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9-]", "_", text)[:64]


class Journal:
    """One process' file. `owner` says whose alerts may be taken over: (the client's name, the console's address).

    Not for two threads at a time. Every method raises OSError where the disk does.
    """

    def __init__(self, folder: Path, *, owner: tuple[str, str]) -> None:
        digest = blake2b(json.dumps(owner).encode(), digest_size=6).hexdigest()
        self._folder, self._prefix = folder, f"{_slug(owner[0])}-{digest}-"
        self._fd: int | None = None
        self._path: Path | None = None
        self._taken: list[tuple[int, Path]] = []
        self.size = 0

    def append(self, records: Iterable[Mapping[str, Any]], *, sync: bool) -> None:
        """Write these lines; with `sync` they are on the disk when it returns."""
        data = b"".join(json.dumps(record).encode() + b"\n" for record in records)
        fd = self._open()
        try:
            _write(fd, data)
        except OSError:
            os.ftruncate(fd, self.size)  # else half a line would spoil the next one
            raise
        self.size += len(data)
        if sync:
            os.fsync(fd)

    def rewrite(self, entries: Iterable[Entry], lost: Mapping[str, int]) -> None:
        """Begin a new file with this alone, and remove the old one only when it is safe on the disk."""
        old = self._fd, self._path
        self._fd = self._path = None
        self.size = 0
        self.append(state(entries, lost), sync=True)
        self._sync_folder()
        _remove(*old)

    def empty(self) -> None:
        """Nothing waits any more."""
        if self._fd is not None and self.size:
            os.ftruncate(self._fd, 0)
            self.size = 0

    def take_over(self) -> Left:
        """What gone processes left. Their files stay until `discard_taken`."""
        left = Left()
        self._taken = []
        for path in sorted(self._folder.glob(f"{self._prefix}*.jsonl")):
            fd = _claim(path) if path != self._path else None
            if fd is None:
                continue
            self._taken.append((fd, path))
            found = parse(_read(fd))
            left.entries += found.entries
            for priority, number in found.lost.items():
                left.lost[priority] = left.lost.get(priority, 0) + number
        left.entries.sort(key=lambda entry: entry.alert.occurred_at)
        return left

    def discard_taken(self) -> None:
        """What was taken over is safe elsewhere."""
        for fd, path in self._taken:
            _remove(fd, path)
        self._taken = []

    def close(self, *, remove: bool) -> None:
        """Close the file, and remove it if nothing waits in it."""
        fd, path, self._fd, self._path = self._fd, self._path, None, None
        if remove:
            _remove(fd, path)
        elif fd is not None:
            with contextlib.suppress(OSError):
                os.fsync(fd)
            os.close(fd)

    def abandon(self) -> None:
        """In a forked child: close the child's copy; the file and its lock are the parent's."""
        if self._fd is not None:
            os.close(self._fd)
        self._fd = self._path = None

    def _open(self) -> int:
        if self._fd is None:
            path = self._folder / f"{self._prefix}{uuid4().hex}.jsonl"
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
            fd = os.open(path, flags, 0o600)
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._fd, self._path, self.size = fd, path, 0
        return self._fd

    def _sync_folder(self) -> None:
        fd = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def state(entries: Iterable[Entry], lost: Mapping[str, int]) -> list[dict[str, Any]]:
    """The lines that say all of it."""
    waiting = list(entries)
    lines: list[dict[str, Any]] = [added(entry) for entry in waiting]
    lines += [{"direct": entry.key} for entry in waiting if entry.sent_directly]
    parcels: dict[str, list[str]] = {}
    for entry in waiting:
        if entry.parcel:
            parcels.setdefault(entry.parcel, []).append(entry.key)
    lines += [{"parcel": parcel, "of": keys} for parcel, keys in parcels.items()]
    return [*lines, {"lost": dict(lost)}] if lost else lines


def added(entry: Entry) -> dict[str, Any]:
    """The line for an alert that waits."""
    return {"add": entry.key, "alert": entry.alert.body()}


def parse(text: bytes) -> Left:
    """What a file says. Lines that were cut off by a crash, or that nobody wrote this way, are passed over."""
    entries: dict[str, Entry] = {}
    parcels: dict[str, str] = {}
    over: set[str] = set()
    direct: set[str] = set()
    lost: dict[str, int] = {}
    for line in text.splitlines():
        try:
            record = json.loads(line)
            if "add" in record:
                entries[record["add"]] = Entry(read(record["alert"]), key=record["add"], stored=True)
            elif "parcel" in record:
                parcels |= dict.fromkeys(record["of"], record["parcel"])
            elif "direct" in record:
                direct.add(record["direct"])
            elif "over" in record:
                over |= set(record["over"])
            elif "lost" in record:
                lost = {str(name): int(number) for name, number in record["lost"].items()}
        except (ValueError, TypeError, KeyError, AttributeError):
            logger.warning("a line of the spool cannot be read and is passed over")
    for key, entry in entries.items():
        entry.parcel, entry.sent_directly = parcels.get(key, ""), key in direct
    return Left([entry for key, entry in entries.items() if key not in over], lost)


def _claim(path: Path) -> int | None:
    """The file, locked, if nobody holds it and it is still there."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(fd).st_nlink and os.fstat(fd).st_uid == os.geteuid():
            return fd
    except OSError:
        pass  # its process lives
    os.close(fd)
    return None


def _read(fd: int) -> bytes:
    parts = []
    while part := os.read(fd, 1 << 20):
        parts.append(part)
    return b"".join(parts)


def _write(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _remove(fd: int | None, path: Path | None) -> None:
    if path is not None:
        path.unlink(missing_ok=True)
    if fd is not None:
        os.close(fd)
