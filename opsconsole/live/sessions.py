"""Whose browser is it: a look at Django's session that changes nothing, for requests that Django does not see."""

from importlib import import_module

from asgiref.typing import HTTPScope
from django.conf import settings
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    get_user_model,
    load_backend,
)
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import parse_cookie
from django.utils.crypto import constant_time_compare


def session_key(scope: HTTPScope) -> str:
    """The key in the session cookie; empty if there is none."""
    for name, value in scope["headers"]:
        if name.lower() == b"cookie":
            found = parse_cookie(value.decode("latin-1")).get(settings.SESSION_COOKIE_NAME)
            if found:
                return str(found)
    return ""


def signed_in(key: str) -> bool:
    """Whether the session belongs to an active account whose password has not changed since. Reads the database.

    Unlike `django.contrib.auth.get_user` it never renews or deletes the session: the answer's headers could not tell the browser.
    """
    session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    if SESSION_KEY not in session or session.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
        return False
    user_id = get_user_model()._meta.pk.to_python(session[SESSION_KEY])
    user = load_backend(session[BACKEND_SESSION_KEY]).get_user(user_id)
    return (
        isinstance(user, AbstractBaseUser)
        and user.is_active
        and _same_password(user, session.get(HASH_SESSION_KEY))
    )


def _same_password(user: AbstractBaseUser, noted: object) -> bool:
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return isinstance(noted, str) and any(constant_time_compare(noted, known) for known in hashes)
