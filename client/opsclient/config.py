"""The settings of a console's client, from arguments or the environment, checked before anything starts."""

import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from opsclient import halt_file as halt_files
from opsclient.errors import ConfigurationError
from opsclient.scopes import process_scopes
from opsclient.transport import Endpoint, parse_endpoint

logger = logging.getLogger("opsclient")

ContactLost = Literal["halt", "keep"]

ARGUMENTS = {
    name: name for name in ("url", "token", "name", "scopes", "on_contact_lost", "halt_file", "verify")
}
VARIABLES = {
    "url": "OPSCLIENT_URL",
    "token": "OPSCLIENT_TOKEN",
    "name": "OPSCLIENT_NAME",
    "scopes": "OPSCLIENT_SCOPES",
    "on_contact_lost": "OPSCLIENT_ON_CONTACT_LOST",
    "halt_file": halt_files.VARIABLE,
    "verify": "OPSCLIENT_CA_FILE",
}
TOKEN_FILE = "OPSCLIENT_TOKEN_FILE"  # the name of a variable, no secret


@dataclass(frozen=True, slots=True)
class Config:
    """Settings that have been checked."""

    endpoint: Endpoint
    name: str
    scopes: frozenset[str]
    on_contact_lost: ContactLost
    halt_file: Path | None


@dataclass(frozen=True, slots=True)
class Values:
    """What the environment says, as arguments of OpsConsole."""

    url: str
    token: str | None = field(repr=False)
    name: str
    scopes: tuple[str, ...]
    on_contact_lost: ContactLost
    halt_file: str | None
    verify: str | None


def check(
    url: str,
    *,
    token: str | None,
    name: str,
    scopes: Iterable[str],
    on_contact_lost: ContactLost,
    halt_file: str | os.PathLike[str] | None,
    verify: str | Path | None,
    called: dict[str, str] = ARGUMENTS,
) -> Config:
    """The settings, checked. Raises ConfigurationError, in which a setting has the name that `called` gives it."""
    if on_contact_lost not in ("halt", "keep"):
        raise ConfigurationError(
            f"{called['on_contact_lost']} must be 'halt' or 'keep', not {on_contact_lost!r:.40}"
        )
    check_name(name, argument=called["name"])
    names = (called["url"], called["token"], called["verify"])
    endpoint = parse_endpoint(url, token=token, verify=verify, names=names)
    if endpoint.scheme == "http" and token is not None and not endpoint.is_loopback:
        logger.warning("the token travels unencrypted to %s; use https", endpoint.url)
    return Config(
        endpoint=endpoint,
        name=name,
        scopes=process_scopes(scopes, argument=called["scopes"]),
        on_contact_lost=on_contact_lost,
        halt_file=halt_files.choose(halt_file, argument=called["halt_file"]),
    )


def from_environment() -> Values:
    """The settings in the environment. Raises ConfigurationError naming the variable."""
    values = Values(
        url=_required("url"),
        token=_token(),
        name=_required("name"),
        scopes=tuple(scope.strip() for scope in _variable("scopes").split(",") if scope.strip()),
        on_contact_lost=_policy(),
        halt_file=_variable("halt_file") or None,
        verify=_variable("verify") or None,
    )
    check(
        values.url,
        token=values.token,
        name=values.name,
        scopes=values.scopes,
        on_contact_lost=values.on_contact_lost,
        halt_file=values.halt_file,
        verify=values.verify,
        called=VARIABLES,
    )
    return values


def endpoint_from_environment(
    url: str | None = None,
    *,
    token: str | None = None,
    verify: str | Path | None = None,
    called: dict[str, str] = VARIABLES,
) -> Endpoint | None:
    """Where the console is, by OPSCLIENT_URL and, if set, _TOKEN or _TOKEN_FILE and _CA_FILE; None without a URL.

    An argument goes before its variable. Raises ConfigurationError naming the variable, or the argument as in `called`.
    """
    given = {"url": url, "token": token, "verify": verify}
    names = [VARIABLES[name] if value is None else called[name] for name, value in given.items()]
    url = _variable("url") if url is None else url
    if not url:
        return None
    return parse_endpoint(
        url,
        token=_token() if token is None else token,
        verify=(_variable("verify") or None) if verify is None else verify,
        names=(names[0], names[1], names[2]),
    )


def choose_name(given: str | None, known: str, *, argument: str) -> str:
    """The process' name: what was given, else what is known from its console, else OPSCLIENT_NAME, else `trading`."""
    return check_name(given or known or _variable("name") or "trading", argument=argument)


def check_name(name: str, *, argument: str) -> str:
    """The name, if it is one. Raises ConfigurationError naming the argument."""
    if (
        not isinstance(name, str)
        or not 1 <= len(name) <= 64
        or not name.isprintable()
        or name != name.strip()
    ):
        raise ConfigurationError(f"{argument} must have 1 to 64 printable characters, not {name!r:.80}")
    return name


def _variable(argument: str) -> str:
    return os.environ.get(VARIABLES[argument], "").strip()


def _required(argument: str) -> str:
    value = _variable(argument)
    if not value:
        raise ConfigurationError(f"the environment variable {VARIABLES[argument]} is not set")
    return value


def _policy() -> ContactLost:
    text = _variable("on_contact_lost") or "halt"
    if text == "keep":
        return "keep"
    if text == "halt":
        return "halt"
    raise ConfigurationError(f"{VARIABLES['on_contact_lost']} must be 'halt' or 'keep', not {text!r:.40}")


def _token() -> str | None:
    path = os.environ.get(TOKEN_FILE, "").strip()
    if not path:
        return _variable("token") or None
    try:
        return Path(path).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        raise ConfigurationError(f"{TOKEN_FILE} must name a readable file with the token") from None
