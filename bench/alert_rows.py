"""A month of a busy desk's alerts, made in the database itself: incidents, tallies, deliveries.

Runs inside a process with the console's settings (`bench.alert_reads --inside`).
"""

from typing import Any

from django.db import connection
from django.utils import timezone

from alerts.models import Alert, Channel, Delivery
from alerts.sealing import seal

DAYS, KINDS = 30, 500
# Sums to 1 in each list; the last one gets the rest.
PRIORITIES = {"LOW": 0.8, "MEDIUM": 0.15, "HIGH": 0.045, "CRITICAL": 0.005}
DECISIONS = {"SENT": 0.3, "DEDUPED": 0.4, "QUIET_HOURS": 0.15, "RATE_LIMITED": 0.1, "SILENCED": 0.05}

# Of the alert with the number n of `count`. Kinds are as frequent as words are; one alert in a hundred has a title of its own.
MADE = """
    SELECT n, now() - interval '{days} days' * (1 - n::float8 / {count}) AS at,
           floor({kinds} * power(random(), 3))::int AS kind, random() AS p, random() AS d, random() AS r
    FROM generate_series(1, {count}) n
"""
CATEGORY = (
    "(array['SYSTEM_ERROR','TRADING_SIGNAL','RISK_WARNING','PORTFOLIO_UPDATE','DATA_QUALITY','COST_ALERT','PERFORMANCE'])"
    "[mod(kind, 7) + 1]"
)
TITLE = (
    "CASE WHEN r < 0.01 THEN 'Order ' || n || ' was rejected' ELSE (array['Volatility','Spread','Quote','Latency','Cost'])"
    "[mod(kind, 5) + 1] || ' of group ' || kind || ' is out of its range' END"
)
FIRING = "n > {count} * 0.98"
SENT = "d < 0.3"
EXPRESSIONS = {
    "fingerprint": "gen_random_uuid()",
    "category": CATEGORY,
    "title": TITLE,
    "message": "'The value is ' || n || ', which lies outside of what the last week has shown.'",
    "labels": "jsonb_build_object('symbol', 'S' || mod(kind, 200), 'venue', 'V' || mod(kind, 7), 'order', CASE WHEN r < 0.01 THEN n::text END)",
    "source": "(array['api','prometheus','killswitch'])[mod(n, 3) + 1]",
    "raised_by": "'trader'",
    "starts_at": "at",
    "first_at": "at",
    "last_at": "at + interval '3 minutes'",
    "count": "3",
    "state": f"CASE WHEN {FIRING} THEN 'FIRING' ELSE 'RESOLVED' END",
    "resolved_at": f"CASE WHEN {FIRING} THEN NULL ELSE at + interval '1 hour' END",
    "flaps": "CASE WHEN r > 0.99 THEN 3 ELSE 0 END",
    "decided_at": "at",
    "trace": '\'[{{"gate": "force", "passed": true, "forced": false}}, {{"gate": "enabled", "passed": true}}]\'::jsonb',
    "sent_at": f"CASE WHEN {SENT} THEN at END",
    "last_sent_at": f"CASE WHEN {SENT} THEN at END",
    "sent_count": f"CASE WHEN {SENT} THEN 1 ELSE 0 END",
    "due_at": f"CASE WHEN {SENT} THEN at + interval '15 minutes' END",
    "acknowledged_at": f"CASE WHEN {SENT} AND p < 0.9 THEN at + interval '10 minutes' END",
    "acknowledged_by": f"CASE WHEN {SENT} AND p < 0.9 THEN 'alice' ELSE '' END",
}


def fill(count: int) -> None:
    """`count` alerts over 30 days, the newest fiftieth of them firing, with tallies, and a delivery of each that was sent.

    Rows are in the order of their times, as those of a console are.
    """
    now = timezone.now()
    channel = Channel.objects.create(
        name="desk", kind="webhook", secrets=seal({}), created_at=now, updated_at=now
    )
    words = {"days": DAYS, "count": count, "kinds": KINDS}
    chosen = {"priority": _chosen("p", PRIORITIES), "decision": _chosen("d", DECISIONS)}
    with connection.cursor() as cursor:
        cursor.execute("SELECT setseed(0.5)")
        _insert(cursor, Alert, EXPRESSIONS | chosen, f"({MADE.format(**words)}) made", words)
        cursor.execute(
            "INSERT INTO alerts_minutetally (minute, category, priority, decision, count) "
            "SELECT date_trunc('minute', first_at), category, priority, decision, count(*) FROM alerts_alert GROUP BY 1, 2, 3, 4 "
            "ORDER BY 1"
        )
        cursor.execute(
            "INSERT INTO alerts_kindtally (day, category, title, raised, sent, acted) "
            "SELECT first_at::date, category, title, count(*), sum(sent_count), count(acknowledged_at) FROM alerts_alert GROUP BY 1, 2, 3 "
            "ORDER BY 1"
        )
        told = {
            "alert_id": "id",
            "priority": "priority",
            "channel_id": str(channel.pk),
            "channel_name": "'desk'",
            "kind": "'firing'",
            "state": "'SENT'",
            "created_at": "sent_at",
            "due_at": "sent_at",
            "key": "gen_random_uuid()",
        }
        _insert(
            cursor,
            Delivery,
            told,
            "(SELECT * FROM alerts_alert WHERE sent_at IS NOT NULL ORDER BY id) told",
            {},
        )
        cursor.execute("VACUUM (ANALYZE)")


def _insert(cursor: Any, model: Any, expressions: dict[str, str], source: str, words: dict[str, int]) -> None:
    """Every column that has no expression gets the field's default."""
    columns, values, parameters = [], [], []
    for field in model._meta.concrete_fields:
        if field.primary_key or field.generated:
            continue
        columns.append(connection.ops.quote_name(field.column))
        if field.column in expressions:
            values.append(expressions[field.column].format(**words))
        else:
            values.append("%s")
            parameters.append(field.get_db_prep_save(field.get_default(), connection))
    table = connection.ops.quote_name(model._meta.db_table)
    cursor.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} FROM {source}", parameters
    )


def _chosen(number: str, shares: dict[str, float]) -> str:
    """SQL: one of the words, by a random number from 0 to 1."""
    parts, upper = [], 0.0
    for word, share in shares.items():
        upper += share
        parts.append(f"WHEN {number} < {upper:.4f} THEN '{word}'")
    return f"CASE {' '.join(parts)} ELSE '{list(shares)[-1]}' END"
