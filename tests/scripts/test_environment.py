"""The scripts' virtual environment: made once, rebuilt when it must be, never at someone else's cost."""

import json
import os
import runpy
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from opsconsole.supervisor.programs import ROOT

MAKE = ROOT / "script" / "environment.py"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout, with a space in its name, that requires nothing: no package is fetched."""
    root = tmp_path / "a checkout"
    require_nothing(root)
    return root


def require_nothing(root: Path) -> None:
    root.mkdir()
    for name in ("requirements.txt", "requirements-dev.txt"):
        (root / name).write_text("# nothing\n")


def make(checkout: Path, kind: str = "runtime", **changes: str) -> "subprocess.CompletedProcess[str]":
    environ = {name: value for name, value in os.environ.items() if name != "OPSCONSOLE_VENV"} | changes
    command = [sys.executable, str(MAKE), str(checkout), kind]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)


@dataclass(frozen=True)
class Made:
    """A checkout whose environment was made by three starts at the same time, and what these told."""

    checkout: Path
    told: list[str]
    codes: list[int]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Shared, since making one takes seconds."""
    root = tmp_path_factory.mktemp("made") / "a checkout"
    require_nothing(root)
    command = [sys.executable, str(MAKE), str(root), "runtime"]
    environ = {name: value for name, value in os.environ.items() if name != "OPSCONSOLE_VENV"}
    starts = [subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    told = [start.communicate()[1] for start in starts]
    return Made(root, told, [start.returncode for start in starts])


def age(checkout: Path) -> int:
    """Changes when the environment is rebuilt."""
    return (checkout / ".venv" / "pyvenv.cfg").stat().st_mtime_ns


def test_a_folder_that_it_did_not_make_is_left_alone(checkout: Path) -> None:
    foreign = checkout / ".venv" / "precious"
    foreign.parent.mkdir()
    foreign.touch()
    done = make(checkout)
    assert done.returncode == 1
    assert "was not made by these scripts" in done.stderr
    assert foreign.exists()


def test_a_place_that_cannot_be_written_is_named(checkout: Path) -> None:
    done = make(checkout, OPSCONSOLE_VENV="/proc/venv")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "OPSCONSOLE_VENV" in done.stderr


def test_an_old_python_gets_one_clear_sentence(tmp_path: Path) -> None:
    done = subprocess.run(
        [ROOT / "script" / "manage", "check"],
        env=dict(os.environ) | {"PYTHON": "/bin/false"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert (
        done.stderr
        == "script/manage: Python 3.11, 3.12 or 3.13 is needed, and /bin/false is not: set PYTHON to one.\n"
    )


def test_starts_at_the_same_time_make_it_once(made: Made) -> None:
    assert made.codes == [0, 0, 0]
    assert sum("Making the virtual environment" in text for text in made.told) == 1


def test_a_later_start_changes_nothing(made: Made) -> None:
    before = age(made.checkout)
    again = make(made.checkout)
    assert (again.stdout, again.stderr) == (f"{made.checkout / '.venv' / 'bin' / 'python'}\n", "")
    assert age(made.checkout) == before


def test_the_development_packages_are_added_without_a_rebuild(made: Made) -> None:
    before = age(made.checkout)
    assert make(made.checkout, "development").returncode == 0
    assert age(made.checkout) == before
    stamp = json.loads((made.checkout / ".venv" / "installed.json").read_text())
    assert set(stamp) == {"runtime", "development"}


def test_other_requirements_and_another_python_ask_for_a_rebuild(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = runpy.run_path(str(MAKE))["Environment"](made.checkout, made.checkout / ".venv")
    assert environment.has("runtime")
    with monkeypatch.context() as patch:
        patch.setattr(sys, "version_info", (3, 13, 99))
        assert not environment.has("runtime")
    requirements = made.checkout / "requirements.txt"
    before = requirements.read_text()
    requirements.write_text("# still nothing\n")
    assert not environment.has("runtime")
    requirements.write_text(before)


def test_a_half_made_one_is_rebuilt(checkout: Path) -> None:
    venv = checkout / ".venv"
    (venv / "lib").mkdir(parents=True)
    (venv / "made-by-opsconsole").touch()
    (venv / "lib" / "broken").touch()
    assert make(checkout).returncode == 0
    assert not (venv / "lib" / "broken").exists()
    assert subprocess.run([venv / "bin" / "python", "-c", ""], check=False).returncode == 0
