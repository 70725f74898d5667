"""Reading the Medications that administrations refer to, one by one: servers differ in what they include."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from cds_service.fhir_client.client import GONE, FhirClient, Search
from cds_service.fhir_client.deadlines import NOT_IN_TIME
from cds_service.fhir_client.pages import Unreadable
from cds_service.fhir_client.values import entries_of


class MedicationReads:
    """Reads Medications one by one, a few at a time."""

    #: How many are read at most for one call.
    MOST = 100
    SIDE_BY_SIDE = 8

    def __init__(self, client: FhirClient, references: list[str]) -> None:
        self.client = client
        self.wanted = references[: self.MOST]
        self.left_out = len(references) - len(self.wanted)
        self.read: dict[str, bytes] = {}
        self.cut: str | None = None
        self.seconds = 0.0
        self._queue = list(self.wanted)
        self._lock = threading.Lock()

    def tasks(self) -> dict[str, Callable[[], None]]:
        """To be run side by side."""
        return {f"medications {number}": self._work for number in range(min(self.SIDE_BY_SIDE, len(self.wanted)))}

    def _work(self) -> None:
        started = time.monotonic()
        while True:
            with self._lock:
                if not self._queue:
                    self.seconds = max(self.seconds, time.monotonic() - started)
                    return
                reference = self._queue.pop(0)
            try:
                self.read[reference] = self.client.read(reference)
            except Unreadable as error:
                # One that is not there is reported where the administration is read.
                if error.status not in GONE:
                    self.cut = error.reason

    def found(self, given: bytes | None, undone: Mapping[str, str]) -> Search | None:
        """All that could be read, with the Medications given already; ``cut``: why not all. None if none was wanted.

        undone: as side_by_side gives it.
        """
        if not self.wanted:
            return None
        left_out = self.left_out and f"has more than {self.MOST} to read"
        failed = next((reason for name, reason in undone.items() if name in self.tasks()), None)
        cut = self.cut or failed or (NOT_IN_TIME if self._queue else left_out or None)
        found = Search("Medication/ID", pages=1, cut=cut, seconds=self.seconds)
        found.entries = [b'{"resource":' + self.read[name] + b"}" for name in self.wanted if name in self.read]
        found.size = sum(map(len, found.entries))
        found.types = ["Medication"] * len(found.entries)
        found.entries.extend(entries_of(given) if given is not None else ())
        return found
