"""Wording of the data module: a datum that could not be used as charted, and what it could change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cards.context import View
from cards.markdown import escape, table
from cards.sources import RECORD
from cards.wording import Body, Wording, facts_of, words
from icans.findings import Alert

_NAMED = 5
_SAID = {
    "value-out-of-range": "value outside its possible range",
    "value-not-numeric": "value is not a number",
    "inconsistent-arousal": "ICE and level of consciousness contradict each other",
    "items-total-mismatch": "ICE items and total disagree",
    "wrong-tool-for-age": "assessment tool does not fit the age",
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
    "other-patient": "belongs to another patient",
}
_AFFECTS = {
    "grade": "the grade",
    "dose": "the cumulative dose",
    "treatment-start": "the start of treatment",
    "infusion": "the infusion",
}


def data_quality_summary(alert: Alert, view: View) -> str:
    problems = _problems(alert)
    if not problems:
        return f"Recorded data could not be used as charted, {view.short_time(alert.finding.at)}"
    first = problems[0]
    more = f" and {len(problems) - 1} more" if len(problems) > 1 else ""
    reference = f" ({first['reference']})" if first.get("reference") else ""
    return f"Recorded data could not be used as charted: {_said(first)}{reference}{more}"


def data_quality_body(alert: Alert, view: View) -> Body:
    problems = _problems(alert)
    message = escape(str(problems[0].get("message") or ""), 300) if problems else ""
    lead = f"Data not used as charted, {view.time(alert.finding.at)}"
    lead += f": {message}" if message else "."
    affected = words(
        sorted({kind for problem in problems for kind in problem.get("affects") or ()}), _AFFECTS
    )
    points = [f"It could change {escape(affected or 'the result')}; other findings go without it."]
    return Body(lead=lead, points=points, blocks=[_table(problems)] if problems else [], evidence_table=False)


def problem_line(code: str, reference: str, message: str) -> str:
    """One problem in one Markdown line: what, where, and its own sentence."""
    where = f" ({escape(reference)})" if reference else ""
    return f"{escape(_SAID.get(code, code.replace('-', ' ')))}{where}: {escape(message)}"


def _table(problems: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        [escape(str(problem.get(key) or "")) for key in ("code", "reference", "element", "message")]
        for problem in problems[:_NAMED]
    ]
    more = len(problems) - _NAMED
    listed = table(["Problem", "Resource", "Element", "What it means"], rows)
    return f"{listed}\n\nand {more} more problems." if more > 0 else listed


def _problems(alert: Alert) -> Sequence[Mapping[str, Any]]:
    problems: Sequence[Mapping[str, Any]] = facts_of(alert).get("problems") or ()
    return problems


def _said(problem: Mapping[str, Any]) -> str:
    code = str(problem.get("code") or "")
    return _SAID.get(code, code.replace("-", " "))


WORDINGS = {
    "data-quality": Wording(summary=data_quality_summary, body=data_quality_body, rule="G6", source=RECORD)
}
