"""Which processes count now: those connected, and those that have reported lately and did not say goodbye."""

from datetime import datetime, timedelta

from django.db.models import Q

# One that has no stream is gone when it has reported nothing for so long: three reports.
LATELY = timedelta(seconds=30)


def present(now: datetime, process: str = "") -> Q:
    """`process`: how the query's model comes to the process, such as `process__`; empty: it is one."""
    connected = Q(**{f"{process}stream__hub__gt": ""})
    lately = Q(**{f"{process}reported_at__gt": now - LATELY, f"{process}stream__left_at": None})
    return connected | lately
