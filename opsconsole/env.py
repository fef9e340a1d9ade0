"""Typed readers of the environment. A bad value fails at start, with the variable's name and what is allowed."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from zoneinfo import ZoneInfo

import psycopg
from django.core.exceptions import ImproperlyConfigured
from psycopg.conninfo import conninfo_to_dict

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off", ""})
HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


def text(name: str, default: str = "", *, environ: Mapping[str, str] = os.environ) -> str:
    """The variable's text. `<NAME>_FILE` may name a file that holds it, so that secrets stay out of the environment."""
    path = environ.get(f"{name}_FILE")
    if path is None:
        return environ.get(name, default)
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"{name}_FILE names a file that cannot be read: {error.strerror}"
        ) from None


def flag(name: str, default: bool = False, *, environ: Mapping[str, str] = os.environ) -> bool:
    value = text(name, str(default), environ=environ).strip().lower()
    if value in TRUE:
        return True
    if value in FALSE:
        return False
    raise ImproperlyConfigured(
        f"{name} must be one of {', '.join(sorted(TRUE | FALSE - {''}))}, not {value!r}"
    )


def number(
    name: str, default: float, *, at_least: float, at_most: float, environ: Mapping[str, str] = os.environ
) -> float:
    value = text(name, str(default), environ=environ)
    try:
        parsed = float(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a number, not {value!r}") from None
    if not at_least <= parsed <= at_most:
        raise ImproperlyConfigured(f"{name} must lie between {at_least:g} and {at_most:g}, not {value!r}")
    return parsed


def words(name: str, default: str = "", *, environ: Mapping[str, str] = os.environ) -> list[str]:
    """A list separated by commas, empty parts left out."""
    return [part.strip() for part in text(name, default, environ=environ).split(",") if part.strip()]


def hours(name: str, default: str, *, environ: Mapping[str, str] = os.environ) -> tuple[time, time]:
    """A span within one day, `09:00-17:00`."""
    value = text(name, default, environ=environ).strip()
    match = HOURS.fullmatch(value)
    if match is None:
        raise ImproperlyConfigured(f"{name} must look like 09:00-17:00, not {value!r}")
    opens, closes = time(int(match[1]), int(match[2])), time(int(match[3]), int(match[4]))
    if opens >= closes:
        raise ImproperlyConfigured(f"{name} must end after it begins, on the same day, not {value!r}")
    return opens, closes


def zone(name: str, default: str, *, environ: Mapping[str, str] = os.environ) -> ZoneInfo:
    """A time zone by its IANA name, such as `America/New_York`."""
    value = text(name, default, environ=environ).strip()
    try:
        return ZoneInfo(value)
    # What is no name at all fails in other ways than a name that is not known.
    except (KeyError, ValueError, OSError):
        raise ImproperlyConfigured(
            f"{name} must be the name of a time zone, such as {default}, not {value!r}"
        ) from None


def database(name: str, *, environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Django's settings for one PostgreSQL URL; several hosts (`postgresql://a,b/db`) are passed on to libpq.

    The value may hold a password, so no message repeats it.
    """
    url = text(name, environ=environ)
    if urlsplit(url).scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured(f"{name} must start with postgresql://")
    try:
        parts = dict(conninfo_to_dict(url))
    except psycopg.ProgrammingError:
        raise ImproperlyConfigured(f"{name} is not a valid PostgreSQL URL") from None
    if not parts.get("dbname"):
        raise ImproperlyConfigured(f"{name} must name a database: postgresql://host/database")
    taken = {key: str(parts.pop(key, "")) for key in ("dbname", "user", "password", "host", "port")}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": taken["dbname"],
        "USER": taken["user"],
        "PASSWORD": taken["password"],
        "HOST": taken["host"],
        "PORT": taken["port"],
        "OPTIONS": {key: value for key, value in parts.items() if value is not None},
    }


def redis_url(name: str, *, environ: Mapping[str, str] = os.environ) -> str:
    url = text(name, environ=environ)
    if urlsplit(url).scheme not in {"redis", "rediss", "unix", "redis+socket", "sentinel"}:
        raise ImproperlyConfigured(f"{name} must start with redis://, rediss://, unix:// or sentinel://")
    return url


def base_url(name: str, default: str = "", *, environ: Mapping[str, str] = os.environ) -> str:
    """An address without a slash at its end; empty when it is not set."""
    url = text(name, default, environ=environ).strip().rstrip("/")
    parts = urlsplit(url)
    if url and (parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment):
        raise ImproperlyConfigured(
            f"{name} must be an address such as https://ops.example.com, without ? and #"
        )
    return url


def key_name(name: str, default: str, *, environ: Mapping[str, str] = os.environ) -> str:
    """What checkpoints are signed as, such as `ops.example.com`: without spaces and plus signs."""
    value = text(name, environ=environ).strip() or default
    if not value.isprintable() or "+" in value or any(char.isspace() for char in value) or len(value) > 255:
        raise ImproperlyConfigured(
            f"{name} must be a name such as ops.example.com, without spaces and +, of at most 255 characters"
        )
    return value


def secret_url(name: str, *, environ: Mapping[str, str] = os.environ) -> str:
    """A whole address, which may carry a key; empty when it is not set. No message repeats it."""
    url = text(name, environ=environ).strip()
    try:
        parts = urlsplit(url)
        sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if url and (not sound or not url.isprintable() or not url.isascii() or " " in url):
        raise ImproperlyConfigured(f"{name} must be an address such as https://ping.example.com/key")
    if url and (parts.username is not None or parts.password is not None or parts.fragment):
        raise ImproperlyConfigured(f"{name} must be without user, password and #")
    return url


def networks(name: str, *, environ: Mapping[str, str] = os.environ) -> list[IPv4Network | IPv6Network]:
    """A list of networks, such as `10.0.0.0/8,192.0.2.7`."""
    found = []
    for word in words(name, environ=environ):
        try:
            found.append(ip_network(word))
        except ValueError as error:
            raise ImproperlyConfigured(f"{name} must list networks such as 10.0.0.0/8: {error}") from None
    return found


@dataclass(frozen=True, slots=True)
class MailServer:
    """`host` is empty where there is none. `starttls`: the connection is plain at first; `tls`: from the beginning."""

    host: str = ""
    port: int = 25
    user: str = ""
    password: str = field(default="", repr=False)
    starttls: bool = False
    tls: bool = False


def mail_server(name: str, *, environ: Mapping[str, str] = os.environ) -> MailServer:
    """`smtp://user:password@host:587` (STARTTLS; `?tls=off`: plain) or `smtps://…:465`. Its password is in no message."""
    url = text(name, environ=environ).strip()
    if not url:
        return MailServer()
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ImproperlyConfigured(f"{name} is not a valid address") from None
    tls = parse_qs(parts.query).get("tls", ["on"])[-1]
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or tls not in {"on", "off"}:
        raise ImproperlyConfigured(
            f"{name} must be smtp://user:password@host:587 or smtps://user:password@host:465; "
            "smtp:// uses STARTTLS unless ?tls=off says otherwise"
        )
    secure = parts.scheme == "smtps"
    return MailServer(
        host=parts.hostname,
        port=port or (465 if secure else 587 if tls == "on" else 25),
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        starttls=not secure and tls == "on",
        tls=secure,
    )
