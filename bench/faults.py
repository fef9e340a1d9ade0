"""The fault matrix in full: `python -m bench.faults --folder DIR --term SECONDS --count N` prints each
outcome as a line of JSON.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from bench.fault_matrix import matrix

CLIENTS = 4


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.faults", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--term", type=float, required=True, help="the lease's, seconds")
    parser.add_argument("--count", type=int, required=True, help="faults to inject, each kind in turn")
    options = parser.parse_args()
    with matrix(options.folder, term=options.term, clients=CLIENTS) as prepared:
        for number in range(options.count):
            outcome = prepared.run(prepared.faults[number % len(prepared.faults)])
            print(json.dumps(asdict(outcome)), flush=True)
            print(
                f"L = {options.term:g} s: {number + 1} of {options.count}: {outcome.fault}", file=sys.stderr
            )


if __name__ == "__main__":
    main()
