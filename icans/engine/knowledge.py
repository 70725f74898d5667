"""What becomes known when, and what is corrected when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

from icans.record import Entry, Problem, Record, Refused


class Knowledge:
    """What becomes known, and what no longer stands, instant by instant; problems with where they stand.

    ``call``: the instant that is asked for, None for the last one known. What could not be used and has no instant
    of its own stands there (L2), other problems without a time at the first known instant of the record.
    """

    def __init__(self, record: Record, call: datetime | None = None) -> None:
        self.added: dict[datetime, list[Entry]] = defaultdict(list)
        self.removed: dict[datetime, list[Entry]] = defaultdict(list)
        self.problems: dict[datetime, list[tuple[datetime, Problem]]] = defaultdict(list)
        self.corrected: dict[datetime, list[tuple[datetime, Problem]]] = defaultdict(list)
        self.refused: dict[datetime, list[tuple[datetime, Refused]]] = defaultdict(list)
        self.replaced: dict[datetime, list[tuple[datetime, Refused]]] = defaultdict(list)
        for entry in _entries(record):
            self.added[entry.known].append(entry)
            if entry.superseded is not None:
                self.removed[entry.superseded].append(entry)
        known = {*self.added, *self.removed, *(r.known for r in record.refused if r.known is not None)}
        first = min(known, default=call)
        last = call or max((*known, *(p.known for p in record.problems if p.known is not None)), default=None)
        unplaced = {problem for one in record.refused if not one.placed for problem in one.problems}
        for problem in record.problems:
            elsewhere = last if problem in unplaced else first
            since = problem.known or problem.at or elsewhere
            at = problem.at or elsewhere
            if since is None or at is None or problem.code == "partial-data":
                continue
            placed = (min(at, since), problem)
            self.problems[max(since, placed[0])].append(placed)
            if problem.superseded is not None and problem.superseded > since:
                self.corrected[problem.superseded].append(placed)
        for one in record.refused:
            at = one.at or last
            if at is None:
                continue
            self.refused[max(one.known or at, at)].append((at, one))
            if one.superseded is not None and one.superseded > (one.known or at):
                self.replaced[one.superseded].append((at, one))
        self.instants = sorted(
            {*self.added, *self.removed, *self.problems, *self.corrected, *self.refused, *self.replaced}
        )

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
