"""seal(): refusals first, then what is appended, in whatever order events are committed."""

from base64 import b64encode
from threading import Event, Thread
from typing import Any

import pytest
from django.db import InternalError, ProgrammingError, connection, connections, transaction
from pytest_django import DjangoAssertNumQueries

from opsconsole.audit.models import AuditEvent, AuditPending, AuditSeal, SealedLeaf
from opsconsole.audit.sealing import services
from opsconsole.audit.sealing.checkpoints import Checkpoint, Keys
from opsconsole.audit.sealing.merkle import Tree
from opsconsole.audit.sealing.selectors import lag, standing
from opsconsole.audit.sealing.services import SealingRefused
from tests.audit.sealing import NOW, TABLES, seal_now, sealed, tamper, write

pytestmark = pytest.mark.django_db
together = pytest.mark.django_db(transaction=True)
PATIENCE = 20.0


def leaves() -> list[tuple[int, int]]:
    return list(SealedLeaf.objects.order_by("index").values_list("index", "event_id"))


def root_of_all() -> bytes:
    tree = Tree()
    for leaf in SealedLeaf.objects.order_by("index"):
        tree.append(bytes(leaf.leaf))
    return tree.root()


# Refusals

CHANGES = {
    "audit_sealedleaf": "event_id = event_id + 1000",
    "audit_auditseal": "size = size + 1000",
}


@pytest.mark.parametrize("table", CHANGES)
@pytest.mark.parametrize(
    "statement", ["UPDATE {table} SET {change}", "DELETE FROM {table}", "TRUNCATE {table}"]
)
def test_leaves_and_seals_only_grow(table: str, statement: str) -> None:
    sealed(2)
    with pytest.raises((InternalError, ProgrammingError), match="append-only"), transaction.atomic():
        connection.cursor().execute(statement.format(table=table, change=CHANGES[table]))
    assert (SealedLeaf.objects.count(), AuditSeal.objects.get().size) == (2, 2)


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_auditpending SET leaf = ''", "TRUNCATE audit_auditpending"]
)
def test_what_waits_is_not_changed(statement: str) -> None:
    write()
    with pytest.raises((InternalError, ProgrammingError), match="append-only"), transaction.atomic():
        connection.cursor().execute(statement)
    assert AuditPending.objects.count() == 1


def test_no_temporary_table_gets_between() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE audit_auditpending (event_id bigint, leaf bytea, written_at timestamptz) ON COMMIT DROP"
        )
        (event_id,) = write()
        cursor.execute("DROP TABLE pg_temp.audit_auditpending")
    assert AuditPending.objects.get().event_id == event_id


def test_no_setting_of_a_session_gets_round_the_triggers() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal AND tgrelid = ANY(%s::regclass[])",
            [list(TABLES)],
        )
        enabled = dict(cursor.fetchall())
    assert len(enabled) == 10
    assert set(enabled.values()) == {"A"}


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("UPDATE audit_auditseal SET root = sha256('forged')", "root is not that of its frontier"),
        ("UPDATE audit_auditseal SET frontier = ARRAY[sha256('forged'), sha256('2')]", "root is not that of"),
        ("UPDATE audit_auditseal SET frontier = frontier[1:1]", "no frontier of 1"),
        ("UPDATE audit_auditseal SET size = 5", "its checkpoint says something else"),
        ("UPDATE audit_auditseal SET key_id = '00000000'", "its checkpoint says something else"),
        (
            "UPDATE audit_auditseal SET checkpoint = replace(checkpoint, E'\\n3\\n', E'\\n5\\n')",
            "not of this text",
        ),
        ("UPDATE audit_auditseal SET checkpoint = ''", "no signed note"),
        (
            "DELETE FROM audit_sealedleaf WHERE index = 2",
            "seals 3 leaves, but the last one that is there is number 2",
        ),
        (
            "INSERT INTO audit_sealedleaf VALUES (3, 99, sha256('forged'))",
            "but the last one that is there is number 4",
        ),
        ("DELETE FROM audit_auditseal", "No seal is there"),
        ("DELETE FROM audit_sealedleaf", "is number 0"),
        (
            "INSERT INTO audit_auditpending SELECT event_id, leaf, now() FROM audit_sealedleaf WHERE index = 1",
            "is sealed already",
        ),
    ],
)
def test_refuses_to_seal_over_a_broken_end(statement: str, why: str) -> None:
    sealed(3)
    tamper(statement)
    (new,) = write()
    before = (leaves(), list(AuditSeal.objects.values()))
    with pytest.raises(SealingRefused, match=why):
        seal_now()
    assert (leaves(), list(AuditSeal.objects.values())) == before
    assert AuditPending.objects.filter(event_id=new).exists()
    assert why in standing(now=NOW).problem


def test_refuses_a_seal_of_another_key(settings: Any) -> None:
    sealed()
    settings.SECRET_KEY = "another"
    write()
    with pytest.raises(
        SealingRefused, match="no key that is known here; if OPSCONSOLE_SECRET_KEY was changed"
    ):
        seal_now()
    assert "no key that is known" in standing(now=NOW).problem


# What it does


def test_nothing_waits() -> None:
    assert seal_now() is None
    assert not AuditSeal.objects.exists()
    assert (lag().size, lag().pending, lag().oldest) == (0, 0, None)


