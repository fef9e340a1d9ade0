"""The documents name real things: commands, files, addresses, settings."""

import re
from pathlib import Path

import pytest
from django.urls import Resolver404, resolve

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "client" / "README.md", *(ROOT / "docs").glob("*.md")])
# Addresses that the streams serve beside Django.
NATIVE = {"/monitoring/stream", "/live", "/healthz"}


def named(pattern: str) -> list[tuple[str, str]]:
    """Every match in every document, as pairs of the document's name and the match."""
    return [
        (document.name, match)
        for document in DOCUMENTS
        for match in re.findall(pattern, document.read_text())
    ]


def test_the_documents_are_there() -> None:
    assert {document.name for document in DOCUMENTS} >= {"README.md", "protocol.md", "operators.md", "api.md"}


def test_every_script_named_exists() -> None:
    found = named(r"script/([a-z]+)")
    assert found
    assert [pair for pair in found if not (ROOT / "script" / pair[1]).is_file()] == []


def test_every_file_linked_exists() -> None:
    missing = [
        (document.name, target)
        for document in DOCUMENTS
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text())
        if "://" not in target and not (document.parent / target).exists()
    ]
    assert missing == []


def test_every_address_named_is_served() -> None:
    found = named(r"(?:GET|POST|PATCH|DELETE) (/[a-z0-9/_-]+)")
    assert found
    for document, address in found:
        if address in NATIVE:
            continue
        try:
            resolve(address)
        except Resolver404:
            pytest.fail(f"{document} names {address}, which is not served")


def test_every_variable_named_is_read() -> None:
    code = "\n".join(
        path.read_text()
        for folder in ("opsconsole", "killswitch", "client", "demo", "bench", "script", "tests")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix in {".py", ".sh", ""} and "__pycache__" not in path.parts
    )
    found = {name.removesuffix("_FILE") for _, name in named(r"\b((?:OPSCONSOLE|OPSCLIENT)_[A-Z_]+[A-Z])\b")}
    assert found
    assert sorted(name for name in found if f'"{name}"' not in code and f"{name}=" not in code) == []
