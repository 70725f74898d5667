"""One line of the timeline of a replay."""

from __future__ import annotations

from datetime import date, datetime

from icans.chart import Chart
from icans.engine.state import State
from icans.findings import TimelineEntry
from icans.grading.assessment import Assessment
from icans.record import Entry


def timeline_entry(
    at: datetime,
    kind: str,
    references: tuple[str, ...],
    day: date,
    basis: Assessment | Entry,
    state: State,
    chart: Chart,
) -> TimelineEntry:
    """One line of the timeline; before the first infusion, days are counted back from it."""
    course, exposure = state.course, state.exposure
    assessment = basis if isinstance(basis, Assessment) else None
    shown = assessment or course.last
    working = shown.working if shown is not None else None
    assessable = assessment is None or assessment.assessable
    infusion = course.infusion or min(chart.courses.values(), key=lambda c: c.at, default=None)
    return TimelineEntry(
        at=at,
        kind=kind,
        references=references,
        day=(day - infusion.day).days if infusion is not None else None,
        grade=course.headline if assessable else None,
        grade_low=working.low if working is not None else None,
        grade_high=working.high if working is not None else None,
        assessable=assessable,
        ice_score=assessment.ice_score if assessment is not None else None,
        deciding_domain=assessment.deciding_domain if assessment is not None else None,
        dexamethasone_equivalent_mg=exposure.total_at(at) if course.infusion is not None else None,
        reason=(assessment.reason or None) if assessment is not None else None,
        since_onset=course.first_onset is not None,
        basis=basis,
    )
