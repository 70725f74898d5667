"""What one resource contributes to a record: entries, problems, what could not be used, and from when.

Used, used with a note, or refused: ``concluded`` is the one place where that is decided (L1-L3).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime

from icans.record import Entry, Problem, Refused

#: What lies ahead of a live call is planned, not refused (F4).
PLANNED = "time-in-future"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a resource belongs in time: its instant, its local day, and from when it is known."""

    at: datetime
    day: date
    known: datetime


@dataclass(slots=True)
class Contribution:
    """known: from when this version of the resource is known, None if it does not say."""

    known: datetime | None = None
    entries: list[Entry] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)

    def not_before(self, instant: datetime) -> Contribution:
        """The same, known at that instant at the earliest (a correction is known when it was filed)."""
        return Contribution(
            max(self.known or instant, instant),
            [replace(entry, known=max(entry.known, instant)) for entry in self.entries],
            [replace(problem, known=max(problem.known or instant, instant)) for problem in self.problems],
            [replace(refused, known=max(refused.known or instant, instant)) for refused in self.refused],
        )

    def until(self, instant: datetime, by: str) -> Contribution:
        """The same, standing until that instant, when resource version ``by`` replaced it."""
        return Contribution(
            self.known,
            [replace(entry, superseded=instant, superseded_by=by) for entry in self.entries],
            [replace(problem, superseded=instant) for problem in self.problems],
            [replace(refused, superseded=instant, superseded_by=by) for refused in self.refused],
        )


def concluded(
    found: Contribution, reference: str, may_be: tuple[str, ...], place: Place | None, drug: str = ""
) -> Contribution:
    """The same, and refused if nothing of it is used although it could have changed something.

    may_be: what the resource may have been (icans.record.MAY_BE). place: its own, or the best of its other
    instants; problems without a time of their own are placed there too.
    """
    if place is not None:
        found.known = found.known or place.known
        found.problems[:] = [_placed(problem, place) for problem in found.problems]
    costly = tuple(problem for problem in found.problems if problem.affects and problem.code != PLANNED)
    if found.entries or not costly or not may_be:
        return found
    at, day, known = (place.at, place.day, place.known) if place is not None else (None, None, None)
    found.refused.append(
        Refused(reference=reference, may_be=may_be, problems=costly, drug=drug, at=at, known=known, day=day)
    )
    return found


def _placed(problem: Problem, place: Place) -> Problem:
    if problem.at is not None:
        return problem
    return replace(problem, at=place.at, known=problem.known or place.known)
