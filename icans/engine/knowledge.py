"""What becomes known when, and what is corrected when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

from icans.record import Entry, Problem, Record


class Knowledge:
    """What becomes known, and what no longer stands, instant by instant; problems with where they stand."""

    def __init__(self, record: Record) -> None:
        self.added: dict[datetime, list[Entry]] = defaultdict(list)
        self.removed: dict[datetime, list[Entry]] = defaultdict(list)
        self.problems: dict[datetime, list[tuple[datetime, Problem]]] = defaultdict(list)
        self.corrected: dict[datetime, list[tuple[datetime, Problem]]] = defaultdict(list)
        for entry in _entries(record):
            self.added[entry.known].append(entry)
            if entry.superseded is not None:
                self.removed[entry.superseded].append(entry)
        first = min((*self.added, *self.removed), default=None)
        for problem in record.problems:
            since = problem.known or problem.at or first
            at = problem.at or first
            if since is None or at is None or problem.code == "partial-data":
                continue
            placed = (min(at, since), problem)
            self.problems[max(since, placed[0])].append(placed)
            if problem.superseded is not None and problem.superseded > since:
                self.corrected[problem.superseded].append(placed)
        self.instants = sorted({*self.added, *self.removed, *self.problems, *self.corrected})

    def cause(self, instant: datetime) -> str | None:
        """The correction that a withdrawal is put down to: a replacing version before a new entry."""
        added, removed = self.added.get(instant, ()), self.removed.get(instant, ())
        if len(added) == 1 and not removed:
            return added[0].reference
        replaced = sorted(e.superseded_by or e.reference for e in removed)
        new = sorted(e.reference for e in added)
        return replaced[0] if replaced else new[0] if new else None


def _entries(record: Record) -> Iterator[Entry]:
    yield from record.observed
    yield from record.infusions
    yield from record.doses
    yield from record.sedatives
    yield from record.escalations
    yield from record.crs_grades
    if record.death is not None:
        yield record.death
