"""The pages of the circuit breakers, below /breakers. A breaker's name may be anything, so acts stand before it, behind a dash."""

import re

from django.urls import path, register_converter
from django.urls.converters import PathConverter

from monitoring.breakers import acts, views

# Parts of a name between slashes that an address cannot have: browsers take dots away, however they are written, and the dash is ours.
TAKEN = re.compile(r"~*(\.|\.\.|-)")


class TextConverter(PathConverter):
    """What can be stored: no NUL characters."""

    regex = r"[^\x00]+"


class NameConverter(TextConverter):
    """Such a part has one `~` more in the address than in the name."""

    def to_url(self, value: str) -> str:
        return "/".join(f"~{part}" if TAKEN.fullmatch(part) else part for part in value.split("/"))

    def to_python(self, value: str) -> str:
        return "/".join(
            part.removeprefix("~") if TAKEN.fullmatch(part) else part for part in value.split("/")
        )


register_converter(NameConverter, "breaker")

urlpatterns = [
    path("", views.page, name="breakers"),
    path("/-/find", views.find, name="breaker-find"),
    path("/-/reset-all", acts.reset_all, name="breakers-reset-all"),
    *(
        path(f"/-/{act.key}/<breaker:name>", acts.view_of(act), name=f"breaker-{act.key}")
        for act in acts.ACTS
    ),
    path("/<breaker:name>", views.breaker, name="breaker"),
]
