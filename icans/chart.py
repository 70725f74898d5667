"""The entries known so far, in effective order, with the look-ups around an instant that rules need."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Context, Decimal

from icans.grading.in_force import is_item
from icans.policy.policy import Policy
from icans.record import (
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
    Sedative,
)
from icans.steroids.equivalents import Amount, amount_of, clock_amount, counts_for_clock, implausibly_large

#: Datetimes are exact to the microsecond: the smallest step, and what a period divides into.
MICROSECOND = timedelta(microseconds=1)


@dataclass(slots=True)
class Instant:
    """Everything that happened at one instant, each kind in the order of its references."""

    observed: tuple[Observed, ...] = ()
    doses: tuple[Dose, ...] = ()
    sedatives: tuple[Sedative, ...] = ()
    escalations: tuple[Escalation, ...] = ()
    deaths: tuple[Death, ...] = ()
    problems: tuple[Problem, ...] = ()

    def add(self, entry: Entry) -> None:
        shelf = _shelf(entry)
        standing = getattr(self, shelf)
        setattr(self, shelf, tuple(sorted((*standing, entry), key=_order)) if standing else (entry,))

    def remove(self, entry: Entry) -> None:
        shelf = _shelf(entry)
        standing = list(getattr(self, shelf))
        standing.remove(entry)
        setattr(self, shelf, tuple(standing))

    def empty(self) -> bool:
        return not (self.observed or self.doses or self.sedatives or self.escalations or self.deaths or self.problems)


def _shelf(entry: Entry) -> str:
    if isinstance(entry, Observed):
        return "observed"
    if isinstance(entry, Dose):
        return "doses"
    if isinstance(entry, Sedative):
        return "sedatives"
    return "escalations" if isinstance(entry, Escalation) else "deaths"


@dataclass(frozen=True, slots=True)
class ClockedDoses:
    """The doses of one instant as treatment clocks see them.

    amount: their sum in mg of dexamethasone-equivalent; unknown: one of a treating drug has no known size;
    plausible: a dose of believable size is among them, so they may start a line; bridges: they keep one active;
    end: when the last of them ended; earliest: the first instant at which they may have been given.
    """

    amount: Decimal
    unknown: bool
    plausible: bool
    bridges: bool
    end: datetime
    earliest: datetime


@dataclass(frozen=True, slots=True)
class CourseStart:
    """One infusion, possibly split over several records (those within the grouping window)."""

    at: datetime
    day: date
    entries: tuple[Infusion, ...]


#: For sums that are taken apart again: no digit of a dose is rounded away.
EXACT = Context(prec=60)


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
        self.by_identifier: dict[str, list[Dose]] = {}
        self.longest_period = timedelta(0)
        self.has_documented = False
        self.dose_instants: list[datetime] = []
        self.period_instants: list[datetime] = []
        self.weighed: dict[datetime, list[tuple[Dose, Amount]]] = {}
        self.sums: list[tuple[Decimal, int]] = []  # up to and including each of the first dose instants
        self.unusable: list[str] = []
        self.clocked: dict[datetime, ClockedDoses | None] = {}

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
        if isinstance(entry, Dose):
            for identifier in entry.identifiers:
                insort(self.by_identifier.setdefault(identifier, []), entry, key=lambda d: (d.at, d.reference))
            if is_period(entry) and entry.end is not None:
                self.longest_period = max(self.longest_period, entry.end - entry.at)
                insort(self.period_instants, entry.at)
            index = bisect_left(self.dose_instants, entry.at)
            if index == len(self.dose_instants) or self.dose_instants[index] != entry.at:
                self.dose_instants.insert(index, entry.at)
            self._forget(entry)
            return entry.at
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
        if isinstance(entry, Dose):
            if is_period(entry):
                self.period_instants.remove(entry.at)
            if not instant.doses:
                self.dose_instants.remove(entry.at)
            self._forget(entry)
            for identifier in entry.identifiers:
                self.by_identifier[identifier].remove(entry)
            # a line of treatment may have begun a qualifying window earlier
            return entry.at - self.policy.qualifying_window
        return reach

    def add_problem(self, at: datetime, problem: Problem) -> datetime:
        instant = self._instant(at)
        instant.problems = (*instant.problems, problem)
        return at

    def remove_problem(self, at: datetime, problem: Problem) -> datetime:
        instant = self.at[at]
        standing = list(instant.problems)
        standing.remove(problem)
        instant.problems = tuple(standing)
        self._drop_if_empty(at)
        return at

    def _drop_if_empty(self, at: datetime) -> None:
        if self.at[at].empty():
            del self.at[at]
            self.instants.remove(at)

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

    def _forget(self, dose: Dose) -> None:
        """Drop what was worked out for the doses that this one may repeat or be repeated by."""
        instants = {dose.at}.union(other.at for i in dose.identifiers for other in self.by_identifier[i])
        until = dose.at + self.policy.duplicate_window
        for index in range(bisect_left(self.dose_instants, dose.at), len(self.dose_instants)):
            if self.dose_instants[index] > until:
                break
            instants.add(self.dose_instants[index])
        for at in instants:
            self.weighed.pop(at, None)
            self.clocked.pop(at, None)
        del self.sums[bisect_left(self.dose_instants, min(instants)) :]
        del self.unusable[self.sums[-1][1] if self.sums else 0 :]

    def weighed_between(self, start: datetime, end: datetime) -> Iterator[tuple[Dose, Amount]]:
        """Doses that start in [start, end), each with what it counts for; duplicates left out."""
        for index in range(bisect_left(self.dose_instants, start), bisect_left(self.dose_instants, end)):
            yield from self._weighed_at(self.dose_instants[index])

    def _weighed_at(self, at: datetime) -> list[tuple[Dose, Amount]]:
        weighed = self.weighed.get(at)
        if weighed is None:
            standing = [dose for dose in self.at[at].doses if not self.duplicate_of(dose)]
            weighed = self.weighed[at] = [(dose, amount_of(dose, self.policy)) for dose in standing]
        return weighed

    def weighed_periods(self, start: datetime, end: datetime) -> Iterator[tuple[Dose, Amount]]:
        """Those of them that are given over a period."""
        first, last = bisect_left(self.period_instants, start), bisect_left(self.period_instants, end)
        for at in dict.fromkeys(self.period_instants[first:last]):
            yield from ((dose, amount) for dose, amount in self._weighed_at(at) if is_period(dose))

    def given_between(self, after: datetime, until: datetime) -> tuple[Decimal, list[str]]:
        """Systemic dexamethasone-equivalent mg given at single instants in (after, until], and the references of the
        doses of that time, those over a period among them, that have no usable amount."""
        first, last = bisect_right(self.dose_instants, after), bisect_right(self.dose_instants, until)
        while len(self.sums) < last:
            mg = self.sums[-1][0] if self.sums else Decimal(0)
            for dose, amount in self._weighed_at(self.dose_instants[len(self.sums)]):
                if dose.route != "intrathecal" and not amount.usable:
                    self.unusable.append(dose.reference)
                elif dose.route == "systemic" and amount.lower and not is_period(dose):
                    mg = EXACT.add(mg, amount.lower)
            self.sums.append((mg, len(self.unusable)))
        nothing = (Decimal(0), 0)
        before, through = self.sums[first - 1] if first else nothing, self.sums[last - 1] if last else nothing
        return EXACT.subtract(through[0], before[0]), self.unusable[before[1] : through[1]]

    def last_doses(self, before: datetime) -> list[Dose]:
        """The doses of the last instant before that one; duplicates left out."""
        index = bisect_left(self.dose_instants, before) - 1
        return [dose for dose, _ in self._weighed_at(self.dose_instants[index])] if index >= 0 else []

    def clocked_between(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, ClockedDoses]]:
        """The doses that start in [start, end) as treatment clocks see them, by instant."""
        for index in range(bisect_left(self.dose_instants, start), bisect_left(self.dose_instants, end)):
            clocked = self.clocked_at(self.dose_instants[index])
            if clocked is not None:
                yield self.dose_instants[index], clocked

    def clocked_back_from(self, end: datetime, start: datetime) -> Iterator[ClockedDoses]:
        """The doses that start in [start, end) as treatment clocks see them, the latest first."""
        for index in range(bisect_left(self.dose_instants, end) - 1, -1, -1):
            if self.dose_instants[index] < start:
                return
            clocked = self.clocked_at(self.dose_instants[index])
            if clocked is not None:
                yield clocked

    def clocked_at(self, at: datetime) -> ClockedDoses | None:
        """The doses of one instant, duplicates left out, as treatment clocks see them; None if none counts for one."""
        if at in self.clocked:
            return self.clocked[at]
        policy = self.policy
        weighed = self._weighed_at(at)
        amounts = [(clock_amount(d, policy), d) for d, amount in weighed if counts_for_clock(d, amount)]
        absurd = [d for d, amount in weighed if d.drug in policy.initiating_drugs and implausibly_large(d, amount)]
        clocked = None
        if amounts or absurd:
            total = sum((a for a, _ in amounts if a is not None), Decimal(0))
            unknown = any(a is None and d.drug in policy.initiating_drugs for a, d in amounts)
            given = [*(d for _, d in amounts), *absurd]
            clocked = ClockedDoses(
                amount=total,
                unknown=unknown,
                plausible=bool(amounts),
                bridges=unknown or bool(absurd) or total >= policy.bridging_dose,
                end=max(d.end or d.at for d in given),
                earliest=min(d.earliest for d in given),
            )
        self.clocked[at] = clocked
        return clocked

    def duplicate_of(self, dose: Dose) -> Dose | None:
        """The dose that this one repeats: same identifier, or same drug, route, amount and start within a minute."""
        for identifier in dose.identifiers:
            first = self.by_identifier[identifier][0]
            if first is not dose:
                return first
        start = dose.at - self.policy.duplicate_window
        for index in range(bisect_left(self.dose_instants, start), len(self.dose_instants)):
            at = self.dose_instants[index]
            if at > dose.at:
                break
            for other in self.at[at].doses:
                if (other.at, other.reference) < (dose.at, dose.reference) and _same_dose(other, dose):
                    if self.duplicate_of(other) is None:
                        return other
        return None


def is_period(dose: Dose) -> bool:
    """Given over a period, not at an instant."""
    return dose.end is not None and dose.end > dose.at


def _same_dose(one: Dose, other: Dose) -> bool:
    return (
        one.drug == other.drug
        and one.route == other.route
        and one.amount_known
        and one.lower_mg == other.lower_mg
        and one.upper_mg == other.upper_mg
    )


def starts_monitoring(entry: Observed) -> bool:
    """Whether an entry starts monitoring where no infusion is known: an ICE value or a documented grade."""
    return isinstance(entry, (IceTotal, IceItem, DocumentedGrade)) and not entry.other_cause


def is_death(entry: Observed) -> bool:
    """A documented grade 5: death due to ICANS."""
    return isinstance(entry, DocumentedGrade) and entry.grade == 5 and not entry.other_cause
