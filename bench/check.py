"""What the question before each order costs: `is_trading_allowed()` against its floor and against two
feature-flag clients.

`python -m bench.check` prints nanoseconds a call as JSON. All four are measured in turn in every round, so
that a busy moment of the machine meets all of them; the figure is the median over the rounds.

The floor is what no check can do without: one attribute, one monotonic clock, one comparison.
"""

import json
import os
import statistics
import time
import timeit
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ldclient import Context
from ldclient.client import LDClient
from ldclient.config import Config
from ldclient.integrations.test_data import TestData
from opsclient import KillSwitch, OpsConsole
from UnleashClient import UnleashClient  # type: ignore[attr-defined]  # its package does not say what it exports
from UnleashClient.cache import FileCache

ROUNDS = 31
FLAG = "trading"


class Floor:
    """The cheapest check that can still expire."""

    def __init__(self) -> None:
        self.deadline = time.monotonic() + 3600

    def is_trading_allowed(self, clock: Callable[[], float] = time.monotonic) -> bool:
        return self.deadline > clock()


@contextmanager
def kill_switch() -> Iterator[Callable[[], bool]]:
    """Follows the console that the environment names, with a real lease."""
    with OpsConsole(
        os.environ["OPSCLIENT_URL"], token=os.environ["OPSCLIENT_TOKEN"], name="check"
    ) as console:
        found = KillSwitch(console=console)
        if not console.wait_until_live(20):
            raise RuntimeError("the console gave no lease")
        yield found.is_trading_allowed


@contextmanager
def unleash() -> Iterator[Callable[[], bool]]:
    """A flag that is simply on, from a bootstrap: no server is asked, neither before nor during the
    measurement.
    """
    cache = FileCache("bench")
    flag = {"name": FLAG, "enabled": True, "strategies": [{"name": "default", "parameters": {}}]}
    cache.bootstrap_from_dict({"version": 1, "features": [flag]})
    client = UnleashClient(
        "http://127.0.0.1:1/api",
        "bench",
        cache=cache,
        disable_metrics=True,
        disable_registration=True,
    )
    client.initialize_client(fetch_toggles=False)
    try:
        yield lambda: client.is_enabled(FLAG)
    finally:
        client.destroy()


@contextmanager
def launchdarkly() -> Iterator[Callable[[], bool]]:
    """The vendor's own test data: a boolean flag that is on for everybody; events off, its faster setting."""
    data = TestData.data_source()
    data.update(data.flag(FLAG).variation_for_all(True))
    client = LDClient(Config("bench", update_processor_class=data, send_events=False))
    context = Context.create("trader")
    try:
        yield lambda: bool(client.variation(FLAG, context, False))
    finally:
        client.close()  # type: ignore[no-untyped-call]  # not annotated there


def cost(check: Callable[[], Any], calls: int) -> float:
    """Nanoseconds a call."""
    return timeit.timeit("check()", globals={"check": check}, number=calls) / calls * 1e9


def measure(rounds: int = ROUNDS) -> dict[str, float]:
    """The median nanoseconds a call of each. Raises RuntimeError if one of them does not say yes."""
    with kill_switch() as ours, unleash() as theirs, launchdarkly() as others:
        calls: dict[str, tuple[Callable[[], bool], int]] = {
            "floor": (Floor().is_trading_allowed, 50_000),
            "is_trading_allowed": (ours, 50_000),
            "UnleashClient": (theirs, 500),
            "LaunchDarkly": (others, 500),
        }
        for name, (check, _) in calls.items():
            if check() is not True:
                raise RuntimeError(f"{name} does not say yes: it would be measured in the wrong state")
        found: dict[str, list[float]] = {name: [] for name in calls}
        for _ in range(rounds):
            for name, (check, number) in calls.items():
                found[name].append(cost(check, number))
            if not ours():
                raise RuntimeError("the lease was lost during the measurement")
    return {name: statistics.median(costs) for name, costs in found.items()}


if __name__ == "__main__":
    print(json.dumps(measure()))
