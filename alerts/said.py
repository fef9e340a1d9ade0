"""What one's own act did, shown once on the next page, with its way back for ten seconds."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.http import url_has_allowed_host_and_scheme

KEY = "alerts-said"
UNDO_FOR = timedelta(seconds=10)


def say(request: HttpRequest, text: str, *, undo: Sequence[int] = (), silence: str = "") -> None:
    """`undo`: alerts whose acknowledgement can be taken back; `silence`: the id of one that was just made."""
    until = timezone.now() + UNDO_FOR
    request.session[KEY] = {
        "said": text,
        "undo": list(undo),
        "undo_silence": silence,
        "until": until.isoformat(),
    }


def said(request: HttpRequest) -> dict[str, Any]:
    """Taken out of the session. Nothing once its time has passed."""
    kept = request.session.pop(KEY, None) if KEY in request.session else None
    if not isinstance(kept, dict):
        return {}
    until = parse_datetime(str(kept.get("until")))
    if until is None or until < timezone.now() - UNDO_FOR:
        return {}
    return {
        "said": kept.get("said", ""),
        "undo": kept.get("undo", []),
        "undo_silence": kept.get("undo_silence", ""),
        "undo_until": until,
        "next": request.get_full_path(),
    }


def back(request: HttpRequest, otherwise: str) -> HttpResponseRedirect:
    """303 to the page that the form names, if it is one of ours."""
    wanted = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) and wanted.startswith("/")
    return see(wanted if safe else otherwise)


def see(url: str) -> HttpResponseRedirect:
    """303: the browser fetches the next page, whatever the method was."""
    response = redirect(url)
    response.status_code = 303
    return response


def alert_url(pk: int) -> str:
    return reverse("alert", args=[pk])
