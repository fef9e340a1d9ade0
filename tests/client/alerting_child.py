"""A trading process for tests that kill it. Usage: alerting_child.py NUMBER kill|exit|fork|orphan

It raises so many alerts while the console is away, says `queued`, and then ends in that way.
"""

import os
import signal
import sys

from opsclient.alerts.manager import Manager
from opsclient.smart_alerts import SmartAlertManager


def stored(manager: Manager) -> bool:
    """Whether the spool has everything on the disk."""
    desk = manager._desk
    return desk is not None and all(entry.stored for entry in desk.queue.entries())


def main(number: str, end: str) -> None:
    """Raise, say so, and end."""
    manager = SmartAlertManager(name="desk", wait_s=0.5)
    for index in range(int(number)):
        manager.send_alert_sync("DATA_QUALITY", "away", title=f"number {index}")
    while not stored(manager):
        pass
    print("queued", manager.pending, flush=True)  # noqa: T201  # the tests read it
    sys.stdin.readline()
    if end == "orphan" and os.fork() == 0:
        sys.stdin.readline()  # lives on for as long as the test wants
        os._exit(0)
    if end in ("kill", "orphan"):
        os.kill(os.getpid(), signal.SIGKILL)
    if end == "fork":
        child = os.fork()
        if child == 0:
            manager.send_alert_sync("DATA_QUALITY", "away", title="of the child")
            manager.flush(5)
            manager.close()
            os._exit(0)
        os.waitpid(child, 0)
        manager.flush(5)


if __name__ == "__main__":
    main(*sys.argv[1:])
