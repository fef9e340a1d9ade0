"""A real web process seals: what is announced, what nobody announces, and after its connections were cut off."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from killswitch.services import activate
from opsconsole.audit.models import AuditEvent, AuditPending, AuditSeal, SealedLeaf
from opsconsole.audit.sealing.outlet import FILE
from opsconsole.audit.sealing.selectors import standing
from opsconsole.embedded.processes import wait_until
from tests.audit.sealing import NOW, write
from tests.cast import ROOT
from tests.console import ConsoleProcess, database_url

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 30.0


@pytest.fixture
def web(tmp_path: Path) -> Iterator[ConsoleProcess]:
    data = tmp_path / "data"
    data.mkdir()
    environ = {
        "DATABASE_URL": database_url(connection.settings_dict),
        "OPSCONSOLE_SECRET_KEY": settings.SECRET_KEY,
        "OPSCONSOLE_DATA": str(data),
        "OPSCONSOLE_HEALTH_CHECKS": "no",
    }
    process = ConsoleProcess(environ, tmp_path / "web.log")
    yield process
    process.close()


def all_are_sealed() -> bool:
    newest = AuditSeal.objects.order_by("-pk").first()
    return (
        not AuditPending.objects.exists() and newest is not None and newest.size == AuditEvent.objects.count()
    )


def wait_until_sealed() -> None:
    assert wait_until(all_are_sealed, seconds=PATIENCE, interval=0.05)


def test_seals_goes_on_and_lets_checkpoints_out(web: ConsoleProcess, tmp_path: Path) -> None:
    write(2)
    web.start()
    wait_until_sealed()
    path = tmp_path / "data" / FILE
    first = AuditSeal.objects.latest("pk").checkpoint
    assert wait_until(
        lambda: path.is_file() and path.read_text() == f"{first}\n", seconds=PATIENCE, interval=0.05
    )
    # Its connections are cut off, as when the database restarts.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
    write()
    wait_until_sealed()
    activate(actor=ROOT, reason="MANUAL", message="")
    wait_until_sealed()
    stop = SealedLeaf.objects.get(event_id=AuditEvent.objects.get(action="killswitch.activated").pk)
    assert wait_until(lambda: newest_outside(path) > stop.index, seconds=PATIENCE, interval=0.05)
    assert standing(now=NOW).problem == ""


def newest_outside(path: Path) -> int:
    """The size of the tree, as the last checkpoint says in the file."""
    *_, text, _ = path.read_text().strip("\n").split("\n\n")
    return int(text.split("\n")[1])
