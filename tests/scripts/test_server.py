"""`script/server`: what it refuses, what it tells, what it keeps running, and that nothing stays behind."""

import http.client
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from opsconsole.embedded.processes import wait_until
from tests.scripts.conftest import QUERY, Runs, Supervised, clean_environ, manage


def refused(*arguments: str, **changes: str) -> str:
    """What a start says that is refused: one line, no traceback."""
    command = [sys.executable, "-m", "opsconsole.supervisor", *arguments]
    done = subprocess.run(
        command, env=clean_environ(**changes), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    return done.stderr


def get(url: str, path: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    connection.request("GET", path)
    return connection.getresponse()


def test_a_port_in_use_is_refused(place: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        assert f"port {port} cannot be listened on" in refused(
            "--port", port, "--data", str(place / "unused")
        )


def test_a_data_folder_that_cannot_be_made_is_refused(place: Path) -> None:
    (place / "file").touch()
    assert "cannot be written" in refused("--port", "0", "--data", str(place / "file" / "data"))


def test_a_second_server_on_the_folder_is_refused(server: Supervised) -> None:
    message = refused("--port", "0", "--data", str(server.data))
    assert f"in use by script/server (process {server.process.pid})" in message


def test_a_database_that_does_not_answer_is_named_without_its_password(place: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "opsconsole.supervisor",
        "--port",
        "0",
        "--data",
        str(place / "own database"),
    ]
    environ = clean_environ(DATABASE_URL="postgresql://ops:hunter2@127.0.0.1:1/ops")
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "The database cannot be used" in done.stdout
    assert "hunter2" not in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_credentials_are_written_for_their_owner_alone(server: Supervised) -> None:
    path = server.data / "credentials.json"
    credentials = json.loads(path.read_text())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((server.data / "secret_key").stat().st_mode) == 0o600
    assert set(credentials) == {"url", "username", "password", "api_token"}
    assert all(credentials.values())
    assert credentials["url"] == server.ready()
    assert credentials["password"] not in server.text
    assert credentials["api_token"] not in server.text


def test_web_worker_and_beat_are_up(server: Supervised) -> None:
    assert get(server.ready(), "/healthz").status == http.HTTPStatus.OK
    assert {"postgres", "valkey", "web", "worker", "urgent", "beat"} <= set(server.children())


def test_all_lines_tell_whose_they_are(server: Supervised) -> None:
    names = {
        line.partition("|")[0].strip()
        for line in server.text.splitlines()
        if not line.startswith("Console ready")
    }
    assert names <= {"console", "prepare", "postgres", "valkey", "web", "worker", "urgent", "beat"}


def test_manage_uses_the_same_services(server: Supervised) -> None:
    first = manage(server.data, "shell", "-v", "0", "-c", QUERY)
    second = manage(server.data, "shell", "-v", "0", "-c", QUERY)
    assert first.stdout.startswith("(datetime.datetime")
    assert first.stdout == second.stdout


@pytest.mark.parametrize("name", ["web", "urgent", "beat", "postgres", "valkey"])
def test_a_crashed_child_is_started_again(server: Supervised, name: str) -> None:
    before = server.children()[name]
    os.kill(before.pid, signal.SIGKILL)
    assert wait_until(lambda: server.children()[name] != before, seconds=30)
    assert f"{name} was ended by SIGKILL; starting it again in " in server.text
    url = server.ready()

    def answers() -> bool:
        try:
            return get(url, "/healthz").status == http.HTTPStatus.OK
        except OSError:
            return False

    assert wait_until(answers, seconds=30)


def test_after_a_kill_all_end_and_the_next_start_keeps_everything(server: Supervised, runs: Runs) -> None:
    path = server.data / "credentials.json"
    credentials = json.loads(path.read_text())
    children = server.children()
    # A suspended one cannot follow its parent's death: the next start has to deal with it.
    os.kill(children["web"].pid, signal.SIGSTOP)
    server.stop(signal.SIGKILL)
    second = runs.current()
    assert second is not server
    assert not [name for name, identity in children.items() if identity.is_alive()]
    assert f"stopping web (process {children['web'].pid}), left behind" in second.text
    assert json.loads(path.read_text()) == credentials | {"url": second.ready()}


def test_sigterm_with_an_open_stream_leaves_no_process(server: Supervised) -> None:
    address = urlsplit(server.ready())
    processes = server.living()
    token = json.loads((server.data / "credentials.json").read_text())["api_token"]
    sockets = Path(json.loads((server.data / "run.json").read_text())["directory"])
    with socket.create_connection((address.hostname or "", address.port or 0)) as stream:
        head = f"GET /monitoring/stream?name=a&instance={'0' * 32}&host=h&pid=1&version=1 HTTP/1.1"
        stream.sendall(f"{head}\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
        assert stream.recv(12) == b"HTTP/1.1 200"
        assert server.stop() == 0
    assert not [process for process in processes if process.is_running() and process.status() != "zombie"]
    assert not sockets.exists()
    assert not (server.data / "run.json").exists()


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("setpriv"), reason="takes root, and setpriv of util-linux"
)
def test_it_runs_as_an_ordinary_user(place: Path) -> None:
    home = place / "home"
    home.mkdir()
    os.chown(home, 65534, 65534)
    # Python itself may lie in a folder closed to others, so the user keeps the right to read, and no other.
    keep = (
        "--inh-caps=-all,+dac_read_search",
        "--ambient-caps=-all,+dac_read_search",
        "--bounding-set=-all,+dac_read_search",
    )
    user = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *keep)
    server = Supervised(home / "data", user=user, environ={"HOME": str(home)})
    try:
        server.ready()
        processes = server.living()
        assert {process.uids().effective for process in processes} == {65534}
        assert (home / "data" / "postgres").is_dir()
    finally:
        server.close()

    def gone() -> bool:
        return not any(process.is_running() and process.status() != "zombie" for process in processes)

    # PostgreSQL's memory takes a moment to be given back.
    assert wait_until(gone, seconds=10)
