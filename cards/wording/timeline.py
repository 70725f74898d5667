"""Wording of a course: what was charted and given, entry by entry, and a course in one sentence."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from cards.json_values import number_text
from cards.view import Times
from cards.wording.assessment import DOMAINS
from cards.wording.parts import count
from icans.findings import CourseSummary, TimelineEntry
from icans.grading.assessment import Assessment
from icans.record import CrsGrade, Death, Dose, Escalation

#: Hyphens within a code are spaces to a reader; the minus sign of a score stays.
_CODE_HYPHEN = re.compile(r"(?<=[a-z])-(?=[a-z])")


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
        total = number_text(course.cumulative_dexamethasone_equivalent_mg)
        uncounted = f" and {count(course.uncounted, 'administration')} not counted" if course.uncounted else ""
        days = count(course.steroid_days or 0, "steroid day")
        parts.append(f"{total} mg dexamethasone-equivalent{uncounted}, {days}")
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
        counted.append(f"{_domain(value.domain, value.shown)}{decides}")
    excluded = [
        f"{_domain(value.domain, value.shown)}, not counted ({value.reason.replace('-', ' ')})"
        for value in assessment.excluded
    ]
    return "; ".join(text for text in (*counted, *excluded) if text) or ", ".join(assessment.references)


def _domain(domain: str, shown: str) -> str:
    """``ICE 5``, ``consciousness: awakens to voice``, ``consciousness: inferred from RASS -4``."""
    if domain in ("ice", "capd", "documented"):
        return shown
    bare = _CODE_HYPHEN.sub(" ", shown.removeprefix(domain).lstrip(": "))
    return f"{DOMAINS[domain] if domain == 'icp-edema' else domain}: {bare}"


def _dose_text(entry: TimelineEntry, times: Times) -> tuple[str, str]:
    total = entry.dexamethasone_equivalent_mg
    running = "" if total is None else f"; {number_text(total)} mg dexamethasone-equivalent since infusion"
    dose = entry.basis
    said = _dose(dose, times) if isinstance(dose, Dose) else ", ".join(entry.references)
    return "given", f"{said}{running}"


def _dose(dose: Dose, times: Times) -> str:
    amount = f"{number_text(dose.lower_mg)} mg" if dose.amount_known else "of unknown amount"
    route = dose.route_shown or ("route not recorded" if dose.route == "unknown" else "")
    period = f" to {times.in_course(dose.end)}" if dose.end is not None and dose.end != dose.at else ""
    return f"{dose.drug} {amount}{f' {route}' if route else ''}{period}"


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
