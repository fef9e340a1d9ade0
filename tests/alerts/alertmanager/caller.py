"""A caller of /api/v2 through Django, and alerts as Prometheus posts them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from opsconsole.accounts.models import User
from tests.cast import ApiClient, caller


def posted(name: str = "FeedStale", *, summary: str = "", **labels: str) -> dict[str, Any]:
    alert: dict[str, Any] = {"labels": {"alertname": name, **labels}}
    if summary:
        alert["annotations"] = {"summary": summary}
    return alert


def in_minutes(minutes: float) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")


def matcher(name: str, value: str, *, regex: bool = False, equal: bool = True) -> dict[str, Any]:
    return {"name": name, "value": value, "isRegex": regex, "isEqual": equal}


def silence(*matchers: dict[str, Any], **fields: Any) -> dict[str, Any]:
    whole = {
        "matchers": list(matchers),
        "startsAt": in_minutes(-1),
        "endsAt": in_minutes(60),
        "createdBy": "dana",
        "comment": "Venue maintenance",
    }
    return whole | fields


class Caller:
    """`get()` answers the decoded body and asserts 200; `ask()` any answer."""

    def __init__(self, user: User) -> None:
        self.client: ApiClient = caller(user)

    def ask(self, method: str, path: str, body: Any = None, **extra: Any) -> Any:
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        content_type = extra.pop("content_type", "application/json")
        return self.client.generic(method, f"/api/v2{path}", data, CONTENT_TYPE=content_type, **extra)

    def get(self, path: str, **query: Any) -> Any:
        answer = self.ask("GET", f"{path}?{urlencode(query, doseq=True)}")
        content = answer.getvalue()
        assert answer.status_code == 200, content
        return json.loads(content)

    def post(self, *alerts: dict[str, Any]) -> None:
        answer = self.ask("POST", "/alerts", list(alerts))
        assert (answer.status_code, answer.content) == (200, b""), answer.content

    def silence(self, *matchers: dict[str, Any], **fields: Any) -> str:
        answer = self.ask("POST", "/silences", silence(*matchers, **fields))
        assert answer.status_code == 200, answer.content
        return str(json.loads(answer.content)["silenceID"])

    def names(self, **query: Any) -> list[str]:
        """The `alertname` of each alert listed, in alphabetical order."""
        return sorted(alert["labels"].get("alertname", "") for alert in self.get("/alerts", **query))
