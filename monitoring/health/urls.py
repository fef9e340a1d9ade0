"""The pages of health, below /health. A component may have any slug, so what is none stands behind a dash."""

from django.urls import path

from monitoring.health import views
from monitoring.health.watchdog.pages import watchdog

urlpatterns = [
    path("", views.page, name="health"),
    path("/-/watchdog", watchdog, name="watchdog"),
    path("/-/system", views.system, name="system-information"),
    path("/-/find", views.find, name="health-find"),
    path("/-/check", views.check_all, name="health-check-all"),
    path("/<slug:slug>", views.component, name="health-component"),
    path("/<slug:slug>/check", views.check, name="health-check"),
]
