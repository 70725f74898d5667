"""Wording of the refractoriness module: recorded data against a published definition, no more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from cards.json_values import number_text
from cards.markdown import escape
from cards.sources import FRIDBERG
from cards.suggestions import draft_assessment, draft_eeg, draft_imaging
from cards.view import Times, View
from cards.wording.assessment import assessment_points, ice_text, range_text, sedation_unchecked, when
from cards.wording.exposure import sum_table
from cards.wording.grade import BEDSIDE, SEDATION_UNCHECKED
from cards.wording.literature import DEFINITION_LIMITS, DEFINITION_QUOTE
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
        f"worsening to a higher grade within {in_words(policy.evaluation_due)} under active treatment"
    ),
    "no-improvement-24h": lambda policy: f"no improvement within {in_words(policy.evaluation_due)} of treatment start",
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
    "event-carry": lambda _: "the grade rests only on an event carried over from before, such as an earlier seizure",
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
    "assessment": "a full assessment",
    "consciousness": "level of consciousness",
    "reference": "an assessment charted around treatment start",
    "doses": "the doses given",
}
_ASSUMED = {
    "route-not-recorded": "Route not recorded for a counted dose: taken as systemic.",
    "consciousness-inferred": "Level of consciousness at the reference was inferred from GCS eye response or RASS.",
    "consciousness-not-recorded": "Level of consciousness at the reference was not recorded.",
    "dose-unknown": "A dose of unknown size counts as treatment start.",
    "documented-grade": "A grade charted by a clinician stands for an assessment.",
    "day-only": "Treatment start is known by its day only and stands at the end of that day.",
}


def refractory_summary(alert: Alert, view: View) -> str:
    facts = facts_of(alert, Refractory)
    return f"Recorded data meet a definition of refractory ICANS: {_found(facts)}, {view.clock(alert.finding.at)}"


def refractory_line(alert: Alert, times: Times) -> str:
    return f"recorded data meet a definition of refractory ICANS: {_found(facts_of(alert, Refractory))}"


def refractory_body(alert: Alert, view: View) -> Body:
    facts, evaluated = facts_of(alert, Refractory), _basis(alert).evaluation
    clause = _clause(facts.reason, view)
    lead = (
        f"Grade {facts.grade} at {_time(alert, view)}. Steroid treatment ({_line(facts)}) started "
        f"{_started(alert, facts, view)} at {_reference_grade(facts)}; at {_hours(facts)} h recorded "
        f"data meet the definition {escape(view.policy.definition)}: {clause}."
    )
    if sedation_unchecked(evaluated, view):
        lead += f" {SEDATION_UNCHECKED}"
    if alert.unchanged_since is not None:
        lead = f"Unchanged since {view.time(alert.unchanged_since)}. {lead}"
    points = []
    if _basis(alert).early:
        points.append(
            f"Only {_hours(facts)} h after the first dose of this line; a steroid effect may not yet be assessable."
        )
    if facts.late:
        first, last = in_words(view.policy.evaluation_from), in_words(view.policy.evaluation_late)
        points.append(f"Late evaluation: no gradable assessment was found {first} to {last} after treatment start.")
    if facts.also_met:
        points.append(f"Also met on this line: {_clause(facts.also_met, view)}.")
    points.extend(_since_improved(alert, view))
    points.extend(_given_before_onset(alert, view))
    points.extend(_comparison(alert, view))
    if facts.grade >= 4:
        points.append("For grade 4 no higher protocol step is defined in the cited source.")
    if facts.grade >= 3:
        points.append(BEDSIDE)
    patient = view.evaluation.patient
    drafts = [*draft_eeg(patient), *draft_imaging(patient)] if facts.grade >= 3 else []
    blocks = [*_dose_blocks(alert, view), _definition_text(view.policy.definition)]
    return Body(lead=lead, points=points, blocks=blocks, suggestions=drafts)


def reassessment_overdue_summary(alert: Alert, view: View) -> str:
    facts = facts_of(alert, ReassessmentOverdue)
    started = _started(alert, facts, view, short=True)
    return f"No 24-hour reassessment found: steroids started {started}, at {_reference_grade(facts)}"


def reassessment_overdue_line(alert: Alert, times: Times) -> str:
    due = in_words(times.policy.evaluation_due)
    return (
        f"no reassessment found {due} after steroid start, at {_reference_grade(facts_of(alert, ReassessmentOverdue))}"
    )


def reassessment_overdue_body(alert: Alert, view: View) -> Body:
    facts = facts_of(alert, ReassessmentOverdue)
    first, due = in_words(view.policy.evaluation_from), in_words(view.policy.evaluation_due)
    lead = (
        f"Steroid treatment started {_started(alert, facts, view)} at {_reference_grade(facts)} ({_line(facts)}). "
        f"No gradable assessment from {first} to {due} after it was found in the available record; consider reviewing "
        "whether one was done."
    )
    points = [
        "Whether the definition of no improvement is met cannot be told without it.",
        "What would settle it: a full assessment (ICE or CAPD and consciousness, or a charted grade).",
        *_comparison(alert, view),
    ]
    return Body(
        lead=lead,
        points=points,
        blocks=[*_dose_blocks(alert, view), _definition_text(view.policy.definition)],
        suggestions=draft_assessment(view.evaluation.patient),
    )


def indeterminate_summary(alert: Alert, view: View) -> str:
    facts = facts_of(alert, RefractoryIndeterminate)
    reason = _SHORT_REASONS.get(str(facts.reason), str(facts.reason))
    started = _started(alert, facts, view, short=True)
    return f"Response to steroids (line {facts.line}, started {started}) cannot be told: {reason}"


def indeterminate_line(alert: Alert, times: Times) -> str:
    reason = str(facts_of(alert, RefractoryIndeterminate).reason)
    return f"response to steroids cannot be told: {_SHORT_REASONS.get(reason, reason)}"


def indeterminate_body(alert: Alert, view: View) -> Body:
    facts, evaluated = facts_of(alert, RefractoryIndeterminate), _basis(alert).evaluation
    reason = str(facts.reason)
    lead = (
        f"Whether recorded data meet the definition {escape(view.policy.definition)} on steroid {_line(facts)}, "
        f"started {_started(alert, facts, view)}, cannot be told: {_open_reason(reason, view)}."
    )
    if sedation_unchecked(evaluated, view):
        lead += f" {SEDATION_UNCHECKED}"
    needed = words(facts.needed, _NEEDED) or _NEEDED.get(reason, "a full assessment")
    points = [f"What would settle it: {escape(needed)}.", *_comparison(alert, view)]
    return Body(
        lead=lead,
        points=points,
        blocks=[*_dose_blocks(alert, view), _definition_text(view.policy.definition)],
        suggestions=draft_assessment(view.evaluation.patient),
    )


def _found(facts: Refractory) -> str:
    what = "worse" if facts.reason == "worsening-under-treatment" else "no improvement"
    before = facts.grade_at_treatment_start
    grades = f"grade {facts.grade}" if before is None else f"grade {before}, then {facts.grade}"
    return f"{what} {_hours(facts)} h after steroid start ({grades})"


def _clause(reason: str, view: View) -> str:
    worded = _CLAUSES.get(reason)
    return escape(reason) if worded is None else worded(view.policy)


def _open_reason(reason: str, view: View) -> str:
    worded = _OPEN_REASONS.get(reason)
    return escape(reason) if worded is None else worded(view.policy)


def re_worsening_summary(alert: Alert, view: View) -> str:
    facts = facts_of(alert, ReWorsening)
    return (
        f"ICANS grade rose from {facts.previous_grade} to {facts.grade} on steroids, {_hours(facts)} h "
        f"after treatment start (line {facts.line}), {view.short_time(alert.finding.at)}"
    )


def re_worsening_line(alert: Alert, times: Times) -> str:
    facts = facts_of(alert, ReWorsening)
    return (
        f"ICANS grade rose from {facts.previous_grade} to {facts.grade} on steroids, {_hours(facts)} h after "
        "treatment start"
    )


def re_worsening_body(alert: Alert, view: View) -> Body:
    facts, evaluated = facts_of(alert, ReWorsening), _basis(alert).evaluation
    lead = (
        f"Grade {facts.grade} at {_time(alert, view)}, up from {facts.previous_grade} while steroid "
        f"treatment ({_line(facts)}) was active, {_hours(facts)} h after its start."
    )
    if sedation_unchecked(evaluated, view):
        lead += f" {SEDATION_UNCHECKED}"
    points = [
        f"This lies after the verdict on this line: it is outside the {in_words(view.policy.evaluation_due)} that the "
        "definition names.",
        *_given_before(alert),
        *_comparison(alert, view),
    ]
    if facts.grade >= 3:
        points.append(BEDSIDE)
    return Body(lead=lead, points=points, blocks=[*_dose_blocks(alert, view), _definition_text(view.policy.definition)])


def _comparison(alert: Alert, view: View) -> list[str]:
    """The two assessments that were compared, and what was assumed."""
    points = []
    basis = _basis(alert)
    for assessment, said in ((basis.reference, "Reference"), (basis.evaluation, "Compared with it")):
        if assessment is not None and assessment.working is not None:
            grade = range_text(assessment.working.low, assessment.working.high)
            ice = ice_text(assessment)
            points.append(
                f"{said}: grade {grade}{f', {ice}' if ice else ''}, {when(assessment, view)}, "
                f"{escape(', '.join(assessment.references[:3]))}."
            )
    evaluated = _basis(alert).evaluation
    if evaluated is not None:
        points.extend(assessment_points(evaluated, view))
    points.extend(f"Assumed: {_ASSUMED[code]}" for code in _basis(alert).assumed)
    return points


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
        given = (
            "Given since then and not in this sum" if basis.doses else "No dose since this treatment start is countable"
        )
        blocks.append(f"{given} (no usable amount, route or end): {named(basis.uncounted)}.")
    if agents := basis.escalations:
        listed = "; ".join(_agent(drug, agents, view) for drug in dict.fromkeys(e.drug for e in agents))
        blocks.append(f"Second-line agents since onset, noted and no part of the definition: {listed}.")
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
        f"{view.time(before[0].at)}, before treatment start as counted here."
    ]


def _agent(drug: str, agents: Sequence[Escalation], view: View) -> str:
    given = [e for e in agents if e.drug == drug]
    last = f", last {view.time(given[-1].at)}" if len(given) > 1 else ""
    references = named([e.reference for e in given])
    return f"{escape(drug)}, {count(len(given), 'time')}, first {view.time(given[0].at)}{last} ({references})"


def _definition_text(definition: str) -> str:
    if definition != _DEFINITION_LABEL:
        return f"Definition: {escape(definition)}. No consensus definition exists."
    return f'Definition {_DEFINITION_LABEL} ({FRIDBERG.citation}, Table 1): "{DEFINITION_QUOTE}". {DEFINITION_LIMITS}'


def _line(facts: LineFacts | ReWorsening) -> str:
    return f"line {facts.line} of episode {facts.episode}"


def _reference_grade(facts: LineFacts) -> str:
    grade = facts.grade_at_treatment_start
    return "a grade that is not known" if grade is None else f"grade {grade}"


def _started(alert: Alert, facts: LineFacts, view: View, *, short: bool = False) -> str:
    """Treatment start, or its day where no more is known."""
    day = _basis(alert).start_day
    if day is not None:
        return f"{day}, no time charted" if short else view.whole_day(day)
    return view.short_time(facts.treatment_start) if short else view.time(facts.treatment_start)


def _hours(facts: Refractory | ReWorsening) -> str:
    return number_text(facts.hours_since_treatment_start)


def _time(alert: Alert, view: View) -> str:
    """The time of the assessment that was evaluated; the finding's own instant where it is not at hand."""
    evaluated = _basis(alert).evaluation
    instant: datetime = alert.finding.at if evaluated is None else evaluated.at
    return view.time(instant)


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
