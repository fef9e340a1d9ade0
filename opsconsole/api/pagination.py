"""Keyset paging: `?limit=&cursor=` → `{"results": […], "next": cursor or null}`. Pages stay right while rows are added."""

from dataclasses import dataclass
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from opsconsole.api.errors import invalid

LARGEST_PAGE = 200
PAGE = 50


@dataclass(frozen=True, slots=True)
class Page:
    """`before_id`: rows with a smaller id come next; None at the beginning."""

    limit: int
    before_id: int | None


def read_page(request: Request) -> Page:
    """The page asked for. 400 names `limit` or `cursor`."""
    return Page(
        limit=read_limit(request),
        before_id=_number(request, "cursor", most=2**63 - 1, least=0),
    )


def read_limit(request: Request) -> int:
    """For lists whose cursor is no number. 400 names `limit`."""
    return _number(request, "limit", most=LARGEST_PAGE, least=1) or PAGE


def answer(results: Any, following: object) -> Response:
    """`following`: the key of the page that follows; None on the last one."""
    return Response({"results": results, "next": None if following is None else str(following)})


def _number(request: Request, name: str, *, most: int, least: int) -> int | None:
    value = request.query_params.get(name)
    if value in (None, ""):
        return None
    number = int(value) if value.isascii() and value.isdigit() and len(value) < 20 else -1
    if not least <= number <= most:
        raise invalid(
            name,
            f"must be a whole number from {least} to {most}"
            if name == "limit"
            else "must be a `next` of this list",
        )
    return number
