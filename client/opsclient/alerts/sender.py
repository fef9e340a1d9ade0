"""Takes the queue to the console: one request at a time, oldest first, each repeated under its key until it is answered."""

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from opsclient import clock
from opsclient.alerts import kinds
from opsclient.alerts.choices import AlertDecision
from opsclient.alerts.entry import Entry, Queue
from opsclient.alerts.result import AlertResult, decided
from opsclient.errors import ConsoleUnreachable
from opsclient.senders import REFUSED_PAUSE_S, Backoff
from opsclient.transport import Answer, Endpoint, Poster
from opsclient.worker import Worker

logger = logging.getLogger("opsclient")

# One alert in the console's answer; None: it was rejected.
Result = dict[str, Any] | None

ALERTS = "/monitoring/alerts"
HURRY_S = 0.5  # not even what is urgent makes the thread look more often
IN_PROGRESS_PAUSE_S = 1.0
MOST_FAILURES = 20  # times that the console may break (500) over one alert before the others go on without it


class Sender:
    """The thread that sends. `away` says why the console cannot take alerts now; empty while it can, as far as is known."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        queue: Queue,
        client: str,
        before_parcel: Callable[[Sequence[Entry]], None],
        changed: Callable[[], None],
        go_direct: Callable[[Entry], bool],
    ) -> None:
        self.away = ""
        self._queue, self._client = queue, client
        self._before_parcel, self._changed, self._go_direct = before_parcel, changed, go_direct
        self._clean = endpoint.clean
        self._poster = Poster(endpoint)
        self._backoff = Backoff(first=0.1)
        self._due = self._tried = 0.0
        self._misses = 0
        self.worker = Worker("alerts-send", self._step)

    def hurry(self) -> None:
        """Somebody must come: look at once whether the console is there again."""
        self._due = min(self._due, self._tried + HURRY_S)
        self.worker.wake()

    def abandon(self) -> None:
        """In a forked child: close the child's copy of the connection."""
        self._poster.close()

    def _step(self) -> float | None:
        if (early := self._due - clock.now()) > 0:
            return early
        parcel = self._queue.parcel()
        if not parcel:
            return self._tell_losses()
        if len(parcel) > 1:
            self._before_parcel(parcel)
        self._tried = clock.now()
        try:
            answer = self._poster.send("POST", ALERTS, _body(parcel), key=parcel[0].parcel)
        except ConsoleUnreachable as error:
            return self._missed(str(error))
        return self._read(parcel, answer)

    def _read(self, parcel: list[Entry], answer: Answer) -> float | None:
        if answer.ok:
            self._taken(parcel, answer)
            return 0.0
        if answer.status in (400, 413) or (answer.status == 422 and not _is_known(answer)):
            self._unreadable(parcel, answer)
            return 0.0
        if (
            answer.status == 422
        ):  # the first try has arrived, with other words (such as without "sent directly")
            self._over(parcel, [{}] * len(parcel))
            return 0.0
        if answer.status == 409:
            return self._rest("the console is still at it", IN_PROGRESS_PAUSE_S)
        if answer.status == 500 and self._broke(parcel):
            return 0.0
        if answer.status == 429 or answer.status >= 500:
            return self._missed(f"the console cannot take it now ({answer.text})")
        return self._rest(f"the console refused it ({answer.text})", REFUSED_PAUSE_S)

    def _taken(self, parcel: list[Entry], answer: Answer) -> None:
        results = _results(answer.data, len(parcel))
        if results is None:
            logger.error("the console's answer to %d alerts cannot be read; they count as taken", len(parcel))
            results = [{}] * len(parcel)
        self._over(parcel, results)

    def _over(self, parcel: list[Entry], results: Sequence[Result]) -> None:
        if self.away:
            logger.warning("the console takes alerts again")
        self.away, self._misses = "", 0
        self._backoff.reset()
        self._queue.remove(
            [entry for entry, result in zip(parcel, results, strict=True) if result is not None]
        )
        for entry, result in zip(parcel, results, strict=True):
            if result is None:
                self._queue.split([entry])  # alone it is refused with the reason
            else:
                entry.answer(decided(entry.alert, result, sent_directly=entry.sent_directly))
        self._changed()

    def _unreadable(self, parcel: list[Entry], answer: Answer) -> None:
        """None was taken: each goes alone. A bad one alone goes without its time if that is what is wrong, or is given up."""
        if len(parcel) > 1:
            self._queue.split(parcel)
        elif "occurred_at" in _why(answer) and parcel[0].alert.occurred_at:
            logger.warning(
                "the console does not take the time of an alert, which goes without it: %s", _why(answer)
            )
            parcel[0].alert = replace(parcel[0].alert, occurred_at="")
        else:
            self._refuse(parcel[0], _why(answer))
        self._changed()

    def _refuse(self, entry: Entry, why: str) -> None:
        logger.error("the console will not take the alert %r: %s", entry.alert.title[:80], why)
        entry.kept = False
        self._queue.remove([entry], lost=entry.counts)
        if not self._go_direct(entry):
            reason = f"the console refused what it says ({why})"
            entry.answer(AlertResult(AlertDecision.REFUSED, reason, entry.alert))

    def _broke(self, parcel: list[Entry]) -> bool:
        """Whether something was given up: the console breaks over it again and again, and the others must go on."""
        for entry in parcel:
            entry.failures += 1
        if parcel[0].failures < MOST_FAILURES:
            return False
        self._refuse(parcel[0], "the console fails on it each time (500)")
        return True

    def _missed(self, why: str) -> float:
        """Once is no absence: the next try may come before anybody has to be told."""
        self._misses += 1
        pause = self._backoff.pause()
        if self._misses == 1:
            self._due = clock.now() + pause
            return pause
        return self._rest(why, pause)

    def _rest(self, why: str, pause: float) -> float:
        """The console does not take alerts now: say so to whoever waits, and look again later."""
        if not self.away:
            logger.warning("alerts wait for the console: %s", why)
        self.away = why
        self._due = clock.now() + pause
        for entry in self._queue.entries():
            if not self._go_direct(entry):
                entry.answer(entry.waiting(why))
        return pause

    def _tell_losses(self) -> float | None:
        lost = self._queue.losses()
        if self.away or not lost:
            return None
        self._queue.take_losses()
        self._queue.add(Entry(kinds.loss(self._client, lost), counts=False))
        self._changed()
        return 0.0


