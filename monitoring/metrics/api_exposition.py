"""`GET /metrics`, for Prometheus."""

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from monitoring.metrics import text
from monitoring.metrics.exposition import expose
from monitoring.metrics.web import OPENMETRICS_END, expose_web
from opsconsole.api.access import require


@extend_schema(exclude=True)
class MetricsView(APIView):
    """Text format 0.0.4, or OpenMetrics 1.0 if the Accept header prefers it. Outside of /monitoring, so not in its description."""

    def get(self, request: Request) -> HttpResponse:
        require(request, "monitoring.view_series", to="Reading metrics", role="viewer")
        openmetrics = text.accepts_openmetrics(request.headers.get("Accept", ""))
        body = expose(now=timezone.now(), openmetrics=openmetrics) + expose_web(openmetrics=openmetrics)
        if openmetrics:
            body += OPENMETRICS_END
        response = HttpResponse(body, content_type=text.OPENMETRICS if openmetrics else text.TEXT)
        response["Cache-Control"] = "no-store"
        response["Vary"] = "Accept"
        return response
