"""Texts from anywhere, made safe for a chat: cleaned, isolated where they run from right to left, cut. Escaping comes after this."""

import re
import unicodedata
from collections.abc import Callable

ELLIPSIS = "…"
# C0 without tab and newline, DEL, C1; then what changes the direction of its surroundings, and invisible marks of line ends.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_DIRECTIONS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]")
_UNPAIRED = re.compile("[\ud800-\udfff]")
_BREAKS = re.compile("\r\n?|[\u2028\u2029]")
_BLANK_LINES = re.compile("\n{3,}")
_ISOLATE, _END = "\u2068", "\u2069"
_FROM_THE_RIGHT = frozenset({"R", "AL", "AN"})
_JOINERS = frozenset("\u200d\ufe0e\ufe0f")


def clean(text: str) -> str:
    """Without control characters and marks of direction; several lines at most."""
    text = _UNPAIRED.sub("\ufffd", _BREAKS.sub("\n", text))
    text = _DIRECTIONS.sub("", _CONTROLS.sub("", text))
    return _BLANK_LINES.sub("\n\n", text).strip()


def one_line(text: str) -> str:
    return " ".join(clean(text).split())


def isolate(text: str) -> str:
    """Text that runs from right to left, between FSI and PDI, so that what stands around it keeps its order."""
    if any(unicodedata.bidirectional(char) in _FROM_THE_RIGHT for char in text):
        return f"{_ISOLATE}{text}{_END}"
    return text


def units(text: str) -> int:
    """Length in UTF-16 units, as Telegram counts."""
    return len(text) + sum(char > "\uffff" for char in text)


def cut(text: str, limit: int, *, length: Callable[[str], int] = units) -> str:
    """At most `limit` by `length`, with an ellipsis where something is missing; never inside of a character, nor of one with its accents."""
    if length(text) <= limit:
        return text
    if limit < 1:
        return ""
    low, high = 0, min(len(text), limit)
    while low < high:
        middle = (low + high + 1) // 2
        if length(text[:middle] + ELLIPSIS) <= limit:
            low = middle
        else:
            high = middle - 1
    while low and _belongs_to_the_one_before(text[low - 1], text[low]):
        low -= 1
    return text[:low].rstrip() + ELLIPSIS


def _belongs_to_the_one_before(before: str, char: str) -> bool:
    return before == "\u200d" or char in _JOINERS or unicodedata.combining(char) > 0
