"""Values that a runbook's texts name, as `{{breaker}}`: asked of the alert's labels, else of whoever opens it. Pure.

In a command a value is percent-encoded, so that it fits into an address and no shell takes it for anything but a word.
"""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote

NAME = re.compile(r"\{\{\s*([a-zA-Z_][a-zA-Z0-9_]{0,63})\s*\}\}")
# Filled in when a page is shown: the console's own address.
CONSOLE = "console"
LONGEST = 200


def names_in(texts: Iterable[str]) -> list[str]:
    """What is named and must be known before the steps can be worked through, in order."""
    found = dict.fromkeys(name for text in texts for name in NAME.findall(text))
    return [name for name in found if name != CONSOLE]


def filled(text: str, values: Mapping[str, str]) -> str:
    """For people. What is not known stays as it is."""
    return NAME.sub(lambda found: values.get(found[1], found[0]), text)


def filled_command(text: str, values: Mapping[str, str]) -> str:
    return filled(text, {name: quote(value, safe="") for name, value in values.items()})


def with_console(text: str, address: str) -> str:
    """`address`: such as `https://console.example`."""
    return filled(text, {CONSOLE: address})


def sound_value(value: str) -> str:
    """ValueError: cannot be shown in a line. Blanks around it do not count."""
    value = value.strip()
    if not value or len(value) > LONGEST or not value.isprintable():
        raise ValueError(f"must be 1 to {LONGEST} printable characters")
    return value
