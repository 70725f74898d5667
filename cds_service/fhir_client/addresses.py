"""Which addresses of FHIR servers may be called: origins of URLs, and the guard for URLs that a caller names.

The guard keeps a hook call from reaching what only this machine can reach (loopback, link-local, private
ranges), unless the site's configuration names that server. It looks at the addresses that a name resolves to,
and connects to no other than those it looked at, so that a name cannot change its meaning in between.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}
#: Not reachable by everybody, whatever the registries of special addresses say of them: the hosts through which
#: clouds serve machines their credentials (Azure, Oracle; others are link-local), and site-local IPv6 (RFC 3879).
_INTERNAL = tuple(map(ipaddress.ip_network, ("168.63.129.16/32", "192.0.0.0/24", "fec0::/10")))
#: IPv4 addresses written as IPv6 by a translating gateway (RFC 6052).
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Origin = tuple[str, str, int]


class NotAllowed(ValueError):
    """An address that is not called; the message says why and names no address."""


@dataclass(frozen=True, slots=True)
class AddressRules:
    """What a hook call may reach. configured: base URLs the site names, always allowed.

    development: development trust, in which loopback and plain http are allowed too.
    """

    configured: tuple[str, ...] = ()
    development: bool = False

    def check(self, base: str) -> None:
        """Raises NotAllowed for a base URL that must not be called, and OSError for a name nobody knows."""
        address = origin(base)
        parts = urlsplit(base)
        if address is None or parts.query or parts.fragment:
            raise NotAllowed("it is not an absolute http or https URL")
        if self.names(base):
            return
        if address[0] != "https" and not self.development:
            raise NotAllowed("its address is not https, and the configuration does not name it")
        self.addresses(address[1], address[2])

    def addresses(self, host: str, port: int) -> list[str]:
        """What a name resolves to. Raises NotAllowed if one of them must not be reached, OSError if nobody knows it."""
        found = [str(known[4][0]) for known in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        for address in found:
            self._check_address(address)
        return list(dict.fromkeys(found))

    def _check_address(self, address: str) -> None:
        if not _is_public(address) and not (self.development and _plain(address).is_loopback):
            raise NotAllowed("its address is an internal one, and the configuration does not name it")

    def names(self, url: str) -> bool:
        """Whether the configuration names this server."""
        return any(_is_below(url, base) for base in self.configured)

    def names_origin(self, url: str) -> bool:
        """Whether the configuration names a server at this origin."""
        return any(same_origin(url, base) for base in self.configured)


def origin(url: str) -> Origin | None:
    """Scheme, host and port of an absolute http or https URL; None for anything else.

    A URL with a user name is none: it would be sent in place of the token.
    """
    if "\\" in url:
        return None  # read as a slash by some, as part of the host by others
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or "@" in parts.netloc:
        return None
    return parts.scheme, parts.hostname.lower().rstrip("."), port or _DEFAULT_PORTS[parts.scheme]


def same_origin(one: str, other: str) -> bool:
    """Whether two URLs are of one server; a default port may be written or not."""
    return origin(one) is not None and origin(one) == origin(other)


def _is_below(url: str, base: str) -> bool:
    path, root = urlsplit(url).path.rstrip("/"), urlsplit(base).path.rstrip("/")
    return same_origin(url, base) and (path == root or path.startswith(f"{root}/")) and not _climbs(path)


def _climbs(path: str) -> bool:
    """Whether a path has dots for segments, however often they are encoded: servers take them for steps up."""
    while (plain := unquote(path)) != path:
        path = plain
    return any(segment in (".", "..") for segment in re.split(r"[/\\]", path))


def _is_public(address: str) -> bool:
    plain = _plain(address)
    if any(plain.version == network.version and plain in network for network in _INTERNAL):
        return False
    return plain.is_global and not plain.is_multicast and not plain.is_reserved


def _plain(address: str) -> Address:
    """The address itself, out of the IPv6 forms that hide an IPv4 address."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv4Address):
        return found
    if found in _TRANSLATED:
        return ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
    return found.ipv4_mapped or found.sixtofour or found
