"""Every address of the console."""

from django.contrib import admin
from django.urls import include, path

from monitoring.metrics.api_exposition import MetricsView

urlpatterns = [
    path("monitoring/", include("monitoring.urls")),
    path("metrics", MetricsView.as_view(), name="metrics"),
    path("admin/", admin.site.urls),
    path("accounts/chats", include("alerts.chat.urls")),
    path("accounts/", include("opsconsole.accounts.urls")),
    path("alerts", include("alerts.urls")),
    path("kill-switch", include("killswitch.urls")),
    path("breakers", include("monitoring.breakers.urls")),
    path("health", include("monitoring.health.urls")),
    path("checklist", include("opsconsole.checklist.urls")),
    path("", include("monitoring.metrics.pages")),
    path("", include("alerts.alertmanager.urls")),
    path("", include("opsconsole.runbooks.urls")),
    path("", include("opsconsole.console.urls")),
]

# For pages; under /monitoring the API's middleware puts its own body in their place.
handler403 = "opsconsole.console.errors.forbidden"
handler404 = "opsconsole.console.errors.not_found"
handler500 = "opsconsole.console.errors.server_error"
