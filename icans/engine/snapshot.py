"""What is known of a patient at one instant, read off the history: grade, exposure, treatment lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from icans.chart import MICROSECOND
from icans.course.freshness import is_stale
from icans.engine.history import History
from icans.facts import (
    NO_IMPROVEMENT,
    WORSENING,
    AssessmentNotFound,
    AssessmentOverdue,
    DoseUnknown,
    IcansActive,
    ReassessmentOverdue,
    Refractory,
)
from icans.findings import (
    Alert,
    CountedDose,
    CourseSummary,
    ExposureNow,
    Finding,
    GradeNow,
    RefractoryBasis,
    RefractoryNow,
)
from icans.policy.policy import Policy
from icans.record import Dose, Problem, Record
from icans.refractory.lines import Line, line_now
from icans.steroids.equivalents import ZERO, clock_amount, counts_for_clock
from icans.steroids.exposure import counted_doses, sums_at, uncounted_doses

#: What is noted of an assessment and bears on comparing it with a later one.
COMPARED_NOTES = ("consciousness-inferred", "consciousness-not-recorded")


def exposure_now(at: datetime, history: History, *, line_by_line: bool) -> ExposureNow | None:
    """Steroid exposure at ``at``; None if administrations could not be read. line_by_line: with every counted dose."""
    if not history.record.administrations_read:
        return None
    exposure, infused = history.state.exposure, history.state.course.infusion is not None
    sums = sums_at(at, exposure, history.doses)
    counted: tuple[CountedDose, ...] = ()
    if line_by_line:
        counted = counted_doses(at, exposure.since, history.doses, history.policy)
    onset_known = exposure.at_onset is not None
    return ExposureNow(
        dexamethasone_equivalent_mg=sums.total if infused else None,
        upper_bound_mg=_upper(at, history),
        since_onset_mg=sums.since_onset if onset_known else ZERO if infused else None,
        last_24h_mg=sums.last_24h,
        day_0_to_30_mg=exposure.day_0_to_30 if infused else None,
        before_infusion_mg=exposure.before_infusion if infused else None,
        prophylactic_mg=sums.prophylactic if infused else None,
        steroid_days=exposure.day_count if infused else None,
        uncounted=exposure.uncounted,
        intrathecal_mg=dict(exposure.intrathecal),
        by_drug_mg=dict(exposure.by_drug),
        counted=counted,
        uncounted_references=(
            *uncounted_doses(at, exposure.since, history.doses),
            *(one.reference for one in exposure.unreadable),
        ),
    )


def _upper(at: datetime, history: History) -> Decimal | None:
    """How much was given since the infusion at most, None if that is not known (L3)."""
    record, state = history.record, history.state
    read_in_full = record.administrations_read and "administrations" not in record.incomplete
    return state.exposure.sum_at(at).upper if read_in_full and state.course.infusion is not None else None


def grade_now(at: datetime, history: History) -> GradeNow:
    """The grade as it stands: the headline, and the last assessment it was last held against."""
    course, in_force = history.state.course, history.state.in_force
    last = course.last
    shown = last if last is not None and last.assessable else None
    documented = in_force.documented_latest.grade if in_force.documented_latest else None
    graded = shown is not None and shown.working is not None and shown.strict is not None
    sedatives = in_force.sedation.running(at, history.policy)
    return GradeNow(
        working=course.headline if shown is not None else None,
        low=shown.working.low if shown and shown.working else None,
        high=shown.working.high if shown and shown.working else None,
        strict_low=shown.strict.low if graded and shown and shown.strict else None,
        strict_high=shown.strict.high if graded and shown and shown.strict else None,
        episode=course.episode or None,
        documented=documented,
        as_of=course.last_full.at if course.last_full else None,
        stale=is_stale(course, at, history.policy),
        ice_score=shown.ice_score if shown else None,
        deciding_domain=shown.deciding_domain if shown else None,
        domains={v.domain: (v.working.low, v.working.high) for v in shown.domains} if shown else {},
        assessment=shown,
        assessed=shown.at if shown else None,
        sedated_since=in_force.sedation.since if sedatives else None,
        sedatives=tuple(sorted(sedatives)),
    )


def refractory_now(history: History) -> RefractoryNow:
    """State of the refractoriness definition and all treatment lines of the course."""
    course, treatment = history.state.course, history.state.treatment
    lines = tuple(line_now(line) for line in treatment.lines)
    current = treatment.current(course.episode)
    if not history.record.administrations_read:
        state = "dose-data-unavailable"
    elif course.episode and not course.open:
        state = "resolved"
    elif not course.episode:
        state = "no-icans"
    elif current is None:
        state = "untreated"
    else:
        state = _state_of(current)
    return RefractoryNow(
        state=state,
        line=current.number if current else None,
        treatment_start=current.start if current else None,
        lines=lines,
    )


def _state_of(line: Line) -> str:
    if line.met_b is not None or line.met_a:
        return "met"
    if line.missed is not None:
        return "overdue"
    if line.verdict is not None:
        return "indeterminate" if line.verdict.kind == "indeterminate" else "responded"
    return "watch"


def running_facts(alert: Alert, history: History, at: datetime) -> dict[str, Any]:
    """The facts of an alert that are shown as of the call, by attribute."""
    facts, course, treatment = alert.facts, history.state.course, history.state.treatment
    if isinstance(facts, IcansActive):
        last = course.last
        working = last.working if last is not None else None
        current = treatment.current(course.episode)
        met = [line for line in treatment.lines if line.met_a or line.met_b is not None]
        return {
            "grade_low": working.low if working is not None else None,
            "grade_high": working.high if working is not None else None,
            "last_assessment": last.at if last is not None else None,
            "stale": is_stale(course, at, history.policy),
            "refractory_lines": tuple(line.number for line in met if line.episode == course.episode),
            "treatment_line": current.number if current is not None else None,
        }
    if isinstance(facts, Refractory):
        line = next((x for x in treatment.lines if alert.finding.id in x.finding_ids), None)
        both = line is not None and line.met_a and line.met_b is not None and len(line.finding_ids) == 1
        return {"also_met": (NO_IMPROVEMENT if facts.reason == WORSENING else WORSENING) if both else None}
    return {}


def with_treatment(finding: Finding, at: datetime, history: History) -> Finding:
    """A finding of a treatment line with the line's doses and what was assumed, as of ``at``; others unchanged."""
    basis, given, policy = finding.basis, history.doses, history.policy
    if not isinstance(basis, RefractoryBasis):
        return finding
    course, start = history.state.course, basis.line.treatment_start
    onset = course.onset
    doses: tuple[CountedDose, ...] = ()
    uncounted: tuple[str, ...] = ()
    end = start  # of a grade that rose again only the first doses are shown
    if basis.recent_mg is None:
        doses, uncounted = counted_doses(at, start, given, policy), uncounted_doses(at, start, given)
        end = at
    clocked = [d for d, a in given.weighed_between(start, end + MICROSECOND) if counts_for_clock(d, a)]
    second_line = (e for e in history.chart.escalations if (onset or start) <= e.at <= at)
    agents = sorted(second_line, key=lambda e: (e.at, e.reference))
    before: tuple[CountedDose, ...] = ()
    if course.onset_on_steroids and course.infusion is not None and basis.line.line == 1:
        before = counted_doses(start - MICROSECOND, course.infusion.at, given, policy)
    return replace(
        finding,
        basis=replace(
            basis,
            doses=doses,
            uncounted=uncounted,
            before=before,
            escalations=tuple(agents),
            assumed=tuple(_assumed(basis, clocked, policy)),
        ),
    )


