"""Wording of the ICANS module: grade changes, the standing grade, and assessments that are missing."""

from __future__ import annotations

from collections.abc import Mapping
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
from icans.findings import Alert
from icans.grading.assessment import Assessment
from icans.policy.policy import in_words

SEDATION_UNCHECKED = "Sedation could not be checked: administrations were not read."
BEDSIDE = "This does not replace bedside assessment."
#: So much of the deciding value fits into a summary beside grade and time.
_LONGEST_VALUE = 45
_RISING = ("onset", "worsening", "recurrence")


def grade_change_summary(alert: Alert, view: View) -> str:
    facts, assessment = facts_of(alert), _assessment(alert)
    change = _change(facts)
    headline = _headline(facts, assessment)
    if facts.get("decidingDomain") == "documented":
        text = f"ICANS {headline} charted by a clinician{change}, {view.short_time(alert.finding.at)}"
    else:
        value = fit(deciding_text(assessment, facts), _LONGEST_VALUE)
        text = f"Recorded findings meet ICANS {headline}{change}{': ' if value else ''}{value}, "
        text += view.short_time(alert.finding.at)
    if sedation_unchecked(assessment, facts, view):
        text += "; sedation not checked"
    return text


def grade_change_line(alert: Alert, times: Times) -> str:
    facts, assessment = facts_of(alert), _assessment(alert)
    by = "charted by a clinician" if facts.get("decidingDomain") == "documented" else deciding_text(assessment, facts)
    return f"ICANS {_headline(facts, assessment)}{_change(facts)}{': ' if by else ''}{by}"


def grade_change_body(alert: Alert, view: View) -> Body:
    facts, assessment = facts_of(alert), _assessment(alert)
    grade, rising = facts["grade"], facts["direction"] in _RISING
    lead = _change_lead(alert, view, facts, assessment)
    if sedation_unchecked(assessment, facts, view):
        lead += f" {SEDATION_UNCHECKED}"
    points = assessment_points(assessment, view) if assessment is not None else []
    points.extend(_documented(facts, assessment))
    if facts.get("onsetOnSteroids"):
        points.append(
            f"A systemic steroid was given within the {in_words(view.policy.onset_on_steroids)} before this onset."
        )
    if facts["direction"] == "resolution":
        resolution = in_words(view.policy.resolution)
        points.append(f"Grade 0 is recorded; the episode counts as resolved after {resolution} of such assessments.")
    if rising and grade >= 3:
        points.append(BEDSIDE)
    return Body(lead=lead, points=points, suggestions=_change_drafts(alert, view, facts, assessment))


def icans_active_summary(alert: Alert, view: View) -> str:
    facts = facts_of(alert)
    stale = bool(facts.get("stale"))
    text = f"{'Last known ICANS' if stale else 'ICANS'} grade {facts['grade']} on record since "
    text += view.short_time(alert.finding.at)
    last = facts.get("lastAssessment")
    if isinstance(last, datetime):
        text += f"; last assessed {view.clock(last)}"
        if stale:
            text += f", {view.hours_before(last)} h ago"
    if sedation_unchecked(_assessment(alert), facts, view):
        text += "; sedation not checked"
    return text


def icans_active_line(alert: Alert, times: Times) -> str:
    facts = facts_of(alert)
    last = facts.get("lastAssessment")
    text = f"{'last known ICANS' if facts.get('stale') else 'ICANS'} grade {facts['grade']}"
    return f"{text}, assessed {times.in_course(last)}" if isinstance(last, datetime) else text


def icans_active_body(alert: Alert, view: View) -> Body:
    facts, assessment = facts_of(alert), _assessment(alert)
    stale = bool(facts.get("stale"))
    grade = facts["grade"]
    lead = f"{'Last known grade' if stale else 'Grade'} {grade}, set {view.time(alert.finding.at)}."
    last = facts.get("lastAssessment")
    if isinstance(last, datetime):
        grades = range_text(facts.get("gradeLow"), facts.get("gradeHigh"))
        ago = f", {view.hours_before(last)} h ago" if stale else ""
        lead += f" Last assessment {view.time(last)}{ago}: grade {grades}."
        lead += " There is no current grade." if stale else ""
    if sedation_unchecked(assessment, facts, view):
        lead += f" {SEDATION_UNCHECKED}"
    points = []
    if isinstance(facts.get("since"), datetime):
        points.append(f"Episode {facts['episode']}, onset {view.time(facts['since'])}.")
    if facts.get("treatmentLine"):
        points.append(f"Steroid treatment line {escape(words(facts['treatmentLine'], {}))} is running.")
    lines = words(facts.get("refractoryLines"), {})
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
    facts = facts_of(alert)
    grades = range_text(facts["gradeLow"], facts["gradeHigh"])
    missing = words(facts.get("missing"), NAMES)
    text = f"ICANS grade may have {_changed(facts)} {facts['previousGrade']}: recorded items allow {grades}, "
    text += view.short_time(alert.finding.at)
    return f"{text}; missing: {missing}" if missing else text


