"""Make the database, the static files and the first administrator ready: `python -m opsconsole.prepare`.

The supervisor runs it at each start. It writes a line to the descriptor `--tell` at each stage: `prepared` when web, worker and beat
may start, then `worker` when all Celery workers named by `--worker` answer. It does both, since one loaded Django costs
less time than two.
"""

import argparse
import hashlib
import io
import json
import os
import sys
import time
from pathlib import Path

import django
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from opsconsole.celery import app
from opsconsole.embedded.folder import write_private

ADMINISTRATOR = "admin"
WORKER_SECONDS = 60.0


def migrate() -> None:
    """Apply what is missing; looking first is cheaper than `migrate`, which also runs its own follow-ups."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", interactive=False, verbosity=1)


def collect_static(data: Path) -> None:
    """Collect the static files when one was added, changed or removed since the last time."""
    stamp = data / "static.stamp"
    state = static_state()
    if stamp.exists() and stamp.read_text(encoding="utf-8") == state and Path(settings.STATIC_ROOT).is_dir():
        return
    stamp.unlink(missing_ok=True)
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(state, encoding="utf-8")


def static_state() -> str:
    """A digest over names, sizes and times of all static files, and the versions that shape their copies."""
    digest = hashlib.sha256(django.get_version().encode())
    for finder in get_finders():
        for name, storage in sorted(finder.list(None), key=lambda found: str(found[0])):
            path = Path(storage.path(name))
            status = path.stat()
            digest.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def write_credentials(data: Path, url: str) -> None:
    """Keep `credentials.json` true: a password or token is only known when it is made, so older ones are kept."""
    path = data / "credentials.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    answer = io.StringIO()
    call_command("ensureadmin", username=ADMINISTRATOR, new_token=not known.get("api_token"), stdout=answer)
    made = json.loads(answer.getvalue())
    credentials = {
        "url": url,
        "username": made["username"],
        "password": made["password"] or known.get("password"),
        "api_token": made["api_token"] or known.get("api_token"),
    }
    if credentials != known:
        write_private(path, json.dumps(credentials, indent=2) + "\n")


def workers_answer(names: list[str]) -> bool:
    """Whether all these Celery workers answer a ping within `WORKER_SECONDS`."""
    deadline = time.monotonic() + WORKER_SECONDS
    silent = set(names)
    while time.monotonic() < deadline:
        try:
            # With a limit, it does not wait its whole time for answers that are there.
            answers = app.control.ping(destination=sorted(silent), timeout=0.5, limit=len(silent))
            silent -= {name for answer in answers for name in answer}
            if not silent:
                return True
        except app.connection_for_write().connection_errors:
            time.sleep(0.5)
    return False


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m opsconsole.prepare")
    parser.add_argument("--url", required=True, help="where browsers reach the console")
    parser.add_argument("--worker", required=True, action="append", help="a worker's node name")
    parser.add_argument("--tell", type=int, required=True, help="the descriptor to write stages to")
    options = parser.parse_args()
    data = Path(settings.DATA_DIR)
    with os.fdopen(options.tell, "w", encoding="ascii") as tell:
        try:
            migrate()
        except OperationalError as error:
            sys.exit(f"The database cannot be used: {str(error).splitlines()[0]}")
        try:
            collect_static(data)
            write_credentials(data, options.url)
        except CommandError as error:
            sys.exit(str(error))
        connection.close()
        print("prepared", file=tell, flush=True)
        if workers_answer(options.worker):
            print("worker", file=tell, flush=True)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "opsconsole.settings")
    django.setup()
    main()
