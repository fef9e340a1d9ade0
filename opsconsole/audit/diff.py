"""Before and after, side by side."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Change:
    """A field that differs. None: it was not there."""

    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Diff:
    changes: list[Change]
    unchanged: int


def diff(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> Diff:
    """Field by field, in the order of `before`, then what `after` adds."""
    old, new = dict(before or {}), dict(after or {})
    names = [*old, *(name for name in new if name not in old)]
    changed = [name for name in names if name not in old or name not in new or old[name] != new[name]]
    changes = [Change(name, _words(old, name), _words(new, name)) for name in changed]
    return Diff(changes=changes, unchanged=len(names) - len(changed))


def _words(values: Mapping[str, Any], name: str) -> str | None:
    if name not in values:
        return None
    value = values[name]
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
