"""/api/v2, with and without a slash at the end, and the two addresses that Alertmanager's health is asked at."""

from django.urls import path, re_path

from alerts.alertmanager import views

urlpatterns = [
    re_path(r"^api/v2/status/?$", views.StatusView.as_view()),
    re_path(r"^api/v2/receivers/?$", views.ReceiversView.as_view()),
    re_path(r"^api/v2/alerts/?$", views.AlertsView.as_view()),
    re_path(r"^api/v2/alerts/groups/?$", views.GroupsView.as_view()),
    re_path(r"^api/v2/silences/?$", views.SilencesView.as_view()),
    re_path(r"^api/v2/silence/(?P<silence_id>[^/]+)/?$", views.SilenceView.as_view()),
    re_path(r"^api/v2(/.*)?$", views.NotFoundView.as_view()),
    path("-/healthy", views.alive),
    path("-/ready", views.alive),
]
