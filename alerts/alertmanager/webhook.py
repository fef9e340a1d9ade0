"""POST /monitoring/alerts/webhook/alertmanager: what an existing Alertmanager sends to a webhook receiver (version "4")."""

from datetime import datetime

import msgspec
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from alerts.alertmanager.contract import SoundAlert, sound_alert
from alerts.alertmanager.recording import decide_posted
from alerts.alertmanager.taking import take
from alerts.alertmanager.times import read_time
from opsconsole.accounts.actor import actor_of
from opsconsole.api.access import require
from opsconsole.api.errors import ApiError, invalid
from opsconsole.api.schema import errors

SOURCE = "alertmanager"
VERSION = "4"


class WebhookAlert(msgspec.Struct, rename="camel"):
    status: str
    labels: dict[str, str]
    annotations: dict[str, str] = {}
    starts_at: str = ""
    ends_at: str = ""
    generator_url: str = msgspec.field(default="", name="generatorURL")


class WebhookBody(msgspec.Struct):
    version: str
    alerts: list[WebhookAlert]


_decoder = msgspec.json.Decoder(WebhookBody)


class AlertmanagerWebhookView(APIView):
    @extend_schema(
        operation_id="alerts_webhook_alertmanager",
        summary="What an existing Alertmanager sends to a webhook receiver",
        description=(
            'Its payload of version "4". Each alert goes through the same door as one that Prometheus sends to `/api/v2/alerts`, with the source '
            "`alertmanager`; a firing one lasts until it is sent as resolved. Good alerts of a payload are taken even if others are refused (400)."
        ),
        request=OpenApiTypes.OBJECT,
        responses={200: OpenApiTypes.OBJECT, **errors(400, 403, 413)},
        examples=[
            OpenApiExample(
                "firing",
                request_only=True,
                value={
                    "version": "4",
                    "status": "firing",
                    "receiver": "opsconsole",
                    "alerts": [
                        {
                            "status": "firing",
                            "labels": {"alertname": "FeedStale", "severity": "critical"},
                            "annotations": {"summary": "No prices for 2 minutes"},
                            "startsAt": "2026-11-23T14:00:00Z",
                            "endsAt": "0001-01-01T00:00:00Z",
                        }
                    ],
                },
            )
        ],
    )
    def post(self, request: Request) -> Response:
        require(request, "alerts.raise_alert", to="Raising alerts", role="operator")
        body = _read(request._request.body)  # noqa: SLF001  DRF's own `data` would parse it once more
        now = timezone.now()
        sound, problems = [], []
        for number, alert in enumerate(body.alerts):
            try:
                sound.append(_sound(number, alert, now))
            except ValueError as error:
                problems.append(f"alerts.{number}: {error}")
        # In the order in which they came.
        decide_posted()
        problems += take(sound, actor=actor_of(request), source=SOURCE, now=now)
        taken = len(body.alerts) - len(problems)
        if problems:
            raise ApiError(400, "invalid", "; ".join(problems), {"alerts": problems, "taken": taken})
        return Response({"taken": taken})


def _read(raw: bytes) -> WebhookBody:
    try:
        body = _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ApiError(400, "invalid_body", f"The body is not an Alertmanager's webhook: {error}.") from None
    if body.version != VERSION:
        raise invalid("version", f'must be "{VERSION}"')
    return body


def _sound(number: int, alert: WebhookAlert, now: datetime) -> SoundAlert:
    """A webhook gives no end while an alert fires, and tells of the end itself: a firing one lasts until then. Raises ValueError."""
    starts_at, ends_at = read_time(alert.starts_at), read_time(alert.ends_at)
    match alert.status:
        case "firing":
            ends_at = None
        case "resolved":
            ends_at = min(ends_at or now, now)
        case _:
            raise invalid(f"alerts.{number}.status", "must be firing or resolved")
    return sound_alert(
        labels=alert.labels,
        annotations=alert.annotations,
        starts_at=starts_at if starts_at is None or ends_at is None else min(starts_at, ends_at),
        ends_at=ends_at,
        generator_url=alert.generator_url,
        now=now,
        lasts=True,
    )