def with_unusable(finding: Finding, at: datetime, history: History) -> Finding:
    """A finding of an assessment that was not found, with why one that was charted meanwhile could not be used (L2);
    a finding of a dose of unknown size with what is wrong with it (L26)."""
    facts = finding.facts
    if isinstance(facts, DoseUnknown):
        wrong = [p for name in facts.administrations for p in history.log.problems_of.get(name, ()) if p.affects]
        return replace(finding, unusable=tuple(dict.fromkeys(wrong)))
    if isinstance(facts, AssessmentNotFound):
        since = facts.since
    elif isinstance(facts, AssessmentOverdue):
        since = facts.last_assessment
    elif isinstance(facts, ReassessmentOverdue):
        since = facts.treatment_start + history.policy.evaluation_from
    else:
        return finding
    return replace(finding, unusable=tuple(unusable(history.record, ("assessment",), since, at)))


def unusable(record: Record, may_be: Sequence[str], since: datetime, at: datetime) -> Iterator[Problem]:
    """Why what may have been one of these, from ``since`` to ``at`` or at no known time, could not be used."""
    for one in record.refused:
        stands = (one.known is None or one.known <= at) and (one.superseded is None or one.superseded > at)
        if stands and set(may_be).intersection(one.may_be) and (one.at is None or since <= one.at <= at):
            yield from one.problems


def _assumed(basis: RefractoryBasis, given: list[Dose], policy: Policy) -> Iterator[str]:
    """What was taken for granted to start the line, the first of whose doses these are, and to compare its two
    assessments."""
    first = [d for d in given if d.at == basis.line.treatment_start]
    if any(d.route == "unknown" for d in given):
        yield "route-not-recorded"
    if first and all(clock_amount(d, policy) is None for d in first):
        yield "dose-unknown"
    if any(not d.precise for d in first):
        yield "day-only"
    for assessment in (basis.reference, basis.evaluation):
        if assessment is None:
            continue
        if any(v.domain == "documented" for v in assessment.domains):
            yield "documented-grade"
        if assessment is basis.reference:
            yield from (note for note in assessment.notes if note in COMPARED_NOTES)


def course_summary(at: datetime, history: History, refractory: bool) -> CourseSummary:
    """The course in force in numbers."""
    course, exposure = history.state.course, history.state.exposure
    infused = course.infusion is not None
    onset_day = None
    if course.first_onset_day is not None and course.infusion is not None:
        onset_day = (course.first_onset_day - course.infusion.day).days
    read = history.record.administrations_read
    return CourseSummary(
        infusion=course.infusion.at if course.infusion else None,
        peak_grade=course.peak if course.last is not None else None,
        onset=course.first_onset,
        onset_day=onset_day,
        episodes=course.episode,
        icans_hours=course.icans_hours(),
        refractory=refractory,
        cumulative_dexamethasone_equivalent_mg=exposure.total_at(at) if infused and read else None,
        upper_bound_mg=_upper(at, history),
        steroid_days=exposure.day_count if infused and read else None,
        uncounted=exposure.uncounted if read else None,
        intrathecal_mg=dict(exposure.intrathecal),
    )
