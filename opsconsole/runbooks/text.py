"""The texts of steps as HTML: a small part of Markdown, and nothing that a writer could turn into more.

Paragraphs are parted by an empty line. Lines that begin with `- ` are a list, lines between two lines of ``` are code, `code` and **bold** stand
in a line. Everything else is text.
"""

import re

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

FENCE = "```"
INLINE = re.compile(r"`([^`\n]+)`|\*\*([^*\n]+)\*\*")


def as_html(text: str) -> SafeString:
    """Each block in an element of its own."""
    return mark_safe("".join(_block(kind, lines) for kind, lines in _blocks(text)))  # noqa: S308  made of escaped parts


def _blocks(text: str) -> list[tuple[str, list[str]]]:
    """`code`, `list` and `text`, each with its lines."""
    found: list[tuple[str, list[str]]] = []
    fenced = apart = False
    for line in text.splitlines():
        if line.strip() == FENCE:
            fenced, apart = not fenced, True
            if fenced:
                found.append(("code", []))
            continue
        kind = "code" if fenced else "list" if line.startswith("- ") else "text"
        if not fenced and not line.strip():
            apart = True
            continue
        if not fenced and (apart or not found or found[-1][0] != kind):
            found.append((kind, []))
        apart = False
        found[-1][1].append(line.removeprefix("- ") if kind == "list" else line)
    return found


def _block(kind: str, lines: list[str]) -> SafeString:
    if kind == "code":
        return format_html('<pre class="oc-code-block"><code>{}</code></pre>', "\n".join(lines))
    if kind == "list":
        return format_html(
            "<ul>{}</ul>", format_html_join("", "<li>{}</li>", ((_inline(line),) for line in lines))
        )
    return format_html("<p>{}</p>", format_html_join(" ", "{}", ((_inline(line),) for line in lines)))


def _inline(text: str) -> SafeString:
    parts, at = [], 0
    for found in INLINE.finditer(text):
        parts.append(format_html("{}", text[at : found.start()]))
        code, bold = found.groups()
        parts.append(format_html("<code>{}</code>", code) if code else format_html("<b>{}</b>", bold))
        at = found.end()
    parts.append(format_html("{}", text[at:]))
    return mark_safe("".join(parts))  # noqa: S308  made of escaped parts
