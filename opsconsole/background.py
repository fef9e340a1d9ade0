"""Celery's workers and beat: `python -m opsconsole.background worker NAME`, `… urgent NAME` and `… beat SCHEDULE_FILE`.

`urgent` takes nothing but urgent alerts, so that no other work can hold them up.

The same as Celery's own command line, which first loads every subcommand and a library for interactive shells: half of
the time and a third of the memory that a start takes.
"""

import argparse
import sys

from opsconsole.celery import app

THREADS = 4
QUEUES = {"worker": ("default", "alerts"), "urgent": ("critical",)}
LOG_LEVEL = "WARNING"


def work(role: str, name: str) -> int:
    """Run a worker until a signal ends it; its exit code."""
    worker = app.Worker(
        hostname=name,
        queues=list(QUEUES[role]),
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
    for role in QUEUES:
        roles.add_parser(role).add_argument("name", help="node name, such as console@localhost")
    roles.add_parser("beat").add_argument("schedule", help="file to keep the schedule in")
    options = parser.parse_args()
    sys.exit(beat(options.schedule) if options.role == "beat" else work(options.role, options.name))


if __name__ == "__main__":
    main()
