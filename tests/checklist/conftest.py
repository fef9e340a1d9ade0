from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from alerts.services import submitting
from monitoring.health.models import HealthComponent
from opsconsole.checklist.models import ChecklistRule
from tests.breakers.reporting import Process, a_breaker
from tests.cast import alice, bob, charlie, sam, trader
from tests.metrics.rows import a_series, partitions
from tests.pages.conftest import browse

__all__ = ["alice", "bob", "browse", "charlie", "sam", "trader"]

# A Tuesday, 09:00 in New York: half an hour before it is due.
NOW = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
DUE = NOW + timedelta(minutes=30)


@pytest.fixture(autouse=True)
def _nothing_is_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    """Alerts stay as they were submitted: a thread would decide them sooner or later."""
    monkeypatch.setattr(submitting._decider, "wake", lambda: None)


@pytest.fixture
def installed(db: None) -> None:
    """The console is there since long before the day."""
    ChecklistRule.objects.update(since=NOW - timedelta(days=30))


@pytest.fixture
def all_green(installed: None) -> None:
    """At NOW, and for a few minutes after."""
    partitions()
    HealthComponent.objects.update(status="healthy", checked_at=NOW, interval_seconds=600)
    a_series("cache_hit_rate", when=NOW, value=93.4, cache_type="redis")
    a_series("ai_cost_usd_total", when=NOW, provider="anthropic", model="claude-opus-4")
    Process().report(a_breaker(), now=NOW)
    with connection.cursor() as cursor:
        # The report bounds its own transaction; the test's is meant to last.
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
