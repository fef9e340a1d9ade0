"""Headers that every page of the console carries."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import add_never_cache_headers, patch_vary_headers

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
}
CONTENT_SECURITY_POLICY = "; ".join(f"{name} {value}" for name, value in POLICY.items())


class SecurityHeadersMiddleware:
    """A strict content security policy, and `no-store` on whatever says how things stand.

    Django's own SecurityMiddleware sets nosniff, the referrer policy and the opener policy. The admin works under the same policy.
    A page out of a cache could show a halt that is long over, so no answer that renders HTML is kept, not even for "back".
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        if response.headers.get("Content-Type", "").startswith("text/html"):
            add_never_cache_headers(response)
            if isinstance(response, HttpResponse):
                patch_vary_headers(response, ["HX-Request"])
        return response
