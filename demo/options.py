"""The demo's command line."""

import argparse
import contextlib
import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from demo.failures import LONGEST_S, USUAL_S, Failure, known, parse
from demo.prices import first_day, load
from demo.processes import ROOT
from opsconsole.embedded.servers import data_path

USUAL_DAY_S = 0.5
EPILOG = """\
With --break or --heal and a demo that runs on the same data folder (script/server --demo), that one is told, and nothing is started.
Services: yahoo_finance, sec_edgar, claude_api, database. Failures: errors (it answers 500; the usual one), slow (an answer takes 1.5 s), resets
(connections are cut off), hangs (no answer); the database can hang alone, since it is a file that somebody else locks.
"""


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for. `starts`: the options that only a demo which is to be started takes."""

    data: Path
    day_seconds: float
    days: int | None
    start: str | None
    broken: tuple[Failure, ...]
    seconds: float
    # None: nothing; empty: every service.
    healed: str | None
    starts: tuple[str, ...]

    @property
    def heals(self) -> bool:
        return self.healed is not None

    @property
    def wishes(self) -> list[dict[str, Any]]:
        """As demo.outside takes them."""
        if self.healed is not None:
            return [{"heal": self.healed}]
        return [{"break": f"{one.service}:{one.kind}", "seconds": self.seconds} for one in self.broken]


def read(arguments: list[str] | None = None) -> Options:
    """Ends the process, with what is allowed, where they are wrong."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.seconds is not None and not given.broken:
        parser.error("argument --for: needs --break")
    if given.healed is not None and given.broken:
        parser.error("argument --heal: not allowed with --break")
    starting = {"--day-seconds": given.day_seconds, "--days": given.days, "--from": given.start}
    return Options(
        data=given.data,
        day_seconds=USUAL_DAY_S if given.day_seconds is None else given.day_seconds,
        days=given.days,
        start=given.start,
        broken=tuple(given.broken),
        seconds=USUAL_S if given.seconds is None else given.seconds,
        healed=given.healed,
        starts=tuple(name for name, value in starting.items() if value is not None),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="script/demo",
        description="Four demo traders that the console can stop, and services that fail on demand.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=data_path(ROOT, os.environ),
        help="the console's data folder",
    )
    parser.add_argument(
        "--day-seconds", type=_seconds, help=f"how long a day of 2008 takes (default: {USUAL_DAY_S:g})"
    )
    parser.add_argument("--days", type=_days, help="end after so many days (default: go on until Ctrl-C)")
    parser.add_argument(
        "--from",
        dest="start",
        metavar="DATE",
        type=_date,
        help="begin with this day of 2008 or 2009, such as 2008-09-15, two weeks before the crash",
    )
    parser.add_argument(
        "--break",
        dest="broken",
        metavar="SERVICE[:FAILURE]",
        type=_failure,
        action="append",
        default=[],
        help="let a service fail, such as yahoo_finance or yahoo_finance:hangs; may be given again for another one",
    )
    parser.add_argument(
        "--for",
        dest="seconds",
        metavar="SECONDS",
        type=_duration,
        help=f"it heals by itself after so long (default: {USUAL_S:g})",
    )
    parser.add_argument(
        "--heal",
        dest="healed",
        metavar="SERVICE",
        type=_service,
        nargs="?",
        const="",
        help="let a service of the demo that runs work again; all of them without a name",
    )
    return parser


def _seconds(value: str) -> float:
    with contextlib.suppress(ValueError):
        if 0.01 <= float(value) <= 3600:
            return float(value)
    raise argparse.ArgumentTypeError("must lie between 0.01 and 3600 seconds")


def _days(value: str) -> int:
    with contextlib.suppress(ValueError):
        if int(value) >= 1:
            return int(value)
    raise argparse.ArgumentTypeError("must be a whole number, 1 or more")


def _date(value: str) -> str:
    try:
        date.fromisoformat(value)
        first_day(load(), value)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"must be a day as YYYY-MM-DD; {error}") from None
    return value


def _failure(value: str) -> Failure:
    try:
        return parse(value)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _service(value: str) -> str:
    try:
        return known(value) if value else value
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _duration(value: str) -> float:
    with contextlib.suppress(ValueError):
        if 0 < float(value) <= LONGEST_S:
            return float(value)
    raise argparse.ArgumentTypeError(f"must be a number of seconds above 0, up to {LONGEST_S:g}")
