"""The real daily prices that the demo trades: AAPL, GOOG, IBM and MSFT, June 2008 to June 2009."""

import csv
from dataclasses import dataclass
from pathlib import Path

PATH = Path(__file__).parent / "data" / "prices-2008.csv"


@dataclass(frozen=True, slots=True)
class Bar:
    """One ticker's day. Prices in USD a share, volume in shares."""

    ticker: str
    date: str
    open: float
    high: float
    low: float
    close: float
    volume: int


def load(path: Path = PATH) -> dict[str, list[Bar]]:
    """Each ticker's days, oldest first. Raises ValueError when the tickers do not share the same days."""
    tapes: dict[str, list[Bar]] = {}
    with path.open(encoding="ascii", newline="") as file:
        for row in csv.DictReader(file):
            bar = Bar(
                ticker=row["ticker"],
                date=row["date"],
                open=float(row["open"]),
                high=float(row["high"]),
                low=float(row["low"]),
                close=float(row["close"]),
                volume=int(row["volume"]),
            )
            tapes.setdefault(bar.ticker, []).append(bar)
    for tape in tapes.values():
        tape.sort(key=lambda bar: bar.date)
    calendars = {tuple(bar.date for bar in tape) for tape in tapes.values()}
    if len(calendars) != 1:
        raise ValueError(f"{path.name}: every ticker needs the same days")
    return tapes


def first_day(tapes: dict[str, list[Bar]], date: str) -> int:
    """The number of the first day on or after `date` (YYYY-MM-DD); of the first of all where it is empty. Raises ValueError behind the last one."""
    days = [bar.date for bar in next(iter(tapes.values()))]
    for number, day in enumerate(days):
        if day >= date:
            return number
    raise ValueError(f"the tape has the days from {days[0]} to {days[-1]}")
