"""What goes on by itself: housekeeping of metrics and circuit breakers, and the look at every trigger."""

from celery import shared_task
from django.utils import timezone

from monitoring.breakers import services as breakers
from monitoring.metrics import partitions, retention, rollup, sampling
from monitoring.triggers.evaluating import evaluate


@shared_task(name="metrics.make_partitions")
def make_partitions() -> None:
    """Make those of the next days."""
    partitions.ensure_ahead(now=timezone.now())


@shared_task(name="metrics.roll_up")
def roll_up() -> None:
    """Keep charts of months few rows to read."""
    rollup.roll_up(now=timezone.now())


@shared_task(name="metrics.sample")
def sample() -> None:
    """Keep the host's load and the month's projected cost."""
    sampling.sample(now=timezone.now())


@shared_task(name="metrics.forget")
def forget() -> None:
    """Drop what is older than it is kept."""
    retention.drop_old(now=timezone.now())
    retention.forget_batches(now=timezone.now())


@shared_task(name="triggers.evaluate")
def evaluate_triggers() -> None:
    """Look at every trigger: for what does not come, what ran out, and stops that a process died over."""
    evaluate(now=timezone.now())


@shared_task(name="breakers.tick")
def tick_breakers() -> None:
    """Take back holds whose time is over, and end incidents whose processes are gone."""
    breakers.expire_holds()
    breakers.sweep()


@shared_task(name="breakers.forget")
def forget_breakers() -> None:
    """Drop what is older than it is kept."""
    breakers.forget(now=timezone.now())
