"""The circuit breakers of a process."""

import difflib
import threading
from collections.abc import Callable
from typing import Any

from opsclient import fork
from opsclient.breaker.breaker import CircuitBreaker, check_name
from opsclient.breaker.config import CircuitConfig
from opsclient.breaker.family import Family
from opsclient.breaker.keeper import Listener
from opsclient.console import OpsConsole
from opsclient.errors import ConfigurationError


class CircuitBreakerManager:
    """Makes circuit breakers, each once, and ties them to the console.

    The console is `console`, else this process' OpsConsole, also one that is made later, else the one that OPSCLIENT_URL and
    OPSCLIENT_TOKEN name; without any, the breakers work by themselves, and no thread is started. It sees them, can change their settings,
    and hold and reset them; it raises the alerts of them. alert_manager: where there is no console, alerts go to this one
    (SmartAlertManager, or any with `send_alert` or `alert_critical_error`).

    Raises ConfigurationError naming the argument or the variable.
    """

    def __init__(self, alert_manager: Any = None, *, console: OpsConsole | None = None) -> None:
        self.alert_manager = alert_manager
        self._family = Family(alert_manager, console)
        self._lock = threading.RLock()
        self._breakers: dict[str, CircuitBreaker] = {}
        self._listeners: tuple[Listener, ...] = ()
        fork.follow(self)

    def create_breaker(
        self,
        name: str,
        config: CircuitConfig | None = None,
        *,
        fallback: Callable[..., Any] | None = None,
    ) -> CircuitBreaker:
        """The breaker of this name; made if there is none yet. name: 1 to 128 printable characters.

        fallback: called in place of what is rejected, with the same arguments. Raises ConfigurationError, also if the breaker exists
        with another config or fallback; what is left out is not compared.
        """
        check_name(name)
        with self._lock:
            known = self._breakers.get(name)
            if known is None:
                return self._make(name, config, fallback)
        if config is not None and config != known.own_config:
            raise ConfigurationError(
                f"config differs from that of the breaker {name!r}, which exists already"
            )
        if fallback is not None and fallback != known.fallback:
            raise ConfigurationError(
                f"fallback differs from that of the breaker {name!r}, which exists already"
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
            for breaker in self._breakers.values():
                breaker.add_listener(listener)
            self._listeners = (*self._listeners, listener)
        return listener

    def get_status(self) -> dict[str, dict[str, Any]]:
        """That of each breaker, by name."""
        return {breaker.name: breaker.get_status() for breaker in self.all()}

    @property
    def problem(self) -> str:
        """Why the console does not hear of the breakers now; empty if nothing is known to be wrong, or there is none."""
        link = self._family.link
        return "" if link is None else link.reporter.away

    def restart_in_child(self) -> None:
        """After a fork, in the child."""
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        return f"<CircuitBreakerManager of {len(self._breakers)} breakers>"

    def _make(
        self, name: str, config: CircuitConfig | None, fallback: Callable[..., Any] | None
    ) -> CircuitBreaker:
        breaker = CircuitBreaker(name, config, fallback=fallback)
        for listener in self._listeners:
            breaker.add_listener(listener)
        self._family.add(breaker.keeper)
        self._breakers[name] = breaker
        return breaker
