"""`script/manage ARGS…`: `manage.py` on the services of a data folder, whether its console runs or not."""

import os
import subprocess
import sys
from collections.abc import Mapping

from opsconsole.embedded import servers
from opsconsole.embedded.errors import StartError
from opsconsole.embedded.folder import DataFolder
from opsconsole.embedded.processes import wait_until
from opsconsole.supervisor.programs import ROOT, console_environ

# A console that is just starting soon says where its database is.
WAIT_SECONDS = 30.0


def run_manage(arguments: list[str], environ: Mapping[str, str]) -> int:
    """The return code of `manage.py`. It keeps our terminal and our group, so that Ctrl-C reaches it too."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments], env=dict(environ), check=False
    )
    return done.returncode if done.returncode >= 0 else 128 - done.returncode


def manage(arguments: list[str]) -> int:
    """Use the running console's services, or bring up the embedded ones for the length of the command.

    Raises StartError.
    """
    folder = DataFolder(servers.data_path(ROOT, os.environ))
    if servers.is_set(os.environ, "DATABASE_URL") and servers.is_set(os.environ, "REDIS_URL"):
        folder.path.mkdir(parents=True, exist_ok=True)
        return run_manage(arguments, console_environ(folder, os.environ))
    # A command that runs at the same moment ends soon; a console says where its services are.
    wait_until(lambda: not folder.is_held() or "environ" in folder.facts(), seconds=WAIT_SECONDS)
    if folder.is_held() and (brought := folder.facts().get("environ")) is not None:
        return run_manage(arguments, console_environ(folder, os.environ) | brought)
    folder.hold("script/manage", wait_seconds=WAIT_SECONDS)
    try:
        return _with_embedded(arguments, folder)
    finally:
        folder.release()


def _with_embedded(arguments: list[str], folder: DataFolder) -> int:
    log = folder.path / "manage.log"
    folder.reclaim(tell)
    brought = servers.prepare(folder, os.environ, tell)
    with log.open("wb") as output, servers.running(folder, brought, output) as environ:
        return run_manage(arguments, console_environ(folder, os.environ) | environ)


def tell(text: str) -> None:
    """On stderr: what the command prints may be read by a program."""
    sys.stderr.write(f"{text}\n")


def main() -> None:
    try:
        sys.exit(manage(sys.argv[1:]))
    except StartError as error:
        sys.exit(f"script/manage: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
