"""What a look that somebody asked for came to, in words."""

from django.utils import timezone

from monitoring.health.asking import NOT_WITHIN
from monitoring.health.choices import OF_HOSTS, Kind, Status
from monitoring.health.claiming import own_host
from monitoring.health.models import HealthComponent
from monitoring.health.wording import WORDS, counted

JUST_NOW = f"within {NOT_WITHIN.total_seconds():g} s"
TOO_MANY = "Others are asking for a look right now, so none was begun for you. What they find shows here."


def of_one(row: HealthComponent, looked: int | None) -> tuple[bool, str]:
    """Whether it was looked at, and the sentence. `row`: as it is now."""
    if not row.enabled:
        return False, f"{row.name} was not looked at: it is switched off."
    if row.retired_at is not None:
        return False, f"{row.name} was not looked at: its process has been gone for a day."
    if looked is None:
        return False, TOO_MANY
    is_fresh = row.checked_at is not None and timezone.now() - row.checked_at <= NOT_WITHIN
    if not looked and not is_fresh and Kind(row.kind) in OF_HOSTS and row.ran_on not in ("", own_host()):
        return (
            False,
            f"{row.name} is looked at on {row.ran_on} alone, which was asked to look now. What it finds shows here.",
        )
    if not looked:
        return False, f"{row.name} is looked at right now, or was {JUST_NOW}. The newest result is below."
    result = WORDS[Status(row.result)].lower()
    return True, f"Looked at it now: {result}. {row.message}"


def of_all(looked: int | None) -> tuple[bool, str]:
    if looked is None:
        return False, TOO_MANY
    if not looked:
        return False, f"Everything is looked at right now, or was {JUST_NOW}."
    return True, f"Looked at {counted(looked, 'component')} now. What was looked at {JUST_NOW} was left."
