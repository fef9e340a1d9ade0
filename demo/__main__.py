"""`python -m demo`: run the venue and four traders until Ctrl-C or the last day, then report."""

import argparse
import contextlib
import json
import os
import signal
import sys
import threading
from datetime import date
from pathlib import Path
from typing import Any

from demo import journal, report
from demo.access import obtain
from demo.console import Console, ConsoleError
from demo.prices import first_day, load
from demo.processes import ROOT, Processes
from opsconsole.embedded.servers import data_path

# Seconds between two looks at the console's history, so that a report can be made when the console has gone
# first.
LOOK_EVERY = 2.0


def main(arguments: list[str] | None = None) -> int:
    options = _options(arguments)
    data: Path = options.data.absolute()  # the children work in another folder
    folder = data / "demo"
    try:
        url, token = obtain(data)
        console = Console(url, token)
        console.status()
    except ConsoleError as sentence:
        print(sentence, file=sys.stderr)
        return 1
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: ended.set())
    environ = os.environ | {"OPSCLIENT_URL": url, "OPSCLIENT_TOKEN": token}
    environ.setdefault("OPSCLIENT_SPOOL_DIR", str(folder / "spool"))
    with Processes(folder / "venue.jsonl", environ) as processes:
        processes.start(
            list(load()), day_seconds=options.day_seconds, days=options.days, start=options.start or ""
        )
        print(
            f"Demo trading: {', '.join(processes.traders)} follow {url}, a day of 2008 each {options.day_seconds:g} s.",
            flush=True,
        )
        stops = _watch(processes, console, ended)
        failed = processes.failed()
    _report(folder, stops)
    for ticker, code in failed.items():
        print(
            f"The trader of {ticker} ended with exit code {code}; its own message stands above.",
            file=sys.stderr,
        )
    return 1 if failed else 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="script/demo", description="Four demo traders that the console can stop."
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=data_path(ROOT, os.environ),
        help="the console's data folder",
    )
    parser.add_argument(
        "--day-seconds", type=_seconds, default=0.5, help="how long a day of 2008 takes (default: 0.5)"
    )
    parser.add_argument("--days", type=_days, help="end after so many days (default: go on until Ctrl-C)")
    parser.add_argument(
        "--from",
        dest="start",
        metavar="DATE",
        type=_date,
        help="begin with this day of 2008 or 2009, such as 2008-09-15, two weeks before the crash",
    )
    return parser.parse_args(arguments)


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


def _watch(processes: Processes, console: Console, ended: threading.Event) -> list[dict[str, Any]]:
    """Wait for the end. Returns the console's stops as they were known at the latest look that was answered."""
    stops: list[dict[str, Any]] = []
    going = True
    while going:
        going = not ended.wait(LOOK_EVERY) and bool(processes.running())
        try:
            stops = console.activations()
        except ConsoleError:
            continue  # being away for a while is what the console is watched for; the traders know what to do
    return stops


def _report(folder: Path, stops: list[dict[str, Any]]) -> None:
    result = report.build(journal.read(folder / "venue.jsonl"), stops)
    (folder / "report.json").write_text(json.dumps(result.as_json(), indent=2) + "\n", encoding="utf-8")
    print(report.as_text(result), flush=True)


if __name__ == "__main__":
    sys.exit(main())
