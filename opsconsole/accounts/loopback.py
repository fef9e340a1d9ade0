"""The loopback rule: which requests without credentials act as the account `local` (only where settings.LOCAL_ACCOUNT is on).

It lets `curl` on the same machine work without a token, and must keep out what else can reach a loopback port: pages in a browser (they send
`Origin`, `Referer` or `Sec-Fetch-*`, or name a foreign host after DNS rebinding) and strangers behind a proxy on this machine.
"""

from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

BROWSER_OR_PROXY = ("origin", "referer", "forwarded", "via", "x-real-ip", "cookie", "authorization")
BROWSER_OR_PROXY_PREFIXES = ("sec-fetch-", "x-forwarded-")


def is_local_call(*, ip: str, headers: Mapping[str, str]) -> bool:
    """Whether a request from `ip` with these headers (names in lower case) comes from a program on this very machine."""
    if not _is_loopback(ip):
        return False
    if any(name in BROWSER_OR_PROXY or name.startswith(BROWSER_OR_PROXY_PREFIXES) for name in headers):
        return False
    return _is_loopback_host(headers.get("host", ""))


def _is_loopback(address: str) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return parsed.is_loopback


def _is_loopback_host(host: str) -> bool:
    try:
        parts = urlsplit(f"//{host}")
        parts.port  # noqa: B018  raises ValueError for a bad port
    except ValueError:
        return False
    if parts.netloc != host or "@" in host or parts.hostname is None:
        return False
    return parts.hostname == "localhost" or _is_loopback(parts.hostname)
