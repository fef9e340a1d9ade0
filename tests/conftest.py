"""Fixtures for all tests: a database that is restored, a real web process."""

import gc
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import TransactionTestCase
from django.utils import timezone
from pytest_django import DjangoDbBlocker, Settings
from whitenoise.base import WhiteNoise

from alerts import guarding, kicking
from monitoring.breakers.own import OwnBreakers
from monitoring.health import running
from monitoring.health.models import HealthComponent
from tests import migrated
from tests.browser import NO_CHROMIUM
from tests.console import ConsoleProcess, database_url
from tests.pristine import Pristine


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


def pytest_collection_finish() -> None:
    """Thousands of tests are there until the end: the garbage collector need not look at them, nor come after every few hundred objects."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


# Static files


@pytest.fixture(scope="session", autouse=True)
def _static_files_are_read_once() -> Iterator[None]:
    """Each client of a test has middleware of its own, and WhiteNoise would read hundreds of files for each."""
    read = WhiteNoise.update_files_dictionary
    known: dict[tuple[str, str], dict[str, Any]] = {}

    def update(self: Any, root: str, prefix: str) -> None:
        if (root, prefix) not in known:
            read(self, root, prefix)
            known[root, prefix] = self.files.copy()
        self.files.update(known[root, prefix])

    patch = pytest.MonkeyPatch()
    patch.setattr(WhiteNoise, "update_files_dictionary", update)
    yield
    patch.undo()


# Database


@pytest.fixture(autouse=True)
def _fast_passwords(settings: Settings) -> None:
    """Tests make many users, and the real hash is slow on purpose."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: DjangoDbBlocker
) -> None:
    del django_db_modify_db_settings_parallel_suffix
    with django_db_blocker.unblock():
        migrated.use_template()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The test database. Nobody looks at its components, and they are not overdue for all that, however long the tests take."""
    del django_db_setup
    with django_db_blocker.unblock():
        HealthComponent.objects.update(due_at=timezone.now() + timedelta(days=1))
    yield
    # Health checks that tests asked for ran in threads, which would keep their connections for a while.
    running.close(patience=20)


@pytest.fixture(scope="session", autouse=True)
def _restored_not_flushed() -> Iterator[None]:
    """After a transactional test, tables are emptied past the triggers that protect the audit trail, and the migrations' rows come back."""
    pristine = Pristine()
    patch = pytest.MonkeyPatch()
    patch.setattr(TransactionTestCase, "_fixture_setup", classmethod(lambda _case: pristine.save()))
    patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _case: pristine.restore())
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


# The console's own circuit breakers


@pytest.fixture(autouse=True)
def _breakers_are_new() -> None:
    """What failed in another test is forgotten. They tell nobody, unless a test wants it."""
    guarding.register(OwnBreakers().guard)


# A real web process


@pytest.fixture(scope="session")
def _console_process(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ConsoleProcess]:
    del django_db_setup  # the test database must exist
    with django_db_blocker.unblock():
        url = database_url(connection.settings_dict)
    environ = {
        "DATABASE_URL": url,
        "OPSCONSOLE_SECRET_KEY": django_settings.SECRET_KEY,
        # It would find that there is no worker, and say so among the alerts of the tests.
        "OPSCONSOLE_HEALTH_CHECKS": "no",
        # It would work on a database that the next test empties.
        "OPSCONSOLE_AUDIT_SEALING": "no",
    }
    process = ConsoleProcess(environ, tmp_path_factory.mktemp("console") / "web.log")
    yield process
    process.close()


@pytest.fixture
def console(_console_process: ConsoleProcess, transactional_db: None) -> ConsoleProcess:
    """The console's web process on this test's database. It may be killed or suspended: the next test gets a sound one."""
    del transactional_db
    _console_process.ensure_running()
    return _console_process
