"""Asks the console whether this process may try a shared breaker for all. Never in a guarded call."""

import json
import logging
from collections.abc import Mapping
from queue import Empty, SimpleQueue

from opsclient.breaker.door import Door
from opsclient.breaker.holds import ASK_AGAIN_S, Lease
from opsclient.breaker.keeper import Keeper
from opsclient.errors import ConsoleUnreachable
from opsclient.transport import Answer
from opsclient.worker import Worker

logger = logging.getLogger("opsclient")

PROBES = "/monitoring/circuit-breaker-probes"
LONGEST_TERM_S = 3600.0


class Prober:
    """Its thread starts with the first question. While there is no answer, the breakers try by themselves."""

    def __init__(self, endpoint: Door, identity: Mapping[str, str]) -> None:
        self._identity = identity
        self._poster = endpoint.poster()
        self._asked: SimpleQueue[tuple[Keeper, int]] = SimpleQueue()
        self.worker = Worker("breakers-probe", self._step)

    def ask(self, keeper: Keeper, generation: int) -> None:
        """Never waits."""
        self._asked.put((keeper, generation))
        self.worker.start()
        self.worker.wake()

    def abandon(self) -> None:
        """In a forked child: close the child's copy of the connection."""
        self._poster.close()

    def _step(self) -> None:
        while True:
            try:
                keeper, generation = self._asked.get_nowait()
            except Empty:
                return
            self._ask(keeper, generation)

    def _ask(self, keeper: Keeper, generation: int) -> None:
        asked_at = keeper.clock()  # before the question: a term is never longer here than there
        question = {**self._identity, "breaker": keeper.name, "generation": generation}
        try:
            answer = self._poster.post(PROBES, json.dumps(question).encode())
        except ConsoleUnreachable as error:
            logger.info("circuit breaker %s: nobody can be asked for a probe: %s", keeper.name, error)
            return
        lease = _lease(answer, asked_at)
        if lease is not None:
            keeper.steer(lambda machine, now: machine.grant(generation, lease, now))
        elif answer.ok and answer.data.get("granted") is False:
            pause = _seconds(answer.data.get("retry_s"), ASK_AGAIN_S)
            keeper.hold_back(pause)
        else:
            logger.info("circuit breaker %s: no answer on a probe (%s)", keeper.name, answer.text)


def _lease(answer: Answer, asked_at: float) -> Lease | None:
    permits = answer.data.get("permits")
    if not answer.ok or answer.data.get("granted") is not True:
        return None
    if isinstance(permits, bool) or not isinstance(permits, int) or permits < 1:
        return None
    return Lease(permits, asked_at + _seconds(answer.data.get("term_s"), 0.0))


def _seconds(value: object, instead: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LONGEST_TERM_S:
        return instead
    return float(value)
