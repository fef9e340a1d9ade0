"""/api/v2: Alertmanager's API. Known alerts that are posted again do not come here: see `alerts.alertmanager.native`."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import msgspec
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.views import APIView

from alerts.alertmanager import config, silences
from alerts.alertmanager.contract import decode_alerts, decode_silence
from alerts.alertmanager.errors import (
    JSON,
    WRONG_TYPE,
    Refused,
    as_response,
    handler_error,
    http_error,
    schema_error,
)
from alerts.alertmanager.filters import read_filters, read_flag, read_selection
from alerts.alertmanager.listing import Listing
from alerts.alertmanager.recording import decide_posted
from alerts.alertmanager.taking import sound_alerts, take
from alerts.models import Silence
from alerts.services import silencing
from alerts.services.repeats import add_repeats
from opsconsole.accounts.actor import actor_of
from opsconsole.api.errors import exception_handler

STARTED = timezone.now()


@extend_schema(exclude=True)
class View(APIView):
    """Refusals in Alertmanager's forms. `needs`: method → permission, and what to call it."""

    http_method_names = ("get", "post", "delete")
    needs: dict[str, tuple[str, str]] = {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        # A method that is not there is refused as such, after this.
        permission, act = self.needs.get(request.method or "", ("", ""))
        if permission and not request.user.has_perm(permission):
            raise http_error(403, f"This account may not {act}.")

    # DRF's types know its own Response alone; it passes on any of Django's.
    def handle_exception(self, exc: Exception) -> HttpResponseBase:  # type: ignore[override]
        if isinstance(exc, Refused):
            return as_response(exc)
        if isinstance(exc, exceptions.MethodNotAllowed):
            allowed = ",".join(self.allowed_methods)
            return as_response(
                http_error(405, f"method {self.request.method} is not allowed, but [{allowed}] are")
            )
        if isinstance(exc, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
            exc.auth_header = self.get_authenticate_header(self.request)  # type: ignore[union-attr]  # as DRF does
        plain = exception_handler(exc, {})
        answer = as_response(http_error(plain.status_code, plain.data["error"]["message"]))
        for name in ("WWW-Authenticate", "Retry-After"):
            if plain.has_header(name):
                answer[name] = plain[name]
        return answer

    def finalize_response(  # type: ignore[override]
        self, request: Request, response: HttpResponseBase, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        patch_cache_control(response, no_store=True)
        return super().finalize_response(request, response, *args, **kwargs)  # type: ignore[arg-type]


class StatusView(View):
    needs = {"GET": ("alerts.view_alert", "see alerts")}

    def get(self, request: Request) -> HttpResponse:
        return _json(config.status(started=STARTED))


class ReceiversView(View):
    needs = {"GET": ("alerts.view_alert", "see alerts")}

    def get(self, request: Request) -> HttpResponse:
        return _json([{"name": name} for name in config.Receivers().names()])


class AlertsView(View):
    needs = {"GET": ("alerts.view_alert", "see alerts"), "POST": ("alerts.raise_alert", "raise alerts")}

    def get(self, request: Request) -> HttpResponseBase:
        return _stream(_listing(request).alerts())

    def post(self, request: Request) -> HttpResponse:
        now = timezone.now()
        sound, problems = sound_alerts(decode_alerts(_body(request)), now=now)
        # In the order in which they came.
        decide_posted()
        problems += take(sound, actor=actor_of(request), now=now)
        if problems:
            raise handler_error("; ".join(problems))
        return HttpResponse(content_type=JSON)


class GroupsView(View):
    needs = {"GET": ("alerts.view_alert", "see alerts")}

    def get(self, request: Request) -> HttpResponseBase:
        return _stream(_listing(request).groups())


class SilencesView(View):
    needs = {"GET": ("alerts.view_silence", "see silences"), "POST": ("alerts.silence", "silence alerts")}

    def get(self, request: Request) -> HttpResponse:
        query = request.query_params
        states = {name: read_flag(query, name) for name in ("active", "pending", "expired")}
        return _json(silences.listed(read_filters(query), states=states, now=timezone.now()))

    def post(self, request: Request) -> HttpResponse:
        wanted = decode_silence(_body(request))
        saved = silences.save(wanted, actor=actor_of(request), now=timezone.now())
        return _json({"silenceID": str(saved.pk)})


class SilenceView(View):
    needs = {"GET": ("alerts.view_silence", "see silences"), "DELETE": ("alerts.silence", "silence alerts")}

    def get(self, request: Request, silence_id: str) -> HttpResponse:
        silence = Silence.objects.filter(pk=_uuid(silence_id)).first()
        if silence is None:
            return HttpResponse(status=404)
        return _json(silences.shown(silence, timezone.now()))

    def delete(self, request: Request, silence_id: str) -> HttpResponse:
        found = _uuid(silence_id)
        try:
            silencing.expire(
                actor=actor_of(request), silence_id=found, reason="Expired through Alertmanager's API"
            )
        except silencing.UnknownSilence:
            raise handler_error("silence not found", status=404) from None
        return HttpResponse(content_type=JSON)


@extend_schema(exclude=True)
class NotFoundView(APIView):
    """Whatever else is asked for under /api/v2, by any method, signed in or not."""

    authentication_classes = ()
    permission_classes = ()

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return as_response(http_error(404, f"path {request.path} was not found"))


@require_safe
def alive(request: HttpRequest) -> HttpResponse:
    """`/-/healthy`: this process answers. `/-/ready`: so it does, and asks the database for each alert."""
    return HttpResponse("OK", content_type="text/plain; charset=utf-8")


def _listing(request: Request) -> Listing:
    selection = read_selection(request.query_params)
    # What was raised again lasts longer.
    add_repeats()
    return Listing(selection, now=timezone.now())


def _body(request: Request) -> bytes:
    """Raises Refused: 415 for another content type."""
    given = request.META.get("CONTENT_TYPE", "")
    if given.split(";")[0].strip().lower() != JSON:
        raise http_error(415, f'unsupported media type "{given}", only [application/json] are allowed')
    return request._request.body  # noqa: SLF001  DRF's own `data` would parse it once more


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise schema_error(WRONG_TYPE, f'silenceID in path must be of type uuid: "{text}"') from None


def _json(content: object) -> HttpResponse:
    return HttpResponse(msgspec.json.encode(content) + b"\n", content_type=JSON)


def _stream(pieces: Iterable[bytes]) -> StreamingHttpResponse:
    return StreamingHttpResponse(_gathered(pieces), content_type=JSON)


def _gathered(pieces: Iterable[bytes], *, size: int = 64 * 1024) -> Iterable[bytes]:
    """Fewer, larger pieces."""
    waiting: list[bytes] = []
    length = 0
    for piece in pieces:
        waiting.append(piece)
        length += len(piece)
        if length >= size:
            yield b"".join(waiting)
            waiting, length = [], 0
    yield b"".join(waiting)
