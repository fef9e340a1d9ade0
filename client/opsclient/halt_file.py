"""The halt file: while it exists on the trading host, this process allows no order. It needs no console and no network."""

import os
import stat
import time
from pathlib import Path

from opsclient.errors import ConfigurationError

VARIABLE = "OPSCLIENT_HALT_FILE"
POLL_S = 0.05
TERM_S = 0.5  # how long one look at the file counts: a watcher that is dead or hangs allows nothing
SETTLE_S = 0.01
LONGEST_LINE = 500


def choose(path: str | os.PathLike[str] | None, *, argument: str = "halt_file") -> Path | None:
    """The file to watch: the argument, else the variable OPSCLIENT_HALT_FILE, else none.

    The variable counts even where nobody passes it on: a way to stop must not be lost by an oversight.
    """
    named = argument
    if path is None:
        path, named = os.environ.get(VARIABLE) or None, VARIABLE
    if path is None:
        return None
    chosen = Path(path).absolute()
    if not chosen.parent.is_dir():
        raise ConfigurationError(
            f"{named}: the folder {chosen.parent} does not exist, so nobody could put the file there"
        )
    return chosen


def look(path: Path) -> str | None:
    """None if the file does not exist, else its first line. A file that cannot be looked at counts as existing."""
    try:
        kind = path.lstat().st_mode
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"halt file {path} cannot be looked at: {error.strerror}"
    if not stat.S_ISREG(kind):
        return f"halt file {path}"
    line = _first_line(path)
    if not line:
        time.sleep(SETTLE_S)  # it may have been made a moment ago, and be about to get its text
        line = _first_line(path)
    return line or f"halt file {path}"


def _first_line(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.readline(LONGEST_LINE).strip()
    except OSError:
        return ""  # that it exists is enough
