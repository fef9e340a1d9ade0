"""What a killed run leaves behind: its own is stopped and cleared away, and nothing else is touched."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil

from opsconsole.embedded.folder import DataFolder
from opsconsole.embedded.processes import Identity, Program, named_account, wait_until
from tests.embedded.conftest import Run

# Starts the servers on the folder given, says so, and waits to be killed.
OWNER = """
import os, sys
from pathlib import Path
from opsconsole.embedded import servers
from opsconsole.embedded.folder import DataFolder
folder = DataFolder(Path(sys.argv[1]))
folder.hold("a run to be killed")
prepared = servers.prepare(folder, {}, print)
with open(os.devnull, "wb") as log, servers.running(folder, prepared, log):
    print("running", flush=True)
    sys.stdin.read()
"""


def start_owner(data: Path) -> "subprocess.Popen[str]":
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(data)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    assert "running" in iter(owner.stdout.readline, "").__next__() + owner.stdout.readline()
    return owner


def sleeper() -> str:
    """A program that does nothing, by its path."""
    found = shutil.which("sleep")
    assert found is not None
    return found


def identities(data: Path) -> list[Identity]:
    processes = DataFolder(data).facts()["processes"].values()
    return [Identity(entry["pid"], entry["started"]) for entry in processes]


def test_servers_end_with_a_killed_owner_and_the_next_run_works(run: Run, place: Path) -> None:
    data = place / "data"
    owner = start_owner(data)
    started = identities(data)
    directory = Path(DataFolder(data).facts()["directory"])
    assert len(started) == 2
    assert all(identity.is_alive() for identity in started)
    owner.kill()
    owner.communicate()
    assert wait_until(lambda: not any(identity.is_alive() for identity in started), seconds=10)
    with run(data):
        assert not directory.exists()


def test_orphans_are_stopped_and_a_process_with_a_used_again_id_is_not(
    run: Run, place: Path, messages: list[str]
) -> None:
    data = place / "data"
    data.mkdir()
    orphan = Program("orphan", (sleeper(), "600"), dict(os.environ), place).start(subprocess.DEVNULL)
    stranger = Program("stranger", (sleeper(), "600"), dict(os.environ), place).start(subprocess.DEVNULL)
    known = Identity.of(orphan.pid)
    assert known is not None
    entries = {
        "web": {"pid": orphan.pid, "started": known.started, "signal": 15},
        "worker": {"pid": stranger.pid, "started": "another boot/1", "signal": 15},
    }
    (data / "run.json").write_text(json.dumps({"processes": entries}))
    with run(data):
        assert orphan.wait(timeout=5) == -signal.SIGTERM
        assert stranger.poll() is None
    assert any(f"stopping web (process {orphan.pid})" in message for message in messages)
    stranger.kill()
    stranger.wait()


def test_a_server_without_a_record_is_recognised_by_its_cluster(
    run: Run, place: Path, messages: list[str]
) -> None:
    data = place / "data"
    owner = start_owner(data)
    postgres = next(
        identity for identity in identities(data) if psutil.Process(identity.pid).name() == "postgres"
    )
    # Suspended, it cannot follow the signal that its owner's death sends; without the record only the cluster is left.
    postgres.send(signal.SIGSTOP)
    owner.kill()
    owner.communicate()
    (data / "run.json").unlink()
    with run(data):
        assert not postgres.is_alive()
    assert any(f"stopping postgres (process {postgres.pid})" in message for message in messages)


def test_a_stale_process_file_with_the_id_of_another_process_is_dropped(run: Run, place: Path) -> None:
    data = place / "data"
    with run(data):
        pass
    # PostgreSQL itself only believes in a process of its own user.
    account = named_account("nobody") if os.geteuid() == 0 else None
    other = Program("other", (sleeper(), "600"), dict(os.environ), place, account).start(subprocess.DEVNULL)
    stale = data / "postgres" / "postmaster.pid"
    stale.write_text(f"{other.pid}\n{data / 'postgres'}\n1\n5432\n/tmp\n\n")
    with run(data):
        assert stale.read_text().split("\n", 1)[0] != str(other.pid)
        assert other.poll() is None
    other.kill()
    other.wait()


def test_a_half_made_cluster_is_made_again(run: Run, place: Path) -> None:
    data = place / "data"
    incomplete = data / "postgres.incomplete"
    incomplete.mkdir(parents=True)
    (incomplete / "PG_VERSION").touch()
    with run(data):
        assert not incomplete.exists()
        assert (data / "postgres" / "PG_VERSION").exists()
