"""Live parts of two pages."""

from django.db import connection

from opsconsole.live.feeds import LivePart


def _epoch() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT epoch FROM feed_state")
        return f'<p id="epoch">{cursor.fetchone()[0]}</p>'


def _note() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM feed_client")
        return f'<p id="note">\n{cursor.fetchone()[0]}</p>'


def _broken() -> str:
    raise ValueError("this part cannot be rendered")


PARTS = [
    LivePart("epoch", frozenset({"state"}), _epoch, urgent=True),
    LivePart("note", frozenset({"clients"}), _note, pages=frozenset({"overview"})),
    LivePart("broken", frozenset({"state"}), _broken, pages=frozenset({"broken"})),
]
