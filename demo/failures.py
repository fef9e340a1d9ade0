"""Which services of the demo can be broken, and how. No I/O."""

from dataclasses import dataclass

# How a service over HTTP fails: answers 500, answers late, cuts the connection off, never answers.
ERRORS, SLOW, RESETS, HANGS = "errors", "slow", "resets", "hangs"
OVER_HTTP = (ERRORS, SLOW, RESETS, HANGS)
# The first is meant where none is named. The database is a file, and somebody else locks it.
SERVICES = {
    "yahoo_finance": OVER_HTTP,
    "sec_edgar": OVER_HTTP,
    "claude_api": OVER_HTTP,
    "database": (HANGS,),
}
WORDS = {
    ERRORS: "answers with errors",
    SLOW: "answers late",
    RESETS: "cuts connections off",
    HANGS: "does not answer",
}
# Heals by itself after so many seconds, unless another time is given; and at the latest after a day.
USUAL_S, LONGEST_S = 60.0, 86_400.0


@dataclass(frozen=True, slots=True)
class Failure:
    """One service that is to fail."""

    service: str
    kind: str

    def __str__(self) -> str:
        return f"{self.service} {WORDS[self.kind]}"


def parse(text: str) -> Failure:
    """`yahoo_finance` or `yahoo_finance:hangs`. Raises ValueError saying what is allowed."""
    service, _, kind = text.partition(":")
    kinds = SERVICES[known(service)]
    kind = kind or kinds[0]
    if kind not in kinds:
        raise ValueError(f"{service} can fail with {_listed(kinds)}, not with {kind!r}")
    return Failure(service, kind)


def known(service: str) -> str:
    """The service, if there is one of this name. Raises ValueError with those that there are."""
    if service not in SERVICES:
        raise ValueError(f"the services are {_listed(tuple(SERVICES))}, not {service!r}")
    return service


def _listed(names: tuple[str, ...]) -> str:
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last
