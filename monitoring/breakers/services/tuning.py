"""Settings of breakers, as supervisors tune them: they reach running processes by their streams."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from killswitch.locking import bounded
from monitoring.breakers.choices import CommandKind
from monitoring.breakers.locking import lock_version
from monitoring.breakers.models import BreakerState, CircuitBreaker
from monitoring.breakers.presence import present
from monitoring.breakers.services.breakers import locked
from monitoring.breakers.services.commands import issue
from monitoring.breakers.services.shared import FIELDS, put
from monitoring.breakers.sharing import Shared
from monitoring.breakers.tuning import TUNABLE, problems, settings_of
from opsconsole.audit.actor import Actor
from opsconsole.audit.services import record
from opsconsole.audit.tuned import Refused, model_problems, refuse_outdated, stamp, with_values
from opsconsole.live.publish import publish

# What a person sets; `comment` concerns no process.
TUNED = (*TUNABLE, "quorum", "comment")
STAMP = ("revision", "updated_at", "updated_by")


@bounded
def tune(
    *,
    actor: Actor,
    name: str,
    values: Mapping[str, Any],
    reason: str,
    revision: int | None = None,
    now: datetime | None = None,
) -> tuple[CircuitBreaker, bool]:
    """The breaker, and whether anything is different. None (or empty) leaves a setting to the process.

    `revision`: the one that the caller read. Raises UnknownBreaker, Refused or ChangedMeanwhile.
    """
    version, db_now = lock_version()
    moment, breaker = now or db_now, locked(name)
    refuse_outdated(breaker.name, breaker.revision, read=revision)
    before = as_values(breaker)
    after = before | _checked(breaker, values, now=moment)
    if before == after:
        return breaker, False
    for field, value in after.items():
        setattr(breaker, field, value)
    if before["quorum"] and not breaker.quorum and breaker.shared:
        put(breaker, Shared(generation=breaker.shared_generation), version=version + 1, now=moment)
    breaker.revision += 1
    stamp(breaker, actor, moment)
    if {**before, "comment": ""} != {**after, "comment": ""}:
        breaker.version = version + 1
        issue(CommandKind.TUNE, breaker, actor, reason, version=version + 1, now=moment)
    breaker.save(update_fields=[*TUNED, *STAMP, *FIELDS])
    record(
        actor=actor,
        action="breakers.tuned",
        obj=breaker,
        reason=reason,
        before=before,
        after=after,
        now=moment,
    )
    publish("breakers")
    return breaker, True


def as_values(breaker: CircuitBreaker) -> dict[str, Any]:
    """What a person sets."""
    return {name: getattr(breaker, name) for name in TUNED}


def own_configs(breaker: CircuitBreaker, *, now: datetime | None = None) -> dict[str, dict[str, Any]]:
    """What the code of each process that is there has, by its name."""
    rows = BreakerState.objects.filter(present(now or timezone.now(), "process__"), breaker=breaker)
    return dict(rows.order_by("process__name").values_list("process__name", "own_config"))


def _checked(breaker: CircuitBreaker, values: Mapping[str, Any], *, now: datetime) -> dict[str, Any]:
    """The given values, as they are stored, if they are sound together and in every process that has it."""
    whole = with_values(breaker, values, TUNED)
    wrong = model_problems(whole, among_others=False)
    if wrong or (wrong := problems(settings_of(whole), own_configs(breaker, now=now))):
        raise Refused(wrong)
    return {name: getattr(whole, name) for name in values}
