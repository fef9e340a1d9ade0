"""The pages of the circuit breakers, below /breakers. A breaker's name may be anything, so acts stand before it, behind a dash."""

from django.urls import path

from monitoring.breakers import acts, views

urlpatterns = [
    path("", views.page, name="breakers"),
    path("/-/find", views.find, name="breaker-find"),
    path("/-/reset-all", acts.reset_all, name="breakers-reset-all"),
    *(path(f"/-/{act.key}/<path:name>", acts.view_of(act), name=f"breaker-{act.key}") for act in acts.ACTS),
    path("/<path:name>", views.breaker, name="breaker"),
]
