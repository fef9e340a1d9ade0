"""Housekeeping of minute rows, one kind a call, inside a process with the console's settings. Prints JSON."""

import argparse
import json
import os
import sys
import time
from datetime import timedelta

import django
from django.utils import timezone

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "opsconsole.settings")
django.setup()

from monitoring.metrics.partitions import ensure  # noqa: E402  needs Django set up
from monitoring.metrics.retention import drop_old, minutes_kept  # noqa: E402
from monitoring.metrics.rollup import roll_up  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.metrics_tidying", description=__doc__)
    parser.add_argument("what", choices=["make", "roll-up", "drop"])
    parser.add_argument("--days", type=int, default=30)
    given = parser.parse_args()
    now = timezone.now()
    began = time.perf_counter()
    if given.what == "make":
        ensure([now - timedelta(days=number) for number in range(given.days)])
        done: object = given.days
    elif given.what == "roll-up":
        # Empty hours count, too: those of days without rows cost next to nothing.
        done = roll_up(now=now, most=24 * 366)
    else:
        # As if the day before yesterday were the first that is too old.
        done = drop_old(now=now + minutes_kept() - timedelta(days=1))
    print(json.dumps({"done": done, "seconds": time.perf_counter() - began}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
