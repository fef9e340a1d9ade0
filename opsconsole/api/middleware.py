"""Request ids, and error answers of the API that are never HTML."""

import re
from collections.abc import Callable
from uuid import uuid4

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse

from opsconsole.api.errors import STATUS_CODES, error_body
from opsconsole.api.logs import current_request_id

SANE = re.compile(r"[A-Za-z0-9._-]{1,64}")
GetResponse = Callable[[HttpRequest], HttpResponseBase]


class RequestIdMiddleware:
    """Each request has an id: the caller's `X-Request-ID` if it is sane, else a new one. It is in the answer, the log and the audit trail."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if SANE.fullmatch(given) else uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]  # read back by accounts.actor
        token = current_request_id.set(request_id)
        try:
            response = self.get_response(request)
        finally:
            current_request_id.reset(token)
        response["X-Request-ID"] = request_id
        return response


class JsonErrorsMiddleware:
    """Under /monitoring every error has the API's body, also one that Django made before or around the view."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code < 400 or not _is_api(request.path_info) or _is_json(response):
            return response
        code, message = STATUS_CODES.get(response.status_code, ("error", response.reason_phrase))
        answer = JsonResponse(error_body(code, message), status=response.status_code)
        for name in ("Allow", "Retry-After", "WWW-Authenticate"):
            if response.has_header(name):
                answer[name] = response[name]
        return answer


def _is_api(path: str) -> bool:
    return path == "/monitoring" or path.startswith("/monitoring/")


def _is_json(response: HttpResponseBase) -> bool:
    return isinstance(response, HttpResponse) and "json" in response.get("Content-Type", "")
