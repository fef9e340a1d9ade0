"""What is left at the venue while something is stopped, what the operators' commands did about it, and what is still wrong."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from killswitch.choices import CommandKind, CommandState, ProofState
from killswitch.models import CommandResult
from killswitch.selectors import Proof, Status
from killswitch.state import covers

VERBS = {CommandKind.CANCEL_ORDERS: "Cancel", CommandKind.CLOSE_POSITIONS: "Close positions"}
POSITIONS_SHOWN = 3
# Of more processes, only the abnormal ones have their row; of more with the same fault, only their number is given.
ROWS = 24
NAMED = 8


@dataclass(frozen=True, slots=True)
class ResultLine:
    """What one process did with the newest command of one kind."""

    words: str
    bad: bool


@dataclass(frozen=True, slots=True)
class LeftRow:
    client: Proof
    results: list[ResultLine]

    @property
    def abnormal(self) -> bool:
        """Somebody has to look at it: nobody knows what is left, or a command was not carried out."""
        return self.orders_unknown or self.positions_unknown or any(line.bad for line in self.results)

    @property
    def orders_unknown(self) -> bool:
        """A process that is out of contact knows no longer what the venue has done since."""
        return not self.client.connected or self.client.open_orders is None

    @property
    def positions_unknown(self) -> bool:
        return not self.client.connected or self.client.positions is None

    @property
    def may_have_orders(self) -> bool:
        return self.orders_unknown or bool(self.client.open_orders)

    @property
    def may_have_positions(self) -> bool:
        return self.positions_unknown or any((self.client.positions or {}).values())

    @property
    def nothing(self) -> bool:
        return not self.may_have_orders and not self.may_have_positions

    @property
    def position_words(self) -> str:
        """`+300`, or by symbol where there are several."""
        held = {symbol: amount for symbol, amount in (self.client.positions or {}).items() if amount}
        if not held:
            return "flat" if self.client.positions is not None else ""
        shown = [f"{symbol} {_signed(amount)}" for symbol, amount in sorted(held.items())]
        more = len(shown) - POSITIONS_SHOWN
        return ", ".join(shown[:POSITIONS_SHOWN]) + (f" and {more} more" if more > 0 else "")


@dataclass(frozen=True, slots=True)
class Left:
    """Every process that is concerned. Up to ROWS of them each have a row; of more, the abnormal ones, which never fold."""

    everyone: list[LeftRow]

    @property
    def rows(self) -> list[LeftRow]:
        if len(self.everyone) <= ROWS:
            return self.everyone
        return [row for row in self.everyone if row.abnormal]

    @property
    def calm(self) -> list[LeftRow]:
        if len(self.everyone) <= ROWS:
            return []
        return [row for row in self.everyone if not row.abnormal]

    @property
    def orders(self) -> int:
        return sum(row.client.open_orders or 0 for row in self.everyone if not row.orders_unknown)

    @property
    def unknown(self) -> list[str]:
        return [row.client.name for row in self.everyone if row.orders_unknown]

    @property
    def words(self) -> str:
        """A sum with an unknown part says so."""
        orders = f"{self.orders:,} open order{'' if self.orders == 1 else 's'}"
        if not self.unknown:
            return orders
        names = ", ".join(self.unknown[:2]) if len(self.unknown) <= 2 else f"{len(self.unknown)} processes"
        return f"{orders}, {names} unknown"


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing that re-arming would not mend."""

    icon: str
    word: str
    text: str


def left(status: Status) -> Left:
    """The processes that something stopped concerns, with the newest result of each kind of command. One query."""
    clients = _concerned(status)
    results = _newest_results(client.client_id for client in clients)
    return Left([LeftRow(client, results.get(client.client_id, [])) for client in clients])


def wrong(status: Status) -> list[Wrong]:
    """What re-arming would leave as it is: process by process, or counted where it is the same of many."""
    found: dict[tuple[str, str, str], list[Proof]] = {}
    for client in _concerned(status):
        for kind in _wrongs(client):
            found.setdefault(kind, []).append(client)
    listed = []
    for (icon, word, text), clients in found.items():
        if len(clients) > NAMED:
            listed.append(Wrong(icon, word, text.format(name=f"{len(clients)} processes")))
        else:
            listed += [Wrong(icon, word, text.format(name=client.name)) for client in clients]
    return listed


def _wrongs(client: Proof) -> Iterator[tuple[str, str, str]]:
    row = LeftRow(client, [])
    if client.proof == ProofState.PENDING:
        yield "hourglass", "Waiting", "for the proof of {name}"
    if row.orders_unknown or row.positions_unknown:
        yield "help-circle", "Unknown", "orders or position of {name}"
    elif client.open_orders:
        yield "alert-triangle", "Open orders", "of {name} at the venue"
    if client.override:
        yield "alert-triangle", "Overridden", "{name} ignores stops"
    if client.local_stop:
        yield "lock", "Stopped on its host", "{name} stays stopped after re-arming"


def _concerned(status: Status) -> list[Proof]:
    return [
        client
        for client in status.clients
        if any(covers(scope.scope, client.scopes) for scope in status.scopes)
    ]


def _newest_results(client_ids: Iterable[int]) -> dict[int, list[ResultLine]]:
    rows = (
        CommandResult.objects.filter(client_id__in=list(client_ids))
        .order_by("client_id", "command__kind", "-command_id")
        .distinct("client_id", "command__kind")
        .select_related("command")
    )
    found: dict[int, list[ResultLine]] = {}
    for row in rows:
        found.setdefault(row.client_id, []).append(result_line(row))
    return found


def result_line(row: CommandResult) -> ResultLine:
    verb = VERBS[CommandKind(row.command.kind)]
    if row.state == CommandState.PENDING:
        return ResultLine(f"{verb}: sent, no answer yet", bad=False)
    if row.state == CommandState.EXPIRED:
        return ResultLine(f"{verb}: no answer. Ask the venue", bad=True)
    if row.state == CommandState.FAILED:
        return ResultLine(f"{verb} failed: {row.error or 'no reason given'}", bad=True)
    counts = [
        f"{'unknown' if count is None else count} {name}"
        for name, count in (("done", row.cancelled), ("left", row.left), ("unknown", row.unknown))
    ]
    return ResultLine(
        f"{verb}: {', '.join(counts)}", bad=bool(row.left or row.unknown or row.cancelled is None)
    )


def _signed(amount: object) -> str:
    if isinstance(amount, bool) or not isinstance(amount, int | float):
        return str(amount)
    return f"{amount:+,}".replace("-", "\u2212")
