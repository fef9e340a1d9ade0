"""Brings the database back to how the migrations left it, after a test whose transactions were committed.

Django's flush truncates every table, and makes content types, permissions, roles and rules anew: a third of a second for each such test. Here one
statement looks which tables have changed, and only these are emptied and filled again from a copy. Tables that the migrations did not make go.
"""

from django.db import OperationalError, connection, transaction
from psycopg.errors import DeadlockDetected

TRIES = 5

SAVE = """
DO $$
DECLARE
    t text;
    has_rows boolean;
BEGIN
    DROP SCHEMA IF EXISTS pristine CASCADE;
    CREATE SCHEMA pristine;
    FOR t IN SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I)', t) INTO has_rows;
        IF has_rows THEN
            EXECUTE format('CREATE TABLE pristine.%1$I AS TABLE %1$I', t);
        END IF;
    END LOOP;
    CREATE TABLE pristine."all tables" AS
        SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace;
END $$
"""
# Triggers that refuse DELETE (the audit trail's) are off meanwhile; then they are on again for every session (`ALWAYS`), as they were. Whoever
# writes is waited for. Foreign keys are looked at when all is in its place again.
RESTORE = """
DO $$
DECLARE
    t record;
    changed boolean;
    again text[] := '{}';
    statement text;
BEGIN
    SET CONSTRAINTS ALL DEFERRED;
    EXECUTE (
        SELECT format('LOCK TABLE %s IN EXCLUSIVE MODE', string_agg(quote_ident(relname), ', ' ORDER BY oid))
        FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace
    );
    -- Partitions that were made since.
    FOR t IN
        SELECT quote_ident(relname) AS name FROM pg_class
        WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace
            AND relname NOT IN (SELECT name FROM pristine."all tables")
    LOOP
        EXECUTE format('DROP TABLE %s', t.name);
    END LOOP;
    FOR t IN
        SELECT c.oid, quote_ident(c.relname) AS name, p.oid IS NOT NULL AS kept,
            (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
             WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '') AS columns
        FROM pg_class c LEFT JOIN pg_class p ON p.relname = c.relname AND p.relnamespace = 'pristine'::regnamespace
        WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
    LOOP
        IF t.kept THEN
            EXECUTE format(
                'SELECT EXISTS (TABLE %1$s EXCEPT ALL TABLE pristine.%1$s) OR EXISTS (TABLE pristine.%1$s EXCEPT ALL TABLE %1$s)',
                t.name
            ) INTO changed;
        ELSE
            EXECUTE format('SELECT EXISTS (SELECT FROM %s)', t.name) INTO changed;
        END IF;
        CONTINUE WHEN NOT changed;
        FOR statement IN
            SELECT format('ALTER TABLE %s %%s TRIGGER %I', t.name, tgname) FROM pg_trigger
            WHERE tgrelid = t.oid AND NOT tgisinternal AND tgtype & 8 <> 0
        LOOP
            EXECUTE format(statement, 'DISABLE');
            again := again || format(statement, 'ENABLE ALWAYS');
        END LOOP;
        EXECUTE format('DELETE FROM %s', t.name);
        IF t.kept THEN
            EXECUTE format('INSERT INTO %1$s (%2$s) SELECT %2$s FROM pristine.%1$s', t.name, t.columns);
        END IF;
    END LOOP;
    SET CONSTRAINTS ALL IMMEDIATE;
    FOREACH statement IN ARRAY again LOOP
        EXECUTE statement;
    END LOOP;
END $$
"""


class Pristine:
    """One process's test database."""

    def __init__(self) -> None:
        self._saved = False

    def save(self) -> None:
        """Before the first transactional test; those before it were rolled back."""
        if not self._saved:
            _execute(SAVE)
            self._saved = True

    def restore(self) -> None:
        """The web process goes on working meanwhile; where the two wait for each other, PostgreSQL ends one of them."""
        for left in reversed(range(TRIES)):
            try:
                _execute(RESTORE)
            except OperationalError as error:
                if not left or not isinstance(error.__cause__, DeadlockDetected):
                    raise
            else:
                return


def _execute(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
