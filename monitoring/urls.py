"""The whole API on one page. `/monitoring/stream` is served beside Django, by `opsconsole.asgi`."""

from django.urls import path, re_path, register_converter
from drf_spectacular.views import SpectacularJSONAPIView

from alerts import api as alerts
from alerts import api_channels, api_chat, api_people, api_rules, api_silences
from alerts.alertmanager.webhook import AlertmanagerWebhookView
from killswitch import api as killswitch
from killswitch import api_processes as processes
from monitoring.breakers import api as breakers
from monitoring.breakers import api_commands as breaker_commands
from monitoring.breakers import api_processes as breaker_processes
from monitoring.breakers.urls import TextConverter
from monitoring.health import api as health
from monitoring.metrics import api as metrics
from monitoring.metrics import api_reading as metrics_reading
from monitoring.triggers.api import TriggersView
from opsconsole.api.views import DocsView, NotFoundView
from opsconsole.checklist import api as checklist
from opsconsole.runbooks import api as incidents

# A name that may have slashes; NUL characters are in none.
register_converter(TextConverter, "text")

urlpatterns = [
    path("alerts", alerts.AlertsView.as_view(), name="api-alerts"),
    path("alerts/test", alerts.TestView.as_view(), name="api-alert-test"),
    path("alerts/recent", alerts.RecentView.as_view(), name="api-alerts-recent"),
    path("alerts/statistics", alerts.StatisticsView.as_view(), name="api-alert-statistics"),
    path("alerts/noise", alerts.NoiseView.as_view(), name="api-alert-noise"),
    path("alerts/rules", api_rules.RulesView.as_view(), name="api-alert-rules"),
    path("alerts/rules/<str:category>", api_rules.RuleView.as_view(), name="api-alert-rule"),
    path("alerts/silences", api_silences.SilencesView.as_view(), name="api-alert-silences"),
    path("alerts/silences/<uuid:silence_id>", api_silences.SilenceView.as_view(), name="api-alert-silence"),
    path("alerts/channels", api_channels.ChannelsView.as_view(), name="api-alert-channels"),
    path("alerts/channels/<str:name>", api_channels.ChannelView.as_view(), name="api-alert-channel"),
    path(
        "alerts/channels/<str:name>/test",
        api_channels.TestChannelView.as_view(),
        name="api-alert-channel-test",
    ),
    path("alerts/<int:pk>", alerts.AlertView.as_view(), name="api-alert"),
    path("alerts/<int:pk>/acknowledge", api_people.AcknowledgeView.as_view(), name="api-alert-acknowledge"),
    path(
        "alerts/<int:pk>/unacknowledge",
        api_people.UnacknowledgeView.as_view(),
        name="api-alert-unacknowledge",
    ),
    path("alerts/<int:pk>/resolve", api_people.ResolveView.as_view(), name="api-alert-resolve"),
    path("alerts/<int:pk>/assign", api_people.AssignView.as_view(), name="api-alert-assign"),
    path("alerts/chat/slack", api_chat.SlackView.as_view(), name="api-chat-slack"),
    path("alerts/chat/telegram/<str:name>", api_chat.TelegramView.as_view(), name="api-chat-telegram"),
    path("kill-switch", killswitch.StatusView.as_view(), name="api-kill-switch"),
    path("kill-switch/activate", killswitch.ActivateView.as_view(), name="api-kill-switch-activate"),
    path("kill-switch/deactivate", killswitch.DeactivateView.as_view(), name="api-kill-switch-deactivate"),
    path("kill-switch/activations", killswitch.ActivationsView.as_view(), name="api-kill-switch-activations"),
    path(
        "kill-switch/activations/<int:pk>",
        killswitch.ActivationView.as_view(),
        name="api-kill-switch-activation",
    ),
    path("kill-switch/clients", killswitch.ClientsView.as_view(), name="api-kill-switch-clients"),
    path("kill-switch/commands", killswitch.CommandsView.as_view(), name="api-kill-switch-commands"),
    path("kill-switch/acknowledge", processes.AcknowledgeView.as_view(), name="api-kill-switch-acknowledge"),
    path("kill-switch/report", processes.ReportView.as_view(), name="api-kill-switch-report"),
    path(
        "alerts/webhook/alertmanager",
        AlertmanagerWebhookView.as_view(),
        name="api-alerts-webhook-alertmanager",
    ),
    path("metrics/push", metrics.PushView.as_view(), name="api-metrics-push"),
    path("metrics/summary", metrics_reading.SummaryView.as_view(), name="api-metrics-summary"),
    path("metrics/trading", metrics_reading.TradingView.as_view(), name="api-metrics-trading"),
    path("metrics/series", metrics_reading.SeriesView.as_view(), name="api-metrics-series"),
    path("health", health.HealthView.as_view(), name="api-health"),
    path("health/summary", health.HealthSummaryView.as_view(), name="api-health-summary"),
    path("health/component/<str:name>", health.ComponentView.as_view(), name="api-health-component"),
    path("system/info", health.SystemInfoView.as_view(), name="api-system-info"),
    path("system/status", health.SystemStatusView.as_view(), name="api-system-status"),
    path("incidents", incidents.IncidentsView.as_view(), name="api-incidents"),
    path("incidents/<int:pk>", incidents.IncidentView.as_view(), name="api-incident"),
    path("incidents/<int:pk>/timeline", incidents.TimelineView.as_view(), name="api-incident-timeline"),
    path("incidents/<int:pk>/notes", incidents.NotesView.as_view(), name="api-incident-notes"),
    path("incidents/<int:pk>/close", incidents.CloseView.as_view(), name="api-incident-close"),
    path("incidents/<int:pk>/export", incidents.ExportView.as_view(), name="api-incident-export"),
    path("checklist", checklist.ChecklistView.as_view(), name="api-checklist"),
    path("checklist/sign", checklist.SignView.as_view(), name="api-checklist-sign"),
    path("checklist/days", checklist.DaysView.as_view(), name="api-checklist-days"),
    path("triggers", TriggersView.as_view(), name="api-triggers"),
    path(
        "circuit-breaker-reports", breaker_processes.ReportView.as_view(), name="api-circuit-breaker-reports"
    ),
    path("circuit-breaker-probes", breaker_processes.ProbeView.as_view(), name="api-circuit-breaker-probes"),
    path("circuit-breakers", breakers.BreakersView.as_view(), name="api-circuit-breakers"),
    path(
        "circuit-breakers/reset-all",
        breaker_commands.ResetAllView.as_view(),
        name="api-circuit-breakers-reset-all",
    ),
    # A name may have slashes, so what follows it is looked for first.
    path(
        "circuit-breakers/<text:name>/reset",
        breaker_commands.ResetView.as_view(),
        name="api-circuit-breaker-reset",
    ),
    path(
        "circuit-breakers/<text:name>/force-open",
        breaker_commands.ForceOpenView.as_view(),
        name="api-circuit-breaker-force-open",
    ),
    path(
        "circuit-breakers/<text:name>/force-close",
        breaker_commands.ForceCloseView.as_view(),
        name="api-circuit-breaker-force-close",
    ),
    path(
        "circuit-breakers/<text:name>/release",
        breaker_commands.ReleaseView.as_view(),
        name="api-circuit-breaker-release",
    ),
    path(
        "circuit-breakers/<text:name>/transitions",
        breakers.TransitionsView.as_view(),
        name="api-circuit-breaker-transitions",
    ),
    path("circuit-breakers/<text:name>", breakers.BreakerView.as_view(), name="api-circuit-breaker"),
    path("schema", SpectacularJSONAPIView.as_view(), name="api-schema"),
    path("docs", DocsView.as_view(), name="api-docs"),
    re_path("", NotFoundView.as_view()),
]
