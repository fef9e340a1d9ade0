"""The halt file: a stop that needs neither console nor network."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from opsclient import ConfigurationError, KillSwitch, NotActive, OpsConsole
from opsclient.halt_file import look

from tests.client.console_server import ConsoleServer, eventually


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="halt_file"):
        KillSwitch(halt_file=tmp_path / "nowhere" / "halt")
    monkeypatch.setenv("OPSCLIENT_HALT_FILE", str(tmp_path / "nowhere" / "halt"))
    with pytest.raises(ConfigurationError, match="OPSCLIENT_HALT_FILE"):
        KillSwitch()


def test_two_files_are_refused(tmp_path: Path, connect: Callable[..., OpsConsole]) -> None:
    console = connect(halt_file=tmp_path / "a")
    KillSwitch(console, halt_file=tmp_path / "a")
    with pytest.raises(ConfigurationError, match="already"):
        KillSwitch(console, halt_file=tmp_path / "b")


def test_what_exists(tmp_path: Path) -> None:
    path = tmp_path / "halt"
    assert look(path) is None
    path.mkdir()
    assert look(path) == f"halt file {path}"
    path.rmdir()
    os.mkfifo(path)
    assert look(path) == f"halt file {path}", "a pipe must not make the watcher wait for a writer"
    path.unlink()
    path.symlink_to(tmp_path / "gone")
    assert look(path) == f"halt file {path}"
    path.unlink()
    path.write_bytes(b"\xff fire in the hall \nsecond line")
    assert look(path) == "\ufffd fire in the hall"
    assert look(path / "below") is not None, "what cannot be looked at counts as existing"


def put(path: Path, text: str) -> None:
    """Put the file there with its text, in one step."""
    path.with_suffix(".new").write_text(text)
    path.with_suffix(".new").rename(path)


def test_in_the_process_alone(tmp_path: Path) -> None:
    path = tmp_path / "halt"
    switch = KillSwitch(halt_file=path)
    calls: list[tuple[str, str]] = []
    switch.register_on_activate(lambda reason, message, _metadata: calls.append((reason, message)))
    assert switch.is_trading_allowed()
    put(path, "fire in the hall\n")
    eventually(lambda: not switch.is_trading_allowed())
    eventually(lambda: calls == [("MANUAL", "fire in the hall")])
    with pytest.raises(NotActive):
        switch.deactivate_sync("never mind the file")
    switch.is_active = False
    assert not switch.is_trading_allowed()
    path.unlink()
    eventually(switch.is_trading_allowed)
    switch.close()
    assert not switch.is_trading_allowed(), "nobody watches any more"


def test_a_file_that_is_there_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "halt"
    path.touch()
    monkeypatch.setenv("OPSCLIENT_HALT_FILE", str(path))
    switch = KillSwitch()
    assert not switch.is_trading_allowed()
    switch.close()


def test_a_dead_watcher_allows_nothing(tmp_path: Path) -> None:
    switch = KillSwitch(halt_file=tmp_path / "halt")
    assert switch.is_trading_allowed()
    watcher = switch._runtime._watcher
    assert watcher is not None
    watcher.stop(5)
    eventually(lambda: not switch.is_trading_allowed())


def test_beside_a_console(server: ConsoleServer, connect: Callable[..., OpsConsole], tmp_path: Path) -> None:
    path = tmp_path / "halt"
    console = connect(halt_file=path)
    switch = KillSwitch(console)
    assert console.wait_until_live()
    put(path, "fire")
    report = server.wait_report(lambda r: r["local_stop"])
    assert report["local_stop"] == {"reason": "MANUAL", "message": "fire"}
    assert report["allowed"] is False
    activation = server.halt()
    server.wait_acked(activation)
    path.unlink()
    server.wait_report(lambda r: r["local_stop"] is None and r["epoch"] == server.epoch)
    assert not switch.is_trading_allowed(), "removing the file lifts the file's stop alone"
    server.rearm()
    eventually(switch.is_trading_allowed)


def test_results_of_callbacks_for_the_file_are_reported(
    server: ConsoleServer, connect: Callable[..., OpsConsole], tmp_path: Path
) -> None:
    path = tmp_path / "halt"
    console = connect(halt_file=path)
    KillSwitch(console).register_on_activate(lambda *_: None)
    assert console.wait_until_live()
    path.touch()
    report = server.wait_report(lambda r: r["callbacks"])
    assert report["callbacks"][0]["activation"] is None
