"""The report at the demo's end, from the venue's journal and the console's history. No I/O.

The console says by the wall clock when a stop was committed; the venue notes each order by a clock that never
steps. Both run on one machine, and each journal line carries the same moment by both clocks, so the
difference between them is known all along. The largest difference seen gives the earliest bound, hence the
strictest count; how far the differences lay apart is stated beside it.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

# The scopes that every trader of the demo names, beside `symbol:<its ticker>`.
SHARED_SCOPES = frozenset({"global", "strategy:momentum", "account:main", "venue:sim"})


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop and what the venue saw of it. `date`: the day of the tape that had been played. Times in
    milliseconds after the stop was pressed; None: not known, or none.
    """

    activation: int
    scope: str
    mode: str
    reason: str
    by: str
    at: str
    date: str | None
    term_ms: int
    time_to_stop_ms: float | None
    last_order_ms: float | None
    orders_before_bound: int
    orders_after_bound: int


@dataclass(frozen=True, slots=True)
class Report:
    """P&L in USD. `clock_spread_ms`: how far the wall clock moved against the steady one during the run."""

    days: int
    orders: dict[str, int]
    fills: dict[str, int]
    profits: dict[str, float]
    stops: list[Stop]
    clock_spread_ms: float
    unproven: list[int] = field(default_factory=list)

    @property
    def orders_after_bound(self) -> int:
        return sum(stop.orders_after_bound for stop in self.stops)

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"orders_after_bound": self.orders_after_bound}


def build(journal: Iterable[dict[str, Any]], activations: Iterable[dict[str, Any]]) -> Report:
    """`activations` as the console's API gives them. Drills, and stops of other traders' scopes, are left
    out.
    """
    totals: dict[str, Any] = {"played": 0, "profits": {}, "orders": {}, "fills": {}}
    orders: list[dict[str, Any]] = []
    dates: list[tuple[int, str | None]] = []
    differences: list[int] = []
    started = None
    for record in journal:
        differences.append(record["wall"] - record["boot"])
        started = record["wall"] if started is None else started
        if record["kind"] == "order":
            orders.append(record)
        elif record["kind"] == "totals":
            totals = record
            dates.append((record["boot"], record["date"]))
    stops, unproven = [], []
    for activation in sorted(activations, key=lambda activation: int(activation["id"])):
        if activation["drill"] or started is None or _ended_before(activation, started):
            continue
        if activation["confirmed_at"] is None:
            unproven.append(int(activation["id"]))
            continue
        stops.append(_stop(activation, orders, dates, to_boot=-max(differences)))
    return Report(
        days=totals["played"],
        orders=totals["orders"],
        fills=totals["fills"],
        profits=totals["profits"],
        stops=stops,
        clock_spread_ms=(max(differences) - min(differences)) / 1e6 if differences else 0.0,
        unproven=unproven,
    )


def _stop(
    activation: dict[str, Any],
    orders: list[dict[str, Any]],
    dates: list[tuple[int, str | None]],
    *,
    to_boot: int,
) -> Stop:
    pressed = _ns(activation["activated_at"]) + to_boot
    # `confirmed_at` is a time by which the commit is known to have happened; a term later nobody may trade.
    bound = _ns(activation["confirmed_at"]) + to_boot + activation["term_ms"] * 1_000_000
    ended = _ns(activation["ended_at"]) + to_boot if activation["ended_at"] else None
    seen = [
        order["boot"]
        for order in orders
        if order["boot"] >= pressed
        and (ended is None or order["boot"] < ended)
        and _covered(activation, order)
    ]
    return Stop(
        activation=int(activation["id"]),
        scope=activation["scope"],
        mode=activation["mode"],
        reason=activation["reason"],
        by=activation["activated_by"],
        at=activation["activated_at"],
        date=next((date for boot, date in reversed(dates) if boot <= pressed), None),
        term_ms=activation["term_ms"],
        time_to_stop_ms=activation["time_to_stop_ms"],
        last_order_ms=round((max(seen) - pressed) / 1e6, 1) if seen else None,
        orders_before_bound=sum(boot <= bound for boot in seen),
        orders_after_bound=sum(boot > bound for boot in seen),
    )


def _covered(activation: dict[str, Any], order: dict[str, Any]) -> bool:
    if activation["mode"] == "REDUCE_ONLY" and order["side"] == "sell":
        return False
    return activation["scope"] in SHARED_SCOPES or activation["scope"] == f"symbol:{order['client']}"


def _ended_before(activation: dict[str, Any], wall: int) -> bool:
    return activation["ended_at"] is not None and _ns(activation["ended_at"]) < wall


def _ns(timestamp: str) -> int:
    return round(datetime.fromisoformat(timestamp).timestamp() * 1e6) * 1000


def as_text(report: Report) -> str:
    """The report as the demo prints it."""
    lines = [f"Days played: {report.days}"]
    for ticker, profit in sorted(report.profits.items()):
        counts = f"{report.orders.get(ticker, 0):6d} orders {report.fills.get(ticker, 0):6d} fills"
        lines.append(f"  {ticker:<5} {counts}   P&L {profit:+12,.2f} USD")
    lines.append(f"Stops: {len(report.stops) or 'none'}")
    lines += [_stop_line(stop) for stop in report.stops]
    lines += [
        f"  #{number}: the console never confirmed when it was committed, so it cannot be judged"
        for number in report.unproven
    ]
    if report.stops:
        lines.append(f"Orders that the venue saw after a stop's bound: {report.orders_after_bound or 'none'}")
        lines.append(
            f"(wall clock against steady clock during the run: {report.clock_spread_ms:.1f} ms apart)"
        )
    return "\n".join(lines)


def _stop_line(stop: Stop) -> str:
    proof = (
        "not all proven yet"
        if stop.time_to_stop_ms is None
        else f"proven stopped after {stop.time_to_stop_ms:.0f} ms"
    )
    last = (
        "no order after the press"
        if stop.last_order_ms is None
        else f"last order {stop.last_order_ms:.1f} ms after the press"
    )
    counts = (
        f"{stop.orders_before_bound} until the bound ({stop.term_ms} ms), {stop.orders_after_bound} after it"
    )
    what = f"{stop.scope} {stop.mode} {stop.reason} by {stop.by}"
    day = f", after the close of {stop.date}" if stop.date else ""
    return f"  #{stop.activation} {stop.at}{day}, {what}: {proof}; {last}; {counts}"
