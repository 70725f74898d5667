"""Wording of the refractoriness module: recorded data against a published definition, no more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from cards.json_values import number_text
from cards.markdown import escape
from cards.sources import FRIDBERG
from cards.suggestions import draft_assessment, draft_eeg, draft_imaging
from cards.view import Times, View
from cards.wording.assessment import (
    NAMES,
    charted_at,
    computation,
    excluded_points,
    ice_text,
    range_text,
    sedation_unchecked,
)
from cards.wording.exposure import sum_table
from cards.wording.grade import BEDSIDE, SEDATION_UNCHECKED
from cards.wording.literature import DEFINITION_LIMITS, DEFINITION_QUOTE, NO_CONSENSUS
from cards.wording.parts import Body, Wording, count, facts_of, named, words
from icans.facts import ReassessmentOverdue, Refractory, RefractoryIndeterminate, ReWorsening
from icans.findings import Alert, RefractoryBasis
from icans.policy.policy import Policy, in_words
from icans.record import Escalation

_DEFINITION_LABEL = "fridberg2026-24h"
#: What is stated of a line of treatment.
LineFacts = Refractory | ReassessmentOverdue | RefractoryIndeterminate
_CLAUSES: Mapping[str, Callable[[Policy], str]] = {
    "worsening-under-treatment": lambda policy: (
        f"a higher grade within {in_words(policy.evaluation_due)} under treatment"
    ),
    "no-improvement-24h": lambda policy: f"no improvement within {in_words(policy.evaluation_due)}",
}
_OPEN_REASONS: Mapping[str, Callable[[Policy], str]] = {
    "no-reference": lambda policy: (
        f"no gradable assessment was found in the {in_words(policy.reference_before)} before treatment start or the "
        f"{in_words(policy.reference_after)} after"
    ),
    "not-assessable": lambda policy: (
        f"the assessment at {in_words(policy.evaluation_due)} could not be graded (for example under sedation)"
    ),
    "time-imprecise": lambda _: "a time is charted as a day only, and both ends of that day give different answers",
    "treatment-gap": lambda policy: (
        f"no steroid dose was found in the {in_words(policy.treatment_gap)} before: active treatment is not shown"
    ),
    "event-carry": lambda _: "the grade rests on an earlier event, such as a seizure",
    "ice-only": lambda _: "the grade is unchanged but ICE rose",
    "capd-only": lambda policy: f"the grade is unchanged but CAPD fell by {policy.capd_gain} points or more",
    "interval-overlap": lambda _: "the grades before and after overlap because items are missing",
}
_SHORT_REASONS = {
    "no-reference": "no assessment at its start",
    "not-assessable": "not assessable",
    "time-imprecise": "time not precise",
    "treatment-gap": "gap in the doses",
    "event-carry": "rests on an earlier event",
    "ice-only": "ICE rose, same grade",
    "capd-only": "CAPD fell, same grade",
    "interval-overlap": "items missing",
}
_NEEDED = {
    "no-reference": "an assessment charted around treatment start",
    "not-assessable": "an assessment that can be graded",
    "time-imprecise": "the exact times",
    "treatment-gap": "the doses given in the gap, or a new dose",
    "event-carry": "a new documentation of the event domain",
    "ice-only": "a clinician's judgement, or the next assessment",
    "capd-only": "a clinician's judgement, or the next assessment",
    "interval-overlap": "a complete assessment (ICE with level of consciousness)",
    "assessment-at-treatment-start": "an assessment charted around treatment start",
    "assessment-without-sedation": "an assessment without sedation",
    "exact-times": "the exact times",
    "doses-since-treatment-start": "the doses given in the gap, or a new dose",
    "event-status": "a new documentation of the event domain",
    "clinician-judgement": "a clinician's judgement, or the next assessment",
    **NAMES,
}
_ASSUMED = {
    "route-not-recorded": "a dose without route is systemic",
    "consciousness-inferred": "consciousness at the start inferred from GCS or RASS",
    "consciousness-not-recorded": "consciousness at the start not recorded",
    "dose-unknown": "a dose of unknown size starts treatment",
    "documented-grade": "a grade charted by a clinician is an assessment",
    "day-only": "treatment started at the end of its day",
}


def refractory_summary(alert: Alert, view: View) -> str:
    found = _found(facts_of(alert, Refractory))
    return f"Recorded data meet a definition of refractory ICANS: {found}, {view.ago(alert.finding.at)}"


def refractory_line(alert: Alert, times: Times) -> str:
    return f"recorded data meet a definition of refractory ICANS: {_found(facts_of(alert, Refractory))}"


def refractory_body(alert: Alert, view: View) -> Body:
    facts, basis = facts_of(alert, Refractory), _basis(alert)
    first_dose = "steroid dose since onset" if facts.line == 1 else f"dose of steroid course {facts.line}"
    lead = (
        f"Grade {facts.grade} at {_time(alert, view)}, {_span(facts)} after the first {first_dose} "
        f"({_started(alert, facts, view)}, at {_reference_grade(facts)}): this meets {_definition_name(view)}, "
        f"{_clause(facts.reason, view)}."
    )
    if sedation_unchecked(basis.evaluation, view):
        lead += f" {SEDATION_UNCHECKED}"
    if alert.unchanged_since is not None:
        lead = f"Unchanged since {view.in_course(alert.unchanged_since)}. {lead}"
    points = []
    if basis.early:
        points.append(f"Only {_span(facts)} after the first dose: a steroid effect may not yet be assessable.")
    if facts.late:
        first, last = in_words(view.policy.evaluation_from), in_words(view.policy.evaluation_late)
        points.append(f"Late: no gradable assessment was found {first} to {last} after the first dose.")
    if facts.also_met is not None:
        points.append(f"Also met on this course: {_clause(facts.also_met, view)}.")
    points.extend(_since_improved(alert, view))
    points.extend(_given_before_onset(alert, view))
    points.extend(_comparison(alert, view))
    if facts.grade >= 3:
        points.append(BEDSIDE)
    patient = view.evaluation.patient
    drafts = [*draft_eeg(patient), *draft_imaging(patient)] if facts.grade >= 3 else []
    return Body(lead=lead, points=points, blocks=_blocks(alert, view), suggestions=drafts)


def reassessment_overdue_summary(alert: Alert, view: View) -> str:
    facts = facts_of(alert, ReassessmentOverdue)
    return (
        f"No 24-hour reassessment found: steroids since {_started(alert, facts, view, short=True)}, "
        f"{view.ago(facts.treatment_start)}, at {_reference_grade(facts)}"
    )


def reassessment_overdue_line(alert: Alert, times: Times) -> str:
    due = in_words(times.policy.evaluation_due)
    return (
        f"no reassessment found {due} after steroid start, at {_reference_grade(facts_of(alert, ReassessmentOverdue))}"
    )


def reassessment_overdue_body(alert: Alert, view: View) -> Body:
    facts = facts_of(alert, ReassessmentOverdue)
    first, due = in_words(view.policy.evaluation_from), in_words(view.policy.evaluation_due)
    lead = (
        f"Steroid course {facts.line} started {_started(alert, facts, view)} at {_reference_grade(facts)}. No gradable "
        f"assessment from {first} to {due} after it was found in the available record; consider reviewing whether one "
        "was done."
    )
    points = [
        "What would settle it: a full assessment (ICE or CAPD and consciousness, or a charted grade).",
        *_comparison(alert, view),
    ]
    drafts = draft_assessment(view.evaluation.patient)
    return Body(lead=lead, points=points, blocks=_blocks(alert, view), suggestions=drafts)


def indeterminate_summary(alert: Alert, view: View) -> str:
    facts = facts_of(alert, RefractoryIndeterminate)
    reason = _SHORT_REASONS.get(facts.reason, facts.reason)
    started = _started(alert, facts, view, short=True)
    return f"Response to steroids since {started} cannot be told: {reason}, {view.ago(alert.finding.at)}"


def indeterminate_line(alert: Alert, times: Times) -> str:
    reason = str(facts_of(alert, RefractoryIndeterminate).reason)
    return f"response to steroids cannot be told: {_SHORT_REASONS.get(reason, reason)}"


def indeterminate_body(alert: Alert, view: View) -> Body:
    facts, evaluated = facts_of(alert, RefractoryIndeterminate), _basis(alert).evaluation
    lead = (
        f"Whether steroid course {facts.line}, started {_started(alert, facts, view)}, meets {_definition_name(view)} "
        f"cannot be told: {_open_reason(facts.reason, view)}."
    )
    if sedation_unchecked(evaluated, view):
        lead += f" {SEDATION_UNCHECKED}"
    needed = words(facts.needed, _NEEDED) or _NEEDED.get(facts.reason, "a full assessment")
    points = [f"What would settle it: {escape(needed)}.", *_comparison(alert, view)]
    drafts = draft_assessment(view.evaluation.patient)
    return Body(lead=lead, points=points, blocks=_blocks(alert, view), suggestions=drafts)


def _found(facts: Refractory) -> str:
    """``worse, grade 2 to 4 in 65 h on steroids``, ``grade 2, not better in 24 h``."""
    before, span = facts.grade_at_treatment_start, f"in {_rough_hours(facts)}"
    if before is not None and facts.grade > before:
        return f"worse, {before} to {facts.grade} {span} on steroids"
    return f"grade {facts.grade}, not better {span}"


def _rough_hours(facts: Refractory | ReWorsening) -> str:
    """Hours to the nearest one, below 10 with a half."""
    hours = facts.hours_since_treatment_start
    return f"{number_text(round(hours * 2) / Decimal(2))} h" if hours < 10 else f"{round(hours)} h"


def _clause(reason: str, view: View) -> str:
    worded = _CLAUSES.get(reason)
    return escape(reason) if worded is None else worded(view.policy)


def _open_reason(reason: str, view: View) -> str:
    worded = _OPEN_REASONS.get(reason)
    return escape(reason) if worded is None else worded(view.policy)


def re_worsening_summary(alert: Alert, view: View) -> str:
    facts = facts_of(alert, ReWorsening)
    return (
        f"ICANS grade rose again on steroids, {facts.previous_grade} to {facts.grade}, {_rough_hours(facts)} after the "
        f"first dose, {view.when(alert.finding.at)}"
    )


def re_worsening_line(alert: Alert, times: Times) -> str:
    facts = facts_of(alert, ReWorsening)
    return f"grade rose again on steroids, {facts.previous_grade} to {facts.grade}"


def re_worsening_body(alert: Alert, view: View) -> Body:
    facts, evaluated = facts_of(alert, ReWorsening), _basis(alert).evaluation
    lead = (
        f"Grade {facts.grade} at {_time(alert, view)}, up from {facts.previous_grade} on steroid course {facts.line}, "
        f"{_span(facts)} after its first dose."
    )
    if sedation_unchecked(evaluated, view):
        lead += f" {SEDATION_UNCHECKED}"
    points = [
        f"After the verdict on this course: outside the {in_words(view.policy.evaluation_due)} of the definition.",
        *_given_before(alert),
        *_comparison(alert, view),
    ]
    if facts.grade >= 3:
        points.append(BEDSIDE)
    return Body(lead=lead, points=points, blocks=_blocks(alert, view))


def _comparison(alert: Alert, view: View) -> list[str]:
    """The two assessments that were compared, and what was assumed."""
    points = []
    basis = _basis(alert)
    for assessment, said in ((basis.reference, "At the start"), (basis.evaluation, "Compared with it")):
        if assessment is not None and assessment.working is not None:
            grade = range_text(assessment.working.low, assessment.working.high)
            ice = ice_text(assessment)
            points.append(f"{said}: grade {grade}{f', {ice}' if ice else ''}, {charted_at(assessment, view)}.")
    if basis.evaluation is not None:
        points.append(computation(basis.evaluation, view))
        points.extend(excluded_points(basis.evaluation, view))
    if basis.assumed:
        points.append(f"Assumed: {'; '.join(_ASSUMED[code] for code in basis.assumed)}.")
    return [point for point in points if point]


def _since_improved(alert: Alert, view: View) -> list[str]:
    """Improvement after the definition was met is shown and does not delete it."""
    grade = view.evaluation.grade
    if grade.working is None or grade.assessed is None or grade.assessed <= alert.finding.at:
        return []
    if grade.working < facts_of(alert, Refractory).grade:
        return [f"Since then the recorded grade is {grade.working} ({view.time(grade.assessed)})."]
    return []


def _dose_blocks(alert: Alert, view: View) -> list[str]:
    """The doses of the line as a sum that can be redone, those without an amount, and second-line agents."""
    basis = _basis(alert)
    blocks = ["Steroid doses since this treatment start:", sum_table(basis.doses, view)] if basis.doses else []
    if basis.uncounted:
        given = "Given since then, not in this sum" if basis.doses else "No dose since then is countable"
        blocks.append(f"{given} (no usable amount, route or end): {named(basis.uncounted)}.")
    if agents := basis.escalations:
        listed = "; ".join(_agent(drug, agents, view) for drug in dict.fromkeys(e.drug for e in agents))
        blocks.append(f"Second-line agents since onset, no part of the definition: {listed}.")
    return blocks


def _given_before(alert: Alert) -> list[str]:
    """What was given in the day before a grade rose again."""
    basis = _basis(alert)
    if basis.recent_mg is None:
        return []
    least = "at least " if basis.recent_uncounted else ""
    more = f" ({count(basis.recent_uncounted, 'dose')} not countable)" if basis.recent_uncounted else ""
    return [f"In the 24 h before it: {least}{number_text(basis.recent_mg)} mg dexamethasone-equivalent{more}."]


def _given_before_onset(alert: Alert, view: View) -> list[str]:
    """That ICANS began on steroids, given for another reason or as prophylaxis: they are in no line of treatment."""
    before = _basis(alert).before
    if not before:
        return []
    mg = number_text(sum((dose.equivalent_mg for dose in before), Decimal(0)))
    return [
        f"ICANS began on steroids: {count(len(before), 'dose')}, {mg} mg dexamethasone-equivalent since "
        f"{view.in_course(before[0].at)}, before treatment start as counted here."
    ]


def _agent(drug: str, agents: Sequence[Escalation], view: View) -> str:
    given = [e for e in agents if e.drug == drug]
    last = f", last {view.in_course(given[-1].at)}" if len(given) > 1 else ""
    return f"{escape(drug)}, {count(len(given), 'time')}, first {view.in_course(given[0].at)}{last}"


def _blocks(alert: Alert, view: View) -> list[str]:
    """The doses; the definition is quoted where it is met."""
    met = isinstance(alert.finding.facts, Refractory)
    return [*_dose_blocks(alert, view), _definition_text(view.policy.definition) if met else NO_CONSENSUS]


def _definition_name(view: View) -> str:
    """A definition in words; the profile's own name where it is a site's."""
    definition = view.policy.definition
    if definition == _DEFINITION_LABEL:
        return f"the {in_words(view.policy.evaluation_due)} definition of one trial (Fridberg et al. 2026)"
    return f"the definition {escape(definition)}"


def _definition_text(definition: str) -> str:
    if definition != _DEFINITION_LABEL:
        return f"Definition: {escape(definition)}. {NO_CONSENSUS}"
    return f'Definition: "{DEFINITION_QUOTE}". {DEFINITION_LIMITS}'


def _span(facts: Refractory | ReWorsening) -> str:
    """``6 h 40 min`` since treatment start."""
    return in_words(timedelta(minutes=round(facts.hours_since_treatment_start * 60)))


def _reference_grade(facts: LineFacts) -> str:
    grade = facts.grade_at_treatment_start
    return "a grade that is not known" if grade is None else f"grade {grade}"


def _started(alert: Alert, facts: LineFacts, view: View, *, short: bool = False) -> str:
    """Treatment start, or its day where no more is known."""
    day = _basis(alert).start_day
    if day is not None:
        return f"{day}" if short else view.whole_day(day)
    return view.in_course(facts.treatment_start)


def _time(alert: Alert, view: View) -> str:
    """The time of the assessment that was evaluated; the finding's own instant where it is not at hand."""
    evaluated = _basis(alert).evaluation
    instant: datetime = alert.finding.at if evaluated is None else evaluated.at
    return view.in_course(instant)


def _basis(alert: Alert) -> RefractoryBasis:
    basis = alert.finding.basis
    assert isinstance(basis, RefractoryBasis)
    return basis


WORDINGS = {
    "refractory": Wording(
        summary=refractory_summary, body=refractory_body, line=refractory_line, rule="D5, D6", source=FRIDBERG
    ),
    "reassessment-overdue": Wording(
        summary=reassessment_overdue_summary,
        body=reassessment_overdue_body,
        line=reassessment_overdue_line,
        rule="D6, D9",
        source=FRIDBERG,
    ),
    "refractory-indeterminate": Wording(
        summary=indeterminate_summary, body=indeterminate_body, line=indeterminate_line, rule="D7", source=FRIDBERG
    ),
    "re-worsening": Wording(
        summary=re_worsening_summary, body=re_worsening_body, line=re_worsening_line, rule="D10", source=FRIDBERG
    ),
}
