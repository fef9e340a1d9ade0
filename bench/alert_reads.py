"""What reading costs at a million stored alerts: milliseconds of SQL of each list, search, statistics and one alert.

`python -m bench.alert_reads --folder DIR` makes a console's database with that many and prints the JSON of `bench.alert_reading`.
"""

import argparse
from pathlib import Path

from bench.rig import measured_inside

COUNT = 1_000_000


def measure(folder: Path, count: int) -> str:
    return measured_inside(folder, "bench.alert_reading", "--count", str(count))


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.alert_reads", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--count", type=int, default=COUNT)
    options = parser.parse_args()
    print(measure(options.folder, options.count))


if __name__ == "__main__":
    main()
