"""What goes on by itself."""

from celery import shared_task
from django.utils import timezone

from monitoring.triggers.evaluating import evaluate


@shared_task(name="triggers.evaluate")
def evaluate_triggers() -> None:
    """Look at every trigger: for what does not come, what ran out, and stops that a process died over."""
    evaluate(now=timezone.now())
