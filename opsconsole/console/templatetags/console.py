"""How the pages write icons, times, durations and numbers. One place, so that all pages write them alike."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from opsconsole.audit.models import AuditEvent
from opsconsole.console import wording
from opsconsole.console.context import PLACES, Place
from opsconsole.live import badges

register = template.Library()

SPRITE = "vendor/tabler-icons-3.51.0/sprite.svg"
NBSP = "\u00a0"
MINUS = "\u2212"


@register.simple_tag
def icon(name: str, *, filled: bool = False) -> SafeString:
    """A Tabler icon out of the sprite. It says nothing to a screen reader: a word always stands beside it."""
    return format_html(
        '<svg class="icon{}" aria-hidden="true"><use href="{}#{}-{}"/></svg>',
        " icon-f" if filled else "",
        static(SPRITE),
        "f" if filled else "i",
        name,
    )


@register.simple_tag
def moment(when: datetime | None, *, unknown: str = "unknown", full: bool = False) -> SafeString | str:
    """A time in the desk's zone: today `14:32:10`, else `18 Nov 11:00`, with the year when it is not this one. UTC on hover."""
    if when is None:
        return unknown
    local = timezone.localtime(when)
    now = timezone.localtime()
    if full:
        shown = f"{local.day} {local:%b %Y %H:%M:%S}"
    elif local.date() == now.date():
        shown = f"{local:%H:%M:%S}"
    elif local.year == now.year:
        shown = f"{local.day} {local:%b %H:%M}"
    else:
        shown = f"{local.day} {local:%b %Y %H:%M}"
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>',
        local.isoformat(),
        f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
        shown,
    )


@register.filter
def milliseconds(value: float | None) -> str:
    """`38 ms` up to 999 ms, then `1.87 s`, then as a duration; `unknown` for None."""
    if value is None:
        return "unknown"
    if value < 999.5:
        return f"{value:.0f}{NBSP}ms"
    if value < 60_000:
        return f"{value / 1000:.2f}{NBSP}s"
    return duration(timedelta(milliseconds=value))


@register.filter
def duration(value: timedelta | None) -> str:
    """`12 s`, `18 min`, `2 h 06 min`, `3 days 4 h`."""
    if value is None:
        return "unknown"
    seconds = max(0, int(value.total_seconds()))
    if seconds < 60:
        return f"{seconds}{NBSP}s"
    if seconds < 3600:
        return f"{seconds // 60}{NBSP}min"
    if seconds < 86_400:
        return f"{seconds // 3600}{NBSP}h {seconds % 3600 // 60:02d}{NBSP}min"
    days = seconds // 86_400
    return f"{days}{NBSP}day{'' if days == 1 else 's'} {seconds % 86_400 // 3600}{NBSP}h"


@register.filter
def grouped(value: int | None) -> str:
    """`48,213`; `unknown` for None."""
    return "unknown" if value is None else f"{value:,}".replace("-", MINUS)


@register.filter
def signed(value: Any) -> str:
    """`+300`, `−40`, `0`: a position. What is no number is shown as it came."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if value == 0:
        return "0"
    return f"{value:+,}".replace("-", MINUS)


@register.filter
def hexadecimal(value: bytes | memoryview | None) -> str:
    """The first 12 digits of a hash, in groups of four."""
    digits = bytes(value or b"").hex()[:12]
    return " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))


@register.simple_tag
def lasted(start: datetime, end: datetime) -> str:
    """How long it was; what took less than a second, in milliseconds."""
    length = end - start
    return duration(length) if length >= timedelta(seconds=1) else milliseconds(length.total_seconds() * 1000)


@register.simple_tag
def aged(start: datetime, end: datetime) -> str:
    """How old it is, as the page's clock goes on counting it: in whole seconds."""
    return duration(end - start)


@register.simple_tag
def event_icon(event: AuditEvent) -> SafeString:
    name = wording.icon_of(event)
    return icon(name, filled=name == "player-stop")


@register.simple_tag
def event_words(event: AuditEvent) -> str:
    return wording.words_of(event)


@register.inclusion_tag("layout/badge.html", takes_context=True)
def badge(context: template.Context, where: str, place: Place) -> dict[str, Any]:
    """The number beside a place's word. `where`: nav or tab."""
    return {"target": f"{where}-{place.name}", "badge": context[place.counts].badge}


@register.inclusion_tag("layout/badge.html", takes_context=True)
def badge_of_more(context: template.Context) -> dict[str, Any]:
    """One number for everything behind "More"."""
    found = [context[place.counts].badge for place in PLACES if place.more and place.counts]
    return {"target": "more-badge", "badge": badges.together(found)}


@register.simple_tag
def current(path: str, url: str, covers: tuple[str, ...] = ()) -> SafeString | str:
    """`aria-current` of a link in the navigation: its own page, or one below it or below those that it `covers`."""
    if path == url:
        return format_html(' aria-current="{}"', "page")
    below = url != "/" and any(f"{path}/".startswith(f"{above}/") for above in (url, *covers))
    return format_html(' aria-current="{}"', "true") if below else ""
