"""From a component's row to the check that looks at it."""

from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings as django_settings

from alerts.sealing import SealBroken, unseal
from monitoring.health.checks.base import Check, Failed
from monitoring.health.checks.cpu import CpuCheck
from monitoring.health.checks.database import DatabaseCheck
from monitoring.health.checks.disk import DiskCheck
from monitoring.health.checks.memory import MemoryCheck
from monitoring.health.checks.network import CertificateCheck, HttpCheck, TcpCheck
from monitoring.health.checks.outbox import OutboxCheck
from monitoring.health.checks.pulses import BeatCheck, HubCheck
from monitoring.health.checks.redis import RedisCheck
from monitoring.health.checks.sealing import SealingCheck
from monitoring.health.checks.worker import WorkerCheck
from monitoring.health.choices import Kind
from monitoring.health.kinds import settings_of
from monitoring.health.models import HealthComponent

Settings = Mapping[str, Any]
# Of the budget: what a check of itself gives the other side, so that it can still say what is the matter.
SHARE = 0.9
Maker = Callable[[HealthComponent, Settings], Check]


def _disk(component: HealthComponent, settings: Settings) -> Check:
    del component
    thresholds = {name: settings[name] for name in ("degraded_pct", "unhealthy_pct")}
    paths = [line.strip() for line in settings["paths"].splitlines() if line.strip()]
    return DiskCheck(own=str(django_settings.DATA_DIR), paths=paths, **thresholds)


def _http(component: HealthComponent, settings: Settings) -> Check:
    try:
        secrets = unseal(component.secrets)
    except SealBroken as error:
        raise Failed(str(error)) from None
    return HttpCheck(
        budget=SHARE * component.budget_seconds, authorization=secrets.get("authorization", ""), **settings
    )


MAKERS: Mapping[Kind, Maker] = {
    Kind.REDIS: lambda c, s: RedisCheck(budget=SHARE * c.budget_seconds, before=c.metadata, **s),
    Kind.DATABASE: lambda _, s: DatabaseCheck(**s),
    Kind.DISK: _disk,
    Kind.MEMORY: lambda _, s: MemoryCheck(**s),
    Kind.CPU: lambda _, s: CpuCheck(**s),
    Kind.WORKER: lambda c, s: WorkerCheck(budget=SHARE * c.budget_seconds, **s),
    Kind.BEAT: lambda _, s: BeatCheck(**s),
    Kind.OUTBOX: lambda _, s: OutboxCheck(**s),
    Kind.HUB: lambda _, s: HubCheck(term=django_settings.LEASE_TERM, **s),
    Kind.SEALING: lambda _, s: SealingCheck(**s),
    Kind.CERTIFICATE: lambda c, s: CertificateCheck(budget=SHARE * c.budget_seconds, **s),
    Kind.HTTP: _http,
    Kind.TCP: lambda c, s: TcpCheck(budget=SHARE * c.budget_seconds, **s),
}


def check_of(component: HealthComponent) -> Check:
    """Of every kind but trading processes, which are looked at together. Raises Failed when a secret cannot be read."""
    kind = Kind(component.kind)
    return MAKERS[kind](component, settings_of(kind, component.settings))
