"""Checkpoints leave the database: into a file of the data folder, and into the log. Whoever has a copy can prove what was rewritten since."""

import json
import logging
import os
from datetime import datetime, timedelta
from pathlib import Path

from opsconsole.audit.sealing.services import Sealed

log = logging.getLogger(__name__)

FILE = Path("audit") / "checkpoints.txt"
FILE_MODE, FOLDER_MODE = 0o640, 0o750
# At most once in this time …
EVERY = timedelta(hours=1)
# … but for a stop or a re-arm at once, if it is not the next one within this time.
URGENT_EVERY = timedelta(seconds=5)


class Outlet:
    """Of one process. `data`: the data folder; where it is not there, the log alone gets them."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._newest: Sealed | None = None
        self._urgent = False
        self._let_out_at: datetime | None = None

    def take(self, sealed: Sealed) -> None:
        """The newest one that this process has made."""
        self._newest = sealed

    def hurry(self) -> None:
        """A stop or the like was sealed, or will be in a moment."""
        self._urgent = True

    def let_out(self, *, now: datetime) -> bool:
        """If it is time. Returns whether one went out."""
        if self._newest is None or now < self._next(now):
            return False
        sealed, self._newest, self._urgent, self._let_out_at = self._newest, None, False, now
        # As a JSON text: one line, and not a character of it is lost.
        log.info("Checkpoint of the audit trail: %s", json.dumps(sealed.checkpoint, ensure_ascii=False))
        try:
            if self._data.is_dir():
                _append(self._data / FILE, sealed.checkpoint)
        except OSError as error:
            log.warning("The checkpoint could not be written to %s: %s", FILE, error.strerror)
        return True

    def _next(self, now: datetime) -> datetime:
        """All processes of a host share the file, and so its age."""
        last = self._let_out_at
        try:
            written = datetime.fromtimestamp((self._data / FILE).stat().st_mtime, now.tzinfo)
        except OSError:
            pass
        else:
            last = max(last, written) if last else written
        if last is None or last > now + EVERY:
            return now
        return last + (URGENT_EVERY if self._urgent else EVERY)


def _append(path: Path, note: str) -> None:
    """An empty line stands after each, so that they can be told apart."""
    path.parent.mkdir(mode=FOLDER_MODE, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, FILE_MODE)
    with os.fdopen(descriptor, "a", encoding="utf-8") as file:
        file.write(f"{note}\n")
        file.flush()
        os.fsync(descriptor)
