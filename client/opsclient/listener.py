"""Follows the console's stream in a thread of its own, and turns it into leases and snapshots (docs/protocol.md)."""

import http.client
import json
import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from opsclient import clock
from opsclient.errors import ProtocolError
from opsclient.gate import Gate
from opsclient.lease import LeaseAnchor
from opsclient.senders import Backoff
from opsclient.snapshot import Snapshot, integer, number, parse
from opsclient.sse import EventParser
from opsclient.transport import Endpoint, shut
from opsclient.worker import Worker

logger = logging.getLogger("opsclient")

STREAM = "/monitoring/stream"
PROTOCOL = 1
RECONNECT_S = 300.0  # bounds what the allowance for drift costs
GOOD_CONNECTION_S = 1.0  # one that has granted leases for this long begins the pauses anew
DEAD_LEASES = 8  # so many in a row that have run out on arrival: another connection may do better


class Contact(StrEnum):
    """How things stand with the console."""

    LOCAL = "local"  # there is no console
    CONNECTING = "connecting"
    LIVE = "live"
    NO_LEASE = "no_lease"  # connected, and the console grants nothing: it cannot read its database
    BEHIND = "behind"  # the console's epoch is older than what this process has applied
    LOST = "lost"
    REFUSED = "refused"  # 401 or 403
    WRONG_URL = "wrong_url"  # something answers that is no opsconsole
    CLOSED = "closed"


class _Ended(Exception):
    """The connection is over; `contact` and the text say why, `refused` asks for long pauses."""

    def __init__(self, contact: Contact, text: str, *, refused: bool = False) -> None:
        super().__init__(text)
        self.contact = contact
        self.refused = refused


@dataclass(slots=True)
class _Session:
    """One connection: its anchor in time, how long it may be silent, and until when it is kept.

    The time from `c0` to the answer is lost to every lease of the connection. So one that was answered slowly is soon
    replaced, in the hope of a quicker answer; the lease held goes on counting meanwhile.
    """

    c0: float
    ends: float
    anchor: LeaseAnchor | None = None
    silence: float = 5.0
    heard: float = 0.0
    dead_leases: int = 0
    granted_at: float | None = None


