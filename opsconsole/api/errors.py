"""Errors of the API: `{"error": {"code", "message", "details"}}`, with the status that says whose turn it is."""

import logging
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import Http404
from psycopg.errors import IdleInTransactionSessionTimeout
from rest_framework import exceptions
from rest_framework.response import Response

from opsconsole.replies import AWAY, AWAY_CODE

logger = logging.getLogger(__name__)

# Status → the code and message of errors that carry none of their own.
STATUS_CODES = {
    400: ("bad_request", "The request cannot be read."),
    401: ("not_authenticated", "Sign in, or send Authorization: Bearer <token>."),
    403: ("forbidden", "This account may not do that."),
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not take this method."),
    413: ("too_large", "The body is too large."),
    500: ("internal_error", "Something went wrong here. The log has it under this request's id."),
    503: ("unavailable", "The console cannot answer now. Try again."),
}


class ApiError(Exception):
    """Raised by API views; `details` name the fields."""

    def __init__(
        self, status: int, code: str, message: str, details: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.details = status, code, message, dict(details or {})


def invalid(field: str, problem: str) -> ApiError:
    """400: one field is wrong; `problem` says what is allowed."""
    return ApiError(400, "invalid", f"{field}: {problem}", {field: problem})


def error_body(code: str, message: str, details: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "details": dict(details or {})}}


def exception_handler(error: Exception, context: Mapping[str, Any]) -> Response:
    """DRF's hook. Answers every exception, also those that DRF leaves to Django's HTML page."""
    match error:
        case ApiError():
            return Response(error_body(error.code, error.message, error.details), status=error.status)
        case Http404():
            return _plain(404)
        case DjangoPermissionDenied():
            return _plain(403)
        case exceptions.APIException():
            return _of_drf(error)
        case DatabaseError() | InterfaceError() if is_away(error):
            logger.warning("The database cannot be reached: %s", type(error).__name__)
            return Response(error_body(AWAY_CODE, AWAY), status=503, headers={"Retry-After": "1"})
    logger.error("An API view failed", exc_info=error)
    return _plain(500)


def is_away(error: Exception) -> bool:
    """Whether the database is not reachable, or (for a process that was suspended in a transaction) gone meanwhile."""
    return isinstance(error, OperationalError | InterfaceError) or isinstance(
        error.__cause__, IdleInTransactionSessionTimeout
    )


def _plain(status: int) -> Response:
    return Response(error_body(*STATUS_CODES[status]), status=status)


def _of_drf(error: exceptions.APIException) -> Response:
    headers = {}
    if header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = header
    code, message = STATUS_CODES.get(error.status_code, ("error", ""))
    # DRF's own text says more than ours, such as which permission is missing; lists and mappings do not occur, since views check their own input.
    detail = error.detail if isinstance(error.detail, str) else message
    own_code = getattr(detail, "code", "") or ""
    return Response(
        error_body(own_code if own_code == "invalid_token" else code, str(detail)),
        status=error.status_code,
        headers=headers,
    )
