"""The pages that belong to no single app, and the audit trail."""

from django.urls import include, path

from opsconsole.console import views

urlpatterns = [
    path("", views.overview, name="overview"),
    path("audit", include("opsconsole.audit.urls")),
    path("readyz", views.readyz, name="readyz"),
]
