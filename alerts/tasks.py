"""What goes on by itself."""

from celery import shared_task
from django.utils import timezone

from alerts.chat.buttons import forget_buttons
from alerts.chat.polling import poll_bots
from alerts.services.escalating import escalate_due


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
