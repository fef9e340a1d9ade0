"""Seal the secrets of all channels with today's OPSCONSOLE_SECRET_KEY, after it was changed."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from alerts.services import channels


class Command(BaseCommand):
    help = "Seal the secrets of all channels with today's OPSCONSOLE_SECRET_KEY; the old one may leave OPSCONSOLE_SECRET_KEY_FALLBACKS then."

    def handle(self, *args: Any, **options: Any) -> None:
        done, broken = channels.reseal()
        self.stdout.write(
            f"{done} {'channel' if done == 1 else 'channels'} sealed with today's OPSCONSOLE_SECRET_KEY."
        )
        if broken:
            raise CommandError(
                f"These cannot be read with any key that is configured: {', '.join(broken)}. Enter their secrets again."
            )