def _body(parcel: Sequence[Entry]) -> bytes:
    alerts = [
        {**entry.alert.body(), **({"sent_directly": True} if entry.sent_directly else {})} for entry in parcel
    ]
    return json.dumps({"alerts": alerts}).encode()


def _why(answer: Answer) -> str:
    """The API's words, with what it says of each field."""
    error = answer.data.get("error")
    details = error.get("details") if isinstance(error, dict) else None
    said = [str(text) for text in details.values()] if isinstance(details, dict) else []
    return "; ".join([answer.text, *said])[:500]


def _is_known(answer: Answer) -> bool:
    error = answer.data.get("error")
    return isinstance(error, dict) and error.get("code") == "key_reused"


def _results(data: dict[str, Any], number: int) -> list[Result] | None:
    """What became of each: from `accepted` and `rejected`, each with its `index`; None if the answer leaves one out."""
    accepted, rejected = data.get("accepted"), data.get("rejected", [])
    if not isinstance(accepted, list) or not isinstance(rejected, list):
        return None
    by_index: dict[object, Result] = {}
    for rows, was_taken in ((accepted, True), (rejected, False)):
        for row in rows:
            if isinstance(row, dict):
                by_index[row.get("index")] = row if was_taken else None
    if any(index not in by_index for index in range(number)):
        return None
    return [by_index[index] for index in range(number)]
