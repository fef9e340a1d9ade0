"""What services share by which people tune things: a change is sound and meant for what is there now, or it is refused whole."""

from collections.abc import Collection, Mapping
from copy import copy
from datetime import datetime
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model

from opsconsole.audit.actor import Actor
from opsconsole.audit.storable import storable_text

Row = TypeVar("Row", bound=Model)


class Refused(ValueError):
    """`problems`: by field, what is allowed."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{field}: {problem}" for field, problem in problems.items()))
        self.problems = dict(problems)


class ChangedMeanwhile(Exception):
    """It has another version than the caller read; nothing was changed."""

    def __init__(self, name: str, version: int) -> None:
        super().__init__(f"{name} has version {version} by now: read it again.")
        self.version = version


def refuse_outdated(name: str, version: int, *, read: int | None) -> None:
    """`read`: the version that the caller read; None: whatever there is. Raises ChangedMeanwhile."""
    if read is not None and read != version:
        raise ChangedMeanwhile(name, version)


def with_values(row: Row, values: Mapping[str, Any], allowed: Collection[str]) -> Row:
    """A copy that has them. Raises Refused for a name that is no field."""
    if unknown := [name for name in values if name not in allowed]:
        raise Refused({unknown[0][:64]: f"is not a field here; allowed are {', '.join(allowed)}"})
    whole = copy(row)
    for name, value in values.items():
        setattr(whole, name, value)
    return whole


def model_problems(row: Model, *, among_others: bool = True) -> dict[str, str]:
    """By field, what the model itself does not allow. `among_others`: also what other rows and constraints do not."""
    try:
        row.full_clean(validate_unique=among_others, validate_constraints=among_others)
    except ValidationError as error:
        return {field: words[0] for field, words in error.message_dict.items()}
    return {}


def stamp(row: Any, actor: Actor, moment: datetime) -> None:
    """Who changed it, and when; not saved."""
    row.updated_at, row.updated_by = moment, storable_text(actor.name, length=150)
