"""What a view costs that does nothing: an empty DRF view, without database or middleware, for gunicorn to serve (`bench.health_api`)."""

import os
from typing import Any

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

if not settings.configured:
    settings.configure(
        SECRET_KEY=os.urandom(16).hex(),
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF=__name__,
        INSTALLED_APPS=["rest_framework"],
        REST_FRAMEWORK={
            "DEFAULT_AUTHENTICATION_CLASSES": (),
            "DEFAULT_PERMISSION_CLASSES": (),
            "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
            "UNAUTHENTICATED_USER": None,
        },
    )
    django.setup()

# It reads the settings.
from rest_framework.views import APIView


class Empty(APIView):
    def get(self, request: Request) -> Response:
        del request
        # Without its length gunicorn would send it in chunks, and be slower.
        return Response({}, headers={"Content-Length": "2"})


urlpatterns: list[Any] = [path("", Empty.as_view())]
application = get_wsgi_application()
