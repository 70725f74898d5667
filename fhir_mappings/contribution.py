"""What one resource contributes to a record: entries, problems, and from when it is known."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from icans.record import Entry, Problem


@dataclass(slots=True)
class Contribution:
    """known: from when this version of the resource is known, None if it does not say."""

    known: datetime | None = None
    entries: list[Entry] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def not_before(self, instant: datetime) -> Contribution:
        """The same, known at that instant at the earliest (a correction is known when it was filed)."""
        return Contribution(
            max(self.known or instant, instant),
            [replace(entry, known=max(entry.known, instant)) for entry in self.entries],
            [replace(problem, known=max(problem.known or instant, instant)) for problem in self.problems],
        )

    def until(self, instant: datetime, by: str) -> Contribution:
        """The same, standing until that instant, when resource version ``by`` replaced it."""
        return Contribution(
            self.known,
            [replace(entry, superseded=instant, superseded_by=by) for entry in self.entries],
            [replace(problem, superseded=instant) for problem in self.problems],
        )
