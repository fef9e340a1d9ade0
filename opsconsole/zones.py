"""Time zones by their names."""

from typing import Any
from zoneinfo import ZoneInfo


def is_zone(name: Any) -> bool:
    """Whether it names one. So does the empty text: the usual one of its place."""
    if name == "":
        return True
    try:
        ZoneInfo(name)
    # What is no name at all fails in other ways than a name that is not known.
    except (KeyError, ValueError, OSError, TypeError):
        return False
    return True
