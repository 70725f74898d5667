"""Wording of the ICANS module: grade changes, the standing grade, and assessments that are missing."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cards.markdown import escape, fit
from cards.sources import ASTCT, FRIDBERG
from cards.suggestions import document_grade, draft_assessment, draft_eeg, draft_imaging
from cards.view import Times, View
from cards.wording.assessment import (
    CRITERIA,
    NAMES,
    assessment_points,
    deciding_text,
    grade_text,
    range_text,
    sedation_unchecked,
    when,
)
from cards.wording.parts import Body, Wording, facts_of, words
from icans.facts import (
    AssessmentNotFound,
    AssessmentOverdue,
    GradeChange,
    GradeDiscrepancy,
    GradePossibleChange,
    IcansActive,
)
from icans.findings import Alert
from icans.grading.assessment import Assessment
from icans.policy.policy import in_words

SEDATION_UNCHECKED = "Sedation could not be checked: administrations were not read."
BEDSIDE = "This does not replace bedside assessment."
#: So much of the deciding value fits into a summary beside grade and time.
_LONGEST_VALUE = 45
_RISING = ("onset", "worsening", "recurrence")


def grade_change_summary(alert: Alert, view: View) -> str:
    facts, assessment = facts_of(alert, GradeChange), _assessment(alert)
    change = _change(facts)
    headline = _headline(facts, assessment)
    if facts.deciding_domain == "documented":
        text = f"ICANS {headline} charted by a clinician{change}, {view.short_time(alert.finding.at)}"
    else:
        value = fit(deciding_text(assessment, facts), _LONGEST_VALUE)
        text = f"Recorded findings meet ICANS {headline}{change}{': ' if value else ''}{value}, "
        text += view.short_time(alert.finding.at)
    if sedation_unchecked(assessment, view, facts):
        text += "; sedation not checked"
    return text


def grade_change_line(alert: Alert, times: Times) -> str:
    facts, assessment = facts_of(alert, GradeChange), _assessment(alert)
    by = "charted by a clinician" if facts.deciding_domain == "documented" else deciding_text(assessment, facts)
    return f"ICANS {_headline(facts, assessment)}{_change(facts)}{': ' if by else ''}{by}"


def grade_change_body(alert: Alert, view: View) -> Body:
    facts, assessment = facts_of(alert, GradeChange), _assessment(alert)
    grade, rising = facts.grade, facts.direction in _RISING
    lead = _change_lead(alert, view, facts, assessment)
    if sedation_unchecked(assessment, view, facts):
        lead += f" {SEDATION_UNCHECKED}"
    points = assessment_points(assessment, view) if assessment is not None else []
    points.extend(_documented(facts, assessment))
    if facts.onset_on_steroids:
        points.append(
            f"A systemic steroid was given within the {in_words(view.policy.onset_on_steroids)} before this onset."
        )
    if facts.direction == "resolution":
        resolution = in_words(view.policy.resolution)
        points.append(f"Grade 0 is recorded; the episode counts as resolved after {resolution} of such assessments.")
    if rising and grade >= 3:
        points.append(BEDSIDE)
    return Body(lead=lead, points=points, suggestions=_change_drafts(alert, view, facts, assessment))


def icans_active_summary(alert: Alert, view: View) -> str:
    facts = facts_of(alert, IcansActive)
    stale = bool(facts.stale)
    text = f"{'Last known ICANS' if stale else 'ICANS'} grade {facts.grade} on record since "
    text += view.short_time(alert.finding.at)
    last = facts.last_assessment
    if isinstance(last, datetime):
        text += f"; last assessed {view.clock(last)}"
        if stale:
            text += f", {view.hours_before(last)} h ago"
    if sedation_unchecked(_assessment(alert), view):
        text += "; sedation not checked"
    return text


def icans_active_line(alert: Alert, times: Times) -> str:
    facts = facts_of(alert, IcansActive)
    last = facts.last_assessment
    text = f"{'last known ICANS' if facts.stale else 'ICANS'} grade {facts.grade}"
    return f"{text}, assessed {times.in_course(last)}" if isinstance(last, datetime) else text


def icans_active_body(alert: Alert, view: View) -> Body:
    facts, assessment = facts_of(alert, IcansActive), _assessment(alert)
    stale = bool(facts.stale)
    grade = facts.grade
    lead = f"{'Last known grade' if stale else 'Grade'} {grade}, set {view.time(alert.finding.at)}."
    last = facts.last_assessment
    if isinstance(last, datetime):
        grades = range_text(facts.grade_low, facts.grade_high)
        ago = f", {view.hours_before(last)} h ago" if stale else ""
        lead += f" Last assessment {view.time(last)}{ago}: grade {grades}."
        lead += " There is no current grade." if stale else ""
    if sedation_unchecked(assessment, view):
        lead += f" {SEDATION_UNCHECKED}"
    points = []
    if isinstance(facts.since, datetime):
        points.append(f"Episode {facts.episode}, onset {view.time(facts.since)}.")
    if facts.treatment_line:
        points.append(f"Steroid treatment line {escape(words(facts.treatment_line, {}))} is running.")
    lines = words(facts.refractory_lines, {})
    if lines:
        points.append(f"The refractoriness definition was met on treatment line {escape(lines)}.")
    if assessment is not None:
        if last != alert.finding.at:
            points.append(f"The values here are those of the assessment that set it, {when(assessment, view)}.")
        points.extend(assessment_points(assessment, view))
    if grade >= 3:
        points.append(BEDSIDE)
    drafts = draft_assessment(view.evaluation.patient) if stale else []
    return Body(lead=lead, points=points, suggestions=drafts)


def possible_change_summary(alert: Alert, view: View) -> str:
    facts = facts_of(alert, GradePossibleChange)
    grades = range_text(facts.grade_low, facts.grade_high)
    missing = words(facts.missing, NAMES)
    text = f"ICANS grade may have {_changed(facts)} {facts.previous_grade}: recorded items allow {grades}, "
    text += view.short_time(alert.finding.at)
    return f"{text}; missing: {missing}" if missing else text


def possible_change_line(alert: Alert, times: Times) -> str:
    facts = facts_of(alert, GradePossibleChange)
    grades, missing = range_text(facts.grade_low, facts.grade_high), words(facts.missing, NAMES)
    text = f"grade may have {_changed(facts)} {facts.previous_grade}: recorded items allow {grades}"
    return f"{text}; missing: {missing}" if missing else text


def possible_change_body(alert: Alert, view: View) -> Body:
    facts, assessment = facts_of(alert, GradePossibleChange), _assessment(alert)
    value = deciding_text(assessment)
    recorded = f"{escape(_capital(value))} at" if value else "Recorded at"
    lead = (
        f"{recorded} {_when(alert, view, assessment)}. This allows grade "
        f"{range_text(facts.grade_low, facts.grade_high)}; the headline stays {facts.previous_grade}. "
        f"It may have {_changed(facts)} {facts.previous_grade}: a complete assessment would settle it."
    )
    if sedation_unchecked(assessment, view):
        lead += f" {SEDATION_UNCHECKED}"
    points = [] if assessment is None else assessment_points(assessment, view)
    missing = words(facts.missing, NAMES)
    if missing and (assessment is None or not assessment.missing):
        points.append(f"Missing, would settle the grade: {escape(missing)}.")
    if facts.grade_high >= 3:
        points.append(BEDSIDE)
    return Body(lead=lead, points=points, suggestions=draft_assessment(view.evaluation.patient))


def discrepancy_summary(alert: Alert, view: View) -> str:
    facts = facts_of(alert, GradeDiscrepancy)
    computed = range_text(facts.strict_low, facts.strict_high)
    return (
        f"ICANS grade {facts.documented_grade} charted by a clinician; recorded items give {computed}, "
        f"{view.short_time(alert.finding.at)}"
    )


def discrepancy_line(alert: Alert, times: Times) -> str:
    facts = facts_of(alert, GradeDiscrepancy)
    computed = range_text(facts.strict_low, facts.strict_high)
    return f"grade {facts.documented_grade} charted by a clinician; recorded items give {computed}"


def discrepancy_body(alert: Alert, view: View) -> Body:
    facts, assessment = facts_of(alert, GradeDiscrepancy), _assessment(alert)
    working = range_text(facts.grade_low, facts.grade_high)
    strict = range_text(facts.strict_low, facts.strict_high)
    assuming = "" if strict == working else f", and {strict} with nothing assumed about consciousness"
    window = in_words(view.policy.combination_window)
    lead = (
        f"Grade {facts.documented_grade} charted by a clinician at {view.time(alert.finding.at)}. Items "
        f"recorded within {window} of it give grade {working}{assuming}: the two differ."
    )
    if sedation_unchecked(assessment, view):
        lead += f" {SEDATION_UNCHECKED}"
    points = [] if assessment is None else assessment_points(assessment, view)
    points.append(
        "Both are kept; neither is corrected. A clinician may know of a finding, or of another cause, that "
        "is not in the available record."
    )
    return Body(lead=lead, points=points)


def not_found_summary(alert: Alert, view: View) -> str:
    since = view.short_time(facts_of(alert, AssessmentNotFound).since)
    return f"No ICANS assessment found in the available record since {since}"


def not_found_line(alert: Alert, times: Times) -> str:
    return f"no ICANS assessment found since {times.in_course(facts_of(alert, AssessmentNotFound).since)}"


def not_found_body(alert: Alert, view: View) -> Body:
    facts = facts_of(alert, AssessmentNotFound)
    looked_for = words(facts.looked_for, NAMES) or "ICE, CAPD, level of consciousness, charted grade"
    lead = (
        f"No ICANS assessment was found since {view.time(facts.since)}; there is no current grade. "
        "Consider reviewing whether one was charted elsewhere."
    )
    points = [
        f"Looked for: {escape(looked_for)}.",
        "Items charted under codes this service does not know are not found; see the data quality findings.",
    ]
    return Body(lead=lead, points=points, suggestions=draft_assessment(view.evaluation.patient))


def overdue_summary(alert: Alert, view: View) -> str:
    facts = facts_of(alert, AssessmentOverdue)
    last = facts.last_assessment
    return (
        f"No ICANS assessment found for {view.hours_before(last)} h (last known grade {facts.grade}, "
        f"{view.short_time(last)}); schedule {facts.interval_hours} h"
    )


def overdue_line(alert: Alert, times: Times) -> str:
    facts = facts_of(alert, AssessmentOverdue)
    last = times.in_course(facts.last_assessment)
    return f"assessment overdue at grade {facts.grade} (every {facts.interval_hours} h); last full one {last}"


def overdue_body(alert: Alert, view: View) -> Body:
    facts = facts_of(alert, AssessmentOverdue)
    last, hours = facts.last_assessment, facts.interval_hours
    lead = (
        f"Last full assessment {view.time(last)}, {view.hours_before(last)} h ago; last known grade "
        f"{facts.grade}. A newer ICE, CAPD or charted grade was not found in the available record."
    )
    points = [
        f"Schedule at this grade: every {hours} h; fell due, with its period of grace, {view.time(alert.finding.at)}.",
        f"Schedule in force: every {in_words(view.policy.interval_mild)}, every "
        f"{in_words(view.policy.interval_severe)} from grade 2.",
    ]
    return Body(lead=lead, points=points, suggestions=draft_assessment(view.evaluation.patient))


def _change_lead(alert: Alert, view: View, facts: GradeChange, assessment: Assessment | None) -> str:
    grade, time = facts.grade, _when(alert, view, assessment)
    headline = _capital(_headline(facts, assessment))
    direction = "up from" if facts.direction in _RISING else "down from"
    headline = f"{headline}, {direction} {facts.previous_grade}"
    change = f"{facts.direction}, episode {facts.episode}"
    if facts.deciding_domain == "documented":
        return (
            f"Grade {grade} charted by a clinician at {time}. {headline}: {change}. No ICE or CAPD was found "
            f"within {in_words(view.policy.combination_window)} of it."
        )
    value = deciding_text(assessment, facts)
    recorded = f"{escape(_capital(value))} at" if value else "Recorded at"
    criterion = CRITERIA.get((str(facts.deciding_domain), grade))
    source = f" (ASTCT 2019: {criterion})" if criterion else " (ASTCT 2019)"
    return f"{recorded} {time}. {headline}{source}: {change}."


def _documented(facts: GradeChange, assessment: Assessment | None) -> list[str]:
    grade = facts.documented_grade
    if grade is None or facts.deciding_domain == "documented":
        return []
    strict = assessment.strict if assessment is not None else None
    low, high = (facts.grade_low, facts.grade_high) if strict is None else (strict.low, strict.high)
    relation = "compatible with" if low <= grade <= high else "differs from"
    return [f"Charted by a clinician nearby: grade {grade} ({relation} the recorded items)."]


def _change_drafts(alert: Alert, view: View, facts: GradeChange, assessment: Assessment | None) -> list[dict[str, Any]]:
    """Document the grade where nothing is left open; EEG and imaging from a rise to grade 3 on."""
    patient, grade = view.evaluation.patient, facts.grade
    settled = facts.grade_low == facts.grade_high == grade
    if assessment is not None and assessment.strict is not None:
        settled = settled and assessment.strict.low == assessment.strict.high
    clear = assessment is not None and assessment.clear
    drafts: list[dict[str, Any]] = []
    if settled and facts.documented_grade is None and facts.deciding_domain != "documented":
        drafts.extend(document_grade(patient, grade, alert.finding.at, alert.finding.evidence))
    if not settled and not clear and facts.deciding_domain != "documented":
        drafts.extend(draft_assessment(patient))
    if facts.direction in _RISING and grade >= 3:
        drafts.extend(draft_eeg(patient))
        drafts.extend(draft_imaging(patient))
    return drafts


def _headline(facts: GradeChange, assessment: Assessment | None) -> str:
    open_above = assessment is not None and "consciousness-not-recorded" in assessment.notes
    rising = facts.direction in _RISING
    text = grade_text(facts.grade, facts.grade_low, facts.grade_high, rising=rising, open_above=open_above)
    if assessment is not None and assessment.at_baseline and not rising:
        return f"grade {facts.grade} (at baseline)"
    if assessment is not None and assessment.clear and not rising:
        return f"grade {facts.grade}"
    return text


def _change(facts: GradeChange) -> str:
    if facts.direction == "onset":
        return " (onset)"
    if facts.direction == "recurrence":
        return f" (recurrence, episode {facts.episode})"
    return f", {'up' if facts.direction in _RISING else 'down'} from {facts.previous_grade}"


def _changed(facts: GradePossibleChange) -> str:
    return "risen from" if facts.direction == "worsening" else "fallen from"


def _when(alert: Alert, view: View, assessment: Assessment | None) -> str:
    return view.time(alert.finding.at) if assessment is None else when(assessment, view)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _assessment(alert: Alert) -> Assessment | None:
    basis = alert.finding.basis
    return basis if isinstance(basis, Assessment) else None


WORDINGS = {
    "grade-change": Wording(
        summary=grade_change_summary, body=grade_change_body, line=grade_change_line, rule="C1 with GRD-7", source=ASTCT
    ),
    "icans-active": Wording(
        summary=icans_active_summary, body=icans_active_body, line=icans_active_line, rule="C4", source=ASTCT
    ),
    "grade-possible-change": Wording(
        summary=possible_change_summary, body=possible_change_body, line=possible_change_line, rule="C2", source=ASTCT
    ),
    "grade-discrepancy": Wording(
        summary=discrepancy_summary, body=discrepancy_body, line=discrepancy_line, rule="GRD-15", source=ASTCT
    ),
    "assessment-not-found": Wording(
        summary=not_found_summary, body=not_found_body, line=not_found_line, rule="C7", source=FRIDBERG
    ),
    "assessment-overdue": Wording(
        summary=overdue_summary, body=overdue_body, line=overdue_line, rule="C5", source=FRIDBERG
    ),
}
