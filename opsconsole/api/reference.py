"""The OpenAPI document as plain rows for the readable page. Pure: takes the document, gives dataclasses."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """A parameter, or a field of a body or an answer."""

    name: str
    kind: str
    required: bool
    description: str


@dataclass(frozen=True, slots=True)
class Answer:
    status: str
    description: str
    fields: list[Row]


@dataclass(frozen=True, slots=True)
class Operation:
    id: str
    method: str
    path: str
    summary: str
    description: str
    parameters: list[Row]
    body: list[Row]
    examples: list[str]
    answers: list[Answer]


def operations_of(document: Schema) -> list[Operation]:
    """All operations in the order of their paths."""
    return [
        _operation(document, path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def _operation(document: Schema, path: str, method: str, operation: Schema) -> Operation:
    content = operation.get("requestBody", {}).get("content", {})
    body = content.get("application/json", {})
    return Operation(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation.get("summary", ""),
        description=operation.get("description", ""),
        parameters=[_parameter(item) for item in operation.get("parameters", [])],
        body=_fields(document, body.get("schema", {})),
        examples=[json.dumps(item["value"], indent=2) for item in body.get("examples", {}).values()],
        answers=[_answer(document, status, item) for status, item in operation["responses"].items()],
    )


def _parameter(item: Schema) -> Row:
    where = "" if item["in"] == "query" else f", {item['in']}"
    return Row(
        item["name"],
        _kind(item.get("schema", {})) + where,
        item.get("required", False),
        item.get("description", ""),
    )


def _answer(document: Schema, status: str, item: Schema) -> Answer:
    content = item.get("content", {}).get("application/json", {})
    # Error bodies are all alike; the page says once how.
    fields = [] if int(status) >= 400 else _fields(document, content.get("schema", {}))
    return Answer(status, item.get("description", ""), fields)


def _fields(document: Schema, schema: Schema) -> list[Row]:
    schema = _resolved(document, schema)
    required = schema.get("required", ())
    return [
        Row(name, _kind(field), name in required, _description(document, field))
        for name, field in schema.get("properties", {}).items()
    ]


def _resolved(document: Schema, schema: Schema) -> Schema:
    name = _reference(schema)
    return document["components"]["schemas"][name] if name else schema


def _reference(schema: Schema) -> str:
    for part in (schema, *schema.get("allOf", ()), *schema.get("oneOf", ())):
        if "$ref" in part:
            return str(part["$ref"]).rpartition("/")[2]
    return ""


def _description(document: Schema, field: Schema) -> str:
    text = str(field.get("description", ""))
    values = _resolved(document, field).get("enum")
    listed = (
        "One of " + ", ".join(str(value) for value in values if value is not None) + "." if values else ""
    )
    return " ".join(part for part in (text, listed) if part)


def _kind(schema: Schema) -> str:
    if name := _reference(schema):
        kind = name.removesuffix("Enum")
    elif schema.get("type") == "array":
        kind = f"list of {_kind(schema.get('items', {}))}"
    else:
        kind = str(schema.get("format") or schema.get("type") or "any")
    return kind + (" or null" if schema.get("nullable") else "")
