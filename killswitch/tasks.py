"""What goes on by itself. Nothing here is needed for a stop to hold: it completes the proof where no hub is there to do it."""

from threading import Lock
from time import monotonic

from celery import shared_task
from django.conf import settings

from killswitch import services
from killswitch.patience import Patience
from killswitch.selectors import unproven_epochs

# Of this worker process; the lock, because a worker may run tasks in threads.
_patience = Patience()
_lock = Lock()
_began = monotonic()


@shared_task(name="killswitch.settle")
def settle() -> None:
    """Record the proofs that time alone gives, by this worker's own clock."""
    # The clock after the read: an epoch may be seen later than it was, never earlier.
    epochs = unproven_epochs()
    with _lock:
        waited = _patience.look(epochs, now=monotonic())
    for epoch, seconds in waited.items():
        services.settle(epoch=epoch, waited=seconds)


@shared_task(name="killswitch.remind")
def remind() -> None:
    """Remind of the next drill."""
    services.remind()


@shared_task(name="killswitch.sweep")
def sweep() -> None:
    """Let go of streams whose hub is gone, and raise the alarm for what is missing."""
    services.sweep()
    services.notice_unproven()
    # After a start, give the processes the time that they need to come back before any is missed.
    if monotonic() - _began > settings.CLIENT_STALE:
        services.notice_stale()
