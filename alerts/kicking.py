"""Workers are woken after a commit, by threads of this process: nobody waits for the queue.

A message only says "look": what is due stands in the database. So at most one waits in each queue, and a lost one costs a second or two.
Urgent deliveries depend on neither queue nor worker: what is still waiting a second after it was due, this process sends itself.
"""

import logging
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from threading import Condition, Event, Thread
from time import monotonic
from typing import Any

from django.db import DatabaseError, connections
from django.utils import timezone

from alerts.claims import next_time
from alerts.delivering import drain
from opsconsole.celery import app

logger = logging.getLogger(__name__)

TASK = "alerts.deliver"
ORDINARY_QUEUE = "alerts"
URGENT_QUEUE = "critical"
# A message that no worker took for so long says nothing that a later one does not.
EXPIRES_SECONDS = 30
# Between two messages: what is asked meanwhile needs only one.
PAUSE_SECONDS = 0.02
# A thread with nothing to do ends after so long.
IDLE_SECONDS = 30.0
# How long the workers have for an urgent delivery before this process sends it.
GRACE_SECONDS = 1.0
BROKER_OPTIONS = {
    "socket_timeout": 1,
    "socket_connect_timeout": 1,
    "max_retries": 0,
    "connect_retries_timeout": 1,
}


class Watch:
    """Sends urgent deliveries that no worker has taken, as long as there are any; with `forever`, looks every second even so."""

    def __init__(self, *, forever: bool = False) -> None:
        self._forever = forever
        self._changed = Condition()
        self._look_at: float | None = None
        self._grace = GRACE_SECONDS
        self._thread: Thread | None = None

    def look(self, *, grace: float = GRACE_SECONDS) -> None:
        """Look for what is due since `grace` seconds, once that time has passed."""
        with self._changed:
            at = monotonic() + grace
            self._look_at = at if self._look_at is None else min(self._look_at, at)
            self._grace = min(self._grace, grace)
            if self._thread is None:
                self._thread = Thread(target=self._run, name="alerts-watch", daemon=True)
                self._thread.start()
            self._changed.notify()

    def stop(self) -> None:
        """Look no more, once what is under way is done."""
        with self._changed:
            self._forever, self._look_at = False, None
            self._changed.notify()

    def _run(self) -> None:
        while (grace := self._wait()) is not None:
            try:
                drain(critical=True, grace=timedelta(seconds=grace))
                self._plan()
            except DatabaseError:
                logger.warning(
                    "The database does not answer; looking for urgent deliveries again in a second"
                )
                self.look()
            except Exception:
                logger.exception("Urgent deliveries could not be sent by this process")
                self.look()
        connections.close_all()

    def _wait(self) -> float | None:
        """Returns the grace when it is time to look; None: the thread may end, and a later `look` starts another."""
        with self._changed:
            while True:
                if self._look_at is None:
                    connections.close_all()
                    if not self._changed.wait(IDLE_SECONDS) and self._look_at is None:
                        self._thread = None
                        return None
                elif (left := self._look_at - monotonic()) > 0:
                    self._changed.wait(left)
                else:
                    grace, self._look_at, self._grace = self._grace, None, GRACE_SECONDS
                    return grace

    def _plan(self) -> None:
        now = timezone.now()
        if self._forever:
            self.look()
        elif (then := next_time(critical=True, now=now)) is not None:
            wait = min(IDLE_SECONDS, (then - now).total_seconds() + GRACE_SECONDS)
            with self._changed:
                at = monotonic() + wait
                self._look_at = at if self._look_at is None else min(self._look_at, at)


class Kicker:
    """Asks the workers to look. One for each process; a thread of it publishes."""

    def __init__(self, *, watch: Watch | None = None, broker: Callable[[], Any] | None = None) -> None:
        self._watch = watch or Watch()
        self._broker = broker or _connect
        self._changed = Condition()
        self._asked: set[str] = set()
        self._thread: Thread | None = None
        # Of kombu, which has no types.
        self._connection: Any = None
        self._is_down = False

    def ask(self, *, critical: bool) -> None:
        """Returns at once and never raises."""
        try:
            with self._changed:
                self._asked.add(URGENT_QUEUE if critical else ORDINARY_QUEUE)
                if self._thread is None:
                    self._thread = Thread(target=self._run, name="alerts-kicker", daemon=True)
                    self._thread.start()
                self._changed.notify()
            if critical:
                self._watch.look(grace=0 if self._is_down else GRACE_SECONDS)
        except RuntimeError:
            # No thread can be started, such as while the interpreter ends. The tick finds what is due.
            logger.warning("The workers could not be woken", exc_info=True)

    def _run(self) -> None:
        rest = Event()
        while asked := self._wait():
            # `critical` first.
            for queue in sorted(asked, key=lambda name: name != URGENT_QUEUE):
                self._publish(queue)
            rest.wait(PAUSE_SECONDS)
        self._disconnect()

    def _wait(self) -> set[str]:
        """What was asked; empty: nothing for a while, and the thread may end."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._asked, IDLE_SECONDS):
                self._thread = None
                return set()
            asked, self._asked = self._asked, set()
            return asked

    def _publish(self, queue: str) -> None:
        try:
            self._send(queue)
        except Exception as error:
            # Whatever the client library raises: the text may hold the queue's address and password.
            self._disconnect()
            if not self._is_down:
                logger.warning("The queue cannot be reached (%s)", type(error).__name__)
            self._is_down = True
            if queue == URGENT_QUEUE:
                self._watch.look(grace=0)
        else:
            self._is_down = False

    def _send(self, queue: str) -> None:
        if self._connection is None:
            self._connection = self._broker()
        channel = self._connection.default_channel
        # What waits there already will be taken after this commit, and sees it.
        if channel.queue_declare(queue=queue).message_count:
            return
        app.send_task(
            TASK,
            kwargs={"critical": queue == URGENT_QUEUE},
            queue=queue,
            expires=EXPIRES_SECONDS,
            connection=self._connection,
            retry=False,
        )

    def _disconnect(self) -> None:
        held, self._connection = self._connection, None
        if held is not None:
            with suppress(Exception):
                held.release()


def _connect() -> Any:
    return app.connection_for_write(transport_options=BROKER_OPTIONS)


kicker = Kicker()


def _begin_anew() -> None:
    """Threads do not live on in a forked process."""
    global kicker  # noqa: PLW0603  the one of this process
    kicker = Kicker()


os.register_at_fork(after_in_child=_begin_anew)
