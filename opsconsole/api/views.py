"""The description of the API, and the answer at addresses that do not exist."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.views import APIView

from opsconsole.api.reference import operations_of


@extend_schema(exclude=True)
class DocsView(APIView):
    """The readable page, made from the schema."""

    def get(self, request: Request) -> HttpResponse:
        schema = SchemaGenerator().get_schema(request=None, public=True)
        context = {"info": schema["info"], "operations": operations_of(schema)}
        return render(request._request, "api/docs.html", context)  # noqa: SLF001  templates know Django's request


@extend_schema(exclude=True)
class NotFoundView(APIView):
    """Whatever else is asked for under /monitoring, by any method, signed in or not."""

    authentication_classes = ()
    permission_classes = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise NotFound("There is nothing at this address. The list is at /monitoring/docs.")
