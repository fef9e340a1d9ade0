"""The scripts' virtual environment: made once, rebuilt when it must be, never at someone else's cost."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from opsconsole.supervisor.programs import ROOT

# Making an environment takes seconds, and what is made once for the module serves one process.
pytestmark = pytest.mark.xdist_group("environment")
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


@pytest.fixture(scope="module")
def made_checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("made") / "a checkout"
    require_nothing(root)
    assert make(root).returncode == 0
    return root


@pytest.fixture
def made(made_checkout: Path, checkout: Path) -> Path:
    """A checkout whose environment has been made: a copy, since making one takes seconds."""
    shutil.copytree(made_checkout, checkout, symlinks=True, dirs_exist_ok=True)
    return checkout


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


def test_it_is_made_once(made: Path) -> None:
    before = age(made)
    again = make(made)
    assert (again.stdout, again.stderr) == (f"{made / '.venv' / 'bin' / 'python'}\n", "")
    assert age(made) == before


def test_it_is_rebuilt_when_the_requirements_change(made: Path) -> None:
    before = age(made)
    (made / "requirements.txt").write_text("# still nothing\n")
    assert make(made).returncode == 0
    assert age(made) != before


def test_the_development_packages_are_added_without_a_rebuild(made: Path) -> None:
    before = age(made)
    assert make(made, "development").returncode == 0
    assert age(made) == before
    assert set(json.loads((made / ".venv" / "installed.json").read_text())) == {"runtime", "development"}


def test_a_half_made_one_is_rebuilt(made: Path) -> None:
    before = age(made)
    (made / ".venv" / "installed.json").unlink()
    (made / ".venv" / "bin" / "python").unlink()
    assert make(made).returncode == 0
    assert age(made) != before
    assert (made / ".venv" / "bin" / "python").exists()


def test_starts_at_the_same_time_make_it_once(checkout: Path) -> None:
    command = [sys.executable, str(MAKE), str(checkout), "runtime"]
    environ = {name: value for name, value in os.environ.items() if name != "OPSCONSOLE_VENV"}
    starts = [subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    told = [start.communicate()[1] for start in starts]
    assert [start.returncode for start in starts] == [0, 0, 0]
    assert sum("Making the virtual environment" in text for text in told) == 1
