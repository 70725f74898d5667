"""Steroid exposure in words: the sum that can be redone on paper, and the line every card ends with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from cards.json_values import number_text
from cards.markdown import escape, table
from cards.view import View, day_text
from cards.wording.assessment import range_text
from cards.wording.parts import count, named
from icans.findings import CountedDose, ExposureNow

_ONE_DAY = timedelta(days=1)


@dataclass(slots=True)
class _DayDoses:
    """Doses of one drug at one factor on one day, or on ``last - first`` consecutive days alike."""

    first: date
    last: date
    drug: str
    factor: Decimal
    amounts: list[Decimal]
    equivalent: Decimal
    over_a_period: bool


def sum_table(doses: Sequence[CountedDose], view: View) -> str:
    """The counted doses by day and drug, each row's milligrams times its factor, and the sum.

    Consecutive days with the same doses share a row. Empty if there are no doses.
    """
    if not doses:
        return ""
    rows = [_sum_row(group, view) for group in _grouped(doses)]
    total = sum((dose.equivalent_mg for dose in doses), Decimal())
    rows.append(["Sum", count(len(doses), "dose"), "", "", "", f"**{number_text(total)}**"])
    return table(["Day", "Drug", "Given, mg", "Together, mg", "Factor", "Dexamethasone-equivalent, mg"], rows)


def other_totals(exposure: ExposureNow, *, as_given: bool = False) -> list[str]:
    """The other sums next to the cumulative one, each as a sentence; as_given: with the mg of each drug."""
    total = exposure.dexamethasone_equivalent_mg
    sums = (
        ("since ICANS onset", exposure.since_onset_mg),
        ("last 24 h", exposure.last_24h_mg),
        ("days 0-30", exposure.day_0_to_30_mg if exposure.day_0_to_30_mg != total else None),
        ("before the infusion (not in the sum)", exposure.before_infusion_mg or None),
        ("prophylactic", exposure.prophylactic_mg or None),
    )
    least, unknown = ("at least ", "not known") if is_open(exposure) else ("", "0 mg")
    said = ", ".join(
        f"{name} {f'{least}{number_text(mg)} mg' if mg else unknown}" for name, mg in sums if mg is not None
    )
    points = [f"Dexamethasone-equivalent: {said}."] if said else []
    if as_given and exposure.by_drug_mg:
        points.append(f"As given: {_by_drug(exposure.by_drug_mg)}.")
    if exposure.intrathecal_mg:
        given = _by_drug(exposure.intrathecal_mg)
        points.append(f"Intrathecal, as given, not converted and not in the sum: {given}.")
    if exposure.uncounted:
        points.append(uncounted_text(exposure))
    return points


def uncounted_text(exposure: ExposureNow) -> str:
    """How many administrations are not in the sum, which, and between what the sum then lies."""
    number = exposure.uncounted or 0
    references = f" ({named(exposure.uncounted_references)})" if exposure.uncounted_references else ""
    upper = exposure.upper_bound_mg
    bound = "no upper bound is known" if upper is None else f"at most {number_text(upper)} mg"
    administrations = f"{count(number, 'administration')}{references}"
    return f"Not in the sum, no usable amount, route or end: {administrations}; {bound}."


def closing_line(view: View) -> str:
    """The last line of a card: grade and when, cumulative dose and its unknowns, steroid days, data as of."""
    as_of = f"data as of {view.clock(view.evaluation.as_of)}"
    return "; ".join((_grade_part(view), *sedated_part(view), *_dose_parts(view), as_of)) + "."


def _grade_part(view: View) -> str:
    grade = view.evaluation.grade
    if grade.working is None or grade.assessed is None:
        return "Grade not known"
    known = "Last known grade" if grade.stale else "Grade"
    recorded = range_text(grade.low, grade.high)
    interval = "" if recorded == str(grade.working) else f" (recorded {recorded})"
    return f"{known} {grade.working}{interval}, {view.in_course(grade.assessed)}"


def sedated_part(view: View) -> list[str]:
    """Sedatives that run: the grade is as old as it is because nobody can assess."""
    grade = view.evaluation.grade
    if grade.sedated_since is None:
        return []
    return [f"not assessable since {view.in_course(grade.sedated_since)} ({escape(', '.join(grade.sedatives))})"]


def _dose_parts(view: View) -> list[str]:
    exposure = view.evaluation.exposure
    if exposure is None:
        return ["steroid doses not read: cumulative dose and steroid days not known"]
    total = exposure.dexamethasone_equivalent_mg
    if total is None:
        return [
            "cumulative dose not known (no infusion on record), "
            f"{last_24h_text(exposure)} dexamethasone-equivalent in the last 24 h"
        ]
    days = "not known" if exposure.steroid_days is None else str(exposure.steroid_days)
    total_now = total_text(exposure) if total or not is_open(exposure) else "steroid total"
    since = "since infusion" if total or not is_open(exposure) else "since infusion unknown"
    return [f"{total_now} {since}, {_counted_text(exposure)}", f"steroid days {days}"]


def total_text(exposure: ExposureNow) -> str:
    """``30 mg dexamethasone-equivalent``, ``at least 30 mg ...``, or ``steroid total unknown``: never 0 for unknown."""
    return sum_text(exposure.dexamethasone_equivalent_mg, exposure.upper_bound_mg)


def sum_text(lower: Decimal | None, upper: Decimal | None) -> str:
    """The same of any sum: lower None where there is no infusion to count from, upper None where no bound is known."""
    if lower is None or (not lower and lower != upper):
        return "steroid total unknown"
    return f"{'' if lower == upper else 'at least '}{number_text(lower)} mg dexamethasone-equivalent"


def is_open(exposure: ExposureNow) -> bool:
    """Whether more may have been given than is counted."""
    return exposure.upper_bound_mg != exposure.dexamethasone_equivalent_mg


def last_24h_text(exposure: ExposureNow) -> str:
    """``10 mg`` of the last 24 h, ``at least 10 mg``, or ``an unknown amount``."""
    if exposure.uncounted:
        return f"at least {number_text(exposure.last_24h_mg)} mg" if exposure.last_24h_mg else "an unknown amount"
    return f"{number_text(exposure.last_24h_mg)} mg"


def _counted_text(exposure: ExposureNow) -> str:
    if exposure.uncounted:
        return f"{exposure.uncounted} not countable"
    return "upper bound not known" if exposure.upper_bound_mg is None else "all counted"


def _grouped(doses: Iterable[CountedDose]) -> list[_DayDoses]:
    daily: dict[tuple[str, Decimal, date], _DayDoses] = {}
    for dose in sorted(doses, key=lambda dose: (dose.at, dose.reference)):
        key = dose.drug, dose.factor, dose.day
        group = daily.get(key)
        if group is None:
            group = daily[key] = _DayDoses(
                dose.day, dose.day, dose.drug, dose.factor, [], Decimal(), over_a_period=False
            )
        group.amounts.append(dose.amount_mg)
        group.equivalent += dose.equivalent_mg
        group.over_a_period = group.over_a_period or dose.end is not None
    merged: list[_DayDoses] = []
    for group in sorted(daily.values(), key=lambda group: (group.drug, group.factor, group.first)):
        before = merged[-1] if merged else None
        if before is not None and _continues(before, group):
            before.last = group.last
        else:
            merged.append(group)
    return sorted(merged, key=lambda group: (group.first, group.drug, group.factor))


def _continues(before: _DayDoses, group: _DayDoses) -> bool:
    return (
        group.first - before.last == _ONE_DAY
        and (group.drug, group.factor, group.equivalent) == (before.drug, before.factor, before.equivalent)
        and sorted(group.amounts) == sorted(before.amounts)
    )


def _sum_row(group: _DayDoses, view: View) -> list[str]:
    days = (group.last - group.first).days + 1
    repeated = f"{days} days of " if days > 1 else ""
    period = " (over a period)" if group.over_a_period else ""
    return [
        _days(group, view),
        escape(group.drug),
        f"{repeated}{_amounts(group.amounts)}{period}",
        number_text(sum(group.amounts, Decimal()) * days),
        f"{group.factor.normalize():f}",
        number_text(group.equivalent * days),
    ]


def _days(group: _DayDoses, view: View) -> str:
    first, last = view.day_number(group.first), view.day_number(group.last)
    if group.first == group.last:
        return f"{group.first}" if first is None else f"{day_text(first)}, {group.first}"
    if first is None or last is None:
        return f"{group.first} to {group.last}"
    return f"{day_text(first)} to {day_text(last).removeprefix('day ')}, {group.first} to {group.last}"


def _amounts(amounts: Sequence[Decimal]) -> str:
    """``4 x 10`` or ``20 + 4 x 10``, in the order given."""
    runs: list[tuple[Decimal, int]] = []
    for amount in amounts:
        if runs and runs[-1][0] == amount:
            runs[-1] = (amount, runs[-1][1] + 1)
        else:
            runs.append((amount, 1))
    return " + ".join(
        f"{times} x {number_text(amount)}" if times > 1 else number_text(amount) for amount, times in runs
    )


def _by_drug(totals: Mapping[str, Decimal]) -> str:
    return ", ".join(f"{escape(drug)} {number_text(mg)} mg" for drug, mg in sorted(totals.items()))
