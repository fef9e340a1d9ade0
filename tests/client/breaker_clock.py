"""A breaker with a clock that the test moves, and short words for what its calls do."""

from collections.abc import Callable
from typing import Any

import pytest
from opsclient.breaker.permits import Event
from opsclient.breaker.steered import SteeredMachine
from opsclient.circuit_breaker import CircuitBreaker, CircuitBreakerOpenError, CircuitConfig, Transition


class Timed:
    """`good`, `bad` and `ends` are whole calls, which take `seconds`."""

    def __init__(self, config: CircuitConfig | None = None, **fields: Any) -> None:
        self.now = 1000.0
        self.breaker = CircuitBreaker("b", config or CircuitConfig(**fields), clock=lambda: self.now)
        self.told: list[Transition] = []
        self.breaker.add_listener(self.told.append)

    @property
    def state(self) -> str:
        return str(self.breaker.state)

    @property
    def counts(self) -> dict[str, int]:
        counts: dict[str, int] = self.breaker.get_status()["counts"]
        return counts

    @property
    def why(self) -> list[str]:
        return [str(transition.why) for transition in self.told]

    def good(self, times: int = 1, *, seconds: float = 0.0) -> None:
        for _ in range(times):
            self.breaker.call_sync(self._work, seconds, None)

    def ends(self, error: BaseException, *, seconds: float = 0.0) -> None:
        with pytest.raises(type(error)) as raised:
            self.breaker.call_sync(self._work, seconds, error)
        assert raised.value is error

    def bad(self, times: int = 1, *, seconds: float = 0.0) -> None:
        for _ in range(times):
            self.ends(ValueError("no"), seconds=seconds)

    def rejects(self) -> CircuitBreakerOpenError:
        with pytest.raises(CircuitBreakerOpenError) as rejected:
            self.good()
        return rejected.value

    def steer(self, change: Callable[[SteeredMachine, float], list[Event] | None]) -> None:
        self.breaker.keeper.steer(lambda machine, now: change(machine, now) or [])

    def _work(self, seconds: float, error: BaseException | None) -> None:
        self.now += seconds
        if error is not None:
            raise error
