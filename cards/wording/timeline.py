"""Wording of a course: what was charted and given, entry by entry, and a course in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from cards.json_values import number_text
from cards.view import Times
from cards.wording.assessment import DOMAINS, bare_value, reason_text
from cards.wording.exposure import sum_text
from cards.wording.parts import amount_text, count
from icans.findings import CourseSummary, TimelineEntry
from icans.grading.assessment import Assessment, DomainValue
from icans.record import NOT_ASSESSED_REASONS, CrsGrade, Death, Dose, Escalation


def entry_text(entry: TimelineEntry, times: Times) -> tuple[str, str]:
    """A label of one or two words and a plain text for an assessment, a dose or another event of a timeline."""
    if entry.kind == "assessment":
        return _assessment_text(entry)
    return _dose_text(entry, times) if entry.kind == "dose" else _event_text(entry, times)


def course_text(course: CourseSummary, clock: Callable[[datetime], str]) -> str:
    """A course in one sentence; clock: how an instant is written."""
    parts = [f"Peak grade {course.peak_grade}" if course.peak_grade is not None else "No grade"]
    if course.onset is not None:
        day = "" if course.onset_day is None else f", day {course.onset_day:+d}"
        parts.append(f"onset {clock(course.onset)}{day}")
        parts.append(f"{count(course.episodes, 'episode')}, {number_text(course.icans_hours)} h with ICANS")
    parts.append(f"refractoriness definition {'met' if course.refractory else 'not met'}")
    if course.cumulative_dexamethasone_equivalent_mg is not None:
        total = sum_text(course.cumulative_dexamethasone_equivalent_mg, course.upper_bound_mg)
        uncounted = f" and {count(course.uncounted, 'administration')} not counted" if course.uncounted else ""
        days = count(course.steroid_days or 0, "steroid day")
        parts.append(f"{total}{uncounted}, {days}")
    for drug, amount in sorted(course.intrathecal_mg.items()):
        parts.append(f"intrathecal {drug} {number_text(amount)} mg, apart")
    return "; ".join(parts) + "."


def _assessment_text(entry: TimelineEntry) -> tuple[str, str]:
    said = _charted(entry.basis) if isinstance(entry.basis, Assessment) else ", ".join(entry.references)
    if not entry.assessable:
        return "ungraded", f"not assessable: {said}"
    span = "" if entry.grade_low == entry.grade_high == entry.grade else f", {entry.grade_low} to {entry.grade_high}"
    if entry.grade_low == entry.grade_high != entry.grade:
        span = f", {entry.grade_low}"
    span = span and f" (this assessment{span[1:]})"
    return f"grade {entry.grade}", f"{said}{span}"


def _charted(assessment: Assessment) -> str:
    deciding = assessment.deciding_domain
    counted = []
    for value in assessment.domains:
        decides = " (decides)" if value.domain == deciding and len(assessment.domains) > 1 else ""
        counted.append(f"{_domain(value)}{decides}")
    excluded = [f"{_domain(value)} ({_why_not(value)})" for value in assessment.excluded]
    return "; ".join(text for text in (*counted, *excluded) if text) or ", ".join(assessment.references)


def _domain(value: DomainValue) -> str:
    """``ICE 5``, ``ICE 0``, ``consciousness: awakens to voice``, ``consciousness: inferred from RASS -4``."""
    if value.domain in ("ice", "capd"):
        return f"{value.domain.upper()} {'not done' if value.reason in NOT_ASSESSED_REASONS else bare_value(value)}"
    if value.domain == "documented":
        return value.shown
    return f"{DOMAINS[value.domain] if value.domain == 'icp-edema' else value.domain}: {bare_value(value)}"


def _why_not(value: DomainValue) -> str:
    """``asleep``, or ``sedated, not counted``."""
    if value.reason in NOT_ASSESSED_REASONS and value.reason != "sedated":
        return value.reason.replace("-", " ")
    return "sedated, not counted" if value.reason in ("sedation", "sedated") else f"{reason_text(value)}, not counted"


def _dose_text(entry: TimelineEntry, times: Times) -> tuple[str, str]:
    dose, total = entry.basis, entry.dexamethasone_equivalent_mg
    if not isinstance(dose, Dose):
        return "given", f"{', '.join(entry.references)}{_running_total(total)}"
    # of a period the sum at its start is not yet the sum with it
    summed = dose.amount_known and (dose.end is None or dose.end <= dose.at)
    return "given", f"{_dose(dose, times)}{_running_total(total) if summed else ''}"


def _dose(dose: Dose, times: Times) -> str:
    route = dose.route_shown or ("route not recorded" if dose.route == "unknown" else "")
    period = f" to {times.in_course(dose.end)}" if dose.end is not None and dose.end > dose.at else ""
    return f"{dose.drug} {amount_text(dose)}{f' {route}' if route else ''}{period}"


def _running_total(total: Decimal | None) -> str:
    return "" if total is None else f"; {number_text(total)} mg dexamethasone-equivalent since infusion"


def _event_text(entry: TimelineEntry, times: Times) -> tuple[str, str]:
    event = entry.basis
    if isinstance(event, Death):
        return "event", "death recorded"
    if isinstance(event, Escalation):
        return "given", f"{event.drug} (escalation)" if entry.since_onset else event.drug
    if isinstance(event, Dose):
        return "given", _dose(event, times)
    if isinstance(event, CrsGrade):
        return "event", f"CRS grade {event.grade} charted by a clinician"
    return "event", ", ".join(entry.references)
