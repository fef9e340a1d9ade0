"""Fills the console's database with alerts and times the SQL of its reads. Needs the console's settings in the environment.

`python -m bench.alert_reading --count N` prints JSON: for every read the number of rows it found, and its SQL in ms: the first time, and
then in each run.
"""

import argparse
import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import django

django.setup()

# The models can be imported only now.
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from alerts.models import Alert  # noqa: E402
from alerts.noise import noise  # noqa: E402
from alerts.selectors import Filters, detail, recent  # noqa: E402
from alerts.services.tallies import sum_up_hours  # noqa: E402
from alerts.statistics import statistics  # noqa: E402
from bench.alert_rows import fill  # noqa: E402

RUNS = 7
PAGE = 50


def lists() -> dict[str, Filters]:
    now = timezone.now()
    return {
        "recent": Filters(),
        "recent, category": Filters(category="COST_ALERT"),
        "recent, priority CRITICAL": Filters(priority="CRITICAL"),
        "recent, decision SENT": Filters(decision="SENT"),
        "recent, decision that never was": Filters(decision="DISABLED"),
        "recent, state FIRING": Filters(state="FIRING"),
        "recent, state RESOLVED": Filters(state="RESOLVED"),
        "recent, three columns": Filters(category="COST_ALERT", priority="HIGH", decision="SENT"),
        "recent, source": Filters(source="prometheus"),
        "recent, source that never was": Filters(source="nobody"),
        "recent, source and priority": Filters(source="prometheus", priority="CRITICAL"),
        "recent, acknowledged": Filters(acknowledged=True),
        "recent, not acknowledged": Filters(acknowledged=False),
        "recent, overdue": Filters(overdue=True),
        "recent, a day three weeks ago": Filters(since=now - timedelta(21), until=now - timedelta(20)),
        "recent, CRITICAL until two weeks ago": Filters(priority="CRITICAL", until=now - timedelta(14)),
        "search, a word in every fifth title": Filters(search="latency"),
        "search, a word in every title": Filters(search="range"),
        "search, words of one kind": Filters(search="latency group 498"),
        "search, a title of its own": Filters(search=own_title()),
        "search, a word that never was": Filters(search="unheard"),
        "search, a word and CRITICAL": Filters(search="latency", priority="CRITICAL"),
        "search, a frequent label": Filters(search="venue=V3"),
        "search, a seldom label": Filters(search="symbol=S199"),
        "search, a label of one alert": Filters(search=f"order={own_title().split()[1]}"),
        "search, a label that never was": Filters(search="symbol=NOPE"),
        "search, a label and CRITICAL": Filters(search="symbol=S199", priority="CRITICAL"),
        "search, a number": Filters(search=str(Alert.objects.earliest("pk").pk + 1000)),
    }


def own_title() -> str:
    """The title that an alert in the middle has alone."""
    middle = Alert.objects.earliest("pk").pk + Alert.objects.count() // 2
    return Alert.objects.filter(pk__gte=middle, title__startswith="Order ").order_by("pk")[0].title


def cases() -> dict[str, Callable[[], int]]:
    """By name, each giving the number of rows that it found."""
    found: dict[str, Callable[[], int]] = {name: listing(filters) for name, filters in lists().items()}
    newest = Alert.objects.latest("pk").pk
    return found | {
        "recent, page in the middle": lambda: len(
            recent(Filters(), limit=PAGE, before_id=newest // 2).results
        ),
        "statistics": lambda: statistics().windows["week"].total,
        "one alert": lambda: len(detail(newest).deliveries),
        "noise report": lambda: len(noise().figures),
    }


def listing(filters: Filters) -> Callable[[], int]:
    return lambda: len(recent(filters, limit=PAGE).results)


def timed(read: Callable[[], int]) -> dict[str, Any]:
    spent: list[float] = []

    def note(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            spent[-1] += 1000 * (time.perf_counter() - began)

    rows = 0
    with connection.execute_wrapper(note):
        for _ in range(RUNS + 1):
            spent.append(0.0)
            rows = read()
    return {"rows": rows, "first_ms": spent[0], "sql_ms": spent[1:]}


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.alert_reading", description=__doc__)
    parser.add_argument("--count", type=int, required=True)
    count = parser.parse_args().count
    began = time.monotonic()
    fill(count)
    sum_up_hours()
    filled = time.monotonic() - began
    print(
        json.dumps(
            {
                "count": count,
                "filled_s": filled,
                "reads": {name: timed(read) for name, read in cases().items()},
            }
        )
    )


if __name__ == "__main__":
    main()
