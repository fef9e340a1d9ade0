"""`script/manage`: on the services of a console that runs, and alone when none does."""

import subprocess
import sys
from pathlib import Path

from tests.scripts.conftest import Supervised, clean_environ

QUERY = "from django.db import connection as c; k = c.cursor(); k.execute('SELECT pg_postmaster_start_time()'); print(k.fetchone())"


def manage(data: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "opsconsole.supervisor.manage", *arguments]
    environ = clean_environ(OPSCONSOLE_DATA=str(data))
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=False)


def test_the_code_and_message_of_a_failing_command_come_through(place: Path) -> None:
    done = manage(place / "alone", "nosuchcommand")
    assert done.returncode == 1
    assert "Unknown command: 'nosuchcommand'" in done.stderr


def test_without_a_console_it_brings_its_own_services(place: Path) -> None:
    first = manage(place / "alone", "shell", "-v", "0", "-c", QUERY)
    second = manage(place / "alone", "shell", "-v", "0", "-c", QUERY)
    assert (first.returncode, second.returncode) == (0, 0)
    assert first.stdout.startswith("(datetime.datetime")
    assert first.stdout != second.stdout
    assert not (place / "alone" / "run.json").exists()


def test_with_a_console_it_uses_the_same_services(server: Supervised) -> None:
    first = manage(server.data, "shell", "-v", "0", "-c", QUERY)
    second = manage(server.data, "shell", "-v", "0", "-c", QUERY)
    assert first.stdout.startswith("(datetime.datetime")
    assert first.stdout == second.stdout
