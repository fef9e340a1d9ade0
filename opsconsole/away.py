"""What the web process answers by itself while the database does not."""

from asgiref.typing import ASGISendCallable, HTTPScope
from django.template import loader

from opsconsole.console.middleware import CONTENT_SECURITY_POLICY
from opsconsole.replies import AWAY, AWAY_CODE, RETRY_SOON, body, send_error, start

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# Who sent a change must know that it may have been made, or may still be.
UNKNOWN = (
    "The console's database does not answer, so it is not known whether this is carried out, or when. Look before you send it again; with the same "
    "Idempotency-Key it is carried out once."
)


async def refuse(scope: HTTPScope, send: ASGISendCallable) -> None:
    """503: in the API's form under /monitoring and /readyz, else the page that needs neither database nor account."""
    path = scope["path"]
    if path.startswith("/monitoring/") or path == "/readyz":
        message = AWAY if scope["method"] in SAFE else UNKNOWN
        await send_error(send, 503, AWAY_CODE, message, headers=RETRY_SOON)
        return
    page = loader.get_template("503.html").render({"request_id": ""}).encode()
    headers = (
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-length", b"%d" % len(page)),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
        *RETRY_SOON,
    )
    await send(start(503, headers))
    await send(body(b"" if scope["method"] == "HEAD" else page))
