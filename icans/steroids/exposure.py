"""Steroid exposure: what was given since the infusion, in mg of dexamethasone-equivalent, as bounds.

Unknown amounts, routes and ends stay out of the lower bound and in the upper one; doses over a period
accrue linearly and exactly. Amounts are Decimal milligrams.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import NamedTuple

from icans.carried import Carried
from icans.chart import MICROSECOND
from icans.findings import CountedDose
from icans.policy.policy import Policy
from icans.record import Dose, Refused
from icans.steroids.doses import Doses, is_period
from icans.steroids.equivalents import ZERO, Amount, Sum, amount_of, clock_amount, counts_for_clock

#: More than 28 digits lose of a sum in mg, and less than is given in a microsecond.
ROUNDED_AWAY = Fraction(1, 10**15)
#: "The last 24 hours".
RECENT = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Accruing:
    """A dose over a period that is still being given: ``equivalent`` mg between ``start`` and ``end``."""

    dose: Dose
    start: datetime
    end: datetime
    equivalent: Decimal
    counted_from: datetime

    def given(self, at: datetime) -> Decimal:
        """Dexamethasone-equivalent mg given from ``counted_from`` to ``at``."""
        begin, until = max(self.start, self.counted_from), min(at, self.end)
        if until <= begin:
            return ZERO
        if begin == self.start and until == self.end:
            return self.equivalent
        return (
            self.equivalent * Decimal((until - begin) // MICROSECOND) / Decimal((self.end - self.start) // MICROSECOND)
        )

    def exactly(self, at: datetime) -> Fraction:
        """``given`` without rounding."""
        begin, until = max(self.start, self.counted_from), max(min(at, self.end), self.start)
        share = Fraction(max(until - begin, timedelta(0)) // MICROSECOND, (self.end - self.start) // MICROSECOND)
        return Fraction(self.equivalent) * share

    def left(self, at: datetime) -> Decimal:
        """Dexamethasone-equivalent mg still to be given after ``at``."""
        return self.given(self.end) - self.given(at)


class Exposure(Carried):
    """Running sums of one course, as of the last instant processed; copied for checkpoints."""

    def __init__(self, infusion_day: date | None = None, since: datetime | None = None) -> None:
        self.infusion_day = infusion_day
        self.since = since
        self.sum = Sum()  # what accrues is in its upper bound from the start, in its lower one when it has ended
        self.accruing: tuple[Accruing, ...] = ()
        self.uncounted = 0
        self.unreadable: tuple[Refused, ...] = ()  # administrations that may have been of a steroid
        self.administrations = 0
        self.days: tuple[date, ...] = ()
        self.last_days: Mapping[date, Decimal] = {}  # what was given on each of the last days, in full
        self.day_count = 0
        self.at_onset: Decimal | None = None
        self.day_0_to_30 = ZERO
        self.before_infusion = ZERO
        self.intrathecal: Mapping[str, Decimal] = {}
        self.by_drug: Mapping[str, Decimal] = {}
        self.tiers_crossed = 0
        self.waiting: tuple[tuple[datetime, Decimal], ...] = ()  # tiers that are reached, and when they are reported
        self.last_end: datetime | None = None  # of a counted dose
        self.days_reported = False

    def total_at(self, at: datetime) -> Decimal:
        """Dexamethasone-equivalent mg given since the course began, at least."""
        return self.sum.lower + sum((a.given(at) for a in self.accruing), ZERO)

    def sum_at(self, at: datetime) -> Sum:
        """What was given since the course began."""
        ahead = sum((a.left(at) for a in self.accruing), ZERO)
        return Sum(self.total_at(at), None if self.sum.upper is None else self.sum.upper - ahead)

    def restart(self, at: datetime, day: date) -> Exposure:
        """The sums of a course that begins at ``at``; what was given before is kept apart."""
        fresh = Exposure(day, at)
        fresh.before_infusion = self.before_infusion + self.total_at(at)
        fresh.accruing = tuple(Accruing(a.dose, a.start, a.end, a.equivalent, at) for a in self.accruing if a.end > at)
        fresh.sum = Sum(ZERO, sum((a.given(a.end) for a in fresh.accruing), ZERO))
        return fresh

    def settle(self, at: datetime) -> None:
        """Move periods that have ended into the sum."""
        if any(a.end <= at for a in self.accruing):
            for accrued in self.accruing:
                if accrued.end <= at:
                    self.sum = self.sum.plus(accrued.given(accrued.end), ZERO)
                    self.last_end = accrued.end
            self.accruing = tuple(a for a in self.accruing if a.end > at)

    def give(self, dose: Dose, repeated: Dose | None, policy: Policy) -> Amount:
        """Take a dose at its start, with the earlier one that it repeats; returns what it counts for."""
        amount = amount_of(dose, policy)
        if dose.route == "intrathecal":
            if repeated is None and dose.amount_known:
                known = self.intrathecal.get(dose.drug, ZERO)
                self.intrathecal = {**self.intrathecal, dose.drug: known + dose.lower_mg}
            return amount
        if repeated is not None:
            if not dose.identifiers & repeated.identifiers and amount.upper is not None:
                self.sum = self.sum.plus(ZERO, amount.upper)
            return amount
        if counts_for_clock(dose, amount):
            self._count_day(dose, policy)
        self.administrations += 1
        if not amount.usable:
            self.uncounted += 1
        self.sum = self.sum.plus(ZERO, amount.upper)
        if amount.lower:
            self._count(dose, amount, policy)
        return amount

    def _count_day(self, dose: Dose, policy: Policy) -> None:
        """A day counts from the dose with which its doses, each in full, reach the minimum, or of unknown size."""
        size = clock_amount(dose, policy)
        given = self.last_days.get(dose.day, ZERO) + (size or ZERO)
        self.last_days = {**dict([*self.last_days.items()][-2:]), dose.day: given}
        unknown = size is None and dose.drug in policy.initiating_drugs
        if dose.day not in self.days and (unknown or given >= policy.steroid_day_minimum):
            self.days = (*self.days[-2:], dose.day)
            self.day_count += 1

    def _count(self, dose: Dose, amount: Amount, policy: Policy) -> None:
        if is_period(dose) and dose.end is not None:
            self.accruing = (*self.accruing, Accruing(dose, dose.at, dose.end, amount.lower, dose.at))
        else:
            self.sum = self.sum.plus(amount.lower, ZERO)
            self.last_end = dose.at
        self.by_drug = {**self.by_drug, dose.drug: self.by_drug.get(dose.drug, ZERO) + dose.lower_mg}
        if self.infusion_day is not None and dose.day - self.infusion_day <= policy.comparison_days:
            self.day_0_to_30 += amount.lower

    def may_have_been(self, refused: Sequence[Refused]) -> None:
        """Administrations that are not known not to be of a systemic glucocorticoid: no upper bound is left (L3)."""
        if refused:
            self.uncounted += len(refused)
            self.unreadable = (*self.unreadable, *refused)
            self.sum = self.sum.plus(ZERO, None)

    def next_change(self, at: datetime, policy: Policy) -> datetime | None:
        """When the next tier is crossed or reported, or a running period ends, if nothing else is given."""
        ahead = [when for when, _ in self.waiting] + [a.end for a in self.accruing]
        if not self.accruing:
            return min(ahead, default=None)
        segment = min(ahead)
        if not self._may_cross(policy):
            return segment
        needed = Fraction(policy.tiers[self.tiers_crossed]) - self._exact(at)
        rate = sum((Fraction(a.equivalent) / ((a.end - a.start) // MICROSECOND) for a in self.accruing), Fraction(0))
        exact = at + timedelta(microseconds=ceil(needed / rate))
        whole = exact if exact.microsecond == 0 else exact.replace(microsecond=0) + timedelta(seconds=1)
        return min(segment, whole) if whole > at else segment

    def _may_cross(self, policy: Policy) -> bool:
        """Whether what is given and still running could reach the next tier: worked out exactly only then."""
        if self.since is None or self.tiers_crossed >= len(policy.tiers):
            return False
        most = Fraction(self.sum.lower) + sum([Fraction(a.equivalent) for a in self.accruing], ROUNDED_AWAY)
        return most >= policy.tiers[self.tiers_crossed]

    def _exact(self, at: datetime) -> Fraction:
        """The sum at ``at`` for comparing it with a tier, with what a period that was cut off may have rounded away."""
        return Fraction(self.sum.lower) + sum((a.exactly(at) for a in self.accruing), ROUNDED_AWAY)

    def reported_now(self, at: datetime, policy: Policy) -> tuple[Decimal, ...]:
        """Tiers to report at ``at``: those reached, by the lower bound, once the first dose that ran then has ended.

        A lower tier is never reported after a higher one.
        """
        if self._may_cross(policy):
            total, first = self._exact(at), self.tiers_crossed
            while self.tiers_crossed < len(policy.tiers) and total >= policy.tiers[self.tiers_crossed]:
                self.tiers_crossed += 1
            if first < self.tiers_crossed:
                when = self._reported_at(at, policy)
                reached = [(when, tier) for tier in policy.tiers[first : self.tiers_crossed]]
                self.waiting = (*((min(other, when), tier) for other, tier in self.waiting), *reached)
        now = tuple([tier for when, tier in self.waiting if when <= at])
        if now:
            self.waiting = tuple([(when, tier) for when, tier in self.waiting if when > at])
        return now

    def _reported_at(self, reached: datetime, policy: Policy) -> datetime:
        if self.last_end == reached or not self.accruing:
            return reached
        return min(*(a.end for a in self.accruing), reached + policy.tier_delay)


def begun_between(start: datetime, end: datetime, at: datetime, since: datetime | None, doses: Doses) -> Decimal:
    """Dexamethasone-equivalent mg given between ``since`` and ``at`` of the doses that start in [start, end)."""
    total = ZERO
    for dose, amount in doses.weighed_between(start, end):
        if dose.route != "systemic" or not amount.lower:
            continue
        if is_period(dose) and dose.end is not None:
            total += Accruing(dose, dose.at, dose.end, amount.lower, since or dose.at).given(at)
        elif since is None or dose.at >= since:
            total += amount.lower
    return total


def last_24h(at: datetime, doses: Doses) -> Decimal:
    """Dexamethasone-equivalent mg given in the 24 hours up to ``at``."""
    start = at - RECENT
    total, _ = doses.given_between(start, at)
    for dose, amount in doses.weighed_periods(start - doses.longest_period, at + MICROSECOND):
        if dose.route == "systemic" and amount.lower and dose.end is not None:
            total += Accruing(dose, dose.at, dose.end, amount.lower, start).given(at)
    return total


def given_since(since: datetime | None, at: datetime, doses: Doses) -> Iterator[tuple[Dose, Amount]]:
    """The doses given from ``since`` to ``at`` that may count, those that were running then among them."""
    start = since - doses.longest_period if since is not None else None
    for dose, amount in doses.weighed_between(start, at + MICROSECOND):
        ends = dose.end if is_period(dose) and dose.end is not None else dose.at
        if dose.route != "intrathecal" and (since is None or ends >= since):
            yield dose, amount


def counted_doses(at: datetime, since: datetime | None, doses: Doses, policy: Policy) -> tuple[CountedDose, ...]:
    """The doses of the sum since ``since``, for showing it line by line."""
    counted: list[CountedDose] = []
    for dose, amount in given_since(since, at, doses):
        if not amount.usable:
            continue
        begins, given = since or dose.at, amount.lower
        if is_period(dose) and dose.end is not None:
            given = Accruing(dose, dose.at, dose.end, amount.lower, begins).given(at)
        factor = policy.factors[dose.drug]
        counted.append(
            CountedDose(
                reference=dose.reference,
                at=dose.at,
                day=dose.day,
                end=dose.end,
                drug=dose.drug,
                amount_mg=given / factor,
                factor=factor,
                equivalent_mg=given,
                shown=dose.shown,
            )
        )
    return tuple(counted)


def uncounted_doses(at: datetime, since: datetime | None, doses: Doses) -> tuple[str, ...]:
    """The references of the doses since ``since`` that are left out of the sum."""
    start = since - MICROSECOND if since is not None else None
    return tuple(doses.given_between(start, at)[1])


class Sums(NamedTuple):
    """Sums of a course at one instant, in mg of dexamethasone-equivalent, at least."""

    total: Decimal
    since_onset: Decimal
    prophylactic: Decimal
    last_24h: Decimal


def sums_at(at: datetime, exposure: Exposure, doses: Doses) -> Sums:
    """The sums at ``at``; before the first onset all doses are prophylactic."""
    total = exposure.total_at(at)
    before_onset = exposure.at_onset if exposure.at_onset is not None else total
    return Sums(total, total - before_onset, before_onset, last_24h(at, doses))
