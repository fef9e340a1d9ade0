"""Every address of the console."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("monitoring/", include("monitoring.urls")),
    path("admin/", admin.site.urls),
    path("accounts/", include("opsconsole.accounts.urls")),
    path("kill-switch", include("killswitch.urls")),
    path("", include("opsconsole.console.urls")),
]
