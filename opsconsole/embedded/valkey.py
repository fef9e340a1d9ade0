"""The embedded Valkey: Celery's queue and caches. PostgreSQL is the truth, so it keeps nothing on disk."""

import os
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

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
    """How to run the server on a socket in `directory`."""

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
        settings = SETTINGS | {"unixsocket": str(self.socket), "dir": str(self.home)}
        options = [part for name, value in settings.items() for part in (f"--{name}", value)]
        return Program(
            "valkey", (str(valkey_program()), *options), {"PATH": os.defpath, "LC_ALL": "C"}, self.home
        )

    def answers(self) -> bool:
        client = redis.Redis(unix_socket_path=str(self.socket), socket_timeout=1, retry=Retry(NoBackoff(), 0))
        with suppress(redis.RedisError), closing(client):
            return bool(client.ping())
        return False


def prepare(folder: DataFolder, directory: Path) -> Valkey:
    """`directory` is this run's place for sockets."""
    home = folder.path / "valkey"
    home.mkdir(mode=0o700, exist_ok=True)
    (directory / "valkey").mkdir(mode=0o700, exist_ok=True)
    return Valkey(directory, home)
