"""What goes on by itself: housekeeping of metrics and circuit breakers, the look at every trigger, and health checks."""

from typing import Any

from celery import shared_task
from celery.signals import celeryd_after_setup
from django.utils import timezone

from monitoring.breakers import own
from monitoring.breakers import services as breakers
from monitoring.health import history, pulsing, runner
from monitoring.health.checks.pulses import WORKER
from monitoring.health.checks.worker import TASK, do_job
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


@celeryd_after_setup.connect
def report_own_breakers(**_: Any) -> None:
    """In each worker: those of the channels that it tells."""
    own.breakers.report()


@shared_task(name="breakers.tick")
def tick_breakers() -> None:
    """Take back holds whose time is over, and end incidents whose processes are gone."""
    breakers.expire_holds()
    breakers.sweep()


@shared_task(name="breakers.forget")
def forget_breakers() -> None:
    """Drop what is older than it is kept."""
    breakers.forget(now=timezone.now())


@shared_task(name="health.tick")
def tick_health() -> None:
    """Look at what is due, if no web process was faster. Returns at once."""
    runner.tick()


@shared_task(name=TASK, bind=True)
def do_health_job(task: Any, token: str) -> None:
    """The job by which a health check knows that this worker works."""
    node = str(task.request.hostname or "")
    if do_job(token, worker=node, now=timezone.now()):
        pulsing.pulse(f"{WORKER}{node}"[:80], now=timezone.now())


@shared_task(name="health.forget")
def forget_health() -> None:
    """Drop what is older than it is kept."""
    now = timezone.now()
    pulsing.forget(now=now)
    history.forget(now=now)
