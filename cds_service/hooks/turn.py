"""One call at a time: the threads of an interpreter share one core, whatever else they wait for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock


class Turn:
    """What one thread at a time holds while it evaluates a call.

    Evaluated side by side, all calls would be answered as late as the last of them; in turn, each as soon as it can.
    """

    def __init__(self) -> None:
        self._lock = Lock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    @contextmanager
    def left(self) -> Iterator[None]:
        """Inside, the turn is left to other calls: for waiting for a FHIR server."""
        self._lock.release()
        try:
            yield
        finally:
            self._lock.acquire()
