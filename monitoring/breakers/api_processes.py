"""/monitoring/circuit-breaker-reports and -probes, for processes: docs/protocol.md."""

from dataclasses import asdict

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from monitoring.breakers import serializers_processes as s
from monitoring.breakers import services
from monitoring.breakers.api import unknown
from monitoring.breakers.models import NAME_LENGTH
from monitoring.breakers.reports import CONSOLE, InvalidReport, decode
from opsconsole.accounts.actor import actor_of
from opsconsole.api import fields as f
from opsconsole.api.access import require
from opsconsole.api.body import raw_body, read_body
from opsconsole.api.errors import ApiError, invalid
from opsconsole.api.schema import ErrorSerializer, errors

LIMIT = 1024 * 1024
PERMISSION = "monitoring.report_circuitbreaker"


class ReportView(APIView):
    @extend_schema(
        operation_id="circuit_breaker_report",
        summary="What a process tells of its circuit breakers",
        description=(
            "Sent by the client after each change of state, and every 10 s. A repeat changes nothing: transitions are counted once by instance and "
            f"`seq`. At most {LIMIT} bytes. The answer has what the process has not applied yet (docs/protocol.md)."
        ),
        request={"application/json": s.ReportSerializer},
        responses={
            200: s.TakenSerializer,
            **errors(400, 403),
            413: OpenApiResponse(ErrorSerializer, description="The body is longer than 1 MiB."),
        },
        examples=[OpenApiExample("a breaker has opened", request_only=True, value=s.REPORT)],
    )
    def post(self, request: Request) -> Response:
        require(request, PERMISSION, to="Reporting circuit breakers", role="trading-system")
        try:
            report = decode(raw_body(request, limit=LIMIT))
        except InvalidReport as error:
            raise invalid(error.field, error.problem) from None
        if report.name == CONSOLE:
            raise invalid("name", f"must not be {CONSOLE!r}: that is the console itself")
        try:
            taken = services.take_report(actor=actor_of(request), report=report)
        except services.ForeignProcess as error:
            raise ApiError(403, "forbidden", str(error), {"instance": report.instance}) from None
        return Response(asdict(taken))


class ProbeView(APIView):
    @extend_schema(
        operation_id="circuit_breaker_probe",
        summary="May this process probe a shared circuit breaker?",
        description="One process at a time, from the end of the open time on; the next may when its term ends without a result.",
        request={"application/json": s.ProbeSerializer},
        responses={200: s.LeaseSerializer, **errors(400, 403, 404, 413)},
        examples=[OpenApiExample("ask", request_only=True, value=s.PROBE)],
    )
    def post(self, request: Request) -> Response:
        require(request, PERMISSION, to="Probing circuit breakers", role="trading-system")
        fields = read_body(request).or_refuse()
        generation = f.whole_number(fields, "generation")
        if generation is None:
            raise invalid("generation", "is missing")
        name = f.text(fields, "breaker", longest=NAME_LENGTH, needed=True)
        try:
            lease = services.lease_probe(
                client=f.text(fields, "name", longest=64, needed=True),
                instance=f.text(fields, "instance", longest=32, needed=True).lower(),
                name=name,
                generation=generation,
            )
        except services.UnknownBreaker as error:
            raise unknown(error) from None
        if lease.granted:
            return Response({"granted": True, "permits": lease.permits, "term_s": lease.term_s})
        return Response({"granted": False, "retry_s": lease.retry_s})
