"""Breakers by name: those that there are, and new ones, up to a bound."""

import logging
from collections.abc import Iterable
from datetime import datetime

from monitoring.breakers.models import CircuitBreaker
from monitoring.breakers.selectors import nearest

log = logging.getLogger(__name__)

MOST_BREAKERS = 2000


class UnknownBreaker(Exception):
    """No process has ever reported a breaker of this name. `nearest`: names like it."""

    def __init__(self, name: str) -> None:
        super().__init__(f"No process has reported a circuit breaker named {name!r}.")
        self.name = name
        self.nearest = nearest(name)


def locked(name: str) -> CircuitBreaker:
    """Its row, after the version's lock. Raises UnknownBreaker."""
    found = CircuitBreaker.objects.select_for_update(no_key=True).filter(name=name).first()
    if found is None:
        raise UnknownBreaker(name)
    return found


def known_or_new(names: Iterable[str], *, now: datetime) -> tuple[dict[str, CircuitBreaker], list[str]]:
    """By name; and those that are not kept, since there are too many."""
    wanted = list(dict.fromkeys(names))
    known = CircuitBreaker.objects.in_bulk(wanted, field_name="name")
    new = [name for name in wanted if name not in known]
    if not new:
        return known, []
    room = max(0, MOST_BREAKERS - CircuitBreaker.objects.count())
    fitting, ignored = new[:room], new[room:]
    if ignored:
        log.warning(
            "There are %d circuit breakers; new ones are not kept, such as %r", MOST_BREAKERS, ignored[0]
        )
    # Another process may report the same ones at this moment, in whatever order.
    CircuitBreaker.objects.bulk_create(
        (CircuitBreaker(name=name, first_seen=now) for name in sorted(fitting)), ignore_conflicts=True
    )
    return known | CircuitBreaker.objects.in_bulk(fitting, field_name="name"), ignored
