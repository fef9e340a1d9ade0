"""Before a rule is saved: what its new values would have made of the last seven days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone

from alerts.admin_forms import RuleForm
from alerts.choices import Decision
from alerts.models import AlertRule
from alerts.policy import rule_state
from alerts.replay import Difference, Replayed, replay
from alerts.rule_values import RULE
from alerts.services.rules import as_values
from alerts.wording import sentence, word_of

SPAN = timedelta(days=7)
# Incidents that a page may take the time for.
MOST = 20_000
TEMPLATE = "admin/alerts/alertrule/replay.html"


@dataclass(frozen=True, slots=True)
class Change:
    """A value of the rule that would be another one."""

    label: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Row:
    """Alerts with one decision: as they were decided, and as they would be."""

    word: str
    then: int
    now: int


@dataclass(frozen=True, slots=True)
class Example:
    difference: Difference
    then: str
    now: str


class ReplayMixin(admin.ModelAdmin):  # type: ignore[type-arg]  # the class takes no parameter at run time
    """Adds the button and its page to the admin of rules. Nothing is written there."""

    change_form_template = "admin/alerts/alertrule/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.replay_view)
        return [path("<int:pk>/replay/", page, name="alerts_alertrule_replay"), *super().get_urls()]

    def replay_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        rule = AlertRule.objects.filter(pk=pk).first()
        if rule is None:
            raise Http404
        if not self.has_change_permission(request, rule):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        before = as_values(rule, RULE)
        form = RuleForm(request.POST, instance=rule)
        errors = {name: found for name, found in form.errors.items() if name != "reason"}
        context = self.admin_site.each_context(request) | {
            "title": f"Replay of {rule.category}",
            "opts": self.opts,
            "original": rule,
            "form": form,
            "errors": errors,
        }
        if not errors:
            context |= _story(form, before)
        return TemplateResponse(request, TEMPLATE, context)


def _story(form: RuleForm, before: dict[str, Any]) -> dict[str, Any]:
    proposed = AlertRule(category=form.instance.category, **(before | form.values()))
    until = timezone.now()
    since = until - SPAN
    replayed = replay(rule=rule_state(proposed), since=since, until=until, most=MOST)
    return {
        "since": since,
        "until": until,
        "changes": _changes(form, before),
        "rows": _rows(replayed),
        "replayed": replayed,
        "examples": _examples(replayed.examples),
    }


def _changes(form: RuleForm, before: dict[str, Any]) -> list[Change]:
    return [
        Change(str(form[name].label), before[name], after)
        for name, after in form.values().items()
        if before[name] != after
    ]


def _rows(replayed: Replayed) -> list[Row]:
    rows = [Row(word_of(decision), replayed.then[decision], replayed.now[decision]) for decision in Decision]
    return [row for row in rows if row.then or row.now]


def _examples(differences: Sequence[Difference]) -> list[Example]:
    return [Example(found, word_of(found.then), sentence(found.now, found.trace)) for found in differences]
