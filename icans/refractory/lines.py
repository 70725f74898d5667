"""Treatment lines: what a line of steroid treatment is, and how it is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from icans.chart import Chart
from icans.course.course import Course
from icans.findings import CountedDose, LineNow
from icans.findings_log import Journal
from icans.grading.astct import Assessment
from icans.policy.policy import Policy
from icans.record import Escalation
from icans.refractory.no_improvement import Verdict
from icans.steroids.doses import Doses


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of steroid treatment. start: its first dose; reference: the assessment it is compared with.

    settings: the assessments that set the grade from its last rise from 0 up to the line's start.
    answers: the onset or rise that a line begun before it answers (clause B looks only after it).
    evaluation_*: candidates for the 24-hour evaluation. broken: a gap longer than allowed lies in it.
    """

    episode: int
    number: int
    start: datetime
    earliest: datetime
    grade_at_start: int
    settings: tuple[Assessment, ...]
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
    overdue_id: str | None = None
    finding_ids: tuple[str, ...] = ()
    re_worsening_ids: tuple[str, ...] = ()
    indeterminate_ids: tuple[str, ...] = ()

    @property
    def met_a(self) -> bool:
        return self.verdict is not None and self.verdict.kind == "met"


class Clinic(NamedTuple):
    """What the lines of a course are read with: its grades, what is charted, the doses, the policy and the journal."""

    course: Course
    chart: Chart
    doses: Doses
    policy: Policy
    journal: Journal


@dataclass(frozen=True, slots=True, kw_only=True)
class RefractoryBasis:
    """What a refractoriness card shows beyond its facts. start_day: the day of treatment start where no more is known;
    early: worsening so soon that no effect may show yet.

    recent_mg: of a grade that rose again, dexamethasone-equivalent given in the day before it, at least;
    recent_uncounted: how many doses of that day are not in it.
    Filled in as of the call: doses of the line up to then, unless recent_mg stands for them; uncounted: references of
    those without a usable amount; escalations: second-line agents since onset; assumed: what was taken for granted,
    as codes.
    """

    line: LineNow
    reference: Assessment | None
    evaluation: Assessment | None
    start_day: date | None = None
    early: bool = False
    recent_mg: Decimal | None = None
    recent_uncounted: int = 0
    doses: tuple[CountedDose, ...] = ()
    uncounted: tuple[str, ...] = ()
    escalations: tuple[Escalation, ...] = ()
    assumed: tuple[str, ...] = ()


def line_facts(line: Line) -> dict[str, Any]:
    reference = line.reference
    return {
        "episode": line.episode,
        "line": line.number,
        "treatmentStart": line.start,
        "gradeAtTreatmentStart": reference.counts_as.low if reference is not None else line.grade_at_start,
    }


def hours_between(at: datetime, start: datetime) -> Decimal:
    return (Decimal(str((at - start).total_seconds())) / 3600).quantize(Decimal("0.01"))


def line_now(line: Line, journal: Journal) -> LineNow:
    """A line as the published interface tells it."""
    if line.verdict is not None and not (line.verdict.reason == "no-reference" and journal.holds(line.overdue_id)):
        verdict, at = line.verdict.label, line.verdict_at
    elif line.met_b is not None:
        verdict, at = "met", line.met_b.at
    elif line.superseded_at is not None:
        verdict, at = "superseded", line.superseded_at
    elif journal.holds(line.overdue_id):
        verdict, at = "overdue", None
    else:
        verdict, at = "pending", None
    reference = line.reference
    late = None
    if line.verdict is not None:
        late = line.verdict.late
    return LineNow(
        episode=line.episode, line=line.number, treatment_start=line.start,
        reference_low=reference.counts_as.low if reference else None,
        reference_high=reference.counts_as.high if reference else None,
        met_b_at=line.met_b.at if line.met_b else None, verdict=verdict, verdict_at=at, late=late,
    )  # fmt: skip
