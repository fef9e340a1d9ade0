"""`script/bench [name…]`: measure, print one table, and write it to `<data>/bench/<name>.json`."""

import argparse
import os
import sys

from bench import figures
from bench.alerts import ALERT_PARTS
from bench.breakers import BREAKER_PARTS
from bench.health import HEALTH_PARTS
from bench.metrics import METRIC_PARTS
from bench.parts import KILL_SWITCH_PARTS, PARTS, run
from bench.rig import ROOT
from opsconsole.embedded.servers import data_path

# A name that stands for several parts.
GROUPS = {
    "killswitch": list(KILL_SWITCH_PARTS),
    "alerts": list(ALERT_PARTS),
    "metrics": list(METRIC_PARTS),
    "breakers": list(BREAKER_PARTS),
    "health": list(HEALTH_PARTS),
}


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="script/bench", description="Measure the console against its targets."
    )
    parser.add_argument(
        "names",
        nargs="*",
        metavar="name",
        help=f"any of {', '.join([*GROUPS, *PARTS])} (default: killswitch)",
    )
    names = parser.parse_args().names or ["killswitch"]
    if unknown := [name for name in names if name not in GROUPS and name not in PARTS]:
        parser.error(f"no such measurement: {', '.join(unknown)}; there are {', '.join([*GROUPS, *PARTS])}")
    folder = data_path(ROOT, os.environ) / "bench"
    missed = False
    for name in names:
        found: list[figures.Figure] = []
        details = {}
        for part in GROUPS.get(name, [name]):
            print(f"measuring {part} …", file=sys.stderr, flush=True)
            result = run(part)
            found += result.figures
            details[part] = result.details
        print(figures.as_table(found))
        figures.write(folder / f"{name}.json", found, details)
        missed = missed or any(figure.ok is False for figure in found)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
