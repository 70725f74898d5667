"""Wording of the data module: a datum that could not be used as charted, and what it could change."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cards.markdown import SHORT, escape, table
from cards.sources import RECORD
from cards.view import Times, View
from cards.wording.assessment import NAMES
from cards.wording.parts import Body, Wording, count, facts_of, words
from icans.facts import DataQuality, StatedProblem
from icans.findings import Alert
from icans.record import Problem

_NAMED = 5
#: Codes of assessments that a message may name.
_CODE = re.compile(rf"\b({'|'.join(sorted((name for name in NAMES if '-' in name), key=len, reverse=True))})\b")
#: What is wrong, by problem code (docs/problems.md has a row for each).
SAID = {
    "value-out-of-range": "value outside its possible range",
    "value-not-numeric": "value is not a number",
    "inconsistent-arousal": "ICE and level of consciousness contradict each other",
    "items-total-mismatch": "ICE items and total disagree",
    "item-not-charted": "ICE item never charted",
    "wrong-tool-for-age": "assessment tool does not fit the age",
    "finding-unspecific": "finding not specific enough to grade",
    "hemorrhage-excluded": "intracranial hemorrhage, not graded as ICANS",
    "sedation": "sedative near the assessment",
    "unit-unknown": "unit not understood",
    "dose-missing": "dose missing",
    "route-missing": "route missing",
    "drug-unmapped": "drug not recognised",
    "time-missing": "time missing",
    "time-imprecise": "time not precise",
    "duplicate": "possible duplicate",
    "status-not-usable": "status does not allow use",
    "reference-unresolved": "referenced resource not found",
    "partial-data": "not everything could be read",
    "invalid-resource": "resource is not valid FHIR",
    "infusion-missing": "no infusion on record",
    "code-unmapped": "code not recognised",
    "unknown-modifier": "modifier not understood",
    "conflicting-values": "conflicting values",
    "time-in-future": "time lies in the future",
    "time-implausible": "time is not plausible",
    "subject-missing": "no patient named",
    "other-patient": "belongs to another patient",
}
_KINDS = {
    "Observation": "assessment",
    "MedicationAdministration": "drug given",
    "Procedure": "procedure",
    "Patient": "patient data",
    "Condition": "diagnosis",
    "QuestionnaireResponse": "questionnaire",
}
_AFFECTS = {
    "grade": "the grade",
    "dose": "the cumulative dose",
    "treatment-start": "the start of treatment",
    "infusion": "the infusion",
}


def data_quality_summary(alert: Alert, view: View) -> str:
    facts = facts_of(alert, DataQuality)
    problems, first = facts.problems, facts.problems[0]
    if facts.administrations:
        return f"{_may_be_steroids(facts.administrations)}: {_first_of(problems)}"
    if not first.reference:
        unread = "Not evaluated" if view.evaluation.monitoring == "none" else "Record incomplete"
        whole = f"{unread}: {_first_of(problems)}"
        return whole if len(whole) <= SHORT else f"{unread}: {_said(first)}"
    charted = _charted(alert, view)
    whole = f"Charting in doubt, {_kind(first)} {charted}: {_first_of(problems)}"
    return whole if len(whole) <= SHORT else f"Charting in doubt, {_kind(first)} {charted}: {_said(first)}"


def data_quality_line(alert: Alert, times: Times) -> str:
    return f"charting in doubt: {_first_of(facts_of(alert, DataQuality).problems)}"


def data_quality_body(alert: Alert, view: View) -> Body:
    problems = facts_of(alert, DataQuality).problems
    first = problems[0]
    message = escape(worded(first.message), 300)
    said, place = escape(_said(first)), f"{_kind(first)} {_charted(alert, view)}"
    if not first.reference:
        place = f"known from {view.time(alert.finding.at)}"
    lead = f"{said[:1].upper()}{said[1:]} ({place}): {message}"
    if view.evaluation.monitoring == "none":
        lead = f"Not evaluated: nothing that starts an evaluation (infusion, ICE, documented grade) was read. {lead}"
    affected = words(_affected(alert), _AFFECTS)
    points = [f"It could change {escape(affected or 'the result')}."]
    number = facts_of(alert, DataQuality).administrations
    if number:
        points.insert(0, f"{_may_be_steroids(number)}: the cumulative dose has no upper bound.")
    return Body(lead=lead, points=points, blocks=[_table(problems)], evidence_table=False)


def problem_line(problem: Problem, *, whole: bool) -> str:
    """One problem in one Markdown line: what and where; whole: with its own sentence."""
    said = escape(SAID.get(problem.code, problem.code.replace("-", " ")))
    where = f" ({escape(problem.reference)})" if problem.reference else ""
    return f"{said}{where}: {escape(worded(problem.message))}" if whole or not where else f"{said}{where}"


def _may_be_steroids(number: int) -> str:
    return f"{count(number, 'administration')} that may have been of a steroid could not be read"


def could_not_be_used(problems: Sequence[Problem]) -> str:
    """That an assessment was charted meanwhile, and why it could not be used."""
    first, more = problems[0], len({problem.reference for problem in problems}) - 1
    others = f"; so were {more} more" if more else ""
    return f"One was charted and could not be used: {problem_line(first, whole=True)}{others}"


def _first_of(problems: Sequence[StatedProblem]) -> str:
    """What was found first, and how many more there are."""
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{worded(problems[0].message) or _said(problems[0])}{more}"


def worded(message: str) -> str:
    """A problem's own sentence, with the names of assessments for their codes."""
    return _CODE.sub(lambda found: NAMES[found.group()], message.strip())


def _table(problems: Sequence[StatedProblem]) -> str:
    rows = [
        [escape(text) for text in (_said(problem), problem.reference, problem.element, worded(problem.message))]
        for problem in problems[:_NAMED]
    ]
    more = len(problems) - _NAMED
    listed = table(["Problem", "Resource", "Element", "What was found"], rows)
    return f"{listed}\n\nand {more} more problems." if more > 0 else listed


def _charted(alert: Alert, view: View) -> str:
    """When the datum was charted; a finding about one without a time stands at the start of the record."""
    basis = alert.finding.basis if isinstance(alert.finding.basis, tuple) else ()
    timeless = basis and all(isinstance(problem, Problem) and problem.at is None for problem in basis)
    return "without a usable time" if timeless else view.when(alert.finding.at)


def _affected(alert: Alert) -> list[str]:
    """What the problems of the finding could change, in one order."""
    basis = alert.finding.basis if isinstance(alert.finding.basis, tuple) else ()
    named = {kind for problem in basis if isinstance(problem, Problem) for kind in problem.affects}
    return [kind for kind in _AFFECTS if kind in named]


def _kind(problem: StatedProblem) -> str:
    """What sort of thing the problem is about, as a clinician says it."""
    return _KINDS.get(problem.reference.partition("/")[0], "entry")


def _said(problem: StatedProblem) -> str:
    return SAID.get(problem.code, problem.code.replace("-", " "))


WORDINGS = {
    "data-quality": Wording(
        summary=data_quality_summary, body=data_quality_body, line=data_quality_line, rule="G6", source=RECORD
    )
}
