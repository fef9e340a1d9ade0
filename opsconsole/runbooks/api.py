"""/monitoring/incidents: what was worked through, noted and closed, and the same as a document."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from alerts.api_fields import moment, one_of
from opsconsole.accounts.actor import actor_of
from opsconsole.api import fields as f
from opsconsole.api.access import require
from opsconsole.api.body import read_body
from opsconsole.api.errors import ApiError, invalid
from opsconsole.api.idempotency import once_in_transaction
from opsconsole.api.pagination import LARGEST_PAGE, answer, read_limit, read_page
from opsconsole.api.schema import CURSOR, IDEMPOTENCY_KEY, LIMIT, errors
from opsconsole.runbooks import selectors, services, timeline
from opsconsole.runbooks import serializers as s
from opsconsole.runbooks.choices import IncidentState, Shown
from opsconsole.runbooks.models import Incident
from opsconsole.runbooks.services.shared import LONGEST
from opsconsole.runbooks.views import markdown

BODIES = ("application/json", "application/x-www-form-urlencoded")


def may_read(request: Request) -> None:
    require(request, "runbooks.view_incident", to="Reading incidents", role="viewer")


def may_work(request: Request) -> None:
    require(request, "runbooks.work_incident", to="Working on incidents", role="operator")


class IncidentsView(APIView):
    @extend_schema(
        operation_id="incidents",
        summary="Incidents, newest first",
        parameters=[
            LIMIT,
            CURSOR,
            OpenApiParameter("state", str, enum=IncidentState.values, description="Only these."),
            OpenApiParameter(
                "search", str, description="Part of a title, an alert's, a note or the summary."
            ),
            OpenApiParameter(
                "runbook", str, description="Only those in which this runbook was opened: its slug."
            ),
            OpenApiParameter("since", datetime, description="Started not before this time."),
            OpenApiParameter("until", datetime, description="Started before this time."),
        ],
        responses={200: s.IncidentPageSerializer, **errors(400, 403)},
    )
    def get(self, request: Request) -> Response:
        may_read(request)
        page, query = read_page(request), request.query_params
        found = selectors.incidents(
            limit=page.limit,
            before_id=page.before_id,
            state=one_of(query, "state", IncidentState.values),
            search=f.words(query, "search", longest=100),
            runbook=f.words(query, "runbook", longest=64),
            since=moment(query, "since"),
            until=moment(query, "until"),
        )
        results = s.IncidentSerializer(found.results, many=True).data
        return answer(results, found.next_id)


class IncidentView(APIView):
    @extend_schema(
        operation_id="incident",
        summary="One incident with its runbooks, alerts and notes",
        responses={200: s.IncidentDetailSerializer, **errors(403, 404)},
    )
    def get(self, request: Request, pk: int) -> Response:
        may_read(request)
        return Response(_data(pk))


class TimelineView(APIView):
    @extend_schema(
        operation_id="incident_timeline",
        summary="What happened meanwhile, newest first",
        description="From the audit trail, the alerts, the circuit breakers, the kill switch and health, between its beginning and its end.",
        parameters=[LIMIT, CURSOR, OpenApiParameter("show", str, enum=s.SHOWN, description="Only these.")],
        responses={200: s.TimelinePageSerializer, **errors(400, 403, 404)},
    )
    def get(self, request: Request, pk: int) -> Response:
        may_read(request)
        query = request.query_params
        shown, limit, cursor = one_of(query, "show", s.SHOWN), read_limit(request), query.get("cursor")
        try:
            before = timeline.Key.read(cursor) if cursor else None
        except ValueError as error:
            raise invalid("cursor", str(error)) from None
        incident = _found(pk).incident
        found = timeline.page(incident, limit=limit, shown=Shown(shown), before=before)
        results = [s.entry_data(entry) for entry in found.entries]
        return answer(results, found.next_key)


class NotesView(APIView):
    @extend_schema(
        operation_id="incident_note",
        summary="Write something down",
        description="409 where it is closed. Needs the role operator.",
        parameters=[IDEMPOTENCY_KEY],
        request=dict.fromkeys(BODIES, s.NewNoteSerializer),
        responses={201: s.NoteSerializer, **errors(400, 403, 404, 409, 413, 422)},
        examples=[OpenApiExample("a note", request_only=True, value={"text": "The provider answers again"})],
    )
    def post(self, request: Request, pk: int) -> Response:
        def act(text: str) -> Response:
            note = services.add_note(actor=actor_of(request), incident_id=pk, text=text)
            return Response(s.NoteSerializer(note).data, status=201)

        return _written(request, pk, "text", "note", act)


class CloseView(APIView):
    @extend_schema(
        operation_id="incident_close",
        summary="Close it",
        description="It resolves no alert and re-arms nothing. 409 where it is closed already. Needs the role operator.",
        parameters=[IDEMPOTENCY_KEY],
        request=dict.fromkeys(BODIES, s.CloseSerializer),
        responses={200: s.IncidentDetailSerializer, **errors(400, 403, 404, 409, 413, 422)},
        examples=[
            OpenApiExample("close", request_only=True, value={"summary": "A key had expired; renewed"})
        ],
    )
    def post(self, request: Request, pk: int) -> Response:
        def act(summary: str) -> Response:
            services.close(actor=actor_of(request), incident_id=pk, summary=summary)
            return Response(_data(pk))

        return _written(request, pk, "summary", "close", act)


class ExportView(APIView):
    @extend_schema(
        operation_id="incident_export",
        summary="The same as a Markdown document",
        responses={(200, "text/markdown"): OpenApiTypes.STR, **errors(403, 404)},
    )
    def get(self, request: Request, pk: int) -> HttpResponse:
        may_read(request)
        return markdown(request._request, _found(pk))  # noqa: SLF001  pages and API give the same file


def _found(pk: int) -> selectors.Detail:
    try:
        return selectors.detail(pk)
    except Incident.DoesNotExist:
        raise _unknown(pk) from None


def _unknown(pk: int) -> ApiError:
    return ApiError(404, "not_found", f"There is no incident {pk}.", {"id": pk})


def _data(pk: int) -> Mapping[str, Any]:
    found = _found(pk)
    newest = list(found.incident.notes.order_by("-id")[:LARGEST_PAGE])
    return s.detail_data(found, notes=newest[::-1])


def _written(
    request: Request, pk: int, field: str, operation: str, act: Callable[[str], Response]
) -> Response:
    """One text, that `act` writes into the incident."""
    may_work(request)
    body = read_body(request)
    fields = body.or_refuse()
    f.refuse_unknown(fields, field)
    text = f.text(fields, field, longest=LONGEST, needed=True)

    def carry_out() -> Response:
        try:
            return act(text)
        except services.UnknownIncident:
            raise _unknown(pk) from None
        except services.IncidentClosed as error:
            raise ApiError(409, "closed", str(error), {"id": pk}) from None

    return once_in_transaction(
        request, operation=f"incidents.{operation}", body=f"{pk}\n{body.raw}", act=carry_out
    )
