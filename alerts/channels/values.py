"""What may stand in a channel: for each kind its settings, which anybody may see, and its secrets, which nobody sees again.

Checks give the value as it is stored, or raise ValueError that says what is allowed.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from apprise import Apprise
from django.conf import settings as django_settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from alerts.choices import Category, ChannelKind, Priority
from alerts.rule_values import Refused, checked

Check = Callable[[Any], Any]

# Of Apprise's, those that act on this very host, and those that would go round the rules of our own webhook.
APPRISE_REFUSED = frozenset(
    {
        *("dbus", "qt", "kde", "glib", "gnome", "macosx", "windows", "blink1", "syslog"),
        *("json", "jsons", "xml", "xmls", "form", "forms"),
    }
)
UPDATES = ("poll", "webhook", "off")
LONGEST_URL = 2048
SHORTEST_KEY = 16
MOST_ADDRESSES = 50


def one_of(*allowed: str) -> Check:
    def check(value: Any) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return value

    return check


def whole(least: int, most: int) -> Check:
    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return value

    return check


def like(pattern: str, said: str) -> Check:
    compiled = re.compile(pattern)

    def check(value: Any) -> str:
        if not isinstance(value, str) or compiled.fullmatch(value) is None:
            raise ValueError(f"must be {said}")
        return value

    return check


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def categories(value: Any) -> list[str]:
    if not isinstance(value, list) or any(item not in Category.values for item in value):
        raise ValueError(f"must be a list of {', '.join(Category.values)}; an empty one means all")
    return [category for category in Category.values if category in value]


def chat_id(value: Any) -> int | str:
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if re.fullmatch(r"-?\d{1,18}", text):
        return int(text)
    if re.fullmatch(r"@\w{4,64}", text, re.ASCII):
        return text
    raise ValueError("must be the number of a chat, such as -1001234567890, or the @name of a public channel")


def address(value: Any) -> str:
    try:
        validate_email(value if isinstance(value, str) else "")
    except ValidationError:
        raise ValueError("must be a mail address such as desk@example.com") from None
    return str(value)


def addresses(value: Any) -> list[str]:
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_ADDRESSES:
        raise ValueError(f"must be a list of 1 to {MOST_ADDRESSES} mail addresses")
    return [address(item) for item in value]


def web_address(value: Any) -> str:
    try:
        parts = urlsplit(value) if isinstance(value, str) and re.fullmatch(r"[!-~]+", value) else None
        valid = (
            parts is not None
            and parts.scheme in {"http", "https"}
            and bool(parts.hostname)
            and parts.port != 0
        )
    except ValueError:
        valid = False
    if not valid or len(value) > LONGEST_URL or parts is None or "@" in parts.netloc or parts.fragment:
        raise ValueError("must be an address such as https://example.com/hook, without user, password and #")
    return str(value)


def slack_webhook(value: Any) -> str:
    url = web_address(value)
    if not url.startswith(("https://", f"{django_settings.ALERTS_SLACK_URL}/")):
        raise ValueError("must be an address such as https://hooks.slack.com/services/…")
    return url


def apprise_url(value: Any) -> str:
    schema = value.partition("://")[0].lower() if isinstance(value, str) else ""
    if schema in APPRISE_REFUSED:
        raise ValueError(
            f"{schema}:// is not allowed here; for a receiver of your own there is the kind webhook"
        )
    if not schema or len(value) > LONGEST_URL or Apprise.instantiate(value) is None:
        raise ValueError("must be one URL of a service that Apprise knows, such as discord://…")
    return str(value)


HEADER = like(r"[!-~]([ -~]{0,1022}[!-~])?", "visible ASCII characters, as in a header: Bearer …")
SIGNING_KEY = like(rf"[!-~]{{{SHORTEST_KEY},256}}", f"{SHORTEST_KEY} to 256 visible ASCII characters")


@dataclass(frozen=True, slots=True)
class Kind:
    """`needed`: of settings and secrets, those that must be there."""

    settings: Mapping[str, Check] = field(default_factory=dict)
    secrets: Mapping[str, Check] = field(default_factory=dict)
    needed: tuple[str, ...] = ()


KINDS: Mapping[str, Kind] = {
    ChannelKind.TELEGRAM: Kind(
        settings={"chat_id": chat_id, "thread_id": whole(1, 2**31 - 1), "updates": one_of(*UPDATES)},
        secrets={
            "token": like(r"\d{5,20}:[\w-]{20,100}", "a bot's token, such as 123456789:AAE…"),
            "webhook_secret": like(r"[A-Za-z0-9_-]{1,256}", "1 to 256 letters, digits, - and _"),
        },
        needed=("settings.chat_id", "secrets.token"),
    ),
    ChannelKind.SLACK: Kind(
        settings={"channel": like(r"[CDG][A-Z0-9]{2,20}", "the id of a channel, such as C024BE91L")},
        secrets={
            "bot_token": like(r"xox[a-z]-[\w-]{8,250}", "a bot's token, such as xoxb-…"),
            "signing_secret": like(r"[0-9a-zA-Z]{16,128}", "the app's signing secret"),
            "webhook_url": slack_webhook,
        },
    ),
    ChannelKind.EMAIL: Kind(settings={"to": addresses, "from": address}, needed=("settings.to",)),
    ChannelKind.WEBHOOK: Kind(
        secrets={"url": web_address, "signing_key": SIGNING_KEY, "authorization": HEADER},
        needed=("secrets.url", "secrets.signing_key"),
    ),
    ChannelKind.APPRISE: Kind(secrets={"url": apprise_url}, needed=("secrets.url",)),
}
ROUTING: Mapping[str, Check] = {
    "enabled": flag,
    "categories": categories,
    "min_priority": one_of(*Priority.values),
    "escalation": whole(0, 9),
}


def merged(part: str, old: Mapping[str, Any], new: Any, checks: Mapping[str, Check]) -> dict[str, Any]:
    """`old` with the members of `new`; null takes one away. Raises Refused that names `<part>.<member>`."""
    if not isinstance(new, Mapping):
        raise Refused(part, "must be an object")
    given = {name: value for name, value in new.items() if value is not None or name not in checks}
    try:
        given = checked(given, checks)
    except Refused as error:
        problem = error.problem if checks else "is not a field here; this kind has none"
        raise Refused(f"{part}.{error.field}", problem) from None
    return {
        name: value
        for name, value in {**old, **given}.items()
        if name in given or new.get(name, "") is not None
    }


def check_whole(kind: str, settings: Mapping[str, Any], secrets: Mapping[str, str]) -> None:
    """Raises Refused for what is missing, or does not go together."""
    for path in KINDS[kind].needed:
        part, _, name = path.partition(".")
        if name not in (settings if part == "settings" else secrets):
            raise Refused(path, f"is missing; a channel of kind {kind} needs it")
    if kind == ChannelKind.SLACK:
        _check_slack(settings, secrets)


def goes_to(kind: str, settings: Mapping[str, Any], secrets: Mapping[str, str]) -> str:
    """Where it goes, in a few words that hold no secret: a host, a chat, addresses."""
    match kind:
        case ChannelKind.TELEGRAM:
            return f"chat {settings['chat_id']}"
        case ChannelKind.SLACK if "bot_token" in secrets:
            return f"channel {settings['channel']}"
        case ChannelKind.EMAIL:
            return ", ".join(settings["to"])
        case ChannelKind.APPRISE:
            return f"{secrets['url'].partition('://')[0]}://"
    return urlsplit(secrets.get("webhook_url") or secrets["url"]).hostname or ""


def _check_slack(settings: Mapping[str, Any], secrets: Mapping[str, str]) -> None:
    if "bot_token" in secrets and "webhook_url" in secrets:
        raise Refused("secrets.webhook_url", "is not used beside a bot_token: give one of them")
    if "bot_token" not in secrets and "webhook_url" not in secrets:
        raise Refused("secrets.bot_token", "is missing; a channel of kind slack needs it, or a webhook_url")
    if "bot_token" in secrets and "channel" not in settings:
        raise Refused("settings.channel", "is missing; a bot must know the channel")
