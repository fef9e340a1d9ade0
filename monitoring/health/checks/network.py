"""Targets that are added in the admin: HTTP, TCP, and certificates.

Names are looked up once, and neither link-local nor metadata addresses are ever asked, as for webhooks. No text of a result holds more of a
URL than its host: paths and queries may be secrets.
"""

import ssl
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

import certifi

from alerts.channels.base import SendFailed
from alerts.channels.http import connect, get, time_limit
from alerts.channels.networks import refusal
from monitoring.health.checks.base import Failed, Finding, Result, below, slow, together
from monitoring.health.choices import Status

# Every address but those that are nobody's to ask.
ALLOWED = partial(refusal, networks=())
DAY = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpCheck:
    """One GET, without following redirects. `authorization`: the header's value, or empty."""

    url: str = field(repr=False)
    status_from: float
    status_to: float
    contains: str
    degraded_ms: float
    unhealthy_ms: float
    budget: float
    authorization: str = field(default="", repr=False)

    def run(self, now: datetime) -> Result:
        del now
        headers = {"Authorization": self.authorization} if self.authorization else {}
        began = perf_counter()
        try:
            answer = get(self.url, headers, allowed=ALLOWED, limit=self.budget)
        except SendFailed as error:
            raise Failed(str(error).removesuffix("; it may have arrived")) from None
        response_ms = 1000 * (perf_counter() - began)
        findings = [slow(response_ms, self.degraded_ms, self.unhealthy_ms)]
        if not self.status_from <= answer.status <= self.status_to:
            findings.append(Finding(Status.UNHEALTHY, f"It answered {answer.status}"))
        if self.contains and self.contains.encode() not in answer.body:
            findings.append(Finding(Status.UNHEALTHY, "Its answer lacks the text that it must contain"))
        return together(
            findings,
            well=f"It answered {answer.status}",
            response_ms=response_ms,
            metadata={"host": urlsplit(self.url).hostname, "http_status": answer.status},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpCheck:
    """It takes connections."""

    host: str
    port: float
    degraded_ms: float
    unhealthy_ms: float
    budget: float

    def run(self, now: datetime) -> Result:
        del now
        began = perf_counter()
        try:
            connect(self.host, int(self.port), allowed=ALLOWED, limit=self.budget).close()
        except SendFailed as error:
            raise Failed(str(error)) from None
        response_ms = 1000 * (perf_counter() - began)
        return together(
            [slow(response_ms, self.degraded_ms, self.unhealthy_ms)],
            well="It takes connections",
            response_ms=response_ms,
            metadata={"host": self.host, "port": int(self.port)},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateCheck:
    """The certificate of a TLS server: valid for its name, signed by somebody whom this host trusts, and not about to expire."""

    host: str
    port: float
    degraded_days: float
    unhealthy_days: float
    budget: float

    def run(self, now: datetime) -> Result:
        expires_at = self._expiry()
        days = (expires_at - now).total_seconds() / DAY
        finding = Finding(
            below(days, self.degraded_days, self.unhealthy_days), f"It expires in {max(days, 0):,.1f} days"
        )
        return together(
            [finding],
            well=f"Valid for {days:,.0f} days",
            metadata={
                "host": self.host,
                "port": int(self.port),
                "expires_at": expires_at.isoformat(),
                "days_left": round(days, 1),
            },
        )

    def _expiry(self) -> datetime:
        context = ssl.create_default_context()
        context.load_verify_locations(certifi.where())
        try:
            plain = connect(self.host, int(self.port), allowed=ALLOWED, limit=self.budget)
            with closing(plain), time_limit(self.budget, lambda: plain):
                secure = context.wrap_socket(plain, server_hostname=self.host)
                with closing(secure):
                    return _not_after(secure.getpeercert())
        except SendFailed as error:
            raise Failed(str(error)) from None
        except ssl.SSLCertVerificationError as error:
            raise Failed(f"Its certificate is not valid: {error.verify_message}") from None
        except OSError as error:
            raise Failed(f"No TLS with {self.host} ({type(error).__name__})") from None


def _not_after(certificate: Any) -> datetime:
    """Of what `getpeercert()` gives for a certificate that was verified."""
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)