def possible_change_line(alert: Alert, times: Times) -> str:
    facts = facts_of(alert)
    grades, missing = range_text(facts["gradeLow"], facts["gradeHigh"]), words(facts.get("missing"), NAMES)
    text = f"grade may have {_changed(facts)} {facts['previousGrade']}: recorded items allow {grades}"
    return f"{text}; missing: {missing}" if missing else text


def possible_change_body(alert: Alert, view: View) -> Body:
    facts, assessment = facts_of(alert), _assessment(alert)
    value = deciding_text(assessment, facts)
    recorded = f"{escape(_capital(value))} at" if value else "Recorded at"
    lead = (
        f"{recorded} {_when(alert, view, assessment)}. This allows grade "
        f"{range_text(facts['gradeLow'], facts['gradeHigh'])}; the headline stays {facts['previousGrade']}. "
        f"It may have {_changed(facts)} {facts['previousGrade']}: a complete assessment would settle it."
    )
    if sedation_unchecked(assessment, facts, view):
        lead += f" {SEDATION_UNCHECKED}"
    points = [] if assessment is None else assessment_points(assessment, view)
    missing = words(facts.get("missing"), NAMES)
    if missing and (assessment is None or not assessment.missing):
        points.append(f"Missing, would settle the grade: {escape(missing)}.")
    if facts["gradeHigh"] >= 3:
        points.append(BEDSIDE)
    return Body(lead=lead, points=points, suggestions=draft_assessment(view.evaluation.patient))


def discrepancy_summary(alert: Alert, view: View) -> str:
    facts = facts_of(alert)
    computed = range_text(facts["strictLow"], facts["strictHigh"])
    return (
        f"ICANS grade {facts['documentedGrade']} charted by a clinician; recorded items give {computed}, "
        f"{view.short_time(alert.finding.at)}"
    )


def discrepancy_line(alert: Alert, times: Times) -> str:
    facts = facts_of(alert)
    computed = range_text(facts["strictLow"], facts["strictHigh"])
    return f"grade {facts['documentedGrade']} charted by a clinician; recorded items give {computed}"


def discrepancy_body(alert: Alert, view: View) -> Body:
    facts, assessment = facts_of(alert), _assessment(alert)
    working = range_text(facts["gradeLow"], facts["gradeHigh"])
    strict = range_text(facts["strictLow"], facts["strictHigh"])
    assuming = "" if strict == working else f", and {strict} with nothing assumed about consciousness"
    window = in_words(view.policy.combination_window)
    lead = (
        f"Grade {facts['documentedGrade']} charted by a clinician at {view.time(alert.finding.at)}. Items "
        f"recorded within {window} of it give grade {working}{assuming}: the two differ."
    )
    if sedation_unchecked(assessment, facts, view):
        lead += f" {SEDATION_UNCHECKED}"
    points = [] if assessment is None else assessment_points(assessment, view)
    points.append(
        "Both are kept; neither is corrected. A clinician may know of a finding, or of another cause, that "
        "is not in the available record."
    )
    return Body(lead=lead, points=points)


def not_found_summary(alert: Alert, view: View) -> str:
    since = view.short_time(facts_of(alert)["since"])
    return f"No ICANS assessment found in the available record since {since}"


def not_found_line(alert: Alert, times: Times) -> str:
    return f"no ICANS assessment found since {times.in_course(facts_of(alert)['since'])}"


def not_found_body(alert: Alert, view: View) -> Body:
    facts = facts_of(alert)
    looked_for = words(facts.get("lookedFor"), NAMES) or "ICE, CAPD, level of consciousness, charted grade"
    lead = (
        f"No ICANS assessment was found since {view.time(facts['since'])}; there is no current grade. "
        "Consider reviewing whether one was charted elsewhere."
    )
    points = [
        f"Looked for: {escape(looked_for)}.",
        "Items charted under codes this service does not know are not found; see the data quality findings.",
    ]
    return Body(lead=lead, points=points, suggestions=draft_assessment(view.evaluation.patient))


def overdue_summary(alert: Alert, view: View) -> str:
    facts = facts_of(alert)
    last = facts["lastAssessment"]
    return (
        f"No ICANS assessment found for {view.hours_before(last)} h (last known grade {facts['grade']}, "
        f"{view.short_time(last)}); schedule {facts['intervalHours']} h"
    )


