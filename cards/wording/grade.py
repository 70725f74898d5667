"""Wording of the ICANS module: grade changes, the standing grade, and assessments that are missing."""

from __future__ import annotations

from typing import Any

from cards.markdown import SHORT, escape, fit
from cards.sources import ASTCT, FRIDBERG
from cards.suggestions import document_grade, draft_assessment, draft_eeg, draft_imaging
from cards.view import Times, View
from cards.wording.assessment import (
    CRITERIA,
    NAMES,
    assessment_points,
    bare_value,
    charted_at,
    deciding_text,
    grade_text,
    ice_text,
    range_text,
    sedation_unchecked,
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
from icans.record import NOT_ASSESSED_REASONS

SEDATION_UNCHECKED = "Sedation could not be checked: administrations were not read."
BEDSIDE = "This does not replace bedside assessment."
#: Less of a deciding value than this says nothing in a first line.
_SHORTEST_VALUE = 5
_RISING = ("onset", "worsening", "recurrence")


def grade_change_summary(alert: Alert, view: View) -> str:
    facts, assessment = facts_of(alert, GradeChange), _assessment(alert)
    headline, change, when = _headline(facts, assessment), _change(facts), view.when(alert.finding.at)
    unchecked = "; sedation not checked" if sedation_unchecked(assessment, view, facts) else ""
    if view.evaluation.infusion is None:
        return f"Recorded findings would meet ICANS {headline}; no CAR-T infusion is on record, {when}{unchecked}"
    if facts.deciding_domain == "documented":
        return f"ICANS {headline} charted by a clinician{change}, {when}{unchecked}"
    start, end = f"Recorded findings meet ICANS {headline}{change}", f", {when}{unchecked}"
    value = fit(deciding_text(assessment, facts), SHORT - len(start) - len(end) - 2)
    return f"{start}: {value}{end}" if len(value) > _SHORTEST_VALUE else f"{start}{end}"


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
        points.append(f"Onset within {in_words(view.policy.onset_on_steroids)} after a systemic steroid.")
    if facts.direction == "resolution":
        resolution = in_words(view.policy.resolution)
        points.append(f"The episode counts as resolved after {resolution} of such assessments.")
    if rising:
        points[:0] = _charted_by_habit(facts, assessment)
    if rising and grade >= 3:
        points.append(BEDSIDE)
    return Body(lead=lead, points=points, suggestions=_change_drafts(alert, view, facts, assessment))


def _charted_by_habit(facts: GradeChange, assessment: Assessment | None) -> list[str]:
    """What else the value that decides may mean: a reader who knows the patient sees it at once."""
    if facts.deciding_domain == "ice" and facts.ice_score == 0:
        return ["ICE 0 reads as asked and failed; if it was not done, correct it and chart the reason instead."]
    ice = next((v for v in assessment.domains if v.domain == "ice"), None) if assessment is not None else None
    if facts.deciding_domain == "consciousness" and ice is not None and ice.working.high == 0:
        return [
            f"{ice_text(assessment)} at the same time: the level alone decides. Asleep? Sleep is another reason for it."
        ]
    return []


def icans_active_summary(alert: Alert, view: View) -> str:
    facts = facts_of(alert, IcansActive)
    would = "" if view.evaluation.infusion is not None else " (no CAR-T infusion on record)"
    known = "Last known ICANS" if facts.stale else "ICANS"
    text = f"{known} grade {facts.grade}{would} since {view.when(alert.finding.at)}"
    full = view.evaluation.grade.as_of
    if facts.stale and full is not None:
        text += f"; last full assessment {view.ago(full)}"
    elif facts.last_assessment is not None:
        text += f"; last assessed {view.ago(facts.last_assessment)}"
    return f"{text}; sedation not checked" if sedation_unchecked(_assessment(alert), view) else text


def icans_active_line(alert: Alert, times: Times) -> str:
    facts = facts_of(alert, IcansActive)
    text = f"{'last known ICANS' if facts.stale else 'ICANS'} grade {facts.grade}"
    return text if facts.last_assessment is None else f"{text}, assessed {times.in_course(facts.last_assessment)}"


def icans_active_body(alert: Alert, view: View) -> Body:
    facts, assessment = facts_of(alert, IcansActive), _assessment(alert)
    known, at = "Last known grade" if facts.stale else "Grade", alert.finding.at
    lead = f"{known} {facts.grade} since {view.in_course(at)}."
    if facts.since is not None and facts.since != at:
        lead += f" Episode {facts.episode}, onset {view.in_course(facts.since)}."
    if facts.stale:
        lead += " There is no current grade."
    elif facts.last_assessment is not None and facts.last_assessment != alert.finding.at:
        grades = range_text(facts.grade_low, facts.grade_high)
        lead += f" Last assessment {view.in_course(facts.last_assessment)}: grade {grades}."
    if sedation_unchecked(assessment, view):
        lead += f" {SEDATION_UNCHECKED}"
    points = _last_assessed(view) if facts.stale else []
    if facts.refractory_lines:
        courses = escape(words(facts.refractory_lines, {}))
        points.append(f"A definition of refractory ICANS was met on steroid course {courses}.")
    if assessment is not None:
        points.extend(assessment_points(assessment, view))
    if facts.grade >= 3:
        points.append(BEDSIDE)
    drafts = draft_assessment(view.evaluation.patient) if facts.stale else []
    return Body(lead=lead, points=points, suggestions=drafts)


def _last_assessed(view: View) -> list[str]:
    """Where consciousness was charted after the last full assessment, both with how long ago."""
    full, value = view.evaluation.grade.as_of, view.evaluation.bedside.consciousness
    if full is None or value is None or value.time <= full:
        return []
    by = f" ({escape(bare_value(value))})" if value.status == "inferred" else ""
    return [f"Last full assessment {view.ago(full)}; consciousness {view.ago(value.time)}{by}."]


def possible_change_summary(alert: Alert, view: View) -> str:
    facts, when = facts_of(alert, GradePossibleChange), view.when(alert.finding.at)
    grades = range_text(facts.grade_low, facts.grade_high)
    if reason := _not_done(_assessment(alert)):
        return f"{reason}, {when}: ICANS grade {grades} is possible ({facts.previous_grade} before)"
    missing = words(facts.missing, NAMES)
    text = f"ICANS grade may have {_changed(facts)} {facts.previous_grade}: recorded items allow {grades}, {when}"
    return f"{text}; missing: {missing}" if missing and len(text) + len(missing) + 11 <= SHORT else text


def _not_done(assessment: Assessment | None) -> str:
    """``ICE not done (asleep)``, where that is why the grade is open."""
    for value in assessment.excluded if assessment is not None else ():
        if value.domain in ("ice", "capd") and value.reason in NOT_ASSESSED_REASONS:
            return f"{value.domain.upper()} not done ({value.reason.replace('-', ' ')})"
    return ""


def possible_change_line(alert: Alert, times: Times) -> str:
    facts = facts_of(alert, GradePossibleChange)
    grades, missing = range_text(facts.grade_low, facts.grade_high), words(facts.missing, NAMES)
    if reason := _not_done(_assessment(alert)):
        return f"{reason}: grade {grades} is possible ({facts.previous_grade} before)"
    text = f"grade may have {_changed(facts)} {facts.previous_grade}: recorded items allow {grades}"
    return f"{text}; missing: {missing}" if missing else text


def possible_change_body(alert: Alert, view: View) -> Body:
    facts, assessment = facts_of(alert, GradePossibleChange), _assessment(alert)
    value = deciding_text(assessment)
    recorded = f"{escape(_capital(value))} at" if value else "Recorded at"
    lead = (
        f"{recorded} {_when(alert, view, assessment)}. This allows grade "
        f"{range_text(facts.grade_low, facts.grade_high)}; the grade shown stays {facts.previous_grade}."
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
        f"{view.when(alert.finding.at)}"
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
    points.append("Both are kept. A clinician may know of a finding, or of another cause, that is not on record.")
    return Body(lead=lead, points=points)


def not_found_summary(alert: Alert, view: View) -> str:
    since = facts_of(alert, AssessmentNotFound).since
    hours = view.hours_before(since)
    return f"No ICANS assessment found in the available record for {hours} h (since {view.in_course(since)})"


def not_found_line(alert: Alert, times: Times) -> str:
    return f"no ICANS assessment found since {times.in_course(facts_of(alert, AssessmentNotFound).since)}"


def not_found_body(alert: Alert, view: View) -> Body:
    facts = facts_of(alert, AssessmentNotFound)
    looked_for = words(facts.looked_for, NAMES) or words(("ice", "capd", "consciousness", "documented"), NAMES)
    lead = f"Not found since {view.time(facts.since)}; there is no current grade."
    points = [
        f"Looked for: {escape(looked_for)}.",
        "Consider reviewing whether one was charted elsewhere, or under an unknown code.",
    ]
    return Body(lead=lead, points=points, suggestions=draft_assessment(view.evaluation.patient))


def overdue_summary(alert: Alert, view: View) -> str:
    facts = facts_of(alert, AssessmentOverdue)
    return (
        f"No full ICANS assessment found for {view.hours_before(facts.last_assessment)} h: due every "
        f"{facts.interval_hours} h at grade {facts.grade}, last {view.in_course(facts.last_assessment)}"
    )


def overdue_line(alert: Alert, times: Times) -> str:
    facts = facts_of(alert, AssessmentOverdue)
    last = times.in_course(facts.last_assessment)
    return f"assessment overdue at grade {facts.grade} (every {facts.interval_hours} h); last full one {last}"


def overdue_body(alert: Alert, view: View) -> Body:
    facts = facts_of(alert, AssessmentOverdue)
    lead = f"No ICE, CAPD or charted grade was found since {view.time(facts.last_assessment)}."
    points = [f"Overdue since {view.in_course(alert.finding.at)}.", *_last_assessed(view)]
    return Body(lead=lead, points=points, suggestions=draft_assessment(view.evaluation.patient))


def _change_lead(alert: Alert, view: View, facts: GradeChange, assessment: Assessment | None) -> str:
    grade, time = facts.grade, _when(alert, view, assessment)
    headline = _capital(_headline(facts, assessment))
    direction = "up from" if facts.direction in _RISING else "down from"
    headline = f"{headline}, {direction} {facts.previous_grade}"
    change = f"{facts.direction}, episode {facts.episode}" if facts.episode > 1 else facts.direction
    if facts.deciding_domain == "documented":
        return (
            f"Grade {grade} charted by a clinician at {time}. {headline}: {change}. No ICE or CAPD was found "
            f"within {in_words(view.policy.combination_window)} of it."
        )
    criterion = CRITERIA.get((str(facts.deciding_domain), grade))
    source = f" (ASTCT 2019: {criterion})" if criterion else " (ASTCT 2019)"
    return f"{headline}{source}, {time}: {change}."


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
    return view.in_course(alert.finding.at) if assessment is None else charted_at(assessment, view)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _assessment(alert: Alert) -> Assessment | None:
    basis = alert.finding.basis
    return basis if isinstance(basis, Assessment) else None


WORDINGS = {
    "grade-change": Wording(
        summary=grade_change_summary, body=grade_change_body, line=grade_change_line, rule="C1, GRD-7", source=ASTCT
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
