"""Where the demo's traders get the console's address and their token from."""

import json
from pathlib import Path

import pytest

from demo.access import obtain
from demo.console import Console, ConsoleError


@pytest.fixture(autouse=True)
def _no_access_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPSCLIENT_URL", raising=False)
    monkeypatch.delenv("OPSCLIENT_TOKEN", raising=False)


def started_before(folder: Path) -> Path:
    (folder / "credentials.json").write_text(
        json.dumps({"url": "http://127.0.0.1:1", "api_token": "of-the-administrator"})
    )
    (folder / "demo").mkdir()
    (folder / "demo" / "token").write_text("kept\n")
    return folder


def test_a_folder_on_which_no_console_was_started_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConsoleError, match="script/server"):
        obtain(tmp_path)


def test_a_url_of_another_kind_is_refused_by_the_variable_s_name() -> None:
    with pytest.raises(ConsoleError, match="OPSCLIENT_URL"):
        Console("ftp://127.0.0.1", "token")


def test_the_token_made_before_is_used_again_and_never_the_administrator_s(tmp_path: Path) -> None:
    assert obtain(started_before(tmp_path)) == ("http://127.0.0.1:1", "kept")


def test_the_environment_s_address_goes_with_the_kept_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSCLIENT_URL", "http://127.0.0.1:2")
    assert obtain(started_before(tmp_path)) == ("http://127.0.0.1:2", "kept")


def test_the_environment_alone_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSCLIENT_URL", "http://127.0.0.1:2")
    monkeypatch.setenv("OPSCLIENT_TOKEN", "given")
    assert obtain(tmp_path) == ("http://127.0.0.1:2", "given")
