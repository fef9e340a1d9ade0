"""Where webhooks may go."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_network

from alerts.channels.http import Address

Network = IPv4Network | IPv6Network

# Where clouds keep what belongs to the machine itself, its credentials first of all; and what is no one machine's address.
_NEVER: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in ("169.254.0.0/16", "fe80::/10", "100.100.100.200/32", "fd00:ec2::/32", "168.63.129.16/32", "0.0.0.0/8", "::/128")
)  # fmt: skip


# By which IPv6 reaches IPv4 (NAT64): the last 32 bits are the address that it comes to.
_NAT64 = IPv6Network("64:ff9b::/96")


def refusal(address: Address, networks: Sequence[Network]) -> str | None:
    """Why nothing is sent to this address. `networks`: the only ones allowed; none: all but link-local and metadata addresses."""
    address = _inner(address)
    if networks:
        inside = any(address in network for network in networks)
        return None if inside else "its address is not in OPSCONSOLE_WEBHOOK_NETWORKS"
    if address.is_multicast or any(address in network for network in _NEVER):
        return "a link-local or metadata address, to which nothing is sent"
    return None


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for; any other as it is."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address
