"""`manage.py alerts`: look at the alerts' rules from the shell."""

import re
from argparse import ArgumentParser
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import available_timezones

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from alerts.choices import Category, Decision, Priority
from alerts.decision import RuleState
from alerts.policy import rules_now
from alerts.replay import Difference, Replayed, replay
from alerts.wording import sentence, word_of

UNITS = {"m": "minutes", "h": "hours", "d": "days"}
LONGEST = timedelta(days=90)
HELP = "Run a changed rule over stored alerts, and show what would have been sent and suppressed. Nothing is changed."


class Command(BaseCommand):
    help = "Alert rules: `replay` runs a changed one over stored alerts."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="{replay}")
        asked = actions.add_parser("replay", help=HELP, description=HELP)
        asked.add_argument("--rule", required=True, metavar="CATEGORY", help=", ".join(Category.values))
        asked.add_argument("--since", default="7d", help="how far back: 90m, 12h, 7d")
        asked.add_argument("--min-priority", help=", ".join(Priority.values))
        asked.add_argument("--max-per-hour", type=int)
        asked.add_argument("--dedupe-window-minutes", type=int)
        asked.add_argument(
            "--quiet", metavar="START-END", help="hours of the day, such as 22-7; `none` for none"
        )
        asked.add_argument("--quiet-passes", help="the priority that is sent in quiet hours, too")
        asked.add_argument("--time-zone")
        asked.add_argument("--enabled", choices=("yes", "no"))
        asked.add_argument(
            "--examples", type=int, default=10, help="alerts to list that would fare otherwise"
        )

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        category = _choice("--rule", options["rule"], Category.values)
        rule = rules_now()[category]
        proposed = replace(rule, **_values(options))
        until = timezone.now()
        since = until - _span(options["since"])
        self._print(replay(rule=proposed, since=since, until=until), rule, proposed, options)

    def _print(
        self, replayed: Replayed, rule: RuleState, proposed: RuleState, options: dict[str, Any]
    ) -> None:
        self.stdout.write(f"{rule.category}, the last {options['since']}: {replayed.total:,} alerts")
        for name in RuleState.__dataclass_fields__:
            before, after = getattr(rule, name), getattr(proposed, name)
            if before != after:
                self.stdout.write(f"  {name}: {before} → {after}")
        self.stdout.write(f"\n{'':24}{'then':>12}{'now':>12}")
        for decision in Decision:
            then, now = replayed.then[decision], replayed.now[decision]
            if then or now:
                self.stdout.write(f"  {word_of(decision):<22}{then:>12,}{now:>12,}")
        self.stdout.write(f"\n{replayed.changed:,} would have fared otherwise.")
        for example in replayed.examples[: max(0, options["examples"])]:
            self.stdout.write(_line(example))
        if not replayed.complete:
            self.stdout.write("There are more alerts than a replay looks at; these are the newest.")


def _values(options: dict[str, Any]) -> dict[str, Any]:
    """The fields of the rule that the command line changes."""
    values: dict[str, Any] = {}
    for name in ("max_per_hour", "dedupe_window_minutes"):
        if options[name] is not None:
            if options[name] < 0:
                raise CommandError(f"--{name.replace('_', '-')} must not be negative")
            values[name] = options[name]
    for name in ("min_priority", "quiet_passes"):
        if options[name] is not None:
            values[name] = _choice(f"--{name.replace('_', '-')}", options[name], Priority.values)
    if options["quiet"] is not None:
        values["quiet_start"], values["quiet_end"] = _hours(options["quiet"])
    if options["time_zone"] is not None:
        if options["time_zone"] not in available_timezones():
            raise CommandError(
                "--time-zone must be a name of the time-zone database, such as America/New_York"
            )
        values["time_zone"] = options["time_zone"]
    if options["enabled"] is not None:
        values["enabled"] = options["enabled"] == "yes"
    return values


def _choice(name: str, value: str, choices: list[str]) -> str:
    if value not in choices:
        raise CommandError(f"{name} must be one of {', '.join(choices)}")
    return value


def _hours(text: str) -> tuple[int, int]:
    if text == "none":
        return 0, 0
    found = re.fullmatch(r"(\d{1,2})-(\d{1,2})", text)
    if found is None or not all(int(hour) <= 23 for hour in found.groups()):
        raise CommandError("--quiet must be two hours from 0 to 23, such as 22-7, or none")
    return int(found[1]), int(found[2])


def _span(text: str) -> timedelta:
    found = re.fullmatch(r"(\d{1,6})([mhd])", text)
    span = timedelta(**{UNITS[found[2]]: int(found[1])}) if found else timedelta()
    if not timedelta() < span <= LONGEST:
        raise CommandError(f"--since must be a time such as 90m, 12h or 7d, at most {LONGEST.days}d")
    return span


def _line(example: Difference) -> str:
    when = timezone.localtime(example.at)
    story = f"{word_of(example.then)} → {sentence(example.now, example.trace)}"
    return f"  #{example.alert_id} {when:%d %b %H:%M} {example.priority} {example.title}: {story}"