class Listener:
    """Keeps `gate` supplied with leases. `on_state` is called for each snapshot and must put it in force itself.

    `on_state` returns False if the snapshot was behind. `on_hello` receives the client's id of each new connection. `on_breakers` gets
    the words of that event, the connection's anchor and the time; it must not wait.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        gate: Gate,
        identity: list[tuple[str, str]],
        on_state: Callable[[Snapshot], bool],
        on_hello: Callable[[int], None],
        on_breakers: Callable[[str, LeaseAnchor, float], None],
    ) -> None:
        self._endpoint = endpoint
        self._gate = gate
        self._path = f"{endpoint.base_path}{STREAM}?{urlencode(identity)}"
        self._on_state = on_state
        self._on_hello = on_hello
        self._on_breakers = on_breakers
        self._backoff = Backoff()
        self._slow_backoff = Backoff(first=0.5, longest=30.0)
        self._replace_backoff = Backoff(first=1.0, longest=RECONNECT_S)
        self._session = _Session(c0=0.0, ends=0.0)
        self._connection: http.client.HTTPConnection | None = None
        self.contact = Contact.CONNECTING
        self.problem = ""
        self.worker = Worker("listener", self._follow)

    def stop(self, timeout: float) -> None:
        """End the connection and the thread."""
        self.worker.stopping = True
        if self._connection is not None:
            shut(self._connection)
        self.worker.stop(timeout)
        self.contact = Contact.CLOSED

    def abandon(self) -> None:
        """In a forked child: close the child's copy of the socket; the parent goes on with its own."""
        if self._connection is not None and self._connection.sock is not None:
            self._connection.sock.close()

    def _follow(self) -> float:
        try:
            self._connect_and_read()
            return 0.0  # the planned reconnect
        except _Ended as ended:
            contact, text, refused = ended.contact, str(ended), ended.refused
        except (ProtocolError, ValueError) as error:
            contact, text, refused = Contact.LOST, str(error), False
        except TimeoutError:
            contact, text, refused = Contact.LOST, "the console is silent", False
        except (OSError, http.client.HTTPException) as error:
            contact, text, refused = Contact.LOST, str(error) or type(error).__name__, False
        if self.worker.stopping:
            return 0.0
        self._note(contact, self._endpoint.clean(text))
        granted_at = self._session.granted_at
        if granted_at is not None and clock.now() - granted_at > GOOD_CONNECTION_S:
            self._backoff.reset()
        if not refused:
            self._slow_backoff.reset()
        return (self._slow_backoff if refused else self._backoff).pause()

    def _connect_and_read(self) -> None:
        self._connection = connection = self._endpoint.connect()
        try:
            headers = self._endpoint.headers(Accept="text/event-stream", Cache_Control="no-cache")
            lifetime = RECONNECT_S * random.uniform(0.8, 1.0)  # noqa: S311  # spreads the load, no secret
            c0 = clock.now()  # before the request: the bound rests on this order
            self._session = session = _Session(c0=c0, ends=c0 + lifetime)
            connection.request("GET", self._path, headers=headers)
            # getresponse() gives the socket away if the server means to close: keep it, to time the reads.
            sock = connection.sock
            response = connection.getresponse()
            _check(response)
            parser = EventParser()
            session.heard = clock.now()
            while not self.worker.stopping and clock.now() < session.ends:
                chunk = response.read1(65536)
                if not chunk:
                    raise _Ended(Contact.LOST, "the stream ended")
                for name, data in parser.feed(chunk):
                    self._event(session, name, data)
                    session.heard = clock.now()
                    sock.settimeout(session.silence)
                if b"\n:" in chunk or chunk[:1] == b":":
                    session.heard = clock.now()
                if clock.now() - session.heard > session.silence:
                    raise TimeoutError
        finally:
            self._connection = None
            connection.close()

    def _event(self, session: _Session, name: str, text: str) -> None:
        received = clock.now()
        if name == "breakers" and session.anchor is not None:
            self._breakers(text, session.anchor, received)
            return
        if name not in ("hello", "state", "lease", "nolease", "bye"):
            return
        data = json.loads(text)
        if not isinstance(data, Mapping):
            raise ProtocolError(f"the data of {name!r} must be an object")
        if name == "hello":
            self._hello(session, data, received)
        elif name == "bye":
            raise _Ended(Contact.LOST, f"the console says goodbye: {data.get('why')!s:.100}")
        elif session.anchor is None:
            raise ProtocolError(f"{name!r} came before 'hello'")
        elif name == "state":
            self._state(parse(data))
        elif name == "lease":
            self._lease(session, session.anchor, data, received)
        else:
            self._note(Contact.NO_LEASE, f"the console grants no lease: {data.get('why')!s:.100}")

    def _breakers(self, text: str, anchor: LeaseAnchor, received: float) -> None:
        """It is read elsewhere. Whatever is wrong with it, this stream goes on."""
        try:
            self._on_breakers(text, anchor, received)
        except Exception:
            logger.exception("the console's word on circuit breakers is lost")

    def _hello(self, session: _Session, data: Mapping[str, Any], received: float) -> None:
        if integer(data, "protocol") != PROTOCOL:
            raise _Ended(
                Contact.WRONG_URL,
                f"the console speaks protocol {data['protocol']}, not {PROTOCOL}",
                refused=True,
            )
        if session.anchor is not None:
            raise ProtocolError("'hello' came twice: the time of the first connection must not change")
        session.anchor = LeaseAnchor(c0=session.c0, s0=number(data, "s"))
        term = number(data, "term")
        session.silence = min(60.0, max(term, 3 * number(data, "renew"), 0.2))
        lost = received - session.c0
        if lost > term / 2:
            text = f"the console took {lost:.2f} s to answer, which leaves too little of a lease of {term} s"
            raise _Ended(Contact.LOST, text)
        if lost > term / 4:
            session.ends = min(session.ends, received + self._replace_backoff.pause())
        else:
            self._replace_backoff.reset()
        self._on_hello(integer(data, "client_id"))

    def _state(self, snapshot: Snapshot) -> None:
        if not self._on_state(snapshot):
            applied = self._gate.snapshot.epoch
            self._note(
                Contact.BEHIND,
                f"the console's epoch {snapshot.epoch} is behind {applied}, which this process has applied: its leases "
                "are refused until it catches up, or this process is started anew",
            )

    def _lease(
        self, session: _Session, anchor: LeaseAnchor, data: Mapping[str, Any], received: float
    ) -> None:
        until = anchor.deadline(s=number(data, "s"), term=number(data, "term"), received=received)
        if not self._gate.extend(epoch=integer(data, "epoch"), until=until):
            return
        if until > received:
            session.dead_leases = 0
            session.granted_at = session.granted_at or received
            self._note(Contact.LIVE, "")
            return
        session.dead_leases += 1
        if session.dead_leases >= DEAD_LEASES:
            raise _Ended(Contact.LOST, "the leases of this connection have run out when they arrive")

    def _note(self, contact: Contact, problem: str) -> None:
        """Say it once in the log when it changes, and keep it for the status."""
        changed = contact is not self.contact
        self.contact, self.problem = contact, problem
        if not changed:
            return
        if contact is Contact.LIVE:
            logger.info("in contact with the console at %s", self._endpoint.url)
        elif contact in (Contact.REFUSED, Contact.WRONG_URL, Contact.BEHIND):
            logger.critical("console at %s: %s", self._endpoint.url, problem)
        else:
            logger.warning("contact_lost: console at %s: %s", self._endpoint.url, problem)


def _check(response: http.client.HTTPResponse) -> None:
    """Raise _Ended unless the answer is an event stream."""
    status = response.status
    if status in (401, 403):
        what = (
            "is not known or has expired"
            if status == 401
            else "may not follow the stream (role trading-system)"
        )
        raise _Ended(Contact.REFUSED, f"the token {what} ({status})", refused=True)
    if status == 429 or status >= 500:
        raise _Ended(Contact.LOST, f"the console cannot serve the stream now ({status})")
    if status == 400:
        body = response.read(2000).decode("utf-8", "replace")
        raise _Ended(Contact.REFUSED, f"the console refuses this client (400): {body[:300]}", refused=True)
    if 300 <= status < 400:
        text = f"URL is not an opsconsole: it redirects ({status}), which is not followed with a token"
        raise _Ended(Contact.WRONG_URL, text, refused=True)
    kind = response.headers.get_content_type()
    if status != 200 or kind != "text/event-stream":
        text = f"URL is not an opsconsole: {STREAM} answers {status} {kind}"
        raise _Ended(Contact.WRONG_URL, text, refused=True)
