"""The circuit breaker."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from opsclient.breaker.calls import Calls
from opsclient.breaker.choices import CircuitState
from opsclient.breaker.config import CircuitConfig, seconds
from opsclient.breaker.guard import Guard, enter_block, leave_block
from opsclient.breaker.keeper import Keeper, Listener
from opsclient.errors import ConfigurationError

LONGEST_NAME = 128


class CircuitBreaker(Calls):
    """Guards the calls to one service: when too many of them fail or are slow, it rejects them for a while, at once.

        breaker = CircuitBreaker("yahoo_finance", CircuitConfig(failure_threshold=5, timeout_seconds=60))
        price = await breaker.call(fetch_price, "AAPL")

    name: 1 to 128 printable characters. fallback: called in place of what is rejected, with the same arguments. clock: a monotonic one,
    in seconds, for tests. Breakers that a console shall know are made by CircuitBreakerManager. Any thread and any task may use it;
    nothing is locked while the guarded call runs. Raises ConfigurationError naming the argument.
    """

    def __init__(
        self,
        name: str,
        config: CircuitConfig | None = None,
        *,
        fallback: Callable[..., Any] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        config = CircuitConfig() if config is None else config
        if not isinstance(config, CircuitConfig):
            raise ConfigurationError(f"config must be a CircuitConfig, not {config!r:.80}")
        super().__init__(Keeper(check_name(name), config, clock), deadline=None, fallback=fallback)

    @property
    def name(self) -> str:
        """As given."""
        return self._keeper.name

    @property
    def config(self) -> CircuitConfig:
        """The settings in force: its own, or those that the console has set."""
        return self._keeper.machine.config

    @property
    def own_config(self) -> CircuitConfig:
        """The settings that the code has given."""
        return self._keeper.own_config

    @property
    def state(self) -> CircuitState:
        """CLOSED, OPEN or HALF_OPEN. It leaves OPEN with the first call after its time is over, not before."""
        return self._keeper.machine.state

    @property
    def forced(self) -> CircuitState | None:
        """The state in which an operator holds it, or None."""
        return self._keeper.machine.forced

    @property
    def fallback(self) -> Callable[..., Any] | None:
        """What is called in place of what is rejected."""
        return self._fallback

    @property
    def keeper(self) -> Keeper:
        """What keeps the state; for other parts of this package."""
        return self._keeper

    def using(
        self, *, deadline_seconds: float | None = None, fallback: Callable[..., Any] | None = None
    ) -> Calls:
        """The same breaker, with other options for some calls: `await breaker.using(deadline_seconds=2).call(f)`.

        What is left out stays as it is. Raises ConfigurationError.
        """
        deadline = None if deadline_seconds is None else seconds("deadline_seconds", deadline_seconds)
        return Calls(self._keeper, deadline=deadline, fallback=fallback or self._fallback)

    def add_listener(self, listener: Listener) -> Listener:
        """Call `listener(transition)` after each change of state, in the thread that caused it; an exception in it is logged.

        It holds up the call that caused the change, so it should be quick.
        """
        self._keeper.listen(listener)
        return listener

    def reset(self) -> None:
        """Close it now, with empty windows, in this process. What an operator holds open stays open."""
        self._keeper.steer(lambda machine, now: machine.reset(now))

    def get_status(self) -> dict[str, Any]:
        """How it stands: `name`, `state`, `forced`, `state_s`, `retry_after_s` (None unless OPEN), `generation`, `counts`, `window`
        (`calls`, `failure_rate` and `slow_rate` in percent, None below the minimum of calls), `last_failure` (`type`, `text`, `ago_s`;
        or None), `config`, `own_config`."""
        return self._keeper.status()

    def __enter__(self) -> Guard:
        """`with breaker: …`, as `with breaker.guard(): …`. In generators, which may be left in another order, use the latter."""
        guard = self.guard().__enter__()
        enter_block(self._keeper, guard)
        return guard

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        guard = leave_block(self._keeper)
        if guard is not None:
            guard.__exit__(kind, error, trace)

    async def __aenter__(self) -> Guard:
        guard = await self.guard().__aenter__()
        enter_block(self._keeper, guard)
        return guard

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        guard = leave_block(self._keeper)
        if guard is not None:
            await guard.__aexit__(kind, error, trace)

    def __repr__(self) -> str:
        return f"<CircuitBreaker {self.name!r} {self.state}>"


def check_name(name: object) -> str:
    """The name, if it is one. Raises ConfigurationError."""
    if not isinstance(name, str) or not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise ConfigurationError(
            f"name must have 1 to {LONGEST_NAME} printable characters, not {name!r:.160}"
        )
    if name != name.strip():
        raise ConfigurationError(f"name must not begin or end with a space, as {name!r} does")
    return name
