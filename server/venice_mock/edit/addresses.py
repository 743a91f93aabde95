"""Where an IP address leads: this machine, the public network, or a special range. No names, no connections."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Literal

Address = IPv4Address | IPv6Address

_LOOPBACK_V4 = IPv4Network("127.0.0.0/8")
_LOOPBACK_V6 = IPv6Address("::1")
_NAT64 = IPv6Network("64:ff9b::/96")
_GLOBAL_V6 = IPv6Network("2000::/3")

# The special-purpose registries, written out because ``is_global`` differs between Python releases.
_NOT_PUBLIC_V4 = tuple(
    IPv4Network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        "168.63.129.16/32",  # a cloud's metadata service that looks public
    )
)
# Inside 2000::/3: protocol assignments with Teredo, documentation twice, and 6to4, which wraps any IPv4.
_NOT_PUBLIC_V6 = tuple(IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))


def unmapped(address: Address) -> Address:
    """``::ffff:a.b.c.d`` is connected to as a.b.c.d, so it is that address."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def reach(address: Address) -> Literal["loopback", "public", "special"]:
    """Where an address leads: private, link-local, multicast, reserved and wrapped ones are ``special``."""
    if isinstance(address, IPv4Address):
        if address in _LOOPBACK_V4:
            return "loopback"
        return "special" if any(address in net for net in _NOT_PUBLIC_V4) else "public"
    if address == _LOOPBACK_V6:
        return "loopback"
    if address in _NAT64:
        inner = IPv4Address(int(address) & 0xFFFFFFFF)
        return "public" if reach(inner) == "public" else "special"  # not this machine's loopback
    if address not in _GLOBAL_V6 or any(address in net for net in _NOT_PUBLIC_V6):
        return "special"
    return "public"
