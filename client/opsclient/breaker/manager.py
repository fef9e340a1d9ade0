"""The circuit breakers of a process."""

import difflib
import threading
from collections.abc import Callable
from typing import Any

from opsclient.breaker.breaker import CircuitBreaker
from opsclient.breaker.config import CircuitConfig
from opsclient.breaker.keeper import Listener
from opsclient.errors import ConfigurationError


class CircuitBreakerManager:
    """Makes circuit breakers, each once, and tells the console of them if there is one."""

    def __init__(self, alert_manager: Any = None) -> None:
        self.alert_manager = alert_manager
        self._lock = threading.RLock()
        self._breakers: dict[str, CircuitBreaker] = {}
        self._listeners: tuple[Listener, ...] = ()

    def create_breaker(
        self,
        name: str,
        config: CircuitConfig | None = None,
        *,
        fallback: Callable[..., Any] | None = None,
    ) -> CircuitBreaker:
        """The breaker of this name, made if there is none yet. name: 1 to 128 printable characters.

        Raises ConfigurationError, also if there is one of this name with another config or fallback.
        """
        with self._lock:
            known = self._breakers.get(name)
            if known is None:
                known = self._breakers[name] = CircuitBreaker(name, config, fallback=fallback)
                known.add_listener(self._tell)
                return known
        if config is not None and config != known.own_config:
            raise ConfigurationError(
                f"config differs from that of the breaker {name!r}, which exists already"
            )
        return known

    def get(self, name: str) -> CircuitBreaker | None:
        """The breaker of this name, None if there is none."""
        return self._breakers.get(name)

    def all(self) -> list[CircuitBreaker]:
        """All of them, in the order in which they were made."""
        return list(self._breakers.values())

    def __getitem__(self, name: str) -> CircuitBreaker:
        """As `get`, but raises KeyError, with the nearest names."""
        try:
            return self._breakers[name]
        except KeyError:
            near = difflib.get_close_matches(name, self._breakers, n=3)
            hint = f"; there is {', '.join(map(repr, near))}" if near else ""
            raise KeyError(f"no circuit breaker {name!r}{hint}") from None

    def reset(self, name: str) -> None:
        """Close one, as CircuitBreaker.reset. Raises KeyError."""
        self[name].reset()

    def reset_all(self) -> None:
        """Close all of them."""
        for breaker in self.all():
            breaker.reset()

    def add_listener(self, listener: Listener) -> Listener:
        """As CircuitBreaker.add_listener, for all of them, also those that are made later."""
        with self._lock:
            self._listeners = (*self._listeners, listener)
        return listener

    def _tell(self, transition: Any) -> None:
        for listener in self._listeners:
            listener(transition)
