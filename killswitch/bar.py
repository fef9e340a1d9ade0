"""The state bar's words, made from the status: one place, so that page, title, favicon and announcement never disagree."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from killswitch.choices import Mode, ProofState, Reason
from killswitch.selectors import DRILL_SHOWN, Proof, ScopeState, Status
from killswitch.state import GLOBAL


@dataclass(frozen=True)
class Bar:
    """What the bar, the tab and the announcer say of one status."""

    status: Status

    @cached_property
    def everything(self) -> ScopeState | None:
        """The global switch, when it is not ACTIVE."""
        return next((scope for scope in self.status.scopes if scope.scope == GLOBAL), None)

    @cached_property
    def partial(self) -> list[ScopeState]:
        """The other scopes that are not ACTIVE."""
        return [scope for scope in self.status.scopes if scope.scope != GLOBAL]

    @property
    def state(self) -> str:
        """`trading`, `reduce`, `stopping` or `stopped`: decides colour, icon and control."""
        if self.everything is None:
            return "trading"
        if self.everything.mode == Mode.REDUCE_ONLY:
            return "reduce"
        return "stopped" if self.everything.state == "stopped" else "stopping"

    @property
    def word(self) -> str:
        return {"trading": "TRADING", "reduce": "REDUCE ONLY"}.get(self.state, self.state.upper())

    @property
    def beside(self) -> str:
        """What a smaller stop adds: the bar never says "stopped" for a scope while another part trades."""
        if self.state not in {"trading", "reduce"} or not self.partial:
            return ""
        if len(self.partial) > 1:
            return f"{len(self.partial)} SCOPES RESTRICTED"
        scope = self.partial[0]
        name = scope.scope.partition(":")[2] or scope.scope
        if scope.mode == Mode.REDUCE_ONLY:
            return f"{name} REDUCE ONLY"
        return f"{name} {'STOPPED' if scope.state == 'stopped' else 'STOPPING'}"

    @property
    def title(self) -> str:
        return f"{self.word}, {self.beside}" if self.beside else self.word

    @property
    def icon(self) -> str:
        icons = {"stopping": "progress-check", "stopped": "player-stop", "reduce": "arrow-down-right"}
        return icons.get(self.state, "circle-check")

    @property
    def shut(self) -> bool:
        """Something is stopped, or stopping."""
        return bool(self.status.scopes)

    @property
    def rearmable(self) -> bool:
        """Some stop's proof is complete, so there is something to re-arm."""
        return any(scope.state == "stopped" for scope in self.status.scopes)

    @property
    def drilling(self) -> bool:
        return self.status.drill is not None and self.state == "trading"

    @cached_property
    def held(self) -> int:
        """How many processes hold a lease now."""
        return sum(client.connected and client.lease == "held" for client in self.status.clients)

    @cached_property
    def connected(self) -> int:
        return sum(client.connected for client in self.status.clients)

    @cached_property
    def acknowledged(self) -> int:
        return sum(client.proof == ProofState.ACKED for client in self.status.clients)

    @cached_property
    def expired(self) -> int:
        return sum(client.proof == ProofState.LEASE_EXPIRED for client in self.status.clients)

    @property
    def drill_gone_at(self) -> datetime | None:
        """When the badge of a drill that is over leaves the bar; nothing happens at that moment that would refresh it."""
        drill = self.status.drill
        return drill.ended_at + DRILL_SHOWN if drill and drill.ended_at else None

    @cached_property
    def open_orders(self) -> int:
        """Open orders that are known of; see `orders_unknown`."""
        return sum(client.open_orders or 0 for client in self.status.clients if client.connected)

    @cached_property
    def orders_unknown(self) -> list[Proof]:
        return [client for client in self.status.clients if client.connected and client.open_orders is None]

    @property
    def say(self) -> str:
        """For the announcer, on a change of state."""
        status = self.status
        if self.state == "stopping":
            return f"Stopping. {status.proven} of {status.total} processes proven stopped."
        if self.state == "stopped":
            return f"Stopped. {status.total} of {status.total} processes proven stopped. Nothing trades until re-armed."
        if self.beside:
            return f"{self.title}."
        return "Reduce only." if self.state == "reduce" else "Trading is armed."

    @property
    def known_scopes(self) -> list[str]:
        """The scopes that connected processes name, and those that are switched: what can sensibly be stopped alone."""
        named = {scope for client in self.status.clients for scope in client.scopes}
        named.update(scope.scope for scope in self.partial)
        return sorted(named - {GLOBAL})

    @property
    def reasons(self) -> list[str]:
        return list(Reason.values)


def of(status: Status) -> Bar:
    return Bar(status)
