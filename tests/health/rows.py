"""Components with results, changes and days as rows, for tests of what is read: in any status, at any time."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from monitoring.health.choices import Kind, Status
from monitoring.health.metrics import DURATION
from monitoring.health.models import HealthChange, HealthComponent, HealthDay
from monitoring.metrics.models import Series
from monitoring.metrics.sources import CLIENT
from tests.metrics.rows import a_series, gauge

DAY_SECONDS = 86_400.0


def looked_at(
    slug: str = "", status: Status = Status.HEALTHY, *, now: datetime, ago: float = 3, **values: Any
) -> None:
    """As after so many seconds: the component, or all that there are, in this status for an hour, with its result."""
    rows = HealthComponent.objects.filter(slug=slug) if slug else HealthComponent.objects.all()
    usual = {
        "status": status,
        "result": status,
        "message": "It answers" if status == Status.HEALTHY else "It took 1,412 ms",
        "since": now - timedelta(hours=1),
        "checked_at": now - timedelta(seconds=ago),
        "due_at": now + timedelta(seconds=7),
        "response_ms": 1.23,
        "ran_on": "desk-host",
    }
    rows.update(**usual | values)


def a_target(name: str, **values: Any) -> HealthComponent:
    """A TCP target that nobody has looked at."""
    usual = {"slug": name.lower().replace(" ", "-"), "kind": Kind.TCP, "settings": {"host": "127.0.0.1"}}
    return HealthComponent.objects.create(name=name, **usual | values)


def a_client(name: str, **values: Any) -> HealthComponent:
    return HealthComponent.objects.create(
        name=f"Client {name}",
        **{"slug": f"client-{name.lower()}", "kind": Kind.CLIENT, "settings": {"client": name}} | values,
    )


def changed(slug: str, before: Status, after: Status, *, at: datetime, **values: Any) -> HealthChange:
    """After ten minutes in the status before."""
    component = HealthComponent.objects.get(slug=slug)
    usual = {"message": f"Found {after}", "lasted_seconds": 600.0}
    return HealthChange.objects.create(
        component=component, at=at, before=before, after=after, **usual | values
    )


def a_day(slug: str, *, ago: int, now: datetime, **seconds: float) -> HealthDay:
    """So many days ago; what is not given is healthy."""
    rest = DAY_SECONDS - sum(seconds.values())
    return HealthDay.objects.create(
        component=HealthComponent.objects.get(slug=slug),
        day=timezone.localtime(now).date() - timedelta(days=ago),
        **{"healthy": rest} | seconds,
    )


def answered(slug: str, *values_ms: float, now: datetime) -> Series:
    """One minute each, the last of them now."""
    series = a_series(DURATION, client=CLIENT, when=now, value=values_ms[-1] / 1000, component=slug)
    for back, value in enumerate(reversed(values_ms)):
        gauge(series, f"{now - timedelta(minutes=back):%Y-%m-%d %H:%M}", value / 1000)
    return series
