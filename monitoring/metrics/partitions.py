"""The partitions of minutes and five minutes (one a UTC day) and hours (one a UTC month): made before they are needed, dropped when old.

A partition is made beside its parent and then attached, which lets others read and write meanwhile. Its name says what is in it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction

# Any number that nothing else uses.
LOCK = 7_301_846_601
DAYS_AHEAD = 2

LOCKED = "SELECT pg_advisory_xact_lock(%s)"
ATTACHED = """
SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = to_regclass(%s) AND c.relname = ANY(%s)
"""
# The CHECK spares ATTACH a look at the rows; it is the partition's own bound from then on, so it goes.
MAKE = """
CREATE TABLE IF NOT EXISTS {name} (LIKE {parent} INCLUDING ALL);
ALTER TABLE {name} ADD CONSTRAINT {name}_range CHECK (at >= '{start}' AND at < '{end}');
ALTER TABLE {parent} ATTACH PARTITION {name} FOR VALUES FROM ('{start}') TO ('{end}');
ALTER TABLE {name} DROP CONSTRAINT {name}_range;
"""


@dataclass(frozen=True, slots=True)
class Partitioned:
    """A table in partitions. `form`: of the end of their names, for strftime."""

    table: str
    form: str

    def start_of(self, moment: datetime) -> datetime:
        """The beginning of the partition that `moment` belongs in."""
        day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return day if self.form == DAILY else day.replace(day=1)

    def end_of(self, start: datetime) -> datetime:
        # 32 days after the first of a month it is the next month.
        return start + timedelta(days=1) if self.form == DAILY else self.start_of(start + timedelta(days=32))

    def name_of(self, moment: datetime) -> str:
        return f"{self.table}_{self.start_of(moment):{self.form}}"

    def start_from(self, name: str) -> datetime:
        """The opposite of `name_of()`. ValueError for the name of something else."""
        return datetime.strptime(name, f"{self.table}_{self.form}").replace(tzinfo=UTC)


DAILY, MONTHLY = "%Y%m%d", "%Y%m"
MINUTES = Partitioned("monitoring_minute", DAILY)
FIVES = Partitioned("monitoring_five", DAILY)
HOURS = Partitioned("monitoring_hour", MONTHLY)

# Names of those that this process has seen attached, so that an ingest asks nothing.
_seen: set[str] = set()


def ensure(moments: Iterable[datetime], *, of: Partitioned = MINUTES) -> None:
    """See to it that there is a partition for each of these moments. Commits, unless it is called in a transaction."""
    wanted = {of.name_of(moment): of.start_of(moment) for moment in moments}
    if wanted.keys() <= _seen:
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(LOCKED, [LOCK])
        cursor.execute(ATTACHED, [of.table, list(wanted)])
        there = {name for (name,) in cursor.fetchall()}
        for name in sorted(wanted.keys() - there):
            start = wanted[name]
            cursor.execute(MAKE.format(name=name, parent=of.table, start=start, end=of.end_of(start)))
    _seen.update(wanted)


def ensure_ahead(*, now: datetime) -> None:
    """Those of today and the next days, so that no ingest has to wait for one."""
    days = [now + timedelta(days=number) for number in range(DAYS_AHEAD + 1)]
    for of in (MINUTES, FIVES, HOURS):
        ensure(days, of=of)


def forget() -> None:
    """Look again next time: somebody has dropped one."""
    _seen.clear()
