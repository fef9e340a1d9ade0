"""The connection of one trading process to the console."""

import atexit
import contextlib
import os
import socket
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

from opsclient import clock, fork
from opsclient.breaker import links
from opsclient.breaker.link import Link
from opsclient.config import ContactLost, check, from_environment
from opsclient.gate import Episode, Gate, LocalStop
from opsclient.handlers import Outcome
from opsclient.jsonable import stop_body
from opsclient.listener import Contact, Listener
from opsclient.reporter import Reporter
from opsclient.runtime import Runtime
from opsclient.scopes import covers
from opsclient.senders import ACTIVATE, Acknowledger, Call, Caller
from opsclient.snapshot import Command, Snapshot
from opsclient.transport import Answer, Endpoint
from opsclient.version import __version__
from opsclient.worker import Worker

# The consoles of this process, oldest first; each until it is closed.
_open: "list[OpsConsole]" = []


class OpsConsole:
    """Follows an opsconsole: lease, stops, drills and commands, and what this process has to tell in return.

    The connection is made, and kept up, by threads of its own from the moment of construction; nothing waits for it
    here, and nothing is allowed until it stands (`wait_until_live`).

    url: of the console, `https://console.example:8000`. token: of an account with the role trading-system; may be left
    out for a console on this machine only. name: this client on the console's pages, 1–64 characters. scopes: what the
    process trades, `("symbol:AAPL", "strategy:momentum")`; a kind that is not named counts as "any of them".
    on_contact_lost: "halt" allows nothing once the lease has run out; "keep" goes on trading by the last known
    state, and gives up the console's promise that a stop is bounded. halt_file: while it exists nothing is allowed
    (default: OPSCLIENT_HALT_FILE). verify: a file of CA certificates for https (default: the system's).

    Raises ConfigurationError, which names the argument, or the variable where `from_env` read it.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        name: str,
        scopes: Iterable[str] = (),
        on_contact_lost: ContactLost = "halt",
        halt_file: str | os.PathLike[str] | None = None,
        verify: str | Path | None = None,
    ) -> None:
        config = check(
            url,
            token=token,
            name=name,
            scopes=scopes,
            on_contact_lost=on_contact_lost,
            halt_file=halt_file,
            verify=verify,
        )
        self.name = config.name
        self.scopes = config.scopes
        self.on_contact_lost = config.on_contact_lost
        self._endpoint = config.endpoint
        self._closed = False
        self._commands_done: set[int] = set()
        self.gate = Gate(own=self.scopes, follows_console=True, keep=on_contact_lost == "keep")
        self.runtime = Runtime(self.gate, on_outcome=self._on_outcome, on_local_change=self.report_soon)
        self.instance = uuid4().hex
        self._breakers = links.opened(config.endpoint, name=self.name, instance=self.instance)
        self._assemble()
        if config.halt_file is not None:
            self.runtime.watch(config.halt_file)
        self._start()
        fork.follow(self)
        atexit.register(self.close)
        _open.append(self)

    @classmethod
    def from_env(cls) -> Self:
        """A console from OPSCLIENT_URL, _NAME, and if set _TOKEN or _TOKEN_FILE, _SCOPES, _ON_CONTACT_LOST, _HALT_FILE
        and _CA_FILE. Scopes are separated by commas. Raises ConfigurationError naming the variable."""
        values = from_environment()
        return cls(
            values.url,
            token=values.token,
            name=values.name,
            scopes=values.scopes,
            on_contact_lost=values.on_contact_lost,
            halt_file=values.halt_file,
            verify=values.verify,
        )

    def _assemble(self) -> None:
        """Everything that belongs to one instance: its identity, and the threads, not yet started."""
        self._client_id: int | None = None
        identity = {"name": self.name, "instance": self.instance}
        self._acknowledger = Acknowledger(self._endpoint, **identity)
        self._caller = Caller(self._endpoint)
        self._reporter = Reporter(
            self._endpoint,
            identity=identity,
            gate=self.gate,
            allowed=self._is_allowed,
            private=self.runtime.handlers.private,
        )
        where = {"host": socket.gethostname()[:200], "pid": str(os.getpid()), "version": __version__}
        self._listener = Listener(
            self._endpoint,
            gate=self.gate,
            identity=[
                *identity.items(),
                *where.items(),
                *(("scope", scope) for scope in sorted(self.scopes)),
            ],
            on_state=self._on_state,
            on_hello=self._on_hello,
            on_breakers=self._breakers.hear,
        )

    def _start(self) -> None:
        for worker in self._workers():
            worker.start()

    def _workers(self) -> list[Worker]:
        return [self._acknowledger.worker, self._caller.worker, self._reporter.worker, self._listener.worker]

    # For the application

    @property
    def url(self) -> str:
        """The console's address."""
        return self._endpoint.url

    @property
    def endpoint(self) -> Endpoint:
        """Where the console is, with the token; for other parts of this package."""
        return self._endpoint

    @property
    def breakers(self) -> Link:
        """What ties circuit breakers to the console; for other parts of this package."""
        return self._breakers

    @classmethod
    def current(cls) -> "OpsConsole | None":
        """The newest one of this process that is not closed."""
        return _open[-1] if _open else None

    @property
    def contact(self) -> Contact:
        """How things stand with the console."""
        return self._listener.contact

    @property
    def problem(self) -> str:
        """What is wrong with the contact, for people; empty if nothing is."""
        return self._listener.problem

    def wait_until_live(self, timeout: float = 10.0) -> bool:
        """Wait until a first lease is held, stop or no stop. False if there is none within `timeout` seconds."""
        live = self.gate.when(lambda view: view.until > clock.now())
        with contextlib.suppress(TimeoutError):
            live.result(timeout)
            return True
        return False

    def close(self, timeout: float = 1.0) -> None:
        """Send what is left, for at most about `timeout` seconds, and end the threads. Nothing is allowed afterwards."""
        if self._closed:
            return
        self._closed = True
        _open.remove(self)
        fork.forget(self)
        atexit.unregister(self.close)
        self.runtime.close(timeout)
        until = clock.now() + timeout
        links.closed(self._breakers, timeout / 2)
        for worker in self._workers()[:-1]:
            worker.stop(max(0.0, until - clock.now()))
        self._listener.stop(max(0.1, until - clock.now()))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<OpsConsole {self.url} name={self.name!r} contact={self.contact}>"

    # For the kill switch

    def deliver(self, local: LocalStop) -> Call:
        """Tell the console of a stop that this process has made, until it has taken it or the stop is lifted."""
        stop = local.stop
        body = stop_body(
            reason=stop.reason, message=stop.message, metadata=stop.metadata, scope=stop.scope, mode=stop.mode
        )

        def taken(answer: Answer) -> bool:
            epoch = answer.data.get("epoch")
            if not isinstance(epoch, int):
                return False
            self.runtime.changed(self.gate.settle(local, epoch))
            self._reporter.worker.wake()
            return True

        def failed(text: str) -> None:
            local.delivery_error = text

        call = Call(
            ACTIVATE,
            body,
            local.key,
            on_answer=taken,
            on_failure=failed,
            wanted=lambda: local in self.gate.locals,
        )
        self._caller.send(call)
        return call

    def send(self, call: Call) -> None:
        """Send a request of the kill switch."""
        self._caller.send(call)

    def report_soon(self) -> None:
        """Tell the console that something has changed here."""
        self._reporter.worker.wake()

    @property
    def reporter(self) -> Reporter:
        """Where results and the exposure go."""
        return self._reporter

    # From the threads

    def _on_hello(self, client_id: int) -> None:
        self._client_id = client_id
        self._reporter.connected = True
        self._acknowledger.worker.wake()
        self._caller.hurry()
        self._reporter.worker.wake()

    def _on_state(self, snapshot: Snapshot) -> bool:
        """In this order: stop, tell the console so, and only then run callbacks (docs/protocol.md)."""
        change = self.gate.apply(snapshot)
        if change is None:
            return False
        self._acknowledger.send(snapshot.epoch, self._covered(snapshot))
        self.runtime.changed(change)
        for command in snapshot.commands:
            self._run(command)
        self._reporter.worker.wake()
        return True

    def _covered(self, snapshot: Snapshot) -> tuple[int, ...]:
        stops = [
            s.activation for s in snapshot.stops if s.activation is not None and covers(s.scope, self.scopes)
        ]
        drills = [d.activation for d in snapshot.drills if covers(d.scope, self.scopes)]
        return (*stops, *drills)

    def _run(self, command: Command) -> None:
        if self._client_id not in command.targets or command.id in self._commands_done:
            return
        self._commands_done.add(command.id)
        handler = self.runtime.handlers.get_orders(command.kind)
        if handler is None:
            missing = f"no function for {command.kind} is registered in this process"
            self._reporter.add_command(command.id, Outcome(command.kind, 0.0, error=missing))
            return
        handler.run(
            self.runtime.handlers.private, lambda outcome: self._reporter.add_command(command.id, outcome)
        )

    def _on_outcome(self, episode: Episode, outcome: Outcome) -> None:
        self._reporter.add_callback(episode, outcome)

    def _is_allowed(self) -> bool:
        view = self.gate.view
        return view.until > clock.now() and view.blocking() is None

    def restart_in_child(self) -> None:
        """After a fork, in the child: a client of its own, which allows nothing until it has a lease of its own."""
        undelivered = [
            local for local in self.gate.locals if local.source == "call" and local.settled_epoch is None
        ]
        exposure = self._reporter.exposure
        self._listener.abandon()
        self._acknowledger.abandon()
        self._caller.abandon()
        self._reporter.abandon()
        self.runtime.restart_in_child()
        self.instance = uuid4().hex
        self._breakers.restart_in_child(self.instance)
        self._assemble()
        self._reporter.exposure = exposure
        if exposure is not None:
            exposure.restart_in_child()
        for local in undelivered:
            self.deliver(local)
        self._start()
