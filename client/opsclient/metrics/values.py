"""What numbers and labels may be. Every refusal is a ValueError that names the field and what is allowed."""

from math import isfinite
from typing import Any

# The console takes up to 1e18, and sums of many of these should not exceed it.
LARGEST = 1e15
# Integers up to here are exact wherever they go.
EXACT = 2**53
LONGEST_LABEL = 100


def number(field: str, value: Any, low: float | None = None, high: float | None = None) -> float:
    """The value as an int or a float: finite, and from `low` to `high`. Takes whatever has a `__float__`, but no text and no bool."""
    if type(value) is not float and type(value) is not int:
        value = _converted(field, value)
    if not -LARGEST <= value <= LARGEST:  # NaN is not either
        allowed = "finite and at most 1e15 in size" if _is_huge(value) else "a finite number"
        raise ValueError(f"{field} must be {allowed}, not {value!r:.40}")
    if low is not None and value < low:
        allowed = f"{low:g} or more" if high is None else f"from {low:g} to {high:g}"
        raise ValueError(f"{field} must be {allowed}, not {value!r:.40}")
    if high is not None and value > high:
        raise ValueError(f"{field} must be from {low:g} to {high:g}, not {value!r:.40}")
    return value if -EXACT <= value <= EXACT else float(value)


def label(field: str, value: Any) -> str:
    """The value of a label as a plain str; whole numbers, such as the status 200, become texts."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(int(value))
    if not isinstance(value, str):
        raise ValueError(
            f"{field} must be a text of 1 to {LONGEST_LABEL} characters, not {type(value).__name__}"
        )
    text = str.__str__(value)  # of an enumeration's member, its value
    if not 1 <= len(text) <= LONGEST_LABEL or not text.isprintable():
        raise ValueError(f"{field} must have 1 to {LONGEST_LABEL} printable characters, not {text!r:.120}")
    return text


def _converted(field: str, value: Any) -> float:
    if isinstance(value, bool | str | bytes | bytearray):
        raise ValueError(f"{field} must be a number, not {value!r:.40}")
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{field} must be a finite number, not {value!r:.40}") from None


def _is_huge(value: float) -> bool:
    return isinstance(value, int) or isfinite(value)
