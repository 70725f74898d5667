"""Development trust: callers are not verified, so only callers on this machine are served, whatever server runs us.

A page of another site can make a browser on this machine call us under a name of its own (DNS rebinding), and a
proxy on this machine calls us for others: the peer's address alone does not tell.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from cds_service.site.settings import Settings, is_loopback

#: Headers by which proxies say that they call for somebody else.
_FORWARDED = ("HTTP_FORWARDED", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST", "HTTP_X_REAL_IP", "HTTP_VIA")


def not_served(environ: Mapping[str, Any], settings: Settings) -> str | None:
    """Why a request (WSGI environment) is not served in development trust, None if it is.

    With ``development`` set, peers beyond this machine are served too, under an address or a name without dots (as
    containers call each other), not under a name of the public DNS.
    """
    named = str(environ.get("HTTP_HOST", ""))
    host = (urlsplit(f"//{named}").hostname or "") if _is_plain(named) else ""
    if settings.development:
        known = _is_address(host) or "." not in host
    else:
        if not is_loopback(str(environ.get("REMOTE_ADDR", ""))):
            return "Development trust serves callers on this machine only."
        if any(environ.get(name) for name in _FORWARDED):
            return "Development trust serves callers on this machine only, and no proxy that calls for others."
        known = is_loopback(host) or host.endswith(".localhost")
    if host and (known or host in (settings.host, urlsplit(settings.public_url).hostname)):
        return None
    return "Development trust serves requests to this machine's own names only, and the Host header is none of them."


def _is_plain(host: str) -> bool:
    return not set(host) & set("@/\\?# ,")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
