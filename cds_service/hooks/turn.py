"""One call at a time, each within its time: the threads of an interpreter share one core, whatever else they wait for.

A call that is not answered in its time is given up, wherever it is: while it waits for its turn, for a FHIR server,
or in the middle of its evaluation.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, Timer, get_ident

from cds_service.fhir_client.deadlines import Deadline


class OutOfTime(BaseException):
    """The time of a call is over. Not an Exception: nothing that is being evaluated may take it for its own."""


class Turn:
    """What one thread at a time holds while it evaluates a call.

    Evaluated side by side, all calls would be answered as late as the last of them; in turn, each as soon as it can.
    """

    def __init__(self) -> None:
        self._lock = Lock()

    @contextmanager
    def held(self, deadline: Deadline) -> Iterator[Hold]:
        """Inside, the turn is this thread's. Raises OutOfTime, from wherever the thread is, at the deadline."""
        hold = Hold(self._lock, deadline)
        try:
            hold.take()
            yield hold
        finally:
            hold.give_back()


class Hold:
    """A turn that is held until ``deadline``."""

    def __init__(self, lock: Lock, deadline: Deadline) -> None:
        self.deadline = deadline
        self._lock, self._taken = lock, False
        self._cut: _Cut | None = None

    def take(self) -> None:
        """Raises OutOfTime if the turn does not come in time."""
        if not self._lock.acquire(timeout=self.deadline.left):
            raise OutOfTime
        self._taken = True
        self._cut = _Cut(self.deadline)

    def give_back(self) -> None:
        """Raises OutOfTime if the time ran out at this moment."""
        cut, self._cut = self._cut, None
        try:
            if cut is not None:
                cut.off()
        finally:
            if self._taken:
                self._taken = False
                self._lock.release()

    @contextmanager
    def left(self) -> Iterator[None]:
        """Inside, the turn is left to other calls: for waiting for a FHIR server."""
        self.give_back()
        try:
            yield
        finally:
            self.take()


class _Cut:
    """Raises OutOfTime in this thread at the deadline, unless it is off by then.

    The interpreter delivers it between two steps of Python: an evaluation is nothing but Python, and long ones are
    what has to be cut off.
    """

    def __init__(self, deadline: Deadline) -> None:
        self._thread, self._lock = get_ident(), Lock()
        self._on, self._fired = True, False
        self._timer = Timer(deadline.left, self._cut)
        self._timer.daemon = True
        self._timer.start()

    def off(self) -> None:
        """Nothing is raised any more; what is on its way is taken in here.

        It is never withdrawn by raising None: CPython would go on looking for it at every step of this process.
        """
        self._timer.cancel()
        with self._lock:
            self._on = False
            if not self._fired:
                return
        try:
            _raise_in(self._thread, OutOfTime)  # takes the place of one that was not delivered yet
            while True:
                pass
        except OutOfTime:
            return

    def _cut(self) -> None:
        with self._lock:
            if self._on:
                self._fired = True
                _raise_in(self._thread, OutOfTime)


def _raise_in(thread: int, error: type[BaseException]) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error))
