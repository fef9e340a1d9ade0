"""manage.py audit accept-lost-key: refusals first, then sealing goes on, and the trail says so."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from opsconsole.audit.models import AuditEvent, AuditSeal
from opsconsole.audit.sealing.selectors import standing
from opsconsole.audit.sealing.services import SealingRefused
from opsconsole.audit.shell import shell_actor
from tests.audit.sealing import NOW, seal_now, sealed, tamper
from tests.audit.test_verify import found

pytestmark = pytest.mark.django_db(transaction=True)


def accept(reason: str = "the disk is gone") -> str:
    out = StringIO()
    call_command("audit", "accept-lost-key", "--reason", reason, stdout=out)
    return out.getvalue()


def test_refuses_without_a_reason() -> None:
    with pytest.raises(CommandError, match="--reason"):
        accept(" ")


def test_refuses_when_no_key_is_lost(settings: Settings) -> None:
    with pytest.raises(CommandError, match="no lost key to accept"):
        accept()
    sealed()
    with pytest.raises(CommandError, match="signed by a key that is here"):
        accept()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [settings.SECRET_KEY]
    with pytest.raises(CommandError, match="signed by a key that is here"):
        accept()
    assert AuditEvent.objects.count() == 1


@pytest.mark.parametrize(
    "change",
    ["root = sha256('x')", "checkpoint = replace(checkpoint, E'\\n2\\n', E'\\n3\\n')", "checkpoint = ''"],
)
def test_refuses_what_is_broken_in_another_way(change: str, settings: Settings) -> None:
    sealed(2)
    settings.SECRET_KEY = "another"
    tamper(f"UPDATE audit_auditseal SET {change}")
    with pytest.raises(CommandError, match=r"no lost key to accept. Seal .* is broken"):
        accept()
    assert AuditEvent.objects.count() == 2


def test_goes_on_and_says_so(settings: Settings) -> None:
    ids = [*sealed(2), *sealed(2)]
    lost = AuditSeal.objects.latest("pk")
    settings.SECRET_KEY = "another"
    assert [kind for kind, _ in found()] == ["seal", "seal"]
    with pytest.raises(SealingRefused):
        seal_now()
    assert f"Accepted up to seal {lost.pk} (4 events), which key {lost.key_id} had signed." in accept()
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.actor_name, event.reason) == (
        "audit.lost_key_accepted",
        shell_actor().name,
        "the disk is gone",
    )
    assert (event.object_id, event.after["key_id"]) == (str(lost.pk), lost.key_id)  # type: ignore[index]  # it is JSON
    assert standing(now=NOW).problem == ""
    assert seal_now() is not None
    assert found() == []
    # What the lost key had sealed is still compared with its leaves.
    tamper(
        f"UPDATE audit_auditevent SET reason = 'x' WHERE id = {ids[0]}",
        "UPDATE audit_auditevent SET leaf = audit_event_leaf(audit_auditevent)",
        "UPDATE audit_sealedleaf s SET leaf = e.leaf FROM audit_auditevent e WHERE e.id = s.event_id",
    )
    assert [kind for kind, _ in found()] == ["seal"]


def test_covers_nothing_that_comes_later(settings: Settings) -> None:
    sealed(2)
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another"
    accept()
    seal_now()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = old, ["another"]
    sealed()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", []
    assert found() == [("seal", AuditSeal.objects.latest("pk").pk)]
