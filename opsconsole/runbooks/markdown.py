"""Text for a Markdown document. Nothing in it can be taken for markup, for HTML or for the end of what it stands in. Pure."""

import re

SPECIAL = re.compile(r"[\\`*_\[\]<>|~&#]")
# What begins a list, a heading or a rule, where a line begins with it.
AT_START = re.compile(r"^([-+=]|\d{1,9}(?=[.)]))")
TICKS = re.compile(r"`+")


def inline(text: str) -> str:
    """In one line."""
    return SPECIAL.sub(r"\\\g<0>", " ".join(text.split()))


def paragraph(text: str) -> str:
    """A line of its own."""
    line = inline(text)
    found = AT_START.match(line)
    if found is None:
        return line
    return f"{found[1]}\\{line[found.end() :]}" if found[1].isdigit() else f"\\{line}"


def quoted(text: str, *, indent: str = "") -> list[str]:
    """Each line of it as a quotation; empty lines stay between."""
    return [f"{indent}> {paragraph(line)}".rstrip() for line in text.splitlines()]


def code(text: str, *, indent: str = "") -> list[str]:
    """As it is, between fences that are longer than any in it."""
    fence = "`" * max(3, *(len(run) + 1 for run in TICKS.findall(text)), 3)
    return [
        f"{indent}{fence}",
        *(f"{indent}{line}".rstrip() for line in text.splitlines()),
        f"{indent}{fence}",
    ]
