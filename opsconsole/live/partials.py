"""The answer to a page that asks for its own parts again (static/console/pulse.js)."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string


def partials(
    request: HttpRequest, parts: Mapping[str, str], context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """`parts`: by the id of the element that each replaces, its template."""
    made = [
        f'<hx-partial hx-target="#{part}">{render_to_string(name, context, request)}</hx-partial>'
        for part, name in parts.items()
    ]
    return HttpResponse("\n".join(made), status=status)
