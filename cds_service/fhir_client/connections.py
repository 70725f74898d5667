"""HTTP connections to FHIR servers: one pool a process, no cookies, no proxies of the environment for hook calls."""

from __future__ import annotations

import logging
import os
import socket
from functools import lru_cache
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, Retry
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NameResolutionError, NewConnectionError

from cds_service.fhir_client.addresses import AddressRules, NotAllowed
from cds_service.fhir_client.deadlines import Deadline, note_socket
from cds_service.fhir_client.retries import retries_within

#: Hosts kept open, and connections kept open to each.
HOSTS, CONNECTIONS = 16, 8

# These write whole URLs, with the patient's id in them.
for _name in ("urllib3.connectionpool", "urllib3.util.retry"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)


def session(base: str, rules: AddressRules | None, deadline: Deadline) -> requests.Session:
    """A session for one server and one task, on the pool of the process. Without cookies and without netrc:
    nothing but the token given authenticates. rules: the guard of hook calls; None: a URL of the user's own,
    which may also go through the proxy that the environment names."""
    made = requests.Session()
    made.trust_env = False
    made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    made.verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE") or True
    if rules is None:
        made.proxies.update(get_environ_proxies(base))
    adapter = _SharedAdapter(_pools(rules), retries_within(deadline))
    made.mount("https://", adapter)
    made.mount("http://", adapter)
    return made


class _SharedAdapter(HTTPAdapter):
    def __init__(self, pools: PoolManager, retries: Retry) -> None:
        self._pools = pools
        super().__init__(max_retries=retries)

    def init_poolmanager(self, *_arguments: Any, **_options: Any) -> None:
        self.poolmanager = self._pools

    def close(self) -> None:
        """The pool outlives the session."""


@lru_cache(maxsize=8)
def _pools(rules: AddressRules | None) -> PoolManager:
    """One pool for each set of rules: a connection that one call may use is not lent to another that may not."""

    class Plain(_Guarded, HTTPConnection):
        guard = rules

    class Secure(_Guarded, HTTPSConnection):
        guard = rules

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    pools = PoolManager(num_pools=HOSTS, maxsize=CONNECTIONS, block=False)
    pools.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}
    return pools


class _Guarded(HTTPConnection):
    """Connects to no address but those that the guard has seen: not a byte, nor a TLS hello, reaches another."""

    guard: AddressRules | None = None

    def _new_conn(self) -> socket.socket:
        if self.guard is None or self.guard.names_origin(self._origin()):
            return super()._new_conn()
        try:
            addresses = self.guard.addresses(self.host, self.port)
        except NotAllowed as error:
            raise NewConnectionError(self, str(error)) from error
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        return self._connected(addresses)

    def _connected(self, addresses: list[str]) -> socket.socket:
        name, failed = self._dns_host, NewConnectionError(self, "no address")
        try:
            for address in addresses:
                self._dns_host = address
                try:
                    return super()._new_conn()
                except NewConnectionError as error:
                    failed = error
        finally:
            self._dns_host = name  # the name is what a certificate is checked against
        raise failed

    def _origin(self) -> str:
        scheme = "https" if isinstance(self, HTTPSConnection) else "http"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}"

    def getresponse(self) -> Any:
        note_socket(self.sock)
        return super().getresponse()
