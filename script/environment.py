"""Make or complete the scripts' virtual environment and print its Python: `environment.py ROOT runtime|development`.

Standard library only, since it runs before anything is installed. `OPSCONSOLE_VENV` names another place than `.venv` in
the checkout. A stamp holds what was installed: the environment is rebuilt when Python or the requirements change, and when
a build was interrupted. Starts at the same time wait for each other.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

# In the environment's folder from its first moment on: only what these scripts made is ever removed by them.
MARKER = "made-by-opsconsole"
STAMP = "installed.json"
FILES = {"runtime": "requirements.txt", "development": "requirements-dev.txt"}


class Environment:
    """The virtual environment at `path`, for the checkout at `root`."""

    def __init__(self, root: Path, path: Path) -> None:
        self.root = root
        self.path = path
        self.python = path / "bin" / "python"

    def installed(self) -> dict[str, str]:
        """What the stamp says: the digest of each kind of requirements installed."""
        try:
            stamp = json.loads((self.path / STAMP).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return stamp if isinstance(stamp, dict) and self.python.exists() else {}

    def wanted(self, kind: str) -> str:
        """A digest over Python's version and the requirements."""
        requirements = (self.root / FILES[kind]).read_bytes()
        return hashlib.sha256(repr(sys.version_info[:3]).encode() + b"\0" + requirements).hexdigest()

    def has(self, kind: str) -> bool:
        installed = self.installed()
        needed = ["runtime"] if kind == "runtime" else ["runtime", "development"]
        return all(installed.get(each) == self.wanted(each) for each in needed)

    def ensure(self, kind: str) -> None:
        """Build it, or add the development packages to it, unless it has all."""
        if self.has(kind):
            return
        with lock_of(self.path.parent):
            if not self.has("runtime"):
                self._rebuild()
                self._install("runtime")
            if not self.has(kind):
                self._install(kind)

    def _rebuild(self) -> None:
        if self.path.exists() and any(self.path.iterdir()):
            if not (self.path / MARKER).exists():
                fail(
                    f"{self.path} was not made by these scripts: move it away, or set OPSCONSOLE_VENV to another place."
                )
            # Its marker goes last, so that an interrupted removal can be taken up again.
            for entry in sorted(self.path.iterdir(), key=lambda path: path.name == MARKER):
                shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            (self.path / MARKER).touch()
        except OSError as error:
            fail(
                f"{self.path} cannot be made ({error.strerror}): set OPSCONSOLE_VENV to a folder that can be written."
            )
        print(f"Making the virtual environment {self.path}", file=sys.stderr)
        made = run(sys.executable, "-m", "venv", str(self.path))
        if made.returncode != 0:
            fail(
                f"{sys.executable} cannot make virtual environments: install its venv module "
                "(on Debian and Ubuntu: apt install python3-venv), or set PYTHON to another Python."
            )

    def _install(self, kind: str) -> None:
        print(f"Installing {FILES[kind]}", file=sys.stderr)
        pip = [str(self.python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        done = subprocess.run(
            [*pip, "--require-hashes", "--only-binary", ":all:", "-r", str(self.root / FILES[kind])],
            stdout=sys.stderr,
            check=False,
        )
        if done.returncode != 0:
            fail(
                f"{FILES[kind]} cannot be installed; pip's message is above. Is a package registry reachable?"
            )
        stamp = json.dumps(self.installed() | {kind: self.wanted(kind)})
        incomplete = self.path / f"{STAMP}.incomplete"
        incomplete.write_text(stamp, encoding="utf-8")
        incomplete.replace(self.path / STAMP)


class lock_of:  # noqa: N801 - a context manager, used like a function
    """Hold the folder's lock for the length of the block."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.handle = os.open(self.folder, os.O_RDONLY)
        except OSError as error:
            fail(f"{self.folder} cannot be opened ({error.strerror}): set OPSCONSOLE_VENV to another place.")
        try:
            fcntl.flock(self.handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Waiting for another start that makes the virtual environment", file=sys.stderr)
            fcntl.flock(self.handle, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        os.close(self.handle)


def run(*argv: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


def fail(sentence: str) -> None:
    sys.exit(sentence)


def main() -> None:
    root = Path(sys.argv[1])
    path = Path(os.environ.get("OPSCONSOLE_VENV") or root / ".venv").absolute()
    environment = Environment(root, path)
    environment.ensure(sys.argv[2])
    print(environment.python)


if __name__ == "__main__":
    main()
