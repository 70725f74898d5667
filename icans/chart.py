"""The entries known so far, in effective order, with the look-ups around an instant that rules need."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import date, datetime, timedelta

from icans.policy.policy import Policy
from icans.record import (
    CrsGrade,
    Death,
    DocumentedGrade,
    Dose,
    Entry,
    Escalation,
    IceItem,
    IceTotal,
    Infusion,
    Observed,
    Problem,
    Refused,
    Sedative,
    is_item,
)

#: Datetimes are exact to the microsecond: the smallest step, and what a period divides into.
MICROSECOND = timedelta(microseconds=1)


@dataclass(slots=True)
class Instant:
    """Everything that happened at one instant, each kind in the order of its references."""

    observed: list[Observed] = field(default_factory=list)
    doses: list[Dose] = field(default_factory=list)
    sedatives: list[Sedative] = field(default_factory=list)
    escalations: list[Escalation] = field(default_factory=list)
    crs_grades: list[CrsGrade] = field(default_factory=list)
    deaths: list[Death] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)

    def add(self, entry: Entry) -> None:
        insort(getattr(self, _shelf(entry)), entry, key=_order)

    def remove(self, entry: Entry) -> None:
        standing = getattr(self, _shelf(entry))
        del standing[standing.index(entry, bisect_left(standing, _order(entry), key=_order))]

    def empty(self) -> bool:
        return not any(getattr(self, shelf.name) for shelf in fields(self))


def _shelf(entry: Entry) -> str:
    if isinstance(entry, Observed):
        return "observed"
    if isinstance(entry, Dose):
        return "doses"
    if isinstance(entry, Sedative):
        return "sedatives"
    if isinstance(entry, CrsGrade):
        return "crs_grades"
    return "escalations" if isinstance(entry, Escalation) else "deaths"


@dataclass(frozen=True, slots=True)
class CourseStart:
    """One infusion, possibly split over several records (those within the grouping window)."""

    at: datetime
    day: date
    entries: tuple[Infusion, ...]


def _order(entry: Entry) -> tuple[str, str, str]:
    return entry.reference, entry.element, entry.shown


class Chart:
    """Known entries by instant. ``add`` and ``remove`` return from which instant the history changes."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.instants: list[datetime] = []
        self.at: dict[datetime, Instant] = {}
        self.infusions: list[Infusion] = []
        self.escalations: list[Escalation] = []
        self.courses: dict[datetime, CourseStart] = {}
        self.has_documented = False
        self.deaths: list[Death] = []

    def _instant(self, at: datetime) -> Instant:
        instant = self.at.get(at)
        if instant is None:
            instant = self.at[at] = Instant()
            if self.instants and at > self.instants[-1]:
                self.instants.append(at)
            else:
                insort(self.instants, at)
        return instant

    def add(self, entry: Entry) -> datetime | None:
        """Take an entry; returns the earliest instant whose result may depend on it, None for "all"."""
        if isinstance(entry, Infusion):
            self.infusions.append(entry)
            self._group_infusions()
            return None
        self._instant(entry.at).add(entry)
        if isinstance(entry, Escalation):
            self.escalations.append(entry)
        elif isinstance(entry, DocumentedGrade):
            self.has_documented = True
        elif isinstance(entry, Death):
            self.deaths.append(entry)
        return self._reach(entry)

    def remove(self, entry: Entry) -> datetime | None:
        """Drop an entry that no longer stands; returns what ``add`` returns."""
        if isinstance(entry, Infusion):
            self.infusions.remove(entry)
            self._group_infusions()
            return None
        reach = self._reach(entry)
        instant = self.at[entry.at]
        instant.remove(entry)
        self._drop_if_empty(entry.at)
        if isinstance(entry, Escalation):
            self.escalations.remove(entry)
        elif isinstance(entry, Death):
            self.deaths.remove(entry)
        return reach

    def uncontradicted_deaths(self) -> frozenset[datetime]:
        """The instants of recorded deaths with no infusion after them, and nothing charted or given a while later."""
        return frozenset([death.at for death in self.deaths if not self._alive_after(death.at)])

    def _alive_after(self, death: datetime) -> bool:
        if any(infusion.at > death for infusion in self.infusions):
            return True
        later = bisect_right(self.instants, death + self.policy.death_contradiction)
        charted = [self.at[at] for at in self.instants[later:]]
        return any(one.observed or one.doses or one.sedatives or one.escalations or one.crs_grades for one in charted)

    def add_problem(self, at: datetime, problem: Problem) -> datetime:
        self._instant(at).problems.append(problem)
        return at

    def remove_problem(self, at: datetime, problem: Problem) -> datetime:
        self.at[at].problems.remove(problem)
        self._drop_if_empty(at)
        return at

    def add_refused(self, at: datetime, refused: Refused) -> datetime:
        """Take what could not be used, at its place."""
        insort(self._instant(at).refused, refused, key=lambda one: one.reference)
        return at

    def remove_refused(self, at: datetime, refused: Refused) -> datetime:
        """Drop what a later version has replaced."""
        self.at[at].refused.remove(refused)
        self._drop_if_empty(at)
        return at

    def _drop_if_empty(self, at: datetime) -> None:
        if self.at[at].empty():
            del self.at[at]
            del self.instants[bisect_left(self.instants, at)]

    def _reach(self, entry: Entry) -> datetime:
        """Item groups and documented grades look ahead, so an entry reaches back to them."""
        earliest = entry.at
        if isinstance(entry, Observed) and is_item(entry):
            for other in self._observed(entry.at - self.policy.ice_item_window, entry.at):
                if is_item(other):
                    earliest = min(earliest, other.at)
        if self.has_documented and isinstance(entry, (Observed, Sedative)):
            for other in self._observed(earliest - self.policy.combination_window, entry.at):
                if isinstance(other, DocumentedGrade):
                    earliest = min(earliest, other.at)
        return earliest

    def _group_infusions(self) -> None:
        self.courses = {}
        remaining = sorted(self.infusions, key=lambda i: (i.at, i.reference))
        while remaining:
            first = remaining[0].at
            group = [i for i in remaining if i.at <= first + self.policy.infusion_grouping]
            remaining = [i for i in remaining if i not in group]
            day = min(i.day for i in group)
            same_day = [i for i in group if i.day == day]
            chosen = min(same_day, key=lambda i: (not i.precise, i.source != "administration", i.at, i.reference))
            self.courses[chosen.at] = CourseStart(chosen.at, chosen.day, tuple(group))

    # -- looking around an instant ----------------------------------------------------------------

    def next_after(self, at: datetime | None) -> datetime | None:
        """The next instant at which anything happened."""
        index = 0 if at is None else bisect_right(self.instants, at)
        upcoming = self.instants[index] if index < len(self.instants) else None
        for start in self.courses:
            if (at is None or start > at) and (upcoming is None or start < upcoming):
                upcoming = start
        return upcoming

    def between(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, Instant]]:
        """Instants in [start, end)."""
        for index in range(bisect_left(self.instants, start), len(self.instants)):
            at = self.instants[index]
            if at >= end:
                return
            yield at, self.at[at]

    def _observed(self, start: datetime, end: datetime) -> Iterator[Observed]:
        for _, instant in self.between(start, end):
            yield from instant.observed

    def items_from(self, at: datetime) -> list[Observed]:
        """Loose ICE items in the item window from ``at`` on, in order."""
        end = at + self.policy.ice_item_window + MICROSECOND
        return [e for e in self._observed(at, end) if is_item(e) and not e.other_cause]


def starts_monitoring(entry: Observed) -> bool:
    """Whether an entry starts monitoring where no infusion is known: an ICE value or a documented grade."""
    return isinstance(entry, (IceTotal, IceItem, DocumentedGrade)) and not entry.other_cause


def contradicted(death: Death) -> Problem:
    """A death that the record contradicts ends nothing."""
    message = "The patient was assessed, treated or infused after this recorded death; it is not used."
    return Problem("conflicting-values", death.reference, death.element, message, death.at, None, ("grade",))


def is_death(entry: Observed) -> bool:
    """A documented grade 5: death due to ICANS."""
    return isinstance(entry, DocumentedGrade) and entry.grade == 5 and not entry.other_cause
