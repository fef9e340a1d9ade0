"""The console's own circuit breakers: one for each channel and chat that it tells, in each process that does.

They are reported as those of any process, but within it; commands of operators come with the answers.
"""

import asyncio
import atexit
import json
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from uuid import uuid4

from django.db import Error, connections
from opsclient import fork
from opsclient.breaker.guard import Guard
from opsclient.breaker.link import Link
from opsclient.breaker.probes import PROBES
from opsclient.circuit_breaker import CircuitBreaker, CircuitBreakerOpenError, CircuitConfig, CircuitState
from opsclient.errors import ConsoleUnreachable
from opsclient.transport import Answer

from alerts import guarding
from alerts.channels.base import SendFailed
from alerts.guarding import Held, Permit
from monitoring.breakers import services
from monitoring.breakers.reports import CONSOLE, InvalidReport, decode
from opsconsole.audit.actor import Actor
from opsconsole.live.companions import register_companion

ACTOR = Actor.system("console")
# How long the last report may take when the process ends.
LAST_S = 1.0


def _is_outage(error: Exception) -> bool:
    return isinstance(error, SendFailed) and error.is_outage


def _says_nothing(error: Exception) -> bool:
    """A fault of ours, or a message that cannot be sent as it is."""
    return not isinstance(error, SendFailed) or error.is_own


CONFIG = CircuitConfig(
    failure_threshold=5,
    success_threshold=1,
    timeout_seconds=15.0,
    timeout_multiplier=2.0,
    max_timeout_seconds=60.0,
    timeout_jitter=0.1,
    record_exceptions=(_is_outage,),
    ignore_exceptions=(_says_nothing,),
)


class OwnBreakers:
    """Of one process. Before `report` they work by themselves. Any thread may use them; fork-safe. `steady`: as CircuitBreaker's clock."""

    def __init__(self, steady: Callable[[], float] = time.monotonic) -> None:
        self._steady = steady
        self._lock = threading.Lock()
        self._breakers: dict[str, CircuitBreaker] = {}
        self._link: Link | None = None

    def guard(self, name: str, *, urgent: bool) -> Permit | Held:
        """As alerts.guarding asks."""
        breaker = self.get(name)
        in_doubt = breaker.state is not CircuitState.CLOSED
        block = breaker.guard()
        try:
            block.__enter__()
        except CircuitBreakerOpenError as error:
            if urgent and not error.forced:
                return _Urgent(breaker)
            return Held(name, error.since, error.retry_after, error.forced)
        return _Guarded(block, in_doubt=in_doubt)

    def get(self, name: str) -> CircuitBreaker:
        """The breaker of this name, made if there is none yet. Raises opsclient's ConfigurationError for what is no name."""
        found = self._breakers.get(name)
        if found is not None:
            return found
        with self._lock:
            found = self._breakers.get(name) or CircuitBreaker(name, CONFIG, clock=self._steady)
            self._breakers[name] = found
            if self._link is not None:
                self._link.attach(found.keeper)
        return found

    def report(self) -> None:
        """Tell the console of them from now on. A thread for it starts with the first of them."""
        with self._lock:
            if self._link is not None:
                return
            self._link = Link(_Inside(), name=CONSOLE, instance=uuid4().hex)
            for breaker in self._breakers.values():
                self._link.attach(breaker.keeper)
        fork.follow(self)
        atexit.register(self._link.close, LAST_S)

    def close(self, timeout: float = LAST_S) -> None:
        """Send what waits, and forget them all."""
        with self._lock:
            link, self._link, self._breakers = self._link, None, {}
        if link is not None:
            fork.forget(self)
            atexit.unregister(link.close)
            link.close(timeout)

    def restart_in_child(self) -> None:
        """After a fork, in the child."""
        self._lock = threading.Lock()
        if self._link is not None:
            self._link.restart_in_child(uuid4().hex)


class _Guarded:
    """A call that the breaker counts."""

    def __init__(self, block: Guard, *, in_doubt: bool) -> None:
        self._block = block
        self.in_doubt = in_doubt

    def ended(self, error: Exception | None) -> None:
        self._block.__exit__(None if error is None else type(error), error, None)


class _Urgent:
    """What is urgent is tried while the breaker is open, too. If it arrives, the breaker is closed: nobody need wait any more."""

    in_doubt = True

    def __init__(self, breaker: CircuitBreaker) -> None:
        self._breaker = breaker

    def ended(self, error: Exception | None) -> None:
        if error is None or CONFIG.counts(error) is False:
            self._breaker.reset()


class _Inside:
    """The console, for breakers in its own process: no HTTP."""

    def poster(self) -> "_Inside":
        return self

    def post(self, path: str, body: bytes) -> Answer:
        """As the API answers. Raises ConsoleUnreachable while the database is away."""
        try:
            return Answer(200, _probe(json.loads(body)) if path == PROBES else _take(body))
        except (InvalidReport, services.UnknownBreaker) as error:
            return Answer(400, {"error": {"message": str(error)}})
        except Error as error:
            raise ConsoleUnreachable(f"the database does not answer ({type(error).__name__})") from None
        finally:
            # Of this thread alone, which has nothing to ask for the next seconds.
            connections.close_all()

    def close(self) -> None:
        pass


def _take(body: bytes) -> dict[str, Any]:
    return asdict(services.take_report(actor=ACTOR, report=decode(body)))


def _probe(asked: dict[str, Any]) -> dict[str, Any]:
    return asdict(
        services.lease_probe(
            client=asked["name"],
            instance=asked["instance"],
            name=asked["breaker"],
            generation=asked["generation"],
        )
    )


breakers = OwnBreakers()


class InWeb:
    """Those of a web process, which are told of from its beginning to its end."""

    def start(self) -> None:
        breakers.report()

    async def stop(self) -> None:
        await asyncio.to_thread(breakers.close)


def register() -> None:
    """Have alerts ask them before each call. Called once, from `MonitoringConfig.ready()`."""
    register_companion(lambda _hub: InWeb())
    guarding.register(breakers.guard)
