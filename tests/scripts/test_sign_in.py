"""What `script/server` tells of the sign-in."""

from pathlib import Path

from opsconsole.supervisor.console import sign_in

FILE = Path("/data/credentials.json")


def test_a_log_never_has_the_password() -> None:
    told = sign_in({"username": "admin", "password": "hunter2"}, FILE, terminal=False)
    assert told == "Sign in as admin; the first password is in /data/credentials.json"


def test_a_terminal_shows_it() -> None:
    assert "with the password hunter2" in sign_in(
        {"username": "admin", "password": "hunter2"}, FILE, terminal=True
    )


def test_a_password_that_was_never_known_is_not_promised() -> None:
    told = sign_in({"username": "admin", "password": None}, FILE, terminal=True)
    assert told == "Sign in as admin with the password you chose"
