"""The OpenAPI description: how to authenticate, what errors look like, and the stream, which Django does not serve."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from opsconsole.api.idempotency import HEADER


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = "opsconsole.accounts.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "An API token: `manage.py createtoken`."}


class SessionScheme(OpenApiAuthenticationExtension):
    target_class = "opsconsole.accounts.authentication.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "The console's own sign-in; changes need its CSRF token.",
        }


class LocalScheme(OpenApiAuthenticationExtension):
    """The loopback rule needs nothing in the request, so it is no scheme."""

    target_class = "opsconsole.accounts.authentication.LocalAuthentication"
    name = []

    def get_security_requirement(self, auto_schema: Any) -> dict[str, list[Any]]:
        return {}

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        return []


class ErrorDetailSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="A word for programs, such as `not_active`.")
    message = serializers.CharField(help_text="A sentence for people.")
    details = serializers.DictField(help_text="What is wrong, by field.")


class ErrorSerializer(serializers.Serializer[Any]):
    error = ErrorDetailSerializer()


IDEMPOTENCY_KEY = OpenApiParameter(
    name=HEADER,
    location=OpenApiParameter.HEADER,
    type=str,
    description="1 to 128 visible ASCII characters. A repeat with the same key gets the same answer for a day.",
)
LIMIT = OpenApiParameter(name="limit", type=int, description="Rows on a page, 1 to 200; 50 when left out.")
CURSOR = OpenApiParameter(name="cursor", type=str, description="`next` of the page before.")

MEANINGS = {
    400: "The request cannot be read; `details` names the field.",
    401: "Nobody is signed in, or the token is not valid.",
    403: "The account may not do this; the message says who may.",
    404: "There is no such thing.",
    409: "The state does not allow it.",
    413: "The body is longer than 64 KiB.",
    422: "The Idempotency-Key came with another body before.",
    503: "The database does not answer.",
}


def errors(*statuses: int) -> dict[int, OpenApiResponse]:
    """The error answers of one operation."""
    return {
        status: OpenApiResponse(ErrorSerializer, description=MEANINGS[status])
        for status in (401, *statuses, 503)
    }


def add_stream(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """drf-spectacular's hook after generating: the stream is served beside Django, so it is described by hand."""
    refused = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}
    result["paths"]["/monitoring/stream"] = {
        "get": {
            "operationId": "stream",
            "summary": "Follow the kill switch",
            "description": "Server-sent events for trading processes: `hello`, `state`, `lease`, `nolease`, `breakers`, `bye` (docs/protocol.md).",
            "tags": ["monitoring"],
            "security": [{"token": []}, {}],
            "parameters": [_parameter(*row) for row in STREAM_PARAMETERS],
            "responses": {
                "200": {
                    "description": "Events, until one side ends.",
                    "content": {"text/event-stream": {"schema": {"type": "string"}}},
                },
                **{
                    str(status): {"description": MEANINGS[status], **refused}
                    for status in (400, 401, 403, 503)
                },
            },
        }
    }
    return result


STREAM_PARAMETERS = (
    ("name", True, {"type": "string", "minLength": 1, "maxLength": 64}, "The client's name, such as `AAPL`."),
    (
        "instance",
        True,
        {"type": "string", "pattern": "^[0-9a-fA-F]{32}$"},
        "32 hexadecimal digits, new for each process.",
    ),
    ("host", False, {"type": "string", "maxLength": 255}, "Where it runs."),
    ("pid", False, {"type": "integer", "minimum": 1}, "Its process id."),
    ("version", False, {"type": "string", "maxLength": 32}, "Which client it is."),
    (
        "scope",
        False,
        {"type": "array", "items": {"type": "string"}, "maxItems": 50},
        "What it trades, such as `symbol:AAPL`; repeated.",
    ),
)


def _parameter(name: str, required: bool, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"in": "query", "name": name, "required": required, "schema": schema, "description": description}
