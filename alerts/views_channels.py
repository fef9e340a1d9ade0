"""The channels: whether each of them works, a test, and what was given up, with a way to send it again."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, Min, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from alerts.channel_rows import ChannelRow, GivenUp
from alerts.choices import DeliveryState
from alerts.models import Channel, Delivery
from alerts.said import back
from alerts.services import channels, outbox
from opsconsole.accounts.actor import actor_of
from opsconsole.accounts.people import needs

DEAD_ROWS = 50
WAITING = Q(deliveries__state__in=[DeliveryState.PENDING, DeliveryState.SENDING])


@require_GET
@login_required
def page(request: HttpRequest) -> HttpResponse:
    context = {"page": "alert-channels", **_listed()}
    if request.headers.get("HX-Request"):
        part = render_to_string("alerts/channel_lists.html", context, request)
        return HttpResponse(f'<hx-partial hx-target="#channels">{part}</hx-partial>')
    return render(request, "alerts/channels.html", context)


def _listed() -> dict[str, Any]:
    """Three queries: the channels, and what was given up, with a count."""
    now = timezone.now()
    rows = [
        ChannelRow(channel, now)
        for channel in Channel.objects.select_related("fallback").annotate(
            waiting=Count("deliveries", filter=WAITING), oldest=Min("deliveries__created_at", filter=WAITING)
        )
    ]
    dead = Delivery.objects.filter(state=DeliveryState.DEAD)
    return {
        "channels": sorted(rows, key=lambda row: (not row.bad, row.channel.name)),
        "broken": sum(row.bad for row in rows),
        "dead": [GivenUp(row) for row in dead.select_related("alert", "channel").order_by("-id")[:DEAD_ROWS]],
        "dead_total": dead.count(),
    }


@require_POST
@needs("alerts.tune", what="Testing a channel", role="a supervisor")
def test(request: HttpRequest, name: str) -> HttpResponse:
    """Sends a test through the outbox, as every alert goes."""
    try:
        channels.test(actor=actor_of(request), name=name, reason="Tested on the channels page")
    except Channel.DoesNotExist:
        raise Http404(f"There is no channel {name}.") from None
    messages.success(request, f"A test goes out through {name}. What came of it appears beside it.")
    return back(request, reverse("alert-channels"))


@require_POST
@needs("alerts.resend", what="Sending again", role="an operator")
def resend(request: HttpRequest, pk: int) -> HttpResponse:
    reason = request.POST.get("reason", "").strip()[:2000] or "Sent again on the channels page"
    try:
        outbox.resend(actor=actor_of(request), delivery_id=pk, reason=reason, now=timezone.now())
    except Delivery.DoesNotExist:
        raise Http404(f"There is no delivery {pk}.") from None
    except outbox.NotDead as error:
        messages.error(request, f"Nothing was sent again. {error}")
    else:
        messages.success(request, "It goes out again.")
    return back(request, reverse("alert-channels"))
