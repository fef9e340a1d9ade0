"""The alert pages, below /alerts."""

from django.urls import path

from alerts import acts, views, views_channels, views_rules, views_silences

urlpatterns = [
    path("", views.page, name="alerts"),
    path("/acknowledge", acts.acknowledge_many, name="alerts-acknowledge"),
    path("/undo", acts.undo, name="alerts-undo"),
    path("/<int:pk>", views.alert, name="alert"),
    path("/<int:pk>/acknowledge", acts.acknowledge, name="alert-acknowledge"),
    path("/<int:pk>/unacknowledge", acts.unacknowledge, name="alert-unacknowledge"),
    path("/<int:pk>/resolve", acts.resolve, name="alert-resolve"),
    path("/<int:pk>/assign", acts.assign, name="alert-assign"),
    path("/silences", views_silences.page, name="alert-silences"),
    path("/silences/new", views_silences.new, name="alert-silence-new"),
    path("/silences/<uuid:pk>/extend", views_silences.extend, name="alert-silence-extend"),
    path("/silences/<uuid:pk>/expire", views_silences.expire, name="alert-silence-expire"),
    path("/channels", views_channels.page, name="alert-channels"),
    path("/channels/<str:name>/test", views_channels.test, name="alert-channel-test"),
    path("/deliveries/<int:pk>/resend", views_channels.resend, name="alert-delivery-resend"),
    path("/rules", views_rules.rules, name="alert-rules"),
    path("/noise", views_rules.noise, name="alert-noise"),
]
