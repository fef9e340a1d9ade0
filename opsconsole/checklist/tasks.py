"""What goes on by itself."""

from celery import shared_task

from opsconsole.checklist import services


@shared_task(name="checklist.look")
def look() -> None:
    """Tell of a day that was not signed off in time."""
    services.look()
