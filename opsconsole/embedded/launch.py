"""Become another program that dies with its parent: `launch.py PARENT DEATH_SIGNAL UID GID PROGRAM [ARGS…]`.

Run as a file by a bare interpreter (`-I -S`), it drops to the given user, asks the kernel for a signal when the
parent ends, and replaces itself by the program, so that the process id stays the one that the parent knows. It stands in for
`subprocess`' `preexec_fn`, which can deadlock in a parent with threads.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def become(uid: int, gid: int) -> None:
    """Drop to the user, for good. Nothing happens when we are that user already."""
    if uid != os.geteuid():
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)


def die_with(parent: int, death_signal: int) -> None:
    """Linux only; elsewhere the next start recognises and stops what a killed supervisor left behind."""
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:
        sys.exit(1)


def main(arguments: list[str]) -> None:
    parent, death_signal, uid, gid = (int(argument) for argument in arguments[:4])
    # The user first: changing it clears the death signal.
    become(uid, gid)
    die_with(parent, death_signal)
    # The interpreter ignores these two, and an ignored signal stays ignored in the program.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    program = arguments[4:]
    try:
        os.execv(program[0], program)
    except OSError as error:
        sys.exit(f"{program[0]} cannot be run: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
