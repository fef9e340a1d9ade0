"""Alertmanager's two forms of an error: a bare JSON text from its handlers, `{"code", "message"}` from its schema."""

from http import HTTPStatus

import msgspec
from django.http import HttpResponse

JSON = "application/json"

# go-openapi's own numbers.
REQUIRED, WRONG_TYPE, TOO_FEW = 602, 601, 612


class Refused(Exception):
    """An answer that is not 200. `code` None: the handler's form."""

    def __init__(self, status: int, message: str, *, code: int | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.code = status, message, code

    def body(self) -> bytes:
        content = self.message if self.code is None else {"code": self.code, "message": self.message}
        return msgspec.json.encode(content) + b"\n"


def handler_error(message: str, *, status: int = HTTPStatus.BAD_REQUEST) -> Refused:
    return Refused(status, message)


def schema_error(code: int, message: str) -> Refused:
    """422 for what the schema forbids."""
    return Refused(HTTPStatus.UNPROCESSABLE_ENTITY, message, code=code)


def http_error(status: int, message: str) -> Refused:
    """What is refused before a handler is asked: 401, 403, 405, 413, 415, 503, or a body that is no JSON."""
    return Refused(status, message, code=status)


def as_response(error: Refused) -> HttpResponse:
    return HttpResponse(error.body(), content_type=JSON, status=error.status)
