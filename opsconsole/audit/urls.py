"""The audit page."""

from django.urls import path

from opsconsole.audit import views

urlpatterns = [path("", views.trail, name="audit")]
