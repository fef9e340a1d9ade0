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
    read = re.compile(r"""["'${]((?:OPSCONSOLE|OPSCLIENT)_[A-Z_]+[A-Z])\b""")
    code = [
        path
        for folder in ("opsconsole", "killswitch", "client", "script")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix in {".py", ".sh", ""}
    ]
    known = {name for path in [*code, ROOT / "docker-compose.yml"] for name in read.findall(path.read_text())}
    # Each variable that `opsconsole.env` reads may come from a file instead.
    known |= {f"{name}_FILE" for name in known}
    found = named(r"\b((?:OPSCONSOLE|OPSCLIENT)_[A-Z_]+[A-Z])\b")
    assert found
    assert [pair for pair in found if pair[1] not in known] == []
