"""Fixtures for all tests: a flush that gets past the audit trail's protection, a real web process."""

from collections.abc import Iterator

import pytest
from django.conf import settings as django_settings
from django.db import OperationalError, connection, transaction
from django.db.backends.base.operations import BaseDatabaseOperations as DatabaseOperations
from django.test import TransactionTestCase
from psycopg.errors import DeadlockDetected
from pytest_django import DjangoDbBlocker, Settings

from alerts import kicking
from tests.browser import NO_CHROMIUM
from tests.cast import restore_migrated_rows
from tests.console import ConsoleProcess, database_url

FLUSH_TRIES = 5
PROTECTED = """
    SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE NOT t.tgisinternal AND t.tgtype & 32 <> 0 AND c.relnamespace = current_schema()::regnamespace
"""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the tests that were skipped for want of a browser."""
    skipped = [
        report.nodeid
        for report in terminalreporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple) and NO_CHROMIUM in report.longrepr[2]
    ]
    if skipped:
        terminalreporter.section("browser tests skipped, since no Chromium could be had")
        for nodeid in sorted(skipped):
            terminalreporter.line(nodeid)


# Database


@pytest.fixture(autouse=True)
def _fast_passwords(settings: Settings) -> None:
    """Tests make many users, and the real hash is slow on purpose."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="session", autouse=True)
def _flush_past_protection() -> Iterator[None]:
    """Let the flush after a transactional test empty the tables whose triggers refuse TRUNCATE (the audit trail's).

    As the tables' owner, in one transaction: switch these triggers off, empty the tables, and switch them on again,
    for every session (`ALWAYS`), as they were. Then the rows that migrations made come back.
    """
    original = DatabaseOperations.execute_sql_flush
    # Not among the types that django-stubs knows.
    teardown = vars(TransactionTestCase)["_fixture_teardown"]

    def flush(self: DatabaseOperations, sql_list: list[str]) -> None:
        # The web process goes on working meanwhile; where the two wait for each other, PostgreSQL ends one of them.
        for left in reversed(range(FLUSH_TRIES)):
            try:
                flush_once(self, sql_list)
            except OperationalError as error:
                if not left or not isinstance(error.__cause__, DeadlockDetected):
                    raise
            else:
                return

    def flush_once(self: DatabaseOperations, sql_list: list[str]) -> None:
        used = self.connection
        with transaction.atomic(using=used.alias), used.cursor() as cursor:
            cursor.execute(PROTECTED)
            protected = [tuple(map(self.quote_name, row)) for row in cursor.fetchall()]
            for table, trigger in protected:
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
            original(self, sql_list)
            for table, trigger in protected:
                cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}")

    def restoring_teardown(case: TransactionTestCase) -> None:
        teardown(case)
        restore_migrated_rows()

    patch = pytest.MonkeyPatch()
    # On the class, since a thread in which a loop runs (Playwright's) gets a connection of its own.
    patch.setattr(DatabaseOperations, "execute_sql_flush", flush)
    patch.setattr(TransactionTestCase, "_fixture_teardown", restoring_teardown)
    yield
    patch.undo()


# Alerts


class QuietKicker(kicking.Kicker):
    """Wakes nobody: threads of the test process must not work on a database that the next test empties."""

    def ask(self, *, critical: bool) -> None:
        pass


@pytest.fixture(autouse=True)
def _nobody_is_woken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kicking, "kicker", QuietKicker())


# A real web process


@pytest.fixture(scope="session")
def _console_process(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ConsoleProcess]:
    del django_db_setup  # the test database must exist
    with django_db_blocker.unblock():
        url = database_url(connection.settings_dict)
    environ = {"DATABASE_URL": url, "OPSCONSOLE_SECRET_KEY": django_settings.SECRET_KEY}
    process = ConsoleProcess(environ, tmp_path_factory.mktemp("console") / "web.log")
    yield process
    process.close()


@pytest.fixture
def console(_console_process: ConsoleProcess, transactional_db: None) -> ConsoleProcess:
    """The console's web process on this test's database. It may be killed or suspended: the next test gets a sound one."""
    del transactional_db
    _console_process.ensure_running()
    return _console_process
