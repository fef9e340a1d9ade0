"""Killed while the spool's file is written anew: old and new may both be there, and still each batch is counted once."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from opsclient.journal import Journal
from opsclient.metrics.batch import Batch, split
from opsclient.metrics.spool import Spool

from tests.client.metering import ROOT

OWNER = ("metrics-desk",)


def spool_in(folder: Path, *, most: int = 6) -> Spool:
    return Spool(folder, owner=OWNER, problem="", most=most, most_bytes=100_000)


def batch(number: int, *increments: int) -> Batch:
    rows = [
        {"name": "x", "labels": {"n": str(place)}, "inc": inc} for place, inc in enumerate(increments or [1])
    ]
    data = {"batch_id": f"b{number}", "client": "desk", "sent_at": "2026", "series": rows}
    return Batch(f"b{number}", "2026", json.dumps(data).encode(), number)


def fill(folder: Path) -> None:
    """More than there is room for: the last one makes it merge."""
    spool = spool_in(folder)
    for number in range(7):
        spool.add([batch(number)], at_once=False)


def halve(folder: Path) -> None:
    """One that the console found too large."""
    spool = spool_in(folder)
    spool.add([batch(0, 3, 4)], at_once=True)
    first = spool.next()
    assert first is not None
    spool.replace(first, split(first))


def inherit(folder: Path) -> None:
    """An earlier process left more than there is room for now."""
    spool_in(folder, most=4).tidy()


def leave(folder: Path) -> None:
    """What `inherit` finds."""
    spool = spool_in(folder, most=100)
    for number in range(7):
        spool.add([batch(number)], at_once=False)


WORKS = {work.__name__: work for work in (fill, halve, inherit, leave)}
# The functions of `opsclient.journal` at which the process ends, before they do anything.
POINTS = {"draft": "Path.rename", "both": "_remove"}


def killed(work: str, folder: Path, point: str) -> None:
    """Do this in a process that ends at once at that point."""
    command = [sys.executable, "-m", "tests.client.test_metrics_rewrite", work, str(folder), point]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "client")])}
    done = subprocess.run(command, cwd=ROOT, env=environ, check=False, timeout=20)
    assert done.returncode == (9 if point else 0)


def waiting(folder: Path) -> int:
    """What the next process has to send, in all."""
    spool, total = spool_in(folder, most=100), 0
    assert spool.tidy()
    while (found := spool.next()) is not None:
        total += sum(row["inc"] for row in json.loads(found.body)["series"])
        spool.remove(found)
    spool.close()
    return total


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("work", ["fill", "halve", "inherit"])
def test_a_kill_between_two_files_counts_nothing_twice_and_loses_nothing(
    tmp_path: Path, work: str, point: str
) -> None:
    if work == "inherit":
        killed("leave", tmp_path, "")
    killed(work, tmp_path, point)
    assert len(list(tmp_path.iterdir())) == 2, "the old file, and the new one or its draft"
    # The batch that made it merge is not on the disk when the draft is not in its place.
    assert waiting(tmp_path) == (6 if (work, point) == ("fill", "draft") else 7)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_anew_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path, owner=OWNER)
    journal.append([b"old"], sync=True)
    (before,) = tmp_path.iterdir()

    def full(_fd: int, _data: bytes) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("opsclient.journal._write", full)
        open_before = psutil.Process().num_fds()
        for _ in range(3):
            with pytest.raises(OSError, match="No space"):
                journal.rewrite([b"new"])
        assert psutil.Process().num_fds() == open_before
    assert list(tmp_path.iterdir()) == [before]
    journal.append([b"more"], sync=True)
    assert before.read_bytes() == b"old\nmore\n"


def main() -> None:
    work, folder, point = sys.argv[1:]
    with pytest.MonkeyPatch.context() as patched:
        if point:
            patched.setattr(f"opsclient.journal.{POINTS[point]}", lambda *_: os._exit(9))
        WORKS[work](Path(folder))
    os._exit(0)


if __name__ == "__main__":
    main()
