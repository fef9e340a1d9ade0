"""How often people act on one kind of alert; the noise report finds what nobody ever acts on."""

from datetime import UTC, datetime

from django.db import connection

from alerts.models import Alert

COUNT = """
    INSERT INTO alerts_kindtally (day, category, title, raised, sent, acted) VALUES (%s, %s, %s, 0, 0, 1)
    ON CONFLICT ON CONSTRAINT one_tally_a_kind_and_day DO UPDATE SET acted = alerts_kindtally.acted + 1
"""


def count_act(*, alert: Alert, now: datetime) -> None:
    """Somebody acknowledged, assigned, silenced or resolved it. In the transaction of the act."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [now.astimezone(UTC).date(), alert.category, alert.title])
