"""The rules, to read (they are tuned in the admin), and the noise report."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from alerts.models import AlertRule, LabelRule, ResponseTime
from alerts.noise import noise as report
from alerts.noise_words import bar_rows, figure_rows
from alerts.silences import lines_of


@require_GET
@login_required
def rules(request: HttpRequest) -> HttpResponse:
    context = {
        "page": "alert-rules",
        "rules": AlertRule.objects.all(),
        "times": ResponseTime.objects.all(),
        "label_rules": [(rule, lines_of(rule.matchers)) for rule in LabelRule.objects.all()],
    }
    return render(request, "alerts/rules.html", context)


@require_GET
@login_required
def noise(request: HttpRequest) -> HttpResponse:
    found = report()
    context = {
        "page": "alert-noise",
        "noise": found,
        "figures": figure_rows(found.figures),
        "bars": bar_rows(found.histogram),
        "act": sum(figure.verdict == "act" for figure in found.figures),
    }
    return render(request, "alerts/noise.html", context)
