"""The venue's journal: one JSON object a line, each with the same moment by the machine's steady clock and by
its wall clock.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from demo.clock import stamps

# With one older file kept, a demo that runs for weeks stays below twice this. Bytes.
ROTATE_AT = 20_000_000


class Journal:
    """Writes records as they happen. Each line is complete on disk before the venue answers the order it
    tells of.
    """

    def __init__(self, path: Path, rotate_at: int = ROTATE_AT) -> None:
        self._path = path
        self._rotate_at = rotate_at
        path.parent.mkdir(parents=True, exist_ok=True)
        older(path).unlink(missing_ok=True)
        self._file = path.open("wb", buffering=0)

    def write(self, kind: str, **fields: Any) -> None:
        boot, wall = stamps()
        line = json.dumps({"kind": kind, "boot": boot, "wall": wall, **fields}, separators=(",", ":"))
        self._file.write(line.encode() + b"\n")
        if self._file.tell() > self._rotate_at:
            self._rotate()

    def close(self) -> None:
        self._file.close()

    def _rotate(self) -> None:
        self._file.close()
        self._path.replace(older(self._path))
        self._file = self._path.open("wb", buffering=0)


def older(path: Path) -> Path:
    """Where the journal's earlier part is kept."""
    return path.with_name(path.name + ".1")


def read(path: Path) -> Iterator[dict[str, Any]]:
    """All records that are kept, oldest first. A last line that was cut off by a crash is left out."""
    for part in (older(path), path):
        if not part.exists():
            continue
        with part.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    yield json.loads(line)
