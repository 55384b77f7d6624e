"""Who sends a request, and to which URL, as far as that can be believed.

A proxy tells in X-Forwarded-For, -Proto and -Host what it has seen; anybody else can write the
same, so they are read only if the connection comes from a network that the operator named. Of
X-Forwarded-For it is the last address that is no such proxy's own. Pure; nothing is ever raised.

Source: RFC 9110, section 7.2 (Host); X-Forwarded-* as nginx, Caddy and load balancers write them.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from aybiza.config.fields import is_loopback

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

FORWARDING: Final = frozenset(
    (
        "cf-connecting-ip",
        "client-ip",
        "forwarded",
        "forwarded-for",
        "true-client-ip",
        "via",
        "x-client-ip",
        "x-cluster-client-ip",
        "x-forwarded",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-port",
        "x-forwarded-proto",
        "x-forwarded-server",
        "x-original-forwarded-for",
        "x-real-ip",
    )
)
"""Headers that a proxy adds: who sends one speaks for somebody else, or says so."""

_HOST = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?\Z", re.ASCII)

IPV6_PREFIX: Final = 64
"""Bits of an IPv6 address that name a customer; the rest everybody chooses freely."""


@dataclass(frozen=True, slots=True)
class Caller:
    """`address`: an IP address, or what stood in its place; `host`: with port if it has one.

    `local`: a process of this machine, not somebody behind a proxy on it. `hidden`: the connection
    comes from who is not believed, and says itself that it is made for somebody else.
    """

    address: str
    secure: bool
    host: str
    local: bool
    hidden: bool = False

    @property
    def host_is_sound(self) -> bool:
        """Whether the host is a name or an address with or without a port, or is not told."""
        return not self.host or _HOST.match(self.host) is not None

    @property
    def host_is_loopback(self) -> bool:
        """Whether this machine was asked for under a name that nobody else can have."""
        found = _HOST.match(self.host)
        return found is not None and is_loopback(found[1])

    def url(self, scheme: str, target: str) -> str:
        """The URL that was asked for: `scheme` is http or ws, `target` path and query."""
        return f"{scheme}{'s' if self.secure else ''}://{self.host}{target}"


class Callers:
    """Tells them, believing what these networks forward."""

    def __init__(self, trusted: Iterable[str] = ()) -> None:
        self._trusted: tuple[IPNetwork, ...] = tuple(map(ipaddress.ip_network, trusted))

    def caller(self, peer: str, secure: bool, headers: Mapping[str, str]) -> Caller:
        """Who is behind a connection from `peer`; the names of `headers` in lower case."""
        forwarded = not FORWARDING.isdisjoint(headers)
        local = is_loopback(peer) and not forwarded
        host = headers.get("host", "")
        if not self.trusts(peer):
            return Caller(peer, secure, host, local, forwarded)
        address = self._first_stranger(headers.get("x-forwarded-for", ""), peer)
        scheme = _last(headers.get("x-forwarded-proto", ""))
        secure = scheme.lower() in ("https", "wss") if scheme else secure
        return Caller(address, secure, _last(headers.get("x-forwarded-host", "")) or host, local)

    def trusts(self, address: str) -> bool:
        """Whether it is one of the proxies."""
        ip = _ip(address)
        return ip is not None and any(ip in network for network in self._trusted)

    def _first_stranger(self, forwarded_for: str, peer: str) -> str:
        """Coming from us, the first address that no trusted proxy has; the last if all are."""
        address = peer
        for piece in reversed(forwarded_for.split(",")):
            ip = _ip(piece.strip())
            if ip is None:
                break
            address = str(ip)
            if not self.trusts(address):
                break
        return address


def limited_as(address: str) -> str:
    """The name under which requests from an address are counted: of IPv6 its /64."""
    ip = _ip(address)
    if isinstance(ip, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((ip, IPV6_PREFIX), strict=False))
    return str(ip) if ip else "unknown"


def _last(value: str) -> str:
    return value.rpartition(",")[2].strip()


def _ip(text: str) -> IPAddress | None:
    try:
        ip = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(ip, "ipv4_mapped", None) or ip
