"""One page of memory that the load processes write and the measuring process reads, without a message in
between.
"""

import mmap
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_ROW = struct.Struct("=7q")


@dataclass(frozen=True, slots=True)
class Row:
    """One load process. Times in nanoseconds of the machine's steady clock (`demo.clock.boot_ns`); 0: not
    yet.
    """

    pid: int
    # Tries so far, and those that were allowed.
    tries: int
    allowed: int
    # The latest allowed try: the clock just before it asked, and just after it was told.
    asked: int
    told: int
    # The epoch that it has applied.
    epoch: int
    # The latest try of any outcome.
    tried: int


class Board:
    """Rows by number. Each row has one writer; a reader may see a row of which a part is one try older."""

    def __init__(self, path: Path, rows: int, *, create: bool = False) -> None:
        self.rows = rows
        self.path = path
        size = rows * _ROW.size
        if create:
            path.write_bytes(bytes(size))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), size)

    def write(self, number: int, row: Sequence[int]) -> None:
        _ROW.pack_into(self._memory, number * _ROW.size, *row)

    def read(self) -> list[Row]:
        return [Row(*_ROW.unpack_from(self._memory, number * _ROW.size)) for number in range(self.rows)]

    def close(self) -> None:
        self._memory.close()
