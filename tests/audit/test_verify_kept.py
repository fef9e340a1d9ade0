"""manage.py audit verify with checkpoints that were kept outside: they tell what nothing within the database can."""

from pathlib import Path

import pytest
from django.core.management import CommandError
from pytest_django import Settings

from opsconsole.audit.models import AuditEvent, AuditSeal
from opsconsole.audit.sealing.checkpoints import Checkpoint, Keys
from opsconsole.audit.sealing.merkle import Tree
from tests.audit.sealing import sealed, tamper
from tests.audit.test_verify import LEAF, found, run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _own_folder(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


def rewrite_history() -> None:
    """As somebody can who has the secret key as well: event, leaves, seal and signature."""
    event = AuditEvent.objects.earliest("pk")
    tamper("UPDATE audit_auditevent SET reason = 'it never was' WHERE id = %s", values=[event.pk])
    tamper(f"UPDATE audit_auditevent SET leaf = {LEAF}")
    tamper("UPDATE audit_sealedleaf s SET leaf = e.leaf FROM audit_auditevent e WHERE e.id = s.event_id")
    tree, keys = Tree(), Keys()
    for event in AuditEvent.objects.order_by("pk"):
        tree.append(bytes(event.leaf))
    for seal in AuditSeal.objects.all():
        assert seal.size == tree.size
        note = keys.signer().sign(Checkpoint(seal.key_name, tree.size, tree.root()).text)
        tamper(
            "UPDATE audit_auditseal SET root = %s, frontier = %s, checkpoint = %s",
            values=[tree.root(), tree.frontier, note],
        )


def test_a_kept_checkpoint_tells_what_nothing_else_can(tmp_path: Path) -> None:
    sealed(3)
    note = AuditSeal.objects.get().checkpoint
    path = tmp_path / "kept.txt"
    path.write_text(f"{note}\n{note}\n")
    assert "2 kept checkpoints" in run("verify", "--checkpoints", path)
    rewrite_history()
    assert "Nothing was edited" in run("verify")
    with pytest.raises(CommandError, match="2 findings"):
        run("verify", "--checkpoints", path)


def test_the_console_s_own_file_is_read(tmp_path: Path) -> None:
    sealed(3)
    folder = tmp_path / "audit"
    folder.mkdir()
    (folder / "checkpoints.txt").write_text(f"{AuditSeal.objects.get().checkpoint}\n")
    rewrite_history()
    with pytest.raises(CommandError, match="1 finding"):
        run("verify")


def test_the_end_was_cut_off(tmp_path: Path) -> None:
    sealed(2)
    gone = sealed(2)
    path = tmp_path / "kept.txt"
    path.write_text(AuditSeal.objects.latest("pk").checkpoint)
    tamper(
        f"DELETE FROM audit_auditevent WHERE id >= {gone[0]}",
        "DELETE FROM audit_sealedleaf WHERE index > 1",
        "DELETE FROM audit_auditseal WHERE size > 2",
    )
    assert found() == []
    with pytest.raises(CommandError, match="1 finding"):
        run("verify", "--checkpoints", path)


@pytest.mark.parametrize("change", [("\n3\n", "\n2\n"), ("— ", "- "), ("\n\n", "\n")])
def test_a_kept_checkpoint_that_cannot_be_believed(change: tuple[str, str], tmp_path: Path) -> None:
    sealed(3)
    path = tmp_path / "kept.txt"
    path.write_text(AuditSeal.objects.get().checkpoint.replace(*change))
    with pytest.raises(CommandError, match="1 finding"):
        run("verify", "--checkpoints", path)