def test_appends_and_signs() -> None:
    first = write(3)
    made = seal_now()
    assert made is not None
    second = write(2)
    assert (lag().size, lag().pending) == (3, 2)
    seal_now()
    assert leaves() == list(enumerate([*first, *second]))
    assert not AuditPending.objects.exists()
    by_id = {event.pk: bytes(event.leaf) for event in AuditEvent.objects.all()}
    assert all(bytes(leaf.leaf) == by_id[leaf.event_id] for leaf in SealedLeaf.objects.all())
    older, newer = AuditSeal.objects.order_by("pk")
    assert (older.size, newer.size, newer.at) == (3, 5, NOW)
    assert (bytes(newer.root), made.root) == (root_of_all(), bytes(older.root))
    assert newer.checkpoint.startswith(f"opsconsole\n5\n{b64encode(newer.root).decode()}\n\n— opsconsole ")
    said, verifier = Keys().read(newer.checkpoint)
    assert said == Checkpoint("opsconsole", 5, bytes(newer.root))
    assert (newer.key_name, newer.key_id) == ("opsconsole", verifier.key_id.hex())
    assert standing(now=NOW).problem == ""
    assert (standing(now=NOW).sealed_event, standing(now=NOW).newest_event) == (second[-1], second[-1])


def test_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "BATCH", 4)
    ids = write(10)
    done = [seal_now() for _ in range(4)]
    assert [(one.count, one.more) if one else None for one in done] == [
        (4, True),
        (4, True),
        (2, False),
        None,
    ]
    assert leaves() == list(enumerate(ids))
    assert bytes(AuditSeal.objects.latest("pk").root) == root_of_all()


def test_goes_on_with_a_new_key_and_another_address(settings: Any) -> None:
    sealed()
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY, settings.AUDIT_ORIGIN = "another", "ops.example.com"
    sealed()
    assert (AuditSeal.objects.count(), standing(now=NOW).problem) == (2, "")
    assert AuditSeal.objects.latest("pk").key_name == "ops.example.com"


def test_reads_the_end_alone(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    sealed(500)
    write(3)
    # A savepoint around; the lock; the end in two; the queue, and whether it was sealed before; the leaves, the queue, the seal.
    with django_assert_num_queries(10):
        seal_now()


def test_events_by_raw_sql_wait_too() -> None:
    write()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO audit_auditevent (at, actor_kind, actor_name, action, object_type, object_id, object_label, reason, metadata, "
            "request_id, leaf) SELECT at, actor_kind, actor_name, action, object_type, object_id, object_label, 'raw', metadata, request_id, '' "
            "FROM audit_auditevent"
        )
    raw = AuditEvent.objects.get(reason="raw")
    assert bytes(AuditPending.objects.get(pk=raw.pk).leaf) == bytes(raw.leaf)


@together
def test_what_is_rolled_back_never_waits() -> None:
    with transaction.atomic():
        write()
        transaction.set_rollback(True)
    assert not AuditPending.objects.exists()
    # Its id is gone for good; the index has no gap for that.
    ids = write(2)
    seal_now()
    assert leaves() == list(enumerate(ids))


@together
def test_a_seal_that_is_rolled_back_leaves_all_as_it_was() -> None:
    ids = write(2)
    with transaction.atomic():
        seal_now()
        transaction.set_rollback(True)
    assert (AuditPending.objects.count(), SealedLeaf.objects.count(), AuditSeal.objects.count()) == (2, 0, 0)
    seal_now()
    assert leaves() == list(enumerate(ids))


class Elsewhere:
    """Work on a connection of its own, which waits in the middle until it is let go."""

    def __init__(self, work: Any) -> None:
        self.result: Any = None
        self.at_it, self.go_on = Event(), Event()
        self._work = work
        self._thread = Thread(target=self._run)
        self._thread.start()
        assert self.at_it.wait(PATIENCE)

    def _run(self) -> None:
        try:
            with transaction.atomic():
                self.result = self._work()
                self.at_it.set()
                self.go_on.wait(PATIENCE)
        finally:
            self.at_it.set()
            connections.close_all()

    def finish(self) -> Any:
        self.go_on.set()
        self._thread.join(PATIENCE)
        return self.result


@together
def test_one_that_commits_late_with_a_lower_id() -> None:
    late = Elsewhere(lambda: write()[0])
    (early,) = sealed()
    low = late.finish()
    assert low < early
    assert (lag().size, lag().pending) == (1, 1)
    seal_now()
    assert leaves() == [(0, early), (1, low)]
    assert bytes(AuditSeal.objects.latest("pk").root) == root_of_all()


@together
def test_two_at_once() -> None:
    ids = write(3)
    other = Elsewhere(seal_now)
    assert seal_now() is None
    assert other.finish().count == 3
    assert seal_now() is None
    assert leaves() == list(enumerate(ids))


@together
def test_a_writer_does_not_wait_for_it() -> None:
    """Nor does the seal take what is written meanwhile."""
    write()
    other = Elsewhere(seal_now)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '1ms'")
        (new,) = write()
    other.finish()
    assert list(AuditPending.objects.values_list("event_id", flat=True)) == [new]
