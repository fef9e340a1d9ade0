"""Celery beat's memory: on disk at once, kept by a kill, and never in the way of a start."""

from pathlib import Path

import pytest

from opsconsole.celery import app
from opsconsole.schedule import FileScheduler


def scheduler(path: Path) -> FileScheduler:
    beat = app.Beat(schedule=str(path))
    made = beat.Service(app=app, scheduler_cls=beat.scheduler_cls, schedule_filename=beat.schedule).scheduler
    assert isinstance(made, FileScheduler)
    return made


@pytest.mark.parametrize("contents", ["", "not a schedule", "'entries', (0, 9999"])
def test_files_that_cannot_be_read_are_replaced(tmp_path: Path, contents: str) -> None:
    path = tmp_path / "schedule"
    for suffix in (".dir", ".dat", ".bak"):
        path.with_suffix(suffix).write_text(contents)
    assert set(scheduler(path).schedule) >= set(app.conf.beat_schedule)


def test_what_was_sent_is_remembered_without_an_orderly_end(tmp_path: Path) -> None:
    first = scheduler(tmp_path / "schedule")
    assert any(tmp_path.iterdir())
    name = next(iter(app.conf.beat_schedule))
    first.schedule[name].total_run_count = 7
    first.sync()
    assert scheduler(tmp_path / "schedule").schedule[name].total_run_count == 7
