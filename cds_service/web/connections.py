"""Connections to callers, on top of waitress: their errors as OperationOutcomes, how long and how many there may be,
and two lanes of threads, so that a health check waits for no hook call.

Bodies stay in memory: waitress would put large ones, which are patients' data, into temporary files.
"""

from __future__ import annotations

import select
import socket
import time
from typing import Any

from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, ThreadedTaskDispatcher, WSGITask
from waitress.utilities import Error

from cds_service.hooks.errors import MEDIA_TYPE, operation_outcome
from cds_service.web.app import ARRIVED, WsgiApplication

#: Threads for calls, most of which wait for FHIR servers (fhir_client.places), and for health checks.
CALLS, HEALTH = 64, 2
HEALTH_PATHS = frozenset({"/healthz", "/readyz"})
#: Connections open at once. Those without a request are closed after a while, the oldest first where room is short.
CONNECTIONS, IDLE_SECONDS = 2000, 30
#: How long a request may take to arrive.
ARRIVING_SECONDS = 60
#: Bodies above LARGE_BYTES are taken in only while all of these together are below BODIES_BYTES.
LARGE_BYTES, BODIES_BYTES = 1_000_000, 512_000_000


class Busy(Error):  # type: ignore[misc]
    """A request that is refused because too much is being received."""

    code = 503
    reason = "Service Unavailable"


class Parser(HTTPRequestParser):  # type: ignore[misc]
    """A request as it arrives. begun, arrived: since when, and (monotonic clock) from when on in full."""

    arrived: float | None = None

    def __init__(self, adj: Adjustments, server: Server) -> None:
        super().__init__(adj)
        self.begun = time.time()
        self._server = server

    @property
    def large_bytes(self) -> int:
        """What its body may take, 0 for a small one; of a chunked one nothing is known before it is there."""
        length: int = self.adj.max_request_body_size if self.chunked else self.content_length
        return length if length > LARGE_BYTES else 0

    def received(self, data: bytes) -> int:
        consumed: int = super().received(data)
        if self.completed and self.arrived is None:
            self.arrived = time.monotonic()
        return consumed

    def parse_header(self, header_plus: bytes) -> None:
        try:
            super().parse_header(header_plus)
        except ValueError as error:  # digits without end
            raise ParsingError("Content-Length is invalid") from error
        if self.large_bytes and self._server.large_bytes() > BODIES_BYTES:  # its own included
            self.error, self.body_rcv = Busy("too much is being received"), None


class CallTask(WSGITask):  # type: ignore[misc]
    """Tells the application when its request arrived: the time in the queue counts."""

    def get_environment(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environment()
        return environ | {ARRIVED: self.request.arrived}


class OutcomeTask(ErrorTask):  # type: ignore[misc]
    """What waitress itself refuses (not HTTP, too large) is an OperationOutcome too."""

    def execute(self) -> None:
        error = self.request.error
        body = operation_outcome(error.code, f"The server could not take this request: {error.reason}.")
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", MEDIA_TYPE))
        if error.code == 503:
            self.response_headers.append(("Retry-After", "1"))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class Channel(HTTPChannel):  # type: ignore[misc]
    """One connection."""

    task_class = CallTask
    error_task_class = OutcomeTask

    def parser_class(self, adj: Adjustments) -> Parser:
        return Parser(adj, self.server)


class Lanes:
    """Threads for hook calls and pages, and threads of their own for health checks."""

    def __init__(self) -> None:
        self._calls, self._health = ThreadedTaskDispatcher(), ThreadedTaskDispatcher()
        self._calls.set_thread_count(CALLS)
        self._health.set_thread_count(HEALTH)

    def add_task(self, channel: Channel) -> None:
        request = channel.requests[0]
        is_health = request.error is None and request.path.rstrip("/") in HEALTH_PATHS
        (self._health if is_health else self._calls).add_task(channel)

    def shutdown(self, cancel_pending: bool = True, timeout: float = 5) -> None:
        self._calls.shutdown(cancel_pending, timeout)
        self._health.shutdown(cancel_pending, timeout=1)


class Server(TcpWSGIServer):  # type: ignore[misc]
    """Serves an application on a socket that is bound. body_bytes: the largest body that is taken in."""

    channel_class = Channel

    def __init__(self, application: WsgiApplication, listener: socket.socket, body_bytes: int) -> None:
        adjustments = Adjustments(
            sockets=[listener],
            ident=None,
            max_request_body_size=body_bytes,
            inbuf_overflow=body_bytes + 1,
            outbuf_overflow=body_bytes + 1,
            connection_limit=_room_for(CONNECTIONS),
            channel_timeout=IDLE_SECONDS,
            cleanup_interval=5,
            asyncore_use_poll=hasattr(select, "poll"),
        )
        address = (listener.family, listener.type, listener.proto, listener.getsockname())
        super().__init__(
            application,
            map={},
            _sock=listener,
            dispatcher=Lanes(),
            adj=adjustments,
            sockinfo=address,
            bind_socket=False,
        )

    def large_bytes(self) -> int:
        """What the large bodies that arrive or are being answered may take together."""
        channels = list(self.active_channels.values())
        requests = [request for channel in channels for request in (channel.request, *channel.requests)]
        return sum(request.large_bytes for request in requests if isinstance(request, Parser))

    def readable(self) -> bool:
        if len(self._map) >= self.adj.connection_limit:
            idle = [channel for channel in self.active_channels.values() if not channel.requests]
            idle.sort(key=lambda channel: channel.last_activity)
            for channel in idle[: max(1, len(idle) // 10)]:
                channel.will_close = True
        return bool(super().readable())

    def maintenance(self, now: float) -> None:
        super().maintenance(now)
        for channel in self.active_channels.values():
            if channel.request is not None and channel.request.begun < now - ARRIVING_SECONDS:
                channel.will_close = True


def _room_for(connections: int) -> int:
    """How many of these connections the files that this process may open leave room for."""
    try:
        import resource
    except ImportError:  # Windows knows no such limit
        return connections
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * connections
    if soft != resource.RLIM_INFINITY and soft < wanted:
        raised = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
        soft = raised
    return connections if soft == resource.RLIM_INFINITY else max(100, min(connections, soft // 2))
