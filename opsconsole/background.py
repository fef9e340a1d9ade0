"""The Celery worker and beat: `python -m opsconsole.background worker NAME` and `… beat SCHEDULE_FILE`.

The same as Celery's own command line, which first loads every subcommand and a library for interactive shells: half of
the time and a third of the memory that a start takes.
"""

import argparse
import sys

from opsconsole.celery import app

THREADS = 4
LOG_LEVEL = "WARNING"


def work(name: str) -> int:
    """Run the worker until a signal ends it; its exit code."""
    worker = app.Worker(
        hostname=name,
        pool_cls="threads",
        concurrency=THREADS,
        without_gossip=True,
        without_mingle=True,
        loglevel=LOG_LEVEL,
        quiet=True,
    )
    worker.start()
    return int(worker.exitcode or 0)


def beat(schedule: str) -> int:
    """Send what is due until a signal ends it. `schedule` is the file that remembers what was sent."""
    app.Beat(schedule=schedule, loglevel=LOG_LEVEL, quiet=True).run()
    return 0


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m opsconsole.background")
    roles = parser.add_subparsers(dest="role", required=True)
    roles.add_parser("worker").add_argument("name", help="node name, such as console@localhost")
    roles.add_parser("beat").add_argument("schedule", help="file to keep the schedule in")
    options = parser.parse_args()
    sys.exit(work(options.name) if options.role == "worker" else beat(options.schedule))


if __name__ == "__main__":
    main()
