"""Redis, or Valkey: a round trip, its memory, and whether it has thrown anything away."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from time import perf_counter
from typing import Any

from monitoring.health.checks.base import NOTHING, Failed, Finding, Result, above, slow, together
from monitoring.health.choices import Status
from opsconsole.celery import app

SECTIONS = ("server", "memory", "stats", "clients")


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisCheck:
    """Through a connection of its own to the broker, so that it finds what workers would. `before`: metadata of the result before."""

    degraded_ms: float
    unhealthy_ms: float
    degraded_pct: float
    unhealthy_pct: float
    budget: float
    before: Mapping[str, Any] = field(default_factory=lambda: NOTHING)

    def run(self, now: datetime) -> Result:
        del now
        try:
            with broker(self.budget) as connection:
                client = connection.default_channel.client
                began = perf_counter()
                client.ping()
                response_ms = 1000 * (perf_counter() - began)
                info = {name: value for part in SECTIONS for name, value in client.info(part).items()}
        except Exception as error:
            # Of kombu and redis-py; their texts may hold the address and its password.
            raise Failed(f"Redis does not answer ({type(error).__name__})") from None
        return self._judged(info, response_ms)

    def _judged(self, info: Mapping[str, Any], response_ms: float) -> Result:
        used, limit = int(info.get("used_memory", 0)), int(info.get("maxmemory", 0))
        evicted = int(info.get("evicted_keys", 0))
        used_pct = 100 * used / limit if limit else None
        findings = [slow(response_ms, self.degraded_ms, self.unhealthy_ms)]
        if used_pct is not None:
            findings.append(
                Finding(
                    above(used_pct, self.degraded_pct, self.unhealthy_pct),
                    f"{used_pct:.1f}% of its memory limit is used",
                )
            )
        if evicted > int(self.before.get("evicted_keys", evicted)):
            findings.append(
                Finding(Status.DEGRADED, "It has evicted keys: work that waited in queues is lost")
            )
        return together(
            findings,
            well="Redis is operational",
            response_ms=response_ms,
            metadata={
                "server": "Valkey" if "valkey_version" in info else "Redis",
                "version": str(info.get("valkey_version") or info.get("redis_version") or ""),
                "used_memory_mb": round(used / 1e6, 1),
                "memory_limit_mb": round(limit / 1e6, 1) if limit else None,
                "used_pct": None if used_pct is None else round(used_pct, 1),
                "evicted_keys": evicted,
                "eviction_policy": str(info.get("maxmemory_policy", "")),
                "connected_clients": int(info.get("connected_clients", 0)),
            },
        )


def broker(seconds: float) -> Any:
    """A new connection to the broker (of kombu, which has no types), none of whose steps takes longer, and which tries nothing twice."""
    return app.connection_for_write(
        transport_options={
            "socket_timeout": seconds,
            "socket_connect_timeout": seconds,
            "max_retries": 0,
            "connect_retries_timeout": seconds,
            "retry_on_timeout": False,
        }
    )
