"""The kill-switch pages, below /kill-switch."""

from django.urls import path

from killswitch import views

urlpatterns = [
    path("", views.page, name="kill-switch"),
    path("/stop", views.stop, name="kill-switch-stop"),
    path("/rearm", views.rearm, name="kill-switch-rearm"),
    path("/drill", views.drill, name="kill-switch-drill"),
    path("/drills", views.drills_page, name="drills"),
    path("/commands", views.commands, name="kill-switch-commands"),
    path("/activations", views.activations, name="kill-switch-activations"),
    path("/activations/<int:pk>", views.activation, name="kill-switch-activation"),
]
