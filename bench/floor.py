"""The floor of propagation: how long PostgreSQL's own `UPDATE + NOTIFY → LISTEN` takes, from one process to
another.
"""

import sys

import psycopg

from demo.clock import boot_ns

CHANNEL = "bench_floor"
TABLE = "bench_floor"


def create(url: str) -> None:
    """Make the one row that is updated."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE TABLE IF NOT EXISTS {TABLE} (value bigint)")
        connection.execute(f"INSERT INTO {TABLE} VALUES (0)")


def main() -> None:
    """Listen for ever; print `<payload> <steady clock, ns>` for each notification, the clock read as it
    arrives.
    """
    with psycopg.connect(sys.stdin.readline().strip(), autocommit=True) as connection:
        connection.execute(f"LISTEN {CHANNEL}")
        print("listening", flush=True)
        for notification in connection.notifies():
            now = boot_ns()
            print(notification.payload, now, flush=True)


if __name__ == "__main__":
    main()
