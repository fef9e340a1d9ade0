"""/monitoring/checklist: every line as it is now, who signed the day off, and the days before."""

from datetime import date
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from opsconsole.accounts.actor import actor_of
from opsconsole.api import fields as f
from opsconsole.api.access import require
from opsconsole.api.body import read_body
from opsconsole.api.errors import ApiError, invalid
from opsconsole.api.idempotency import once_in_transaction
from opsconsole.api.pagination import answer, read_limit
from opsconsole.api.schema import CURSOR, IDEMPOTENCY_KEY, LIMIT, errors
from opsconsole.checklist import selectors, services
from opsconsole.checklist import serializers as s
from opsconsole.checklist.models import COMMENT

LONGEST_SEEN = 500


class ChecklistView(APIView):
    @extend_schema(
        operation_id="checklist",
        summary="Today's checklist, evaluated now",
        responses={200: s.ChecklistSerializer, **errors(403)},
    )
    def get(self, request: Request) -> Response:
        _may_read(request)
        return Response(s.ChecklistSerializer(_checklist()).data)


class SignView(APIView):
    @extend_schema(
        operation_id="checklist_sign",
        summary="Sign off the trading day",
        description=(
            "Keeps every line with its values as they are now. 400 without a comment while a line is not green; 409 when `seen` is sent and a "
            "line has another verdict by now. The first signature stays. Needs the role operator."
        ),
        parameters=[IDEMPOTENCY_KEY],
        request=s.SignSerializer,
        responses={200: s.SignedSerializer, **errors(400, 403, 409, 413, 422)},
        examples=[
            OpenApiExample("sign off", request_only=True, value={"comment": "Cache was restarted at 06:00"})
        ],
    )
    def post(self, request: Request) -> Response:
        require(request, "checklist.sign_checklist", to="Signing off the checklist", role="operator")
        body = read_body(request)
        fields = body.or_refuse()
        f.refuse_unknown(fields, "comment", "seen")
        comment = f.text(fields, "comment", longest=COMMENT)
        seen = f.text(fields, "seen", longest=LONGEST_SEEN) or None
        return once_in_transaction(
            request,
            operation="checklist.sign",
            body=body.raw,
            act=lambda: _sign(request, comment=comment, seen=seen),
        )


class DaysView(APIView):
    @extend_schema(
        operation_id="checklist_days",
        summary="The days that were signed off or missed, newest first",
        parameters=[LIMIT, CURSOR],
        responses={200: s.DayPageSerializer, **errors(400, 403)},
    )
    def get(self, request: Request) -> Response:
        _may_read(request)
        found, following = selectors.history(limit=read_limit(request), before=_before(request))
        return answer(s.DaySerializer(found, many=True).data, following)


def _may_read(request: Request) -> None:
    require(request, "checklist.view_checklistday", to="Reading the checklist", role="viewer")


def _before(request: Request) -> date | None:
    text = request.query_params.get("cursor", "")
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise invalid("cursor", "must be a `next` of this list") from None


def _checklist() -> dict[str, Any]:
    now = timezone.now()
    today, found = selectors.today(now=now), selectors.evaluated(now=now)
    return {
        "day": today.day,
        "timestamp": now,
        "progress": today.progress,
        "due_at": today.due,
        "green": found.green,
        "total": len(found.lines),
        "seen": found.seen,
        "lines": [line.as_json() for line in found.lines],
        "signed": today.row if today.signed else None,
    }


def _sign(request: Request, *, comment: str, seen: str | None) -> Response:
    try:
        row, changed = services.sign(actor=actor_of(request), comment=comment, seen=seen)
    except services.CommentNeeded as error:
        raise invalid("comment", str(error).removeprefix("comment: ")) from None
    except services.ChangedSinceSeen as error:
        raise ApiError(409, "changed", str(error), {"seen": error.found.seen}) from None
    return Response(s.SignedSerializer({"changed": changed, "day": row}).data)
