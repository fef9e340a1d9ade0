"""The traders' database: the closes that each has fetched, in one SQLite file. Blocking; each call opens it anew."""

import sqlite3
from contextlib import closing
from pathlib import Path

# Seconds that a call waits for others that write.
BUSY_S = 0.5
TABLE = "CREATE TABLE closes (ticker TEXT, date TEXT, close REAL, PRIMARY KEY (ticker, date)) WITHOUT ROWID"


class Store:
    """Raises sqlite3.Error when the database cannot be used."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @staticmethod
    def make(path: Path) -> None:
        """A new one, in place of an earlier demo's."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(TABLE)

    def keep(self, ticker: str, date: str, close: float) -> None:
        """Remember a close, USD a share."""
        with closing(self._open()) as connection, connection:
            connection.execute("INSERT OR REPLACE INTO closes VALUES (?, ?, ?)", (ticker, date, close))

    def latest(self, ticker: str, *, until: str) -> str | None:
        """The latest day, up to this one, whose close is known."""
        with closing(self._open()) as connection:
            query = "SELECT max(date) FROM closes WHERE ticker = ? AND date <= ?"
            found: str | None = connection.execute(query, (ticker, until)).fetchone()[0]
        return found

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=BUSY_S)
        # A demo's prices need not survive the machine.
        connection.execute("PRAGMA synchronous = OFF")
        return connection
