"""Takes the batches to the console: one at a time, oldest first, each repeated under its id until it is answered."""

import logging
from datetime import UTC, datetime
from typing import Any

from opsclient import clock
from opsclient.errors import ConsoleUnreachable
from opsclient.metrics.batch import Batch, split
from opsclient.metrics.spool import Spool
from opsclient.senders import REFUSED_PAUSE_S, Backoff
from opsclient.transport import Answer, Endpoint, Poster
from opsclient.worker import Worker

logger = logging.getLogger("opsclient")

PUSH = "/monitoring/metrics/push"
HURRY_S = 0.5  # not even what is urgent makes the thread try more often while the console is away
LONGEST_PAUSE_S = 60.0
GIVE_UP_S = 24 * 3600.0  # for so long a console that refuses this process is asked again
MOST_FAILURES = 20  # times, and for how long, that the console may break (500) over one batch before the others go on without it
BREAKING_S = 600.0
MOST_FAULTS = 1_000  # different rejections that are remembered, to say each once


class Sender:
    """The thread that sends. `away` says why the console cannot take metrics now; empty while it can, as far as is known."""

    def __init__(self, endpoint: Endpoint, spool: Spool) -> None:
        self.away = self.last_error = self.last_sent_at = ""
        self.sent = self.rejected = self.given_up = 0
        self._spool = spool
        self._poster = Poster(endpoint)
        self._backoff = Backoff(first=0.1)
        self._refusals = Backoff(first=REFUSED_PAUSE_S, longest=LONGEST_PAUSE_S)
        self._refused_since: float | None = None
        self._breaking_since = 0.0
        self._due = self._tried = 0.0
        self._misses = 0
        self._said: set[tuple[str, str]] = set()
        self.worker = Worker("metrics-send", self._step)

    def hurry(self) -> None:
        """Look soon whether the console is there again."""
        self._due = min(self._due, self._tried + HURRY_S)
        self.worker.wake()

    def abandon(self) -> None:
        """In a forked child: close the child's copy of the connection."""
        self._poster.close()

    def _step(self) -> float | None:
        if (early := self._due - clock.now()) > 0:
            return early
        batch = self._spool.next()
        if batch is None:
            return None
        self._tried = clock.now()
        try:
            answer = self._poster.post(PUSH, batch.body)
        except ConsoleUnreachable as error:
            return self._missed(str(error))
        return self._read(batch, answer)

    def _read(self, batch: Batch, answer: Answer) -> float:
        if answer.ok and isinstance(answer.data.get("accepted"), int):
            return self._taken(batch, answer.data)
        if answer.ok:
            return self._missed("the answer is not that of an opsconsole")
        if answer.status == 400 and _is_ahead(batch, answer):
            # Not lost: the console takes it when its own clock has come so far.
            return self._refused(f"this machine's clock is not the console's ({_why(answer)})")
        if answer.status in (400, 422):
            return self._unusable(batch, f"the console can use nothing of it ({_why(answer)})")
        if answer.status == 413:
            return self._too_large(batch, answer)
        if answer.status == 500 and self._broke(batch):
            return self._unusable(batch, "the console fails on it each time (500)")
        if answer.status in (408, 429) or answer.status >= 500:
            return self._missed(f"the console cannot take them now ({answer.text})")
        return self._refused(f"the console refuses this process ({answer.text})")

    def _taken(self, batch: Batch, data: dict[str, Any]) -> float:
        self.sent += 1
        self.last_sent_at = clock.utc_text()
        for row in data.get("rejected") or ():
            self.rejected += 1
            self._say_rejected(row)
        return self._over(batch)

    def _say_rejected(self, row: Any) -> None:
        fault = (str(row.get("name")), str(row.get("error"))) if isinstance(row, dict) else ("", str(row))
        self.last_error = f"{fault[0]}: {fault[1]}"[:500]
        if fault not in self._said and len(self._said) < MOST_FAULTS:
            self._said.add(fault)
            logger.error("the console does not take %s: %s", *fault)

    def _over(self, batch: Batch) -> float:
        """The console has answered for this one."""
        if self.away:
            logger.warning("the console takes metrics again")
        self.away, self._misses, self._refused_since = "", 0, None
        self._backoff.reset()
        self._refusals.reset()
        self._spool.remove(batch)
        return 0.0

    def _unusable(self, batch: Batch, why: str) -> float:
        self.given_up += 1
        self.last_error = why
        if ("", why) not in self._said and len(self._said) < MOST_FAULTS:
            self._said.add(("", why))
            logger.error("a batch of metrics from %s is given up: %s", batch.sent_at, why)
        return self._over(batch)

    def _too_large(self, batch: Batch, answer: Answer) -> float:
        parts = split(batch)
        if not parts:
            return self._unusable(batch, f"one series alone is too large for the console ({answer.text})")
        self._spool.replace(batch, parts)
        return 0.0

    def _broke(self, batch: Batch) -> bool:
        """Whether it breaks over this very batch again and again, and the others must go on."""
        if batch.failures == 0:
            self._breaking_since = clock.now()
        batch.failures += 1
        return batch.failures >= MOST_FAILURES and clock.now() - self._breaking_since >= BREAKING_S

    def _missed(self, why: str) -> float:
        """Once is no absence."""
        self._misses += 1
        pause = self._backoff.pause()
        if self._misses == 1:
            self.last_error, self._due = why, clock.now() + pause
            return pause
        return self._rest(why, pause)

    def _refused(self, why: str) -> float:
        now = clock.now()
        if self._refused_since is None:
            self._refused_since = now
        if now - self._refused_since >= GIVE_UP_S:
            number = self._spool.clear()
            self.given_up += number
            logger.error("%d batches of metrics are given up: %s", number, why)
            self._refused_since = now
        return self._rest(why, self._refusals.pause())

    def _rest(self, why: str, pause: float) -> float:
        """The console does not take metrics now: say so once, and look again later."""
        if not self.away:
            logger.warning("metrics wait for the console: %s", why)
        self.away = self.last_error = why
        self._due = clock.now() + pause
        return pause


def _is_ahead(batch: Batch, answer: Answer) -> bool:
    """Whether the console finds fault with the time of a batch that is new."""
    try:
        age = datetime.now(UTC) - datetime.fromisoformat(batch.sent_at)
    except (ValueError, TypeError):
        return False
    return "sent_at" in _details(answer) and age.total_seconds() < GIVE_UP_S


def _details(answer: Answer) -> dict[str, Any]:
    error = answer.data.get("error")
    details = error.get("details") if isinstance(error, dict) else None
    return details if isinstance(details, dict) else {}


def _why(answer: Answer) -> str:
    """The API's words, with what it says of each field or series."""
    said = [f"{field}: {text}" for field, text in _details(answer).items()]
    return "; ".join([answer.text, *said])[:500]
