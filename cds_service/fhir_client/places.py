"""How many calls may wait for FHIR servers at once: one that hangs must not take the threads of all others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from cds_service.fhir_client.addresses import origin

#: Calls that wait at once: for all FHIR servers, and for one of them.
ALL, ONE_SERVER = 48, 32


class Places:
    """The places that calls take while they fetch. Servers are distinguished by their origin."""

    def __init__(self, most: int = ALL, most_of_one: int = ONE_SERVER) -> None:
        self._most, self._most_of_one = most, most_of_one
        self._taken: Counter[object] = Counter()
        self._lock = Lock()

    @contextmanager
    def taken(self, base: str) -> Iterator[bool]:
        """Inside, a place is taken; False: there was none, and nothing is to be fetched."""
        server = origin(base)
        with self._lock:
            has_place = self._taken.total() < self._most and self._taken[server] < self._most_of_one
            self._taken[server] += has_place
        try:
            yield has_place
        finally:
            with self._lock:
                self._taken[server] -= has_place
                if not self._taken[server]:
                    del self._taken[server]