def overdue_line(alert: Alert, times: Times) -> str:
    facts = facts_of(alert)
    last = times.in_course(facts["lastAssessment"])
    return f"assessment overdue at grade {facts['grade']} (every {facts['intervalHours']} h); last full one {last}"


def overdue_body(alert: Alert, view: View) -> Body:
    facts = facts_of(alert)
    last, hours = facts["lastAssessment"], facts["intervalHours"]
    lead = (
        f"Last full assessment {view.time(last)}, {view.hours_before(last)} h ago; last known grade "
        f"{facts['grade']}. A newer ICE, CAPD or charted grade was not found in the available record."
    )
    points = [
        f"Schedule at this grade: every {hours} h; fell due, with its period of grace, {view.time(alert.finding.at)}.",
        f"Schedule in force: every {in_words(view.policy.interval_mild)}, every "
        f"{in_words(view.policy.interval_severe)} from grade 2.",
    ]
    return Body(lead=lead, points=points, suggestions=draft_assessment(view.evaluation.patient))


def _change_lead(alert: Alert, view: View, facts: Mapping[str, Any], assessment: Assessment | None) -> str:
    grade, time = facts["grade"], _when(alert, view, assessment)
    headline = _capital(_headline(facts, assessment))
    direction = "up from" if facts["direction"] in _RISING else "down from"
    headline = f"{headline}, {direction} {facts['previousGrade']}"
    change = f"{facts['direction']}, episode {facts['episode']}"
    if facts.get("decidingDomain") == "documented":
        return (
            f"Grade {grade} charted by a clinician at {time}. {headline}: {change}. No ICE or CAPD was found "
            f"within {in_words(view.policy.combination_window)} of it."
        )
    value = deciding_text(assessment, facts)
    recorded = f"{escape(_capital(value))} at" if value else "Recorded at"
    criterion = CRITERIA.get((str(facts.get("decidingDomain")), grade))
    source = f" (ASTCT 2019: {criterion})" if criterion else " (ASTCT 2019)"
    return f"{recorded} {time}. {headline}{source}: {change}."


def _documented(facts: Mapping[str, Any], assessment: Assessment | None) -> list[str]:
    grade = facts.get("documentedGrade")
    if grade is None or facts.get("decidingDomain") == "documented":
        return []
    strict = assessment.strict if assessment is not None else None
    low, high = (facts["gradeLow"], facts["gradeHigh"]) if strict is None else (strict.low, strict.high)
    relation = "compatible with" if low <= grade <= high else "differs from"
    return [f"Charted by a clinician nearby: grade {grade} ({relation} the recorded items)."]


def _change_drafts(
    alert: Alert, view: View, facts: Mapping[str, Any], assessment: Assessment | None
) -> list[dict[str, Any]]:
    """Document the grade where nothing is left open; EEG and imaging from a rise to grade 3 on."""
    patient, grade = view.evaluation.patient, facts["grade"]
    settled = facts["gradeLow"] == facts["gradeHigh"] == grade
    if assessment is not None and assessment.strict is not None:
        settled = settled and assessment.strict.low == assessment.strict.high
    clear = assessment is not None and assessment.clear
    drafts: list[dict[str, Any]] = []
    if settled and facts.get("documentedGrade") is None and facts.get("decidingDomain") != "documented":
        drafts.extend(document_grade(patient, grade, alert.finding.at, alert.finding.evidence))
    if not settled and not clear and facts.get("decidingDomain") != "documented":
        drafts.extend(draft_assessment(patient))
    if facts["direction"] in _RISING and grade >= 3:
        drafts.extend(draft_eeg(patient))
        drafts.extend(draft_imaging(patient))
    return drafts


def _headline(facts: Mapping[str, Any], assessment: Assessment | None) -> str:
    open_above = assessment is not None and "consciousness-not-recorded" in assessment.notes
    rising = facts["direction"] in _RISING
    text = grade_text(facts["grade"], facts["gradeLow"], facts["gradeHigh"], rising=rising, open_above=open_above)
    if assessment is not None and assessment.at_baseline and not rising:
        return f"grade {facts['grade']} (at baseline)"
    if assessment is not None and assessment.clear and not rising:
        return f"grade {facts['grade']}"
    return text


def _change(facts: Mapping[str, Any]) -> str:
    if facts["direction"] == "onset":
        return " (onset)"
    if facts["direction"] == "recurrence":
        return f" (recurrence, episode {facts['episode']})"
    return f", {'up' if facts['direction'] in _RISING else 'down'} from {facts['previousGrade']}"


def _changed(facts: Mapping[str, Any]) -> str:
    return "risen from" if facts.get("direction") == "worsening" else "fallen from"


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
