"""`Idempotency-Key`: a call that is sent again after a lost answer is carried out once."""

import hashlib
import json
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from django.db import DatabaseError, transaction
from django.utils import timezone
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from opsconsole.accounts.models import User
from opsconsole.api.errors import ApiError
from opsconsole.api.models import IdempotentCall

HEADER = "Idempotency-Key"
KEY = re.compile(r"[\x21-\x7e]{1,128}")
REMEMBERED = timedelta(hours=24)
# A call that has not finished after so long died with its process, and may be made again.
UNDER_WAY = timedelta(seconds=30)


class KeyRefused(ApiError):
    """The key itself cannot be used; nothing was carried out."""


def once(
    request: Request, *, operation: str, body: str, act: Callable[[], Response], now: datetime | None = None
) -> Response:
    """Run `act`, or give the answer that it gave under this key before. Without the header, `act` simply runs.

    Answers of 5xx are not kept, so that the caller can try again. 400: the key is malformed. 409 `in_progress`: the first call is still
    under way. 422 `key_reused`: the key came with another body before.
    """
    begun = _begin(request, operation, body, now or timezone.now())
    if isinstance(begun, Response):
        return begun
    return act() if begun is None else _run(begun, act)


def once_in_transaction(
    request: Request, *, operation: str, body: str, act: Callable[[], Response], now: datetime | None = None
) -> Response:
    """As `once()`, for calls that change nothing but the database: the key, the act and its answer are one transaction.

    A call that dies with its process leaves nothing, so the next one with its key runs at once, and nothing can be done twice. Of two at the
    same time the second waits for the first and gets its answer.
    """
    with transaction.atomic():
        begun = _begin(request, operation, body, now or timezone.now())
        if isinstance(begun, Response):
            return begun
        answer = act()
        if begun is not None:
            _remember(begun, answer)
        return answer


def once_or_again(request: Request, *, operation: str, body: str, act: Callable[[], Response]) -> Response:
    """`once()` for calls that do no harm when they are made twice and must never be refused: such as a stop."""
    try:
        return once(request, operation=operation, body=body, act=act)
    except KeyRefused:
        return act()


def forget(*, now: datetime | None = None) -> int:
    """Delete calls of more than a day ago. Returns how many."""
    return IdempotentCall.objects.filter(started_at__lt=(now or timezone.now()) - REMEMBERED).delete()[0]


def _begin(request: Request, operation: str, body: str, moment: datetime) -> IdempotentCall | Response | None:
    """The call, noted as under way; the answer that it was given before; None: it has no key."""
    key = request.headers.get(HEADER)
    user = request.user
    if key is None or not isinstance(user, User):
        return None
    if not KEY.fullmatch(key):
        raise KeyRefused(
            400, "invalid", f"{HEADER}: must be 1 to 128 visible ASCII characters", {HEADER: key[:128]}
        )
    fingerprint = hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()
    call, created = IdempotentCall.objects.get_or_create(
        user=user, operation=operation, key=key, defaults={"fingerprint": fingerprint, "started_at": moment}
    )
    if created:
        return call
    if call.fingerprint != fingerprint:
        raise KeyRefused(
            422,
            "key_reused",
            "This Idempotency-Key came with another body before. Use a new one.",
            {HEADER: key},
        )
    if call.status is not None:
        return Response(call.answer, status=call.status, headers={"Idempotent-Replay": "true"})
    _take_over(call, moment)
    return call


def _take_over(call: IdempotentCall, moment: datetime) -> None:
    """Compare and swap: of several that come late, one may run."""
    mine = IdempotentCall.objects.filter(pk=call.pk, status=None, started_at__lt=moment - UNDER_WAY).update(
        started_at=moment
    )
    if not mine:
        raise KeyRefused(409, "in_progress", "The first call with this Idempotency-Key is still under way.")


def _run(call: IdempotentCall, act: Callable[[], Response]) -> Response:
    try:
        response = act()
    except Exception:
        # Refused or failed: nothing was changed, so a later try starts afresh. Where the database is gone, the row lapses by itself.
        with suppress(DatabaseError):
            IdempotentCall.objects.filter(pk=call.pk).delete()
        raise
    _remember(call, response)
    return response


def _remember(call: IdempotentCall, response: Response) -> None:
    # As it will be sent, dates written out.
    answer = json.loads(JSONRenderer().render(response.data))
    IdempotentCall.objects.filter(pk=call.pk).update(status=response.status_code, answer=answer)
