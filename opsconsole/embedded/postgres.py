"""The embedded PostgreSQL: its cluster, the user it runs as, and who may connect (nobody but our own user)."""

import os
import pwd
import secrets
import shutil
import signal
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from opsconsole.embedded.binaries import can_reach, postgres_programs, run_as, state_directory
from opsconsole.embedded.errors import StartError
from opsconsole.embedded.folder import DataFolder, write_private
from opsconsole.embedded.processes import (
    Account,
    Identity,
    Program,
    current_account,
    named_account,
    stop_all,
    wait_until,
)

SUPERUSER = "postgres"
NAME = "opsconsole"  # of the database, and of the role that owns it
PORT = 5432  # only a part of the socket's name: nothing listens on a port
# Small, since the console shares its machine: an idle server takes about 30 MiB. Durability is PostgreSQL's own default.
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    "shared_buffers": "48MB",
    "max_wal_size": "256MB",
    "io_method": "sync",
    "autovacuum_max_workers": "2",
    "autovacuum_worker_slots": "4",
    "max_logical_replication_workers": "0",
    "huge_pages": "off",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "",
    "log_checkpoints": "off",
    "log_min_messages": "warning",
}


@dataclass(frozen=True)
class Cluster:
    """An initialised cluster, and how to run its server on a socket in `directory`."""

    path: Path
    account: Account | None
    programs: Path
    directory: Path

    @property
    def socket_directory(self) -> Path:
        return self.directory / "pg"

    @property
    def url(self) -> str:
        return f"postgresql://{NAME}@/{NAME}?host={self.socket_directory}&port={PORT}"

    def program(self, *, durable: bool) -> Program:
        """The server. Only tests may give up durability."""
        settings = SETTINGS | {
            "unix_socket_directories": str(self.socket_directory),
            "port": str(PORT),
            "hba_file": str(self.directory / "hba.conf"),
            "ident_file": str(self.directory / "ident.conf"),
        }
        if not durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
            # All processes of a test run share one server, and some tests make many connections at once.
            settings["max_connections"] = "200"
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return Program(
            "postgres",
            (str(self.programs / "postgres"), "-D", str(self.path), *options),
            {"PATH": os.defpath, "LC_ALL": "C"},
            Path("/"),
            self.account,
            signal.SIGINT,  # "fast": ends sessions instead of waiting for them
        )

    def connect(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host=str(self.socket_directory),
            port=PORT,
            user=SUPERUSER,
            dbname=database,
            connect_timeout=2,
            autocommit=True,
        )

    def answers(self) -> bool:
        with suppress(psycopg.OperationalError), closing(self.connect("postgres")):
            return True
        return False

    def ensure_database(self, *, for_tests: bool = False) -> None:
        """Make the role and its database. For tests the role may make databases of its own."""
        with closing(self.connect("postgres")) as connection:
            role = sql.Identifier(NAME)
            if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [NAME]).fetchone() is None:
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(role))
            if for_tests:
                connection.execute(sql.SQL("ALTER ROLE {} CREATEDB").format(role))
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME]).fetchone() is None:
                connection.execute(sql.SQL("CREATE DATABASE {0} OWNER {0}").format(role))


def prepare(folder: DataFolder, directory: Path, log: Callable[[str], None]) -> Cluster:
    """Find or make the folder's cluster, stop a server that a killed run left on it, and set up who may connect.

    `directory` is this run's place for sockets. Raises StartError.
    """
    us = current_account()
    path = _location(folder)
    account = _account(path)
    programs = postgres_programs(account)
    if not path.exists():
        log("making the database cluster")
        _initialise(path, account, programs)
    _end_leftovers(path, log)
    cluster = Cluster(path, account, programs, directory)
    _allow_only(us, cluster)
    return cluster


