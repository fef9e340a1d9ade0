"""What must begin anew in a forked child: threads, locks, leases and connections belong to the parent."""

import logging
import os
import weakref
from typing import Protocol

logger = logging.getLogger("opsclient")


class Forkable(Protocol):
    """Something that can begin anew in a child process."""

    def restart_in_child(self) -> None:
        """Called in the child before any other Python code there."""


_followed: "weakref.WeakSet[Forkable]" = weakref.WeakSet()


def follow(thing: Forkable) -> None:
    """Restart this in every child from now on."""
    _followed.add(thing)


def forget(thing: Forkable) -> None:
    """It is closed: a child must not bring it back."""
    _followed.discard(thing)


def _in_child() -> None:
    for thing in list(_followed):
        try:
            thing.restart_in_child()
        except Exception:
            logger.exception("after a fork, %s could not begin anew and allows nothing", type(thing).__name__)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
