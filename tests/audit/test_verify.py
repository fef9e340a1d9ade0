"""manage.py audit: refusals first, then everything that somebody may do to the trail past its triggers is named."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from pytest_django import Settings

from opsconsole.audit.models import AuditSeal
from opsconsole.audit.sealing import rows, services, verifying
from opsconsole.audit.sealing.checkpoints import Keys
from opsconsole.audit.sealing.verifying import verify
from tests.audit.sealing import NOW, sealed, tamper, write

pytestmark = pytest.mark.django_db(transaction=True)
LEAF = "audit_event_leaf(audit_auditevent)"


@pytest.fixture(autouse=True)
def _own_folder(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


def found() -> list[tuple[str, int]]:
    findings: list[Any] = []
    verify(tell=findings.append, progress=lambda _done, _total: None)
    return [(str(finding.kind), finding.number) for finding in findings]


def run(*arguments: Any) -> str:
    out = StringIO()
    call_command("audit", *arguments, stdout=out, stderr=StringIO(), no_color=True)
    return out.getvalue()


def seals() -> list[int]:
    return list(AuditSeal.objects.order_by("pk").values_list("pk", flat=True))


# Refusals


def test_refuses_a_transaction_of_others() -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="transaction of its own"):
        found()


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_refuses_a_file_that_cannot_be_read(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "kept.txt"
    if content:
        path.write_bytes(content)
    with pytest.raises(CommandError, match=r"--checkpoints: .*kept.txt cannot be read"):
        run("verify", "--checkpoints", path)


# What it says of a sound trail


def test_nothing_at_all() -> None:
    assert "0 events, 0 sealed, 0 waiting; 0 seals" in run("verify")


def test_nothing_was_done() -> None:
    sealed(3)
    sealed(2)
    write()
    said = run("verify")
    assert "6 events, 5 sealed, 1 waiting; 2 seals, 0 kept checkpoints" in said
    assert bytes(AuditSeal.objects.latest("pk").root).hex() in said
    assert "Nothing was edited, removed or inserted." in said


def test_events_in_many_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "BATCH", 3)
    monkeypatch.setattr(verifying, "CHUNK", 2)
    monkeypatch.setattr(rows, "CHUNK", 2)
    ids = write(11)
    while services.seal(now=NOW):
        pass
    assert len(seals()) == 4
    assert found() == []
    tamper("UPDATE audit_auditevent SET reason = 'x' WHERE id = %s", values=[ids[7]])
    assert found() == [("edited", ids[7])]


def test_the_key(settings: Settings) -> None:
    settings.AUDIT_ORIGIN, settings.SECRET_KEY_FALLBACKS = "ops.example.com", ["the old one"]
    newest, old = run("key").split()
    assert newest == Keys().signer().verifier.vkey
    assert newest.startswith("ops.example.com+")
    assert old != newest
    assert settings.SECRET_KEY not in newest + old


def test_changes_nothing_and_reads_one_snapshot() -> None:
    sealed(2)
    events: list[Any] = []

    def progress(_done: int, _total: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only')"
            )
            events.append(cursor.fetchone())

    verify(tell=events.append, progress=progress)
    assert set(events) == {("repeatable read", "on")}


# What somebody did. `ids`: three events in the first seal, then three in the second; `last`: one that waits.

DONE: dict[str, tuple[str, Callable[[list[int], int, list[int]], list[tuple[str, int]]]]] = {
    "edited": (
        "UPDATE audit_auditevent SET reason = 'x' WHERE id = {1}",
        lambda ids, _last, _seals: [("edited", ids[1])],
    ),
    "edited, with its leaf": (
        (
            "UPDATE audit_auditevent SET reason = 'x' WHERE id = {1}; "
            f"UPDATE audit_auditevent SET leaf = {LEAF} WHERE id = {{1}}"
        ),
        lambda ids, _last, _seals: [("edited", ids[1])],
    ),
    "edited, with both leaves": (
        (
            f"UPDATE audit_auditevent SET reason = 'x' WHERE id = {{1}}; UPDATE audit_auditevent SET leaf = {LEAF} WHERE id = {{1}}; "
            "UPDATE audit_sealedleaf s SET leaf = e.leaf FROM audit_auditevent e WHERE e.id = s.event_id"
        ),
        lambda _ids, _last, seals: [("seal", seals[0])],
    ),
    "its leaf alone": (
        "UPDATE audit_auditevent SET leaf = sha256('x') WHERE id = {1}",
        lambda ids, _last, _seals: [("edited", ids[1])],
    ),
    "edited while it waited": (
        "UPDATE audit_auditevent SET reason = 'x' WHERE id = {last}",
        lambda _ids, last, _seals: [("edited", last)],
    ),
    "removed": (
        "DELETE FROM audit_auditevent WHERE id = {1}",
        lambda ids, _last, _seals: [("removed", ids[1])],
    ),
    "removed while it waited": (
        "DELETE FROM audit_auditevent WHERE id = {last}",
        lambda _ids, last, _seals: [("removed", last)],
    ),
    "removed, with its leaf": (
        "DELETE FROM audit_auditevent WHERE id = {1}; DELETE FROM audit_sealedleaf WHERE event_id = {1}",
        lambda _ids, _last, seals: [("leaves", 1), ("seal", seals[0])],
    ),
    "the end of the leaves": (
        "DELETE FROM audit_sealedleaf WHERE index > 3",
        lambda ids, _last, seals: [
            ("inserted", ids[4]),
            ("inserted", ids[5]),
            ("leaves", 4),
            ("seal", seals[1]),
        ],
    ),
    "inserted": (
        (
            "INSERT INTO audit_auditevent SELECT 1000000 + id, at, actor_kind, actor_name, action, object_type, object_id, object_label, reason, "
            "before, after, metadata, ip, request_id, leaf, actor_id FROM audit_auditevent WHERE id = {1}; "
            f"UPDATE audit_auditevent SET leaf = {LEAF} WHERE id = 1000000 + {{1}}"
        ),
        lambda ids, _last, _seals: [("inserted", 1_000_000 + ids[1])],
    ),
    "taken out of the queue": (
        "DELETE FROM audit_auditpending",
        lambda _ids, last, _seals: [("inserted", last)],
    ),
    "put into the queue again": (
        "INSERT INTO audit_auditpending SELECT id, leaf, now() FROM audit_auditevent WHERE id = {1}",
        lambda ids, _last, _seals: [("queued again", ids[1])],
    ),
    "reordered within a seal": (
        (
            "UPDATE audit_sealedleaf SET index = -1 WHERE index = 0; UPDATE audit_sealedleaf SET index = 0 WHERE index = 2; "
            "UPDATE audit_sealedleaf SET index = 2 WHERE index = -1"
        ),
        lambda _ids, _last, seals: [("seal", seals[0])],
    ),
    "reordered over two seals": (
        (
            "UPDATE audit_sealedleaf SET index = -1 WHERE index = 0; UPDATE audit_sealedleaf SET index = 0 WHERE index = 5; "
            "UPDATE audit_sealedleaf SET index = 5 WHERE index = -1"
        ),
        lambda _ids, _last, seals: [("seal", seals[0]), ("seal", seals[1])],
    ),
    "two events have changed their places": (
        (
            "UPDATE audit_sealedleaf SET event_id = -1 WHERE index = 0; UPDATE audit_sealedleaf SET event_id = {0} WHERE index = 1; "
            "UPDATE audit_sealedleaf SET event_id = {1} WHERE index = 0"
        ),
        lambda ids, _last, _seals: [("edited", ids[0]), ("edited", ids[1])],
    ),
    "a leaf in no seal": (
        "INSERT INTO audit_sealedleaf SELECT 6, event_id, leaf FROM audit_auditpending; DELETE FROM audit_auditpending",
        lambda _ids, _last, _seals: [("leaves", 6)],
    ),
    "another root": (
        "UPDATE audit_auditseal SET root = sha256('x') WHERE size = 3",
        lambda _ids, _last, seals: [("seal", seals[0])],
    ),
    "another frontier": (
        "UPDATE audit_auditseal SET frontier = ARRAY[sha256('x'), sha256('y')] WHERE size = 3",
        lambda _ids, _last, seals: [("seal", seals[0])],
    ),
    "another checkpoint": (
        "UPDATE audit_auditseal a SET checkpoint = b.checkpoint FROM audit_auditseal b WHERE a.size = 3 AND b.size = 6",
        lambda _ids, _last, seals: [("seal", seals[0])],
    ),
    "a seal removed, with all that it sealed": (
        "DELETE FROM audit_auditseal WHERE size = 6; DELETE FROM audit_sealedleaf WHERE index > 2",
        lambda ids, _last, _seals: [("inserted", ids[3]), ("inserted", ids[4]), ("inserted", ids[5])],
    ),
}


@pytest.mark.parametrize("what", DONE)
def test_names(what: str) -> None:
    ids = [*sealed(3), *sealed(3)]
    (last,) = write()
    assert found() == []
    statements, expected = DONE[what]
    before = seals()
    tamper(*statements.format(*ids, last=last).split("; "))
    assert found() == expected(ids, last, before)
    with pytest.raises(CommandError, match="is not what was written") as caught:
        run("verify")
    assert caught.value.returncode == 1


def test_says_where_what_was_changed_with_its_leaf() -> None:
    ids = [*sealed(3), *sealed(3)]
    statements, _ = DONE["edited, with both leaves"]
    tamper(*statements.format(*ids, last=0).split("; "))
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("audit", "verify", stdout=out, stderr=StringIO())
    assert f"does not fit the leaves 0 to 2, events {ids[0]} to {ids[2]}" in out.getvalue()
