"""Signing in and out, and one's own account."""

from django.urls import path

from opsconsole.accounts import views

urlpatterns = [
    path("sign-in", views.sign_in, name="sign-in"),
    path("sign-out", views.sign_out, name="sign-out"),
    path("me", views.account, name="account"),
]
