"""The sealer of a web process: one thread, which seals every second while something waits, and at once after a stop or a re-arm.

Every web process has one; whichever comes first seals. What nobody announces (raw SQL) is found within ten seconds.
"""

import asyncio
import logging
import threading
from collections.abc import Callable
from time import monotonic
from typing import Protocol

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection, connections, transaction
from django.utils import timezone

from opsconsole.audit.sealing.outlet import Outlet
from opsconsole.audit.sealing.selectors import anything_waits
from opsconsole.audit.sealing.services import SealingRefused, seal
from opsconsole.live.database import in_database
from opsconsole.live.publish import publish

log = logging.getLogger(__name__)

# Announced with each event; with each stop, re-arm and drill; after each seal.
EVENTS, URGENT, SEALED = "audit", "killswitch", "audit-sealed"
# Seconds: between two seals; between looks for what nobody has announced; for a look that is under way when the process ends.
EVERY = 1.0
LOOK_EVERY = 10.0
LAST_S = 1.0


class Announcer(Protocol):
    """The hub, as far as it is needed here."""

    def hear(self, heard: Callable[[str], None]) -> None: ...


class Sealer:
    """A companion of the hub."""

    def __init__(self, announcer: Announcer, *, outlet: Outlet | None = None) -> None:
        self._outlet = outlet or Outlet(settings.DATA_DIR)
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._waiting = self._urgent = False
        # By the monotonic clock, the last look; and why it failed, if it did.
        self._looked_at = float("-inf")
        self._trouble = ""
        announcer.hear(self._heard)

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="audit-sealer", daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, LAST_S)

    def _heard(self, topic: str) -> None:
        """On the event loop."""
        urgent = topic == URGENT
        # In a storm of events the thread is not woken for each.
        if not urgent and (topic != EVENTS or self._waiting):
            return
        with self._changed:
            self._waiting = True
            self._urgent = self._urgent or urgent
            self._changed.notify()

    # In the thread

    def _run(self) -> None:
        try:
            while self._wait():
                self._look()
        finally:
            connections.close_all()

    def _wait(self) -> bool:
        """Until it is time to look. False: the thread is to end."""
        with self._changed:
            while not self._stopping:
                left = self._due() - monotonic()
                if left <= 0:
                    if self._urgent:
                        self._outlet.hurry()
                    self._waiting = self._urgent = False
                    self._looked_at = monotonic()
                    return True
                self._changed.wait(left)
        return False

    def _due(self) -> float:
        if self._urgent and not self._trouble:
            return float("-inf")
        return self._looked_at + (EVERY if self._waiting else LOOK_EVERY)

    def _look(self) -> None:
        try:
            in_database(self.seal_all)()
        except SealingRefused as refusal:
            self._note_trouble(f"The audit trail is not sealed any more. {refusal}", logging.ERROR)
        except DatabaseError as error:
            self._note_trouble(f"Sealing waits for the database ({type(error).__name__})", logging.WARNING)
            with self._changed:
                self._waiting = True
        except Exception:
            log.exception("The audit trail could not be sealed")
        else:
            self._trouble = ""
            return
        # Not to be taken for sound again; nor kept while nothing can be done.
        connections.close_all()

    def seal_all(self) -> None:
        """Seal what waits, batch after batch; not to the end of a long backlog when the process is to end."""
        sealed = seal(now=timezone.now())
        while sealed is not None:
            self._outlet.take(sealed)
            _announce()
            if not sealed.more or self._stopping:
                break
            sealed = seal(now=timezone.now())
        self._outlet.let_out(now=timezone.now())
        if sealed is None:
            self._rest()

    def _rest(self) -> None:
        """Nothing was to be done. If another process has just been at it, something may still wait."""
        if anything_waits():
            with self._changed:
                self._waiting = True
        else:
            connections.close_all()

    def _note_trouble(self, words: str, level: int) -> None:
        """Once, as long as it is the same."""
        if words != self._trouble:
            log.log(level, "%s", words)
        self._trouble = words


def _announce() -> None:
    """Tell the pages. In a transaction of its own that does not wait for the disk: an announcement is a lock that other writers' commits wait for,
    and that of a seal must not be long. The seal itself is on the disk by now.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit TO off")
        publish(SEALED)
