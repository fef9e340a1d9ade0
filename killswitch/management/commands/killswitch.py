"""`manage.py killswitch`: stop, re-arm and look, straight on the database. Works with web, worker and Redis down."""

import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError

from killswitch import selectors, services
from killswitch.choices import Mode, Reason
from killswitch.proving import Proving
from killswitch.serializers import ActivationSerializer, StatusSerializer
from killswitch.state import GLOBAL
from killswitch.wording import FIELDS, read_stop
from opsconsole.audit.shell import shell_actor

HELP = """Stop trading, re-arm, run a drill, or look, straight on the database.

Exit codes:
  0  done; for a stop or drill: every process is proven to have stopped (or --no-wait was given)
  1  refused or failed; nothing was changed
  2  the command line cannot be read
  3  the stop is committed and holds, but the proof is not complete yet
  4  deactivate: trading was not stopped
  5  the database cannot be reached; stop by OPSCLIENT_HALT_FILE on the trading hosts
"""


class Command(BaseCommand):
    help = HELP

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        return super().create_parser(
            prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs
        )

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(
            dest="action", required=True, metavar="{status,activate,deactivate,drill,history}"
        )
        for name in ("status", "activate", "deactivate", "drill", "history"):
            self._arguments_of(name, actions.add_parser(name))

    def _arguments_of(self, name: str, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON")
        if name in ("activate", "deactivate", "drill"):
            parser.add_argument("--message", default="", help="why")
            parser.add_argument(
                "--scope", default=GLOBAL, help="global, or account:…, venue:…, strategy:…, symbol:…"
            )
        if name in ("activate", "drill"):
            parser.add_argument("--reason", default=Reason.MANUAL, help=", ".join(Reason.values))
            parser.add_argument("--no-wait", action="store_true", help="return once the stop is committed")
        if name == "activate":
            parser.add_argument("--mode", default=Mode.HALTED, help="HALTED or REDUCE_ONLY")
        if name == "history":
            parser.add_argument("--limit", type=int, default=20)

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        act: dict[str, Callable[[dict[str, Any]], None]] = {
            "status": self._status,
            "activate": self._activate,
            "drill": self._activate,
            "deactivate": self._deactivate,
            "history": self._history,
        }
        try:
            act[action]({**options, "drill": action == "drill"})
        except (OperationalError, InterfaceError) as error:
            raise CommandError(
                f"the database cannot be reached ({type(error).__name__}). "
                "Stop by the file that OPSCLIENT_HALT_FILE names on the trading hosts.",
                returncode=5,
            ) from None

    def _status(self, options: dict[str, Any]) -> None:
        status = selectors.status()
        if options["json"]:
            self._print_json(StatusSerializer(status).data)
            return
        self.stdout.write("TRADING" if status.trading_allowed else f"{status.mode}, {status.state}")
        for item in status.scopes:
            self.stdout.write(
                f"  {item.scope}: {item.mode} since {_time(item.since)} by {item.by}: {item.reason} {item.message}".rstrip()
            )
        self.stdout.write(
            f"  epoch {status.epoch}, {sum(client.connected for client in status.clients)} trading processes connected"
        )

    def _activate(self, options: dict[str, Any]) -> None:
        sent: dict[str, Any] = {name: options[name] for name in FIELDS if name in options}
        try:
            outcome = services.carry_out(actor=shell_actor(), order=read_stop(sent))
        except services.DrillRefused as error:
            raise CommandError(str(error)) from None
        say = (lambda _: None) if options["json"] else self.stdout.write
        proving = Proving(outcome.activation.pk, say=say)
        if not options["json"]:
            self._tell(outcome)
        proven = options["no_wait"] or proving.wait()
        if options["json"]:
            activation = selectors.activation(outcome.activation.pk)
            self._print_json(
                {
                    "changed": outcome.changed,
                    "warnings": outcome.warnings,
                    "proven": proving.complete,
                    **ActivationSerializer(activation).data,
                }
            )
        if not proven:
            raise SystemExit(3)

    def _tell(self, outcome: services.ActivationOutcome) -> None:
        what = (
            "Drill" if outcome.activation.drill else f"{outcome.activation.mode} {outcome.activation.scope}"
        )
        self.stdout.write(
            f"{what}: committed"
            if outcome.changed
            else f"{what}: was so already, since {_time(outcome.activation.activated_at)}"
        )
        for warning in outcome.warnings:
            self.stderr.write(f"warning: {warning}")

    def _deactivate(self, options: dict[str, Any]) -> None:
        try:
            activation = services.deactivate(
                actor=shell_actor(), message=options["message"], scope=options["scope"]
            )
        except services.NotActive as error:
            raise CommandError(str(error), returncode=4) from None
        except ValueError as error:
            raise CommandError(str(error)) from None
        if options["json"]:
            self._print_json(ActivationSerializer(activation).data)
        else:
            self.stdout.write(
                f"Re-armed {activation.scope}: processes may trade again with their next lease."
            )

    def _history(self, options: dict[str, Any]) -> None:
        if not 1 <= options["limit"] <= 1000:
            raise CommandError("--limit must lie between 1 and 1000")
        activations = selectors.history(limit=options["limit"]).results
        if options["json"]:
            self._print_json(ActivationSerializer(activations, many=True).data)
            return
        for item in activations:
            took = (
                "proof not complete"
                if item.time_to_stop_ms is None
                else f"stopped in {item.time_to_stop_ms:.0f} ms"
            )
            ended = f"ended {_time(item.ended_at)} by {item.ended_by}" if item.ended_at else "open"
            why = f"{item.reason} by {item.activated_by}: {item.message or '(no message)'}"
            self.stdout.write(f"{_time(item.activated_at)}  {item}  {why}; {took}; {ended}")

    def _print_json(self, data: Any) -> None:
        self.stdout.write(json.dumps(data, indent=2, default=str))


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
