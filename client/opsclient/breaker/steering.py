"""How the console's word takes effect on a breaker."""

import logging
from dataclasses import replace

from opsclient import clock
from opsclient.breaker.keeper import Keeper
from opsclient.breaker.permits import Event
from opsclient.breaker.steered import SteeredMachine
from opsclient.breaker.wire import Row
from opsclient.errors import ConfigurationError

logger = logging.getLogger("opsclient")


def apply(keeper: Keeper, row: Row, *, reset: bool) -> None:
    """Put a row in force. Settings that cannot be used are logged, and the others stay."""
    try:
        config = keeper.own_config.tuned(row.config)
    except (ConfigurationError, TypeError) as error:
        logger.error("circuit breaker %s: the console's settings cannot be used: %s", keeper.name, error)
        config = keeper.machine.config

    def change(machine: SteeredMachine, now: float) -> list[Event]:
        by = now - clock.now()  # from the clock of holds to that of the breaker
        hold = row.hold and replace(row.hold, until=row.hold.until + by)
        shared = row.shared and replace(row.shared, until=row.shared.until + by)
        if config != machine.config:
            machine.retune(config, now)
        events = machine.reset(now) if reset else []
        events += machine.set_shared(shared, now)
        events += machine.set_hold(hold, now)
        return events

    keeper.steer(change)
