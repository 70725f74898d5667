"""``icans-cds serve``: the HTTP door behind waitress, a production WSGI server."""

from __future__ import annotations

import errno
import gc
import logging
import signal
import socket
import sys
from types import FrameType

from cds_service.errors import DONE, Refusal
from cds_service.site.settings import Settings, effective_trust, is_loopback
from cds_service.site.version import VERSION
from cds_service.web.app import create_app
from cds_service.web.connections import Server

#: A body up to this many times the limit is taken in before it is refused, so that the caller reads the answer;
#: beyond it the connection is cut.
TAKEN_IN = 4


def serve(settings: Settings) -> int:
    """Serve until interrupted; the exit status. Raises Refusal if the address cannot be bound."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    app = create_app(settings)
    gc.collect()
    gc.freeze()  # what was loaded for good is not looked through again while calls are answered
    listener = _listener(settings)
    server = Server(app, listener, TAKEN_IN * settings.body_bytes)
    signal.signal(signal.SIGTERM, _stop)
    _say_start(settings, listener.getsockname()[1])
    server.run()
    return DONE


def _listener(settings: Settings) -> socket.socket:
    """A socket bound to the address asked for, IPv4 before IPv6 where a name resolves to both."""
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = min(found, key=lambda candidate: candidate[0] != socket.AF_INET)
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except (OSError, UnicodeError) as error:
        raise Refusal(_cannot_bind(settings, error)) from error
    return listener


def _say_start(settings: Settings, port: int) -> None:
    lines = []
    if effective_trust(settings) == "development":
        further = "WHOEVER CAN REACH THIS PORT (ICANS_CDS_DEVELOPMENT=1)"
        reach = "this machine only" if is_loopback(settings.host) else further
        lines.append("*** DEVELOPMENT TRUST: callers are not verified, no JWT is asked for. ***")
        lines.append(f"*** Reachable from {reach}. Not for real patients' data. ***")
    else:
        lines.append("Hook calls are refused with status 503: callers cannot be verified yet.")
        if settings.trust in ("", "development"):
            lines.append(
                f"Development trust holds on a loopback address only, and {settings.host} is none. "
                "To try the service inside a container, set ICANS_CDS_DEVELOPMENT=1."
            )
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    lines.append(f"icans-cds {VERSION} serves http://{host}:{port}/cds-services")
    print("\n".join(lines), file=sys.stderr, flush=True)


def _cannot_bind(settings: Settings, error: OSError | UnicodeError) -> str:
    address = f"{settings.host}:{settings.port}"
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.EADDRINUSE:
        return f"{address} is in use by another program; choose another port with --port"
    if number == errno.EACCES:
        return f"{address} may not be used by this user; choose a port from 1024 on with --port"
    return f"cannot listen on {address}: {getattr(error, 'strerror', None) or error}"


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(DONE)
