"""`manage.py ensureadmin`: the first administrator, used by the supervisor at start."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from opsconsole.accounts.services import ensure_administrator
from opsconsole.audit.shell import shell_actor


class Command(BaseCommand):
    help = (
        "Make the first administrator and an API token, and print them as one line of JSON: username, created, password, api_token. "
        "The last two are null unless this call made them; an account that exists keeps its password."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--username", default="admin")
        parser.add_argument(
            "--new-token", action="store_true", help="make a token for an existing administrator too"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        made = ensure_administrator(
            actor=shell_actor(), username=options["username"], new_token=options["new_token"]
        )
        self.stdout.write(json.dumps(asdict(made)))
