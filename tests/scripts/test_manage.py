"""`script/manage` when no console runs; `test_server.py` has it on the services of one that does."""

from pathlib import Path

from tests.scripts.conftest import QUERY, manage


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
