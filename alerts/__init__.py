"""Smart alerts: raise → decide → outbox → deliver → acknowledge, resolve, escalate."""
