"""The conditions of the rules of treatment: what each line has found, and what would change it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from icans.course.conditions import monitored
from icans.findings import FRIDBERG, PROJECT, Condition, Rule
from icans.policy.policy import in_words
from icans.refractory.lines import Line, Situation, hours_between
from icans.refractory.treatment import Treatment
from icans.refractory.worsening import treated
from icans.steroids.equivalents import number

RULES = {
    "refractory:worsening-under-treatment": FRIDBERG,
    "refractory:no-improvement-24h": FRIDBERG,
    "reassessment-overdue": FRIDBERG,
    "refractory-indeterminate": FRIDBERG,
    "re-worsening": PROJECT,
}


def treatment_rules(at: datetime, treatment: Treatment, situation: Situation, was_read: bool) -> list[Rule]:
    """Every rule of the line in force. was_read: whether administrations could be read."""
    course, policy = situation.course, situation.policy
    common = (
        monitored(course),
        Condition(course.open, "no ICANS episode is open", "an assessment of grade 1 or more"),
        Condition(was_read, "administrations could not be read", "access to MedicationAdministration"),
    )
    line = treatment.current(course.episode)
    if line is None:
        least = f"{number(policy.qualifying_dose)} mg dexamethasone-equivalent in {in_words(policy.qualifying_window)}"
        none_given = Condition(
            False,
            f"no qualifying steroid dose ({least}) around or since onset",
            "a systemic steroid dose near onset or after it",
        )
        compared: dict[str, Any] = {"treatmentStart": None, "headline": course.headline}
        return [Rule(rule, (*common, none_given), compared, source) for rule, source in RULES.items()]
    compared = _compared(at, line, treatment.active(line, at, policy), situation)
    asked = _conditions(at, line, situation)
    return [Rule(rule, (*common, *asked[rule]), compared, source) for rule, source in RULES.items()]


def _compared(at: datetime, line: Line, active: bool, situation: Situation) -> dict[str, Any]:
    reference, last = line.reference, situation.course.last
    return {
        "line": line.number,
        "treatmentStart": line.start,
        "hoursSinceTreatmentStart": hours_between(at, line.start),
        "reference": reference.at if reference else None,
        "referenceLow": reference.counts_as.low if reference else None,
        "referenceHigh": reference.counts_as.high if reference else None,
        "gradeLow": last.counts_as.low if last else None,
        "gradeHigh": last.counts_as.high if last else None,
        "activeTreatment": active,
        "due": line.start + situation.policy.evaluation_due,
    }


def _conditions(at: datetime, line: Line, situation: Situation) -> dict[str, tuple[Condition, ...]]:
    """By rule, what it asks of the line."""
    policy, verdict = situation.policy, line.verdict
    span = in_words(policy.evaluation_due)
    due = line.start + policy.evaluation_due
    passed = Condition(at >= due, f"{span} since treatment start have not passed", f"the time {due:%Y-%m-%d %H:%M} UTC")
    referred = Condition(
        line.reference is not None, "no assessment at treatment start", "an assessment near treatment start"
    )
    label = f"the 24-hour verdict is {verdict.label if verdict else 'not given yet'}"
    better = "an assessment no better than at treatment start, under active treatment"
    open_verdict = verdict is not None and verdict.kind == "indeterminate"
    from_on = in_words(policy.evaluation_from)
    unanswered = Condition(
        verdict is None, "the 24-hour assessment was found", f"no assessment {from_on} to {span} after treatment start"
    )
    given = Condition(verdict is not None, "the 24-hour verdict is not given yet", "the verdict")
    rose = Condition(
        bool(line.re_worsening_ids), "the grade has not risen since the verdict", "an assessment above the grade shown"
    )
    return {
        "refractory:worsening-under-treatment": (referred, *_clause_b(line, span, situation)),
        "refractory:no-improvement-24h": (referred, passed, Condition(line.met_a, label, better)),
        "reassessment-overdue": (passed, unanswered),
        "refractory-indeterminate": (Condition(open_verdict, label, "an evaluation that the record leaves open"),),
        "re-worsening": (given, rose),
    }


def _clause_b(line: Line, span: str, situation: Situation) -> tuple[Condition, ...]:
    last, policy = situation.course.last, situation.policy
    doses = situation.doses.clocked_between(line.start, last.at) if last is not None else ()
    enough = Condition(
        treated(doses, policy),
        f"the doses from treatment start to the last assessment do not reach {number(policy.qualifying_dose)} mg",
        "an assessment after they do",
    )
    worse = Condition(
        line.met_b is not None,
        f"no value charted within {span} of treatment start, after the reference, is surely above it",
        f"an assessment above it within {span}, under active treatment",
    )
    return enough, worse
