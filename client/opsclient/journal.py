"""A file in which what waits survives the process. Appended to, one JSON object a line, readable by its owner alone.

Each process has a file of its own and holds a lock on it. A file that nobody holds belongs to a process that is gone: the next
one of that name takes over what it left. What the lines mean is the business of whoever writes them.
"""

import contextlib
import json
import logging
import os
import re
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any
from uuid import uuid4

from opsclient.errors import ConfigurationError

try:
    import fcntl
except ImportError:  # no POSIX: the spool is kept in memory alone
    fcntl = None  # type: ignore[assignment]

logger = logging.getLogger("opsclient")

VARIABLE = "OPSCLIENT_SPOOL_DIR"
DRAFT = ".draft"  # how the name of a file ends that is not whole yet


def choose(folder: str | os.PathLike[str] | None, *, name: str, kind: str) -> tuple[Path | None, str]:
    """The folder for the spool, made if it is missing, and what is wrong with it (empty: nothing).

    The argument, else OPSCLIENT_SPOOL_DIR, else a folder per kind ("alerts") and name among the user's state. Raises
    ConfigurationError if a folder that was named cannot be used; without one that can be, the spool is kept in memory alone.
    """
    named = "spool_dir"
    if folder is None:
        folder, named = os.environ.get(VARIABLE) or None, VARIABLE
    try:
        chosen = Path(folder).absolute() if folder is not None else _usual(name, kind)
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


def _usual(name: str, kind: str) -> Path:
    state = os.environ.get("XDG_STATE_HOME")
    base = Path(state) if state else Path("~/.local/state").expanduser()
    return base / "opsclient" / kind / _slug(name)


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9-]", "_", text)[:64]


class Journal:
    """One process' file. `owner` says whose lines may be taken over: (the client's name, the console's address, …).

    Not for two threads at a time. Every method raises OSError where the disk does.
    """

    def __init__(self, folder: Path, *, owner: tuple[str, ...]) -> None:
        digest = blake2b(json.dumps(owner).encode(), digest_size=6).hexdigest()
        self._folder, self._prefix = folder, f"{_slug(owner[0])}-{digest}-"
        self._fd: int | None = None
        self._path: Path | None = None
        self._taken: list[tuple[int, Path]] = []
        self.size = 0

    def append(self, lines: Iterable[bytes], *, sync: bool) -> None:
        """Write these lines, given without their ends; with `sync` they are on the disk when it returns."""
        data = b"".join(line + b"\n" for line in lines)
        is_new = self._fd is None
        fd = self._open()
        try:
            _write(fd, data)
        except OSError:
            os.ftruncate(fd, self.size)  # else half a line would spoil the next one
            raise
        self.size += len(data)
        if sync:
            os.fsync(fd)
            if is_new:
                self._sync_folder()

    def rewrite(self, lines: Iterable[bytes]) -> None:
        """Let a new file with this alone take the place of the old one: wholly, or not at all.

        The old one is removed when the new one is safe on the disk. A kill may leave both.
        """
        data = b"".join(line + b"\n" for line in lines)
        path = self._new_path()
        draft = path.with_suffix(DRAFT)
        fd = _create(draft)
        try:
            _write(fd, data)
            os.fsync(fd)
            draft.rename(path)
            self._sync_folder()
        except OSError:
            draft.unlink(missing_ok=True)
            _remove(fd, path)
            raise
        old = self._fd, self._path
        self._fd, self._path, self.size = fd, path, len(data)
        _remove(*old)

    def empty(self) -> None:
        """Nothing waits any more."""
        if self._fd is not None and self.size:
            os.ftruncate(self._fd, 0)
            self.size = 0

    def take_over(self) -> list[bytes]:
        """What gone processes left, each file's text. The files stay until `discard_taken`."""
        self._taken = []
        texts = []
        for path in sorted(self._folder.glob(f"{self._prefix}*.jsonl")):
            fd = _claim(path) if path != self._path else None
            if fd is not None:
                self._taken.append((fd, path))
                texts.append(_read(fd))
        for path in self._folder.glob(f"{self._prefix}*{DRAFT}"):
            if (fd := _claim(path)) is not None:
                _remove(fd, path)
        return texts

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
            path = self._new_path()
            self._fd, self._path, self.size = _create(path), path, 0
        return self._fd

    def _new_path(self) -> Path:
        return self._folder / f"{self._prefix}{uuid4().hex}.jsonl"

    def _sync_folder(self) -> None:
        fd = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def line(record: Mapping[str, Any]) -> bytes:
    """One line of the file."""
    return json.dumps(record).encode()


def _create(path: Path) -> int:
    """A new file, locked."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return fd


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
