"""What the breakers of one manager have in common: the console, or the alert manager in its place."""

import logging
import threading
import weakref
from typing import Any

from opsclient import fork
from opsclient.breaker import links
from opsclient.breaker.alarm import Alarm
from opsclient.breaker.keeper import Keeper
from opsclient.breaker.link import Link
from opsclient.breaker.transition import Transition
from opsclient.console import OpsConsole
from opsclient.errors import ConfigurationError

logger = logging.getLogger("opsclient")


class Family:
    """Lives as long as the manager or any of its breakers. Raises ConfigurationError as CircuitBreakerManager does."""

    def __init__(self, alert_manager: Any, console: OpsConsole | None) -> None:
        self._alarm = None if alert_manager is None else Alarm(alert_manager)
        self._keepers: weakref.WeakSet[Keeper] = weakref.WeakSet()
        self._lock = threading.RLock()
        with self._lock:  # another thread may make a console meanwhile, and `found` must come after this
            self._link = links.find(self) if console is None else console.breakers
        fork.follow(self)

    @property
    def link(self) -> Link | None:
        """To the console; None without one."""
        return None if self._link is None or self._link.closed else self._link

    def add(self, keeper: Keeper) -> None:
        """Another breaker. Raises ConfigurationError if the console knows one of this name from another manager."""
        keeper.listen(self.tell)
        with self._lock:
            if self.link is not None:
                self.link.attach(keeper)
            self._keepers.add(keeper)

    def found(self, link: Link) -> None:
        """There is a console now."""
        with self._lock:
            if self.link is not None:
                return
            self._link = link
            for keeper in self._keepers:
                try:
                    link.attach(keeper)
                except ConfigurationError as error:
                    logger.error("the console does not hear of a circuit breaker: %s", error)

    def tell(self, transition: Transition) -> None:
        """A console raises its own alerts."""
        if self._alarm is not None and self.link is None:
            self._alarm.tell(transition)

    def restart_in_child(self) -> None:
        """After a fork, in the child."""
        self._lock = threading.RLock()
        if self._alarm is not None:
            self._alarm.restart_in_child()
