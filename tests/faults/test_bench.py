"""script/bench: what it refuses, and what it writes."""

import json
import subprocess
import sys
from pathlib import Path

from bench.figures import Figure, as_table, at_most, seen, write

ROOT = Path(__file__).parents[2]


def test_an_unknown_measurement_is_refused_and_the_known_are_named() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "speed"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "no such measurement: speed" in done.stderr
    for name in ("killswitch", "propagation", "faults", "check", "streams", "start"):
        assert name in done.stderr


def test_the_table_shows_figure_target_result_and_verdict() -> None:
    figures = [
        at_most("stop", 12.34, 50, "ms"),
        seen("floor", 1.3, "ms"),
        Figure("clock", "", "not possible here"),
    ]
    assert as_table(figures).splitlines() == [
        "figure  target   result             verdict",
        "-" * 43,
        "stop    ≤ 50 ms  12.34 ms           met",
        "floor            1.3 ms",
        "clock            not possible here",
    ]


def test_the_file_holds_figures_machine_and_details(tmp_path: Path) -> None:
    path = tmp_path / "bench" / "killswitch.json"
    write(path, [at_most("stop", 60, 50, "ms")], {"part": [1, 2]})
    written = json.loads(path.read_text())
    assert written["figures"] == [{"name": "stop", "target": "≤ 50 ms", "result": "60 ms", "ok": False}]
    assert written["details"] == {"part": [1, 2]}
    assert written["machine"]["processors"] > 0
