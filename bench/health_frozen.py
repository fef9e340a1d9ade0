"""Every page and every address of the API while Redis is frozen, and while the database is: how long each takes, and what it says.

`python -m bench.health_frozen --folder F [--rounds 3]` prints JSON: by state of the console (`well`, `redis frozen`, `database frozen` …)
each answer's address, status and milliseconds, and whether it says what is wrong. A browser's signed-in session asks for pages, a token for
the API; four at once, from the moment of the failure on.
"""

import argparse
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psycopg
import requests

from bench.fleet import LateError, wait_until
from bench.rig import Rig

AT_ONCE = 4
LONGEST = 15.0
INTERVAL = 2
NAME, PASSWORD = "bench-supervisor", "of a bench, and of nothing else"
# The addresses that ask for no argument and answer a plain GET; the admin's lists among them.
LISTED = f"""
import json
from django.contrib.auth.models import Group
from django.urls import URLResolver, get_resolver
from opsconsole.accounts.models import User
User.objects.create_superuser("{NAME}", password="{PASSWORD}").groups.set(Group.objects.all())
def walk(patterns, before=""):
    for one in patterns:
        route = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from walk(one.url_patterns, route)
        elif not set(route) & set("<(^$"):
            yield "/" + route
print(json.dumps(sorted(set(walk(get_resolver().url_patterns)))))
"""
# These end the session, or lead elsewhere by design.
NOT_ASKED = ("/accounts/sign-out", "/admin/logout/", "/admin/login/", "/monitoring/stream")
COUNTED = re.compile(r'id="nav-health"><span class="oc-count[^"]*">\d')


@dataclass(frozen=True, slots=True)
class Asked:
    """`says`: of a page whether Health's number beside the navigation is there; of an error whether it has the API's form."""

    path: str
    status: int
    milliseconds: float
    page: bool
    says: bool


class Visitor:
    """A browser's session for pages, a token for the API."""

    def __init__(self, rig: Rig) -> None:
        self._url = rig.url
        self._session = requests.Session()
        self._token = {"Authorization": f"Bearer {rig.token}"}
        form = self._session.get(f"{rig.url}/accounts/sign-in", timeout=LONGEST).text
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
        if found is None:
            raise RuntimeError("the sign-in page has no form")
        fields = {"username": NAME, "password": PASSWORD, "csrfmiddlewaretoken": found[1]}
        self._session.post(f"{rig.url}/accounts/sign-in", data=fields, timeout=LONGEST)

    def ask(self, path: str) -> Asked:
        of_api = path.startswith(("/monitoring/", "/api/", "/metrics"))
        began = time.perf_counter()
        answer = requests.get(
            self._url + path,
            headers=self._token if of_api else {},
            cookies=None if of_api else self._session.cookies,
            timeout=LONGEST,
            allow_redirects=False,
        )
        spent = 1000 * (time.perf_counter() - began)
        text = answer.text
        page = 'id="nav-health"' in text
        says = bool(COUNTED.search(text)) if page else '"error"' in text and '"code"' in text
        return Asked(path, answer.status_code, spent, page, says)

    def ask_all(self, paths: Iterable[str]) -> list[Asked]:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(self.ask, paths))


def of_api(path: str) -> bool:
    return path.startswith("/monitoring/")


def measure(folder: Path, *, rounds: int) -> dict[str, Any]:
    with Rig(folder, term=2.0, durable=False) as rig:
        rig.manage("collectstatic", "--no-input", "--verbosity", "0")
        listed: list[str] = json.loads(rig.manage("shell", "-c", LISTED).strip().splitlines()[-1])
        _quicken(rig)
        for server in (rig.worker, rig.urgent, rig.beat):
            server.start()
        visitor = Visitor(rig)
        wait_until(lambda: _redis(rig) == "healthy", "Redis is healthy", seconds=60, every=0.2)
        first = visitor.ask_all(path for path in listed if path not in NOT_ASKED)
        paths = [one.path for one in first if one.status in (200, 302, 303)]
        api = [path for path in paths if of_api(path)]
        found = {"well": visitor.ask_all(paths)}
        for number in range(rounds):
            with _frozen(rig.valkey):
                found.setdefault("redis frozen", []).extend(visitor.ask_all(paths))
                wait_until(lambda: _redis(rig) == "unhealthy", "Redis is unhealthy", seconds=60, every=0.2)
                found.setdefault("redis known to be frozen", []).extend(visitor.ask_all(paths))
            with _frozen(rig.postgres):
                found.setdefault("database frozen", []).extend(visitor.ask_all(["/healthz", "/readyz", *api]))
            _again(rig)
            rig.postgres.kill()
            found.setdefault("database stopped", []).extend(visitor.ask_all(["/healthz", "/readyz", *api]))
            rig.postgres.start()
            _again(rig)
            print(f"round {number + 1} of {rounds}", file=sys.stderr)
    return {name: [asdict(one) for one in asked] for name, asked in found.items()}


@contextmanager
def _frozen(server: Any) -> Iterator[None]:
    server.freeze()
    try:
        yield
    finally:
        server.thaw()


def _again(rig: Rig) -> None:
    rig.wait_postgres()
    wait_until(_quiet(lambda: _redis(rig) == "healthy"), "all is well again", seconds=60, every=0.2)


def _quiet(condition: Callable[[], bool]) -> Callable[[], bool]:
    """Not yet, while the console says 503."""

    def met() -> bool:
        try:
            return condition()
        except (KeyError, requests.RequestException):
            return False

    return met


def _redis(rig: Rig) -> str:
    answer = requests.get(
        f"{rig.url}/monitoring/health/component/redis",
        headers={"Authorization": f"Bearer {rig.token}"},
        timeout=LONGEST,
    )
    return str(answer.json()["status"])


def _quicken(rig: Rig) -> None:
    """So that it is soon known that Redis does not answer."""
    with psycopg.connect(rig.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(
            "UPDATE monitoring_healthcomponent SET interval_seconds = %s, budget_seconds = LEAST(budget_seconds, 1), due_at = now()",
            [INTERVAL],
        )


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.health_frozen", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    try:
        print(json.dumps(measure(options.folder, rounds=options.rounds)))
    except (LateError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