def _location(folder: DataFolder) -> Path:
    """In the data folder where PostgreSQL's user can reach it; otherwise in root's state directory, as recorded."""
    inside = folder.path / "postgres"
    record = folder.path / "postgres.location"
    if inside.exists():
        return inside
    if record.exists():
        recorded = Path(record.read_text(encoding="utf-8").strip())
        if not recorded.is_dir():
            raise StartError(
                f"The database of {folder.path} is gone: {record} says it is in {recorded}. "
                "Bring it back, or remove that file to begin with an empty one."
            )
        return recorded / "postgres"
    if os.geteuid() != 0 or can_reach(_server_account(), folder.path):
        return inside
    outside = state_directory() / f"data-{secrets.token_hex(8)}"
    # Made before it is recorded, so that a record without its place means that someone removed it.
    outside.mkdir(mode=0o755)
    write_private(record, f"{outside}\n")
    return outside / "postgres"


def _server_account() -> Account:
    return named_account(os.environ.get("OPSCONSOLE_POSTGRES_USER") or "nobody")


def _account(path: Path) -> Account | None:
    """Who the server runs as: None for ourselves. PostgreSQL refuses root, so root runs it as the cluster's owner."""
    if not path.exists():
        return _server_account() if os.geteuid() == 0 else None
    owner = path.stat().st_uid
    if owner == os.geteuid() != 0:
        return None
    try:
        name = pwd.getpwuid(owner).pw_name
    except KeyError:
        name = f"uid {owner}"
    if os.geteuid() != 0:
        raise StartError(
            f"The database cluster {path} belongs to {name}: start as root, or choose another data folder."
        )
    return named_account(name)


def _initialise(path: Path, account: Account | None, programs: Path) -> None:
    """`initdb` beside its final place, then one rename: a cluster is whole, or not there."""
    incomplete = path.with_name(f"{path.name}.incomplete")
    shutil.rmtree(incomplete, ignore_errors=True)
    incomplete.mkdir(mode=0o700)
    if account is not None:
        os.chown(incomplete, account.uid, account.gid)
    done = run_as(
        account,
        str(programs / "initdb"),
        f"--pgdata={incomplete}",
        f"--username={SUPERUSER}",
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--auth-local=peer",
        "--auth-host=reject",
    )
    if done.returncode != 0:
        shutil.rmtree(incomplete, ignore_errors=True)
        last = done.stdout.strip().splitlines()[-1:] or ["no message"]
        raise StartError(f"The database cluster {path} cannot be made: {last[0]}")
    incomplete.rename(path)


def _end_leftovers(path: Path, log: Callable[[str], None]) -> None:
    """Stop a server that still runs on the cluster, and drop a stale process file whose id someone else has now.

    We hold the data folder, so such a server is an orphan. A process is taken for it only if it works in the cluster.
    """
    pid_file = path / "postmaster.pid"
    try:
        pid = int(pid_file.read_text(encoding="utf-8").split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        pid = 0
    if pid and _works_in(pid, path) and (identity := Identity.of(pid)):
        log(f"stopping postgres (process {pid}), left behind by a run that was killed")
        stop_all({identity: signal.SIGINT}, seconds=5)
    # Sessions of a server that was killed end by themselves as soon as they notice.
    if not wait_until(lambda: not _workers(path), seconds=10, interval=0.1):
        raise StartError(
            f"The database cluster {path} is still in use by processes {_workers(path)}: end them first."
        )
    pid_file.unlink(missing_ok=True)


def _works_in(pid: int, path: Path) -> bool:
    with suppress(psutil.Error, OSError):
        return Path(psutil.Process(pid).cwd()).samefile(path)
    return False


def _workers(path: Path) -> list[int]:
    return [pid for pid in psutil.pids() if _works_in(pid, path)]


def _allow_only(us: Account, cluster: Cluster) -> None:
    """Only our own user may connect, as the kernel vouches for it, through a directory closed to all others."""
    directory = cluster.directory
    (directory / "hba.conf").write_text("local all all peer map=console\n", encoding="utf-8")
    lines = [f'console "{us.name}" {role}\n' for role in (SUPERUSER, NAME)]
    (directory / "ident.conf").write_text("".join(lines), encoding="utf-8")
    cluster.socket_directory.mkdir(mode=0o700, exist_ok=True)
    if cluster.account is not None:
        os.chown(cluster.socket_directory, cluster.account.uid, cluster.account.gid)
