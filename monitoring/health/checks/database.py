"""PostgreSQL: a round trip, how far standbys are behind, connections in use, and the oldest transaction."""

from dataclasses import dataclass
from datetime import datetime
from time import perf_counter
from typing import Any

from django.db import connection

from monitoring.health.checks.base import Finding, Result, above, slow, together

# What other accounts' sessions do is seen with the role pg_monitor; without it, their times are unknown and left out.
FACTS = """
SELECT current_setting('server_version'), pg_is_in_recovery(),
    (SELECT sum(numbackends) FROM pg_stat_database),
    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
    (SELECT max(extract(epoch FROM clock_timestamp() - xact_start)) FROM pg_stat_activity
     WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()),
    (SELECT count(*) FROM pg_stat_replication),
    (SELECT max(extract(epoch FROM replay_lag)) FROM pg_stat_replication),
    pg_database_size(current_database())
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseCheck:
    degraded_ms: float
    unhealthy_ms: float
    lag_degraded_s: float
    lag_unhealthy_s: float
    connections_degraded_pct: float
    connections_unhealthy_pct: float
    transaction_degraded_s: float
    transaction_unhealthy_s: float

    def run(self, now: datetime) -> Result:
        del now
        with connection.cursor() as cursor:
            began = perf_counter()
            cursor.execute("SELECT 1")
            cursor.fetchone()
            response_ms = 1000 * (perf_counter() - began)
            cursor.execute(FACTS)
            row = cursor.fetchone()
        assert row is not None  # noqa: S101  a SELECT without FROM yields one row
        return self._judged(row, response_ms)

    def _judged(self, row: tuple[Any, ...], response_ms: float) -> Result:
        version, in_recovery, used, most, oldest, standbys, lag, size = row
        used_pct = 100 * int(used or 0) / max(int(most), 1)
        oldest_s, lag_s = float(oldest or 0), None if lag is None else float(lag)
        findings = [
            slow(response_ms, self.degraded_ms, self.unhealthy_ms),
            Finding(
                above(used_pct, self.connections_degraded_pct, self.connections_unhealthy_pct),
                f"{used_pct:.0f}% of its connections are in use",
            ),
            Finding(
                above(oldest_s, self.transaction_degraded_s, self.transaction_unhealthy_s),
                f"A transaction has been open for {oldest_s:,.0f} s",
            ),
        ]
        if lag_s is not None:
            findings.append(
                Finding(
                    above(lag_s, self.lag_degraded_s, self.lag_unhealthy_s),
                    f"A standby is {lag_s:,.1f} s behind",
                )
            )
        return together(
            findings,
            well="Database is operational",
            response_ms=response_ms,
            metadata={
                "version": str(version).split(" ", 1)[0],
                "is_standby": bool(in_recovery),
                "connections": int(used or 0),
                "connections_limit": int(most),
                "connections_pct": round(used_pct, 1),
                "oldest_transaction_s": round(oldest_s, 1),
                "standbys": int(standbys),
                "replication_lag_s": None if lag_s is None else round(lag_s, 3),
                "size_gb": round(int(size) / 1e9, 3),
            },
        )
