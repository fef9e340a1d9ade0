"""What reading costs at a million stored alerts: milliseconds of SQL of each list, search, statistics and one alert.

`python -m bench.alert_reads --folder DIR` makes a console's database with that many and prints the JSON of `bench.alert_reading`.
"""

import argparse
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from bench.rig import ROOT, Rig

COUNT = 1_000_000


def measure(folder: Path, count: int) -> str:
    with ExitStack() as stack:
        rig = Rig(folder, term=2.0, durable=False)
        stack.push(rig)
        rig.postgres.start()
        rig.wait_postgres()
        rig.cluster.ensure_database()
        rig.manage("migrate", "--verbosity", "0")
        command = [sys.executable, "-m", "bench.alert_reading", "--count", str(count)]
        done = subprocess.run(
            command, env=rig.environ, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
        )
        return done.stdout


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.alert_reads", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--count", type=int, default=COUNT)
    options = parser.parse_args()
    print(measure(options.folder, options.count))


if __name__ == "__main__":
    main()
