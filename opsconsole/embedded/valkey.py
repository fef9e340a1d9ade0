"""The embedded Valkey: Celery's queue and caches. PostgreSQL is the truth, so it keeps nothing on disk but its log."""

import os
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from opsconsole.embedded.binaries import valkey_program
from opsconsole.embedded.folder import DataFolder
from opsconsole.embedded.processes import Program

SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "save": "",
    "appendonly": "no",
    "maxmemory": "128mb",
    # A queue must refuse what it cannot hold; evicting would lose it silently.
    "maxmemory-policy": "noeviction",
    "loglevel": "warning",
    "daemonize": "no",
}


@dataclass(frozen=True)
class Valkey:
    """How to run the server on a socket in `directory`; its log is in `home`."""

    directory: Path
    home: Path

    @property
    def socket(self) -> Path:
        return self.directory / "valkey" / "valkey.sock"

    @property
    def url(self) -> str:
        """As Celery writes it."""
        return f"redis+socket://{self.socket}?virtual_host=0"

    def program(self) -> Program:
        places = {"unixsocket": self.socket, "dir": self.home, "logfile": self.home / "valkey.log"}
        settings = SETTINGS | {name: str(path) for name, path in places.items()}
        options = [part for name, value in settings.items() for part in (f"--{name}", value)]
        return Program(
            "valkey", (str(valkey_program()), *options), {"PATH": os.defpath, "LC_ALL": "C"}, self.home
        )

    def answers(self) -> bool:
        """Asked without the client library, which would double what the supervisor takes of memory."""
        with suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            connection.connect(str(self.socket))
            connection.sendall(b"PING\r\n")
            return connection.recv(7) == b"+PONG\r\n"
        return False


def prepare(folder: DataFolder, directory: Path) -> Valkey:
    """`directory` is this run's place for sockets."""
    home = folder.path / "valkey"
    home.mkdir(mode=0o700, exist_ok=True)
    (directory / "valkey").mkdir(mode=0o700, exist_ok=True)
    return Valkey(directory, home)
