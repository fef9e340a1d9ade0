"""What goes on by itself: housekeeping of metrics, and the look at every trigger."""

from celery import shared_task
from django.utils import timezone

from monitoring.metrics import partitions, recording, retention, rollup
from monitoring.triggers.evaluating import evaluate


@shared_task(name="metrics.make_partitions")
def make_partitions() -> None:
    """Make those of the next days."""
    partitions.ensure_ahead(now=timezone.now())


@shared_task(name="metrics.record_own")
def record_own() -> None:
    """Write down what the console itself knows, for its pages."""
    recording.record_own(now=timezone.now())


@shared_task(name="metrics.roll_up")
def roll_up() -> None:
    """Keep charts of months few rows to read."""
    rollup.roll_up(now=timezone.now())


@shared_task(name="metrics.forget")
def forget() -> None:
    """Drop what is older than it is kept."""
    retention.drop_old(now=timezone.now())
    retention.forget_batches(now=timezone.now())


@shared_task(name="triggers.evaluate")
def evaluate_triggers() -> None:
    """Look at every trigger: for what does not come, what ran out, and stops that a process died over."""
    evaluate(now=timezone.now())
