"""Migrations are run once in a test run: the processes copy the database that the first of them has made."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

from django.db import connection

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
