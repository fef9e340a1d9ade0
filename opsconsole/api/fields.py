"""Reading the fields of a body by hand: a few microseconds, and errors that name the field and what is allowed."""

from collections.abc import Mapping, Sequence
from typing import Any

from opsconsole.api.errors import invalid
from opsconsole.audit.storable import storable_text

LARGEST = 2**63 - 1


def text(fields: Mapping[str, Any], name: str, *, longest: int, needed: bool = False) -> str:
    value = fields.get(name)
    if value is None and not needed:
        return ""
    if not isinstance(value, str) or len(value) > longest or (needed and not value.strip()):
        raise invalid(name, f"must be a text of {1 if needed else 0} to {longest} characters")
    return value


def words(query: Mapping[str, Any], name: str, *, longest: int) -> str:
    """Of a query, to be looked for: cut to `longest`. What nothing that is stored can have finds nothing."""
    return storable_text(str(query.get(name, ""))[:longest])


def whole_number(fields: Mapping[str, Any], name: str, *, most: int = LARGEST) -> int | None:
    """None when it is missing or null."""
    value = fields.get(name)
    if value is None:
        return None
    if not _is_whole(value, most):
        raise invalid(name, f"must be a whole number from 0 to {most}")
    number: int = value
    return number


def whole_numbers(fields: Mapping[str, Any], name: str, *, longest: int = 1000) -> list[int] | None:
    """None when it is missing or null."""
    value = fields.get(name)
    if value is None:
        return None
    if (
        not isinstance(value, list)
        or len(value) > longest
        or not all(_is_whole(item, LARGEST) for item in value)
    ):
        raise invalid(name, f"must be a list of at most {longest} whole numbers")
    return value


def flag(fields: Mapping[str, Any], name: str) -> bool:
    value = fields.get(name)
    if not isinstance(value, bool):
        raise invalid(name, "must be true or false")
    return value


def mapping(fields: Mapping[str, Any], name: str, *, longest: int = 1000) -> Mapping[str, Any] | None:
    """None when it is missing or null."""
    value = fields.get(name)
    if value is not None and (not isinstance(value, dict) or len(value) > longest):
        raise invalid(name, f"must be an object of at most {longest} members, or null")
    return value


def mappings(fields: Mapping[str, Any], name: str, *, longest: int = 100) -> Sequence[Mapping[str, Any]]:
    value = fields.get(name)
    if value is None:
        return []
    if (
        not isinstance(value, list)
        or len(value) > longest
        or not all(isinstance(item, dict) for item in value)
    ):
        raise invalid(name, f"must be a list of at most {longest} objects")
    return value


def refuse_unknown(fields: Mapping[str, Any], *allowed: str) -> None:
    for name in fields:
        if name not in allowed:
            raise invalid(str(name)[:64], f"is not a field here; allowed are {', '.join(allowed)}")


def _is_whole(value: Any, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most
