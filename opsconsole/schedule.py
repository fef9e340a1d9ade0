"""Where Celery beat remembers what it has sent."""

import dbm.dumb
import shelve
from typing import Any

from celery.beat import PersistentScheduler

from opsconsole.live.ticks import ticked


class FileScheduler(PersistentScheduler):  # type: ignore[misc] # Celery has no types
    """Keeps the schedule in files of one format, whatever database libraries this Python was built with.

    Celery takes what `dbm` finds. One of those, ndbm, writes nothing before it is closed, so that a beat that is killed forgets
    all it has sent, and nobody can tell from outside whether it has started.
    """

    def _open_schedule(self) -> shelve.Shelf[Any]:
        # It takes text for keys as well as bytes, which typeshed does not say.
        return shelve.Shelf(dbm.dumb.open(self.schedule_filename, "c"), writeback=True)  # type: ignore[arg-type]

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Sends what is due. A tick that hangs, since the queue does not take it, is not said to have been."""
        seconds: float = super().tick(*args, **kwargs)
        ticked()
        return seconds
