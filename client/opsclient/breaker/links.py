"""The consoles that breakers of this process can be tied to: one link to each."""

import atexit
import threading
import weakref
from typing import Protocol
from uuid import uuid4

from opsclient import fork
from opsclient.breaker.link import Link
from opsclient.config import choose_name, endpoint_from_environment
from opsclient.transport import Endpoint


class Follower(Protocol):
    """A manager of breakers that has no console yet."""

    def found(self, link: Link) -> None:
        """There is one now."""


class _Turn:
    """One thread at a time; for moments, and never while a console is spoken to. Fork-safe."""

    def __init__(self) -> None:
        self.restart_in_child()
        fork.follow(self)

    def restart_in_child(self) -> None:
        """After a fork, in the child: whoever holds the parent's lock is not there."""
        self.lock = threading.RLock()


_turn = _Turn()
_of_environment: "dict[str, _OwnLink]" = {}  # by the console's address
_of_consoles: list[Link] = []  # the newest last
_followers: "weakref.WeakSet[Follower]" = weakref.WeakSet()


class _OwnLink:
    """The link of a process that follows no stream. Fork-safe."""

    def __init__(self, endpoint: Endpoint) -> None:
        name = choose_name(None, "", argument="OPSCLIENT_NAME")
        self.link = Link(endpoint, name=name, instance=uuid4().hex)
        fork.follow(self)
        atexit.register(self.link.close, 1.0)

    def give_away(self) -> Link:
        """A console takes care of it from now on."""
        fork.forget(self)
        atexit.unregister(self.link.close)
        return self.link

    def restart_in_child(self) -> None:
        """After a fork, in the child."""
        self.link.restart_in_child(uuid4().hex)


def opened(endpoint: Endpoint, *, name: str, instance: str) -> Link:
    """The link of a console that this process follows now; that of the environment, if it is the same console."""
    with _turn.lock:
        own = _of_environment.pop(endpoint.url, None)
        if own is None:
            link = Link(endpoint, name=name, instance=instance)
        else:
            link = own.give_away()
            link.become(name=name, instance=instance)
        _of_consoles.append(link)
        followers = list(_followers)
    for follower in followers:
        follower.found(link)
    return link


def closed(link: Link, timeout: float) -> None:
    """The console of this link is closed."""
    with _turn.lock:
        if link in _of_consoles:
            _of_consoles.remove(link)
    link.close(timeout)


def find(follower: Follower) -> Link | None:
    """That of the newest console, else of the one that the environment names. Without any, the follower hears of the next one.

    Raises ConfigurationError naming the variable.
    """
    with _turn.lock:
        _followers.add(follower)  # of the next console, should this one be closed
        if _of_consoles:
            return _of_consoles[-1]
        endpoint = endpoint_from_environment()
        if endpoint is None:
            return None
        if endpoint.url not in _of_environment:
            _of_environment[endpoint.url] = _OwnLink(endpoint)
        return _of_environment[endpoint.url].link
