"""One's own chat accounts, below /accounts/chats."""

from django.urls import path

from alerts.chat import views

urlpatterns = [
    path("", views.page, name="chats"),
    path("/code", views.code, name="chats-code"),
    path("/<int:pk>/remove", views.remove, name="chats-remove"),
]
