"""Migrations are run once in a test run: the processes copy the database that the first of them has made.

Once more they are run for the consoles that fault tests bring up, with servers of their own: each gets a copy of one data folder.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection

from opsconsole.embedded import servers
from opsconsole.embedded.folder import DataFolder
from opsconsole.supervisor.programs import ROOT
from tests.servers import quiet, temporary_folder

TEMPLATE = "opsconsole_migrated"


def once(what: str, make: Callable[[], None]) -> None:
    """Something that all processes of the run use. Whoever comes first makes it, and the others wait."""
    path = Path(os.environ["OPSCONSOLE_DATA"]) / f"{what}.once"
    with path.open("a+b") as mark:
        fcntl.flock(mark, fcntl.LOCK_EX)
        if not path.stat().st_size:
            make()
            mark.write(b"made")


def use_template() -> None:
    """The test database of this process becomes a copy. Not on a server of somebody's own, where the template would stay."""
    if os.environ.get("OPSCONSOLE_EMBEDDED"):
        once(TEMPLATE, _migrate)
        connection.settings_dict["TEST"]["TEMPLATE"] = TEMPLATE


def _migrate() -> None:
    mine, tests = connection.settings_dict["NAME"], connection.settings_dict["TEST"]
    name, tests["NAME"] = tests["NAME"], TEMPLATE
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    # Whoever copies it must be alone with it.
    connection.close()
    connection.settings_dict["NAME"], tests["NAME"] = mine, name


@contextmanager
def data_folder() -> Iterator[Path]:
    """A data folder for a console of its own, with a database that is migrated already. It is gone after the block."""
    ready = Path(os.environ["OPSCONSOLE_DATA"]).with_name("ready")
    once("ready", lambda: _make_ready(ready))
    folder = temporary_folder()
    try:
        # With its owner, whom PostgreSQL runs as.
        subprocess.run(["cp", "-a", ready / "postgres", folder], check=True)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _make_ready(path: Path) -> None:
    folder = DataFolder(path)
    folder.hold("script/test")
    try:
        prepared = servers.prepare(folder, {}, quiet, durable=False)
        with (
            path.with_name("ready.log").open("wb") as log,
            servers.running(folder, prepared, log) as environ,
        ):
            command = [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity", "0"]
            subprocess.run(command, env=os.environ | environ, cwd=ROOT, check=True)
    finally:
        folder.release()
