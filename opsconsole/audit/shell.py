"""The author of what is done on the shell."""

import getpass
import os

from opsconsole.audit.actor import Actor


def shell_actor() -> Actor:
    """`system:<name of the operating system's user> on the shell`."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        # An account without an entry in the user database, as in some containers.
        name = f"uid {os.getuid()}"
    return Actor.system(f"{name} on the shell")
