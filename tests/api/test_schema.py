"""The OpenAPI document is valid, complete, and readable as a page."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern
from drf_spectacular.validation import validate_schema

from monitoring.urls import urlpatterns
from opsconsole.accounts.models import User
from tests.cast import caller

# The chats' own requests are no part of the API.
UNDESCRIBED = {"schema", "docs", "", "alerts/chat/slack", "alerts/chat/telegram/<str:name>"}
PARAMETER = re.compile(r"<(?:[a-z]+:)?([a-z_]+)>")


@pytest.fixture
def client(bob: User) -> Client:
    return caller(bob)


@pytest.fixture
def schema(client: Client) -> Any:
    return client.get("/monitoring/schema").json()


def test_refuses_strangers(db: None) -> None:
    for path in ("/monitoring/schema", "/monitoring/docs"):
        assert Client(REMOTE_ADDR="192.0.2.7").get(path).status_code == 401


def test_is_valid(schema: Any) -> None:
    validate_schema(schema)


def test_names_every_address(schema: Any) -> None:
    addresses = {
        "/monitoring/" + PARAMETER.sub(r"{\1}", str(p.pattern)).replace("{pk}", "{id}")
        for p in urlpatterns
        if str(p.pattern) not in UNDESCRIBED
    }
    assert set(schema["paths"]) == addresses | {"/monitoring/stream"}
    assert all(isinstance(pattern, URLPattern) for pattern in urlpatterns)


def operations(schema: Any) -> Iterator[tuple[str, Any]]:
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def test_every_operation_says_what_it_is_and_how_it_is_refused(schema: Any) -> None:
    for name, operation in operations(schema):
        assert operation["summary"], name
        assert "401" in operation["responses"], name
        assert "503" in operation["responses"], name


def test_an_answer_has_the_fields_that_are_described(client: Client, schema: Any) -> None:
    described = schema["components"]["schemas"]["Status"]["properties"]
    assert set(client.get("/monitoring/kill-switch").json()) == set(described)


def test_the_page_lists_every_operation_and_needs_nothing_from_elsewhere(client: Client, schema: Any) -> None:
    page = client.get("/monitoring/docs").content.decode()
    for _, operation in operations(schema):
        assert f'id="{operation["operationId"]}"' in page
    assert "style=" not in page
    assert "<style" not in page
    assert "https://" not in page
