"""Deadlines: how much time is left, and tasks side by side that are cut off when it is over.

Time-outs of a socket count from byte to byte; a server that drips would outlive any of them. So the sockets in
use are known here, and those of tasks that are not done at the deadline are shut down.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Mapping

from cds_service.errors import place_of

#: Why something is missing, after "the FHIR server".
NOT_IN_TIME = "did not answer in time"
NOT_UNDERSTOOD = "sent something that this service failed to read; the fault was logged"
LOG = logging.getLogger("icans_cds")
_HERE = threading.local()


class Deadline:
    """An instant on the monotonic clock."""

    def __init__(self, seconds: float, since: float | None = None) -> None:
        """seconds: from ``since`` on (on the monotonic clock), else from now on."""
        self._at = (time.monotonic() if since is None else since) + seconds

    @property
    def left(self) -> float:
        """Seconds left, never below 0."""
        return max(0.0, self._at - time.monotonic())

    @property
    def is_over(self) -> bool:
        return self.left <= 0


def side_by_side(tasks: Mapping[str, Callable[[], None]], deadline: Deadline) -> dict[str, str]:
    """Runs all tasks, each in a thread; why those that were not done were not, by name.

    A task is not done if it runs at the deadline still, or if it failed in a way that it did not foresee. What it
    got before is left where it put it.
    """
    sockets: dict[str, socket.socket] = {}
    undone: dict[str, str] = {}
    unfinished = set(tasks)
    done = threading.Condition()

    def work(name: str) -> None:
        _HERE.note = lambda used: sockets.__setitem__(name, used)
        try:
            tasks[name]()
        except Exception as error:  # noqa: BLE001 - whatever fails in a thread is missing, and reported as such
            LOG.error("fetching failed: %s", place_of(error))
            undone.setdefault(name, NOT_UNDERSTOOD)
        finally:
            with done:
                unfinished.discard(name)
                done.notify_all()

    for name in tasks:
        threading.Thread(target=work, args=(name,), daemon=True).start()
    with done:
        done.wait_for(lambda: not unfinished, deadline.left)
        late = dict.fromkeys(unfinished, NOT_IN_TIME)
        undone.update(late)
    for name in late:
        if name in sockets:
            _shut(sockets[name])
    return dict(undone)


def note_socket(used: socket.socket | None) -> None:
    """Told by a connection each time it waits for an answer."""
    note = getattr(_HERE, "note", None)
    if used is not None and note is not None:
        note(used)


def _shut(used: socket.socket) -> None:
    try:
        # Of a TLS socket only the connection below: its own shutdown is not meant for other threads.
        socket.socket.shutdown(used, socket.SHUT_RDWR)
    except (OSError, ValueError):
        return
