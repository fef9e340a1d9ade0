"""The pages of runbooks and incidents."""

from django.urls import path

from opsconsole.runbooks import acts, views, views_runbooks

urlpatterns = [
    path("incidents", views.page, name="incidents"),
    path("incidents/new", acts.start, name="incident-new"),
    path("incidents/<int:pk>", views.incident, name="incident"),
    path("incidents/<int:pk>/export", views.export, name="incident-export"),
    path("incidents/<int:pk>/notes", acts.note, name="incident-note"),
    path("incidents/<int:pk>/close", acts.close, name="incident-close"),
    path("incidents/<int:pk>/steps/<int:step>/done", acts.done, name="incident-step-done"),
    path("incidents/<int:pk>/steps/<int:step>/undone", acts.undone, name="incident-step-undone"),
    path("incidents/<int:pk>/steps/<int:step>/press", acts.press, name="incident-step-press"),
    path("runbooks", views_runbooks.page, name="runbooks"),
    path("runbooks/<slug:slug>", views_runbooks.runbook, name="runbook"),
    path("runbooks/<slug:slug>/open", acts.open_, name="runbook-open"),
]
