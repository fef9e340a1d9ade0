"""`python -m demo`: run the venue and four traders until Ctrl-C or the last day, then report. Or have a demo that runs fail or heal."""

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from demo import journal, report
from demo.access import obtain
from demo.console import Console, ConsoleError
from demo.control import Control, Refused, kept
from demo.options import Options, read
from demo.prices import load
from demo.processes import Processes

# Seconds between two looks at the console's history, so that a report can be made when the console has gone
# first.
LOOK_EVERY = 2.0


def main(arguments: list[str] | None = None) -> int:
    options = read(arguments)
    folder: Path = options.data.absolute() / "demo"  # the children work in another folder
    try:
        said = _tell(folder, options)
        if said:
            print("\n".join(said))
            return 0
        return _run(folder, options)
    except (ConsoleError, Refused) as sentence:
        print(sentence, file=sys.stderr)
        return 1


def _tell(folder: Path, options: Options) -> list[str]:
    """Have the demo that runs on the folder fail or heal. Returns what it says; empty: there is nothing to tell, or none that runs.

    Raises Refused.
    """
    running = kept(folder) if options.wishes else None
    if running is None or running.tell({}) is None:
        if options.heals:
            raise Refused(f"No demo runs on {folder.parent}: there is nothing to heal.")
        return []
    if options.starts:
        raise Refused(
            f"A demo runs on {folder.parent} already: {options.starts[0]} is for a new one. End that first, or leave it away."
        )
    return _wish(running, options)


def _wish(control: Control, options: Options) -> list[str]:
    told = [control.tell(wish) for wish in options.wishes]
    if None in told:
        raise Refused("The demo has ended.")
    return [f"{said}." for said in told if said]


def _run(folder: Path, options: Options) -> int:
    url, token = obtain(options.data.absolute())
    console = Console(url, token)
    console.status()
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: ended.set())
    environ = os.environ | {"OPSCLIENT_URL": url, "OPSCLIENT_TOKEN": token}
    environ.setdefault("OPSCLIENT_SPOOL_DIR", str(folder / "spool"))
    with Processes(folder, environ) as processes:
        control = processes.start(
            list(load()), day_seconds=options.day_seconds, days=options.days, start=options.start or ""
        )
        control.keep(folder)
        print(
            f"Demo trading: {', '.join(processes.traders)} follow {url}, a day of 2008 each {options.day_seconds:g} s.",
            *_wish(control, options),
            sep="\n",
            flush=True,
        )
        stops = _watch(processes, console, ended)
        failed = processes.failed()
        control.forget(folder)
    _report(folder, stops)
    for ticker, code in failed.items():
        print(
            f"The trader of {ticker} ended with exit code {code}; its own message stands above.",
            file=sys.stderr,
        )
    return 1 if failed else 0


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
