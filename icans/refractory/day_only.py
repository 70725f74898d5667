"""What a line of treatment would say at the other end of a day, where only the day of something is known.

A datum known by its day stands at the end of that day. Where it is treatment start, reference or evaluation, a
verdict needs the same answer with each of the three at either end of its day, in every combination.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import product
from typing import NamedTuple

from icans.chart import MICROSECOND
from icans.grading.assessment import Assessment
from icans.policy.policy import Policy
from icans.refractory.lines import Line, Situation
from icans.refractory.no_improvement import NOT_ASSESSABLE, judge, not_below
from icans.refractory.worsening import treated, worse
from icans.steroids.doses import ClockedDoses


class Case(NamedTuple):
    """One combination of ends: treatment start, the reference it then has, and the rows as they then are.

    moved: the instants whose rows are at the start of their day, with that start.
    """

    start: datetime
    reference: Assessment | None
    rows: Sequence[Assessment]
    moved: Mapping[datetime, datetime]


def has_reference(line: Line, situation: Situation) -> bool:
    """Whether a line without a reference has one if it started at the beginning of the day by which it is known."""
    rows = situation.log.rows
    return line.earliest != line.start and _reference(line, line.earliest, rows, {}, situation.policy) is not None


def is_vague(line: Line, row: Assessment) -> bool:
    """Whether treatment start, reference or ``row`` is known by its day only."""
    chosen = (row, line.reference) if line.reference is not None else (row,)
    return line.earliest != line.start or any(one.earliest != one.at for one in chosen)


def outcomes(line: Line, row: Assessment, at: datetime, chosen: bool, situation: Situation) -> set[str]:
    """What clause A says over all combinations, from the rows up to the verdict at ``at``.

    chosen: ``row`` is the evaluation by its time, so that another one may serve at another end; else it is judged
    after an indeterminate verdict, whatever its time. "" where a combination has no treatment start or evaluation.
    """
    rows = [r for r in situation.log.rows if r.at <= at]
    return {_outcome(line, case, row, chosen, situation) for case in _cases(line, row, rows, situation.policy)}


def _outcome(line: Line, case: Case, row: Assessment, chosen: bool, situation: Situation) -> str:
    if case.reference is None:
        return ""
    evaluation = _evaluation(case, situation.policy) if chosen else _shifted((row,), case.moved)[0]
    if evaluation is None:
        return ""
    if not evaluation.by_itself:
        return NOT_ASSESSABLE.label
    active = _unbroken(line, case.start, evaluation.at, situation)
    return judge(case.start, case.reference, evaluation, active, situation.policy).label


def worsens(line: Line, row: Assessment, situation: Situation) -> bool:
    """Whether clause B is met, by ``row`` or one before it, in every combination."""
    rows = [r for r in situation.log.assessments if r.at <= row.at]
    return all(_worsens(line, case, situation) for case in _cases(line, row, rows, situation.policy))


def _worsens(line: Line, case: Case, situation: Situation) -> bool:
    reference = case.reference
    if reference is None:
        return False
    after, until = max(case.start, reference.at), case.start + situation.policy.evaluation_due
    return any(
        row.assessable
        and after < row.at <= until
        and worse(row, reference, case.moved)
        and treated(_given(line, case.start, row.at, situation), situation.policy)
        and _unbroken(line, case.start, row.at, situation)
        for row in case.rows
    )


def _given(
    line: Line, start: datetime, until: datetime, situation: Situation
) -> Iterator[tuple[datetime, ClockedDoses]]:
    """The doses of the line before ``until``, where its first one was given at ``start``."""
    first = situation.doses.clocked_at(line.start)
    if first is not None and start < until:
        yield start, first
    yield from (d for d in situation.doses.clocked_between(start, until) if d[0] != line.start)


def _cases(line: Line, row: Assessment, rows: Sequence[Assessment], policy: Policy) -> Iterator[Case]:
    """Every combination of the ends of treatment start, reference and row."""
    chosen = (row, line.reference) if line.reference is not None else (row,)
    vague = list({one.at: one for one in chosen if one.earliest != one.at}.values())
    for start in sorted({line.earliest, line.start}):
        for early in product((False, True), repeat=len(vague)):
            moved = {one.at: one.earliest for one, is_early in zip(vague, early, strict=True) if is_early}
            placed = _shifted(rows, moved)
            yield Case(start, _reference(line, start, placed, moved, policy), placed, moved)


def _shifted(rows: Sequence[Assessment], moved: Mapping[datetime, datetime]) -> list[Assessment]:
    """The rows with those of the instants ``moved`` at the start of their day."""
    return sorted((r._replace(at=r.earliest) if r.at in moved else r for r in rows), key=lambda r: r.at)


def _reference(
    line: Line, start: datetime, rows: Sequence[Assessment], moved: Mapping[datetime, datetime], policy: Policy
) -> Assessment | None:
    """The reference of a line that started at ``start``, None if it has none or could not have started then."""
    rise, headline_rows = _shifted(line.headline_rows[:1], moved)[0], _shifted(line.headline_rows, moved)
    if start < rise.at - policy.onset_lead:
        return None
    if start < rise.at:
        return rise
    since, until = max(start - policy.reference_before, rise.at), start + policy.reference_after
    full = [r for r in rows if r.full and r.assessable and since <= r.at <= until]
    before = [r for r in (*full, *headline_rows) if since <= r.at <= start]
    return max(before, key=lambda r: r.at) if before else full[0] if full else None


def _evaluation(case: Case, policy: Policy) -> Assessment | None:
    """The row that serves the 24-hour evaluation: full, else partial and decisive, else whatever comes first after."""
    due = case.start + policy.evaluation_due
    assert case.reference is not None
    decisive = [r for r in case.rows if not r.full and r.by_itself and not_below(r, case.reference)]
    window = [r for r in case.rows if case.start + policy.evaluation_from <= r.at <= due and r.full]
    for serving in (
        [r for r in window if r.by_itself],
        [r for r in decisive if case.start + policy.evaluation_from <= r.at <= due],
        window,
    ):
        if serving:
            return serving[-1]
    return next((r for r in case.rows if r.at > due and (r.full or r in decisive)), None)


def _unbroken(line: Line, start: datetime, at: datetime, situation: Situation) -> bool:
    """Steroids from ``start``, where the line's first dose stands, to ``at`` without too long a gap."""
    doses, longest = situation.doses, situation.policy.treatment_gap
    covered = start
    for given_at, given in doses.clocked_between(start - doses.longest_period, at + MICROSECOND):
        first_dose_moved = given_at == line.start and start != line.start
        if first_dose_moved or not given.bridges or (given_at < start and given.end <= start):
            continue
        if given_at - covered > longest:
            return False
        covered = max(covered, given.end)
    return at - covered <= longest
