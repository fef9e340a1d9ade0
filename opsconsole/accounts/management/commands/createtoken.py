"""`manage.py createtoken`: a bearer token for the API, printed once."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from opsconsole.accounts.models import User
from opsconsole.accounts.roles import Role
from opsconsole.accounts.services import create_service_account, create_token
from opsconsole.audit.shell import shell_actor


class Command(BaseCommand):
    help = "Make an API token and print it, alone on standard output. It cannot be shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--user", required=True, help="the account it belongs to")
        parser.add_argument(
            "--name", required=True, help="what it is for, such as the host that will hold it"
        )
        parser.add_argument(
            "--role",
            choices=Role.values,
            help="make the account, as a service account of this role, if there is none",
        )
        parser.add_argument("--expires-days", type=int, help="days until it expires; never, when left out")

    def handle(self, *args: Any, **options: Any) -> None:
        days = options["expires_days"]
        if days is not None and not 1 <= days <= 36_500:
            raise CommandError("--expires-days must lie between 1 and 36500")
        now = timezone.now()
        try:
            with transaction.atomic():
                raw = create_token(
                    actor=shell_actor(),
                    user=self._account(options["user"], options["role"]),
                    name=options["name"],
                    expires_at=None if days is None else now + timedelta(days=days),
                    now=now,
                )[1]
        except ValidationError as error:
            raise CommandError(f"--user: {' '.join(error.messages)}") from None
        except ValueError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(raw)

    def _account(self, username: str, role: str | None) -> User:
        user = User.objects.filter(username=username).first()
        if user is None:
            if role is None:
                raise CommandError(
                    f"--user: there is no account {username!r}. Give --role to make it a service account."
                )
            return create_service_account(actor=shell_actor(), username=username, role=Role(role))
        if role is not None and not user.groups.filter(name=role).exists():
            raise CommandError(f"--role: the account {username!r} exists and does not have the role {role}")
        return user
