"""What goes on by itself."""

from threading import BoundedSemaphore
from typing import Any

from celery import shared_task
from celery.signals import celeryd_after_setup
from django.utils import timezone

from alerts import delivering, kicking, pressure
from alerts.alertmanager.recording import decide_posted
from alerts.chat.buttons import forget_buttons
from alerts.chat.polling import poll_bots
from alerts.services.ending import decide_untold, end_expired, release_held
from alerts.services.escalating import escalate_due
from alerts.services.repeats import add_repeats
from alerts.services.submitting import decide_submissions
from alerts.services.tallies import sum_up_hours

# Of a worker's threads, only so many send at the same time: channels that hang must not hold up the proofs of a stop.
SENDERS = 2
_senders = {
    critical: BoundedSemaphore(SENDERS if not critical else 2 * SENDERS) for critical in (True, False)
}


@shared_task(name="alerts.deliver")
def deliver(*, critical: bool = False) -> None:
    """Send what is due; with `critical`, what is urgent alone."""
    senders = _senders[critical]
    if not senders.acquire(blocking=False):
        return  # those that are at it will find it
    try:
        if not critical:
            pressure.tidy(now=timezone.now())
        delivering.drain(critical=critical)
    finally:
        senders.release()


@shared_task(name="alerts.refresh_messages")
def refresh_messages() -> None:
    """Bring count and age of messages in chats up to date."""
    pressure.refresh(now=timezone.now())


@celeryd_after_setup.connect
def keep_watch(sender: str, instance: Any, **_: Any) -> None:
    """In a worker for urgent deliveries: they go on when the queue is gone, too."""
    del sender
    if kicking.URGENT_QUEUE in instance.app.amqp.queues.consume_from:
        kicking.Watch(forever=True).look()


@shared_task(name="alerts.tick")
def tick() -> None:
    """Decide what waits, and end and tell what is over by now."""
    decide_submissions()
    decide_posted()
    add_repeats()
    end_expired(now=timezone.now())
    decide_untold(now=timezone.now())
    release_held(now=timezone.now())


@shared_task(name="alerts.escalate")
def escalate() -> None:
    """Tell again, more urgently, what nobody owns by now."""
    escalate_due(now=timezone.now())


@shared_task(name="alerts.poll_telegram")
def poll_telegram() -> None:
    """Carry out what was pressed in Telegram."""
    poll_bots()


@shared_task(name="alerts.forget_buttons")
def forget_old_buttons() -> None:
    """Delete buttons that expired long ago."""
    forget_buttons(now=timezone.now())


@shared_task(name="alerts.sum_up_hours")
def sum_up() -> None:
    """Keep the statistics of a week few rows to read."""
    sum_up_hours(now=timezone.now())
