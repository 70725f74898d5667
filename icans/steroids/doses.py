"""Doses by instant: what each counts for, which two rows are one dose, and what treatment clocks see."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Context, Decimal

from icans.chart import Chart
from icans.policy.policy import Policy
from icans.record import Dose, Problem
from icans.steroids.equivalents import Amount, amount_of, clock_amount, counts_for_clock, implausibly_large

Kind = tuple[str, str, str, Decimal, Decimal | None]
#: For sums that are taken apart again: no digit of a dose is rounded away.
EXACT = Context(prec=60)


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


class Doses:
    """The doses of a chart, with what was worked out for them kept until a dose near them comes or goes."""

    def __init__(self, chart: Chart, policy: Policy) -> None:
        self.chart = chart
        self.policy = policy
        self.by_identifier: dict[str, list[Dose]] = {}
        self.by_kind: dict[Kind, list[Dose]] = {}
        self.repeats: dict[datetime, dict[int, Dose | None]] = {}  # by instant, and dose
        self.longest_period = timedelta(0)
        self.dose_instants: list[datetime] = []
        self.period_instants: list[datetime] = []
        self.weighed: dict[datetime, list[tuple[Dose, Amount]]] = {}
        self.sums: list[tuple[Decimal, int]] = []  # up to and including each of the first dose instants
        self.unusable: list[str] = []
        self.clocked: dict[datetime, ClockedDoses | None] = {}

    def add(self, dose: Dose) -> datetime:
        """Take a dose that the chart holds; returns the earliest instant whose result may depend on it."""
        changed = {dose.at}
        for identifier in dose.identifiers:
            same = self.by_identifier.setdefault(identifier, [])
            insort(same, dose, key=_place)
            if same[0] is dose:
                changed.update(other.at for other in same)
        insort(self.by_kind.setdefault(_kind(dose), []), dose, key=_place)
        if is_period(dose) and dose.end is not None:
            self.longest_period = max(self.longest_period, dose.end - dose.at)
            insort(self.period_instants, dose.at)
        index = bisect_left(self.dose_instants, dose.at)
        if index == len(self.dose_instants) or self.dose_instants[index] != dose.at:
            self.dose_instants.insert(index, dose.at)
        self._forget(changed)
        return dose.at

    def remove(self, dose: Dose) -> datetime:
        """Drop a dose that the chart no longer holds; returns what ``add`` returns."""
        changed = {dose.at}
        for identifier in dose.identifiers:
            same = self.by_identifier[identifier]
            if same[0] is dose:
                changed.update(other.at for other in same)
            _take_out(dose, same)
        _take_out(dose, self.by_kind[_kind(dose)])
        self._forget(changed)
        if is_period(dose):
            del self.period_instants[bisect_left(self.period_instants, dose.at)]
        instant = self.chart.at.get(dose.at)
        if instant is None or not instant.doses:
            del self.dose_instants[bisect_left(self.dose_instants, dose.at)]
        # a line of treatment may have begun a qualifying window earlier
        return dose.at - self.policy.qualifying_window

    def _forget(self, changed: set[datetime]) -> None:
        """Drop what was worked out for the doses of these instants, and for those that may repeat one of them: a
        dose repeats only a first one, so what comes within the window of a repetition may change with it."""
        stale: set[datetime] = set()
        for instant in changed:
            until = instant + self.policy.duplicate_window
            for index in range(bisect_left(self.dose_instants, instant), len(self.dose_instants)):
                at = self.dose_instants[index]
                if at > until or at in stale:
                    break
                stale.add(at)
                until = at + self.policy.duplicate_window
        for at in stale:
            self.repeats.pop(at, None)
            self.weighed.pop(at, None)
            self.clocked.pop(at, None)
        del self.sums[bisect_left(self.dose_instants, min(changed)) :]
        del self.unusable[self.sums[-1][1] if self.sums else 0 :]

    def weighed_between(self, start: datetime | None, end: datetime) -> Iterator[tuple[Dose, Amount]]:
        """Doses that start in [start, end), each with what it counts for; duplicates left out. start None: all."""
        first = bisect_left(self.dose_instants, start) if start is not None else 0
        for index in range(first, bisect_left(self.dose_instants, end)):
            yield from self.weighed_at(self.dose_instants[index])

    def weighed_at(self, at: datetime) -> list[tuple[Dose, Amount]]:
        weighed = self.weighed.get(at)
        if weighed is None:
            given = [dose for dose in self.chart.at[at].doses if self.duplicate_of(dose) is None]
            weighed = self.weighed[at] = [(dose, amount_of(dose, self.policy)) for dose in given]
        return weighed

    def weighed_periods(self, start: datetime, end: datetime) -> Iterator[tuple[Dose, Amount]]:
        """Those of them that are given over a period."""
        first, last = bisect_left(self.period_instants, start), bisect_left(self.period_instants, end)
        for at in dict.fromkeys(self.period_instants[first:last]):
            yield from ((dose, amount) for dose, amount in self.weighed_at(at) if is_period(dose))

    def given_between(self, after: datetime | None, until: datetime) -> tuple[Decimal, list[str]]:
        """Systemic dexamethasone-equivalent mg given at single instants in (after, until], and the references of the
        doses of that time, those over a period among them, that have no usable amount."""
        first = bisect_right(self.dose_instants, after) if after is not None else 0
        last = bisect_right(self.dose_instants, until)
        while len(self.sums) < last:
            mg = self.sums[-1][0] if self.sums else Decimal(0)
            for dose, amount in self.weighed_at(self.dose_instants[len(self.sums)]):
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
        return [dose for dose, _ in self.weighed_at(self.dose_instants[index])] if index >= 0 else []

    def last_systemic(self, until: datetime) -> Dose | None:
        """The latest dose up to and including ``until`` that is not intrathecal; duplicates left out."""
        for index in range(bisect_right(self.dose_instants, until) - 1, -1, -1):
            given = [d for d, _ in self.weighed_at(self.dose_instants[index]) if d.route != "intrathecal"]
            if given:
                return given[-1]
        return None

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
        weighed = self.weighed_at(at)
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
        known = self.repeats.setdefault(dose.at, {})
        if id(dose) not in known:
            known[id(dose)] = self._first_of_identifier(dose) or self._first_of_kind(dose)
        return known[id(dose)]

    def _first_of_identifier(self, dose: Dose) -> Dose | None:
        for identifier in dose.identifiers:
            first = self.by_identifier[identifier][0]
            if first is not dose:
                return first
        return None

    def _first_of_kind(self, dose: Dose) -> Dose | None:
        if not dose.amount_known:
            return None
        same = self.by_kind[_kind(dose)]
        start = dose.at - self.policy.duplicate_window
        for index in range(bisect_left(same, (start, ""), key=_place), bisect_left(same, _place(dose), key=_place)):
            if self.duplicate_of(same[index]) is None:
                return same[index]
        return None


def _place(dose: Dose) -> tuple[datetime, str]:
    return dose.at, dose.reference


def _kind(dose: Dose) -> Kind:
    """What doses have in common that may be one."""
    return dose.drug, dose.route, dose.way, dose.lower_mg, dose.upper_mg


def _take_out(dose: Dose, doses: list[Dose]) -> None:
    del doses[doses.index(dose, bisect_left(doses, _place(dose), key=_place))]


def is_period(dose: Dose) -> bool:
    """Given over a period, not at an instant."""
    return dose.end is not None and dose.end > dose.at


def duplicate_problem(dose: Dose, first: Dose) -> Problem:
    """Says that a dose repeats another: under the same identifier surely, by time and amount possibly."""
    same_identifier = bool(dose.identifiers & first.identifiers)
    how = "carries the identifier of" if same_identifier else "repeats"
    message = f"{dose.shown} of {dose.drug} {how} {first.reference}; it is counted once."
    affects = () if same_identifier else ("dose",)
    return Problem("duplicate", dose.reference, dose.element, message, dose.at, None, affects)


def reading_dropped(dose: Dose) -> Problem:
    """Reports that one of two readings of an amount is no plausible dose."""
    message = f"One reading of {dose.shown} of {dose.drug} is not a plausible single dose; the smaller one counts."
    return Problem("value-out-of-range", dose.reference, dose.element, message, dose.at, None, ("dose",))
