"""Treatment lines: what a line of steroid treatment is, and how it is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from icans.chart import MICROSECOND, Chart
from icans.course.course import Course
from icans.course.due import Due
from icans.findings import LineNow, RefractoryBasis
from icans.findings_log import FindingsLog
from icans.grading.assessment import Assessment
from icans.policy.policy import Policy
from icans.record import Evidence, evidence_of
from icans.refractory.no_improvement import Verdict
from icans.steroids.doses import Doses


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of steroid treatment. start: its first dose; reference: the assessment it is compared with.

    headline_rows: the assessments that set the grade from its last rise from 0 up to the line's start.
    answers: the onset or rise that a line begun before it answers (clause B looks only after it).
    evaluation_*: candidates for the 24-hour evaluation. missed: none was found, until there is one: when that is
    reported. broken: a gap longer than allowed lies in it.
    """

    episode: int
    number: int
    start: datetime
    earliest: datetime
    grade_at_start: int
    headline_rows: tuple[Assessment, ...]
    reference: Assessment | None = None
    answers: datetime | None = None
    met_b: Assessment | None = None
    verdict: Verdict | None = None
    verdict_at: datetime | None = None
    evaluation: Assessment | None = None
    evaluation_full: Assessment | None = None
    evaluation_partial: Assessment | None = None
    partial_admitted: bool = True
    not_assessable: bool = False
    no_reference: bool = False
    superseded_at: datetime | None = None
    broken: bool = False
    missed: Due | None = None
    overdue_id: str | None = None
    finding_ids: tuple[str, ...] = ()
    re_worsening_ids: tuple[str, ...] = ()
    indeterminate_ids: tuple[str, ...] = ()

    @property
    def met_a(self) -> bool:
        return self.verdict is not None and self.verdict.kind == "met"


class Situation(NamedTuple):
    """What the lines of a course are read with: its grades, what is charted, the doses, the policy, the findings."""

    course: Course
    chart: Chart
    doses: Doses
    policy: Policy
    log: FindingsLog


def hours_between(at: datetime, start: datetime) -> Decimal:
    return (Decimal(str((at - start).total_seconds())) / 3600).quantize(Decimal("0.01"))


def line_now(line: Line) -> LineNow:
    """A line as the published interface tells it."""
    if line.verdict is not None and not (line.no_reference and line.missed is not None):
        verdict, at = line.verdict.label, line.verdict_at
    elif line.met_b is not None:
        verdict, at = "met", line.met_b.at
    elif line.superseded_at is not None:
        verdict, at = "superseded", line.superseded_at
    elif line.missed is not None:
        verdict, at = "overdue", None
    else:
        verdict, at = "pending", None
    reference = line.reference
    late = None
    if line.verdict is not None:
        late = line.verdict.late
    return LineNow(
        episode=line.episode,
        line=line.number,
        treatment_start=line.start,
        reference_low=reference.counts_as.low if reference else None,
        reference_high=reference.counts_as.high if reference else None,
        met_b_at=line.met_b.at if line.met_b else None,
        verdict=verdict,
        verdict_at=at,
        late=late,
    )


def rests_on(
    line: Line, evaluation: Assessment | None, situation: Situation
) -> tuple[RefractoryBasis, tuple[Evidence, ...]]:
    """What a finding of a line is worded from, and its evidence: reference, first doses, the row that was judged."""
    first = [dose for dose, _ in situation.doses.weighed_between(line.start, line.start + MICROSECOND)]
    parts = (
        line.reference.evidence if line.reference is not None else (),
        evidence_of([d for d in first if d.route != "intrathecal"]),
        evaluation.evidence if evaluation is not None else (),
    )
    basis = RefractoryBasis(
        line=line_now(line),
        reference=line.reference,
        evaluation=evaluation,
        start_day=next((dose.day for dose in first if not dose.precise), None),
    )
    return basis, tuple(dict.fromkeys(item for part in parts for item in part))
