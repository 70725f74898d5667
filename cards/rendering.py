"""From an evaluation to CDS Hooks 2.0.1 cards: one a module, for its leading finding."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

from cards.json_values import facts_json, time_json, to_json, without_empty
from cards.markdown import LONGEST_SUMMARY, bullets, escape, plain, table
from cards.sources import card_source, override_reasons
from cards.view import CardContext, Times, View
from cards.wording.assessment import NAMES
from cards.wording.bedside import now_points
from cards.wording.data_quality import WORDINGS as DATA
from cards.wording.data_quality import could_not_be_used, problem_line
from cards.wording.exposure import closing_line
from cards.wording.grade import WORDINGS as ICANS
from cards.wording.parts import Body, Wording
from cards.wording.refractory import WORDINGS as REFRACTORY
from cards.wording.steroids import WORDINGS as STEROIDS
from icans.facts import DoseUnknown, IcansActive
from icans.findings import INDICATORS, MODULES, NAMESPACE, Alert, Evaluation, RefractoryBasis
from icans.grading.assessment import Assessment
from icans.record import Evidence, Problem

EXTENSION = "org.icans-cds.alert"
WORDINGS: dict[str, Wording] = {**ICANS, **REFRACTORY, **STEROIDS, **DATA}
#: A card names at most so many further findings and problems, and counts the rest.
NAMED = 2
_EVIDENCE_ROWS = 8
_STANDING = "Cannot judge causes. Absence of a card does not mean absence of ICANS."
_NOT_READ = (
    "Medication administrations could not be read: steroids, the response to them and running sedatives are not known."
)
_AFFECTED = {
    "icans": {"grade", "infusion"},
    "refractory": {"grade", "treatment-start"},
    "steroids": {"dose", "infusion"},
}


def render(
    evaluation: Evaluation,
    *,
    context: CardContext,
    hook_instance: str | None = None,
    modules: Collection[str] | None = None,
) -> list[dict[str, Any]]:
    """The cards of an evaluation, critical first, then in module order.

    hook_instance: the call that is answered. It makes the card's ``uuid`` (version 5, over finding and call)
    and drops null and empty members at every depth, as CDS Hooks asks. Without it (evaluate, replay) the uuid
    is the findingId and facts keep their nulls. modules: only these; all if None.
    """
    view = View.of(evaluation, context)
    by_module: dict[str, list[Alert]] = {}
    for alert in evaluation.findings:
        if modules is None or alert.finding.module in modules:
            by_module.setdefault(alert.finding.module, []).append(alert)
    ordered = sorted(by_module.values(), key=_card_order)
    first = evaluation.leading or [alerts[0].finding.module for alerts in ordered]
    cards = []
    for alerts in ordered:
        leads = alerts[0].finding.module == first[0]
        cards.append(_card(alerts[0], alerts[1:], view, hook_instance, first=leads))
    return [without_empty(card) for card in cards] if hook_instance is not None else cards


def revised_json(alert: Alert) -> dict[str, Any]:
    """The last value of every fact that differs from the one first shown."""
    first, last = facts_json(alert.facts), facts_json(alert.revised_facts or alert.facts)
    return {name: last.get(name) for name in {**last, **first} if last.get(name) != first.get(name)}


def alert_json(alert: Alert, patient: str | None = None) -> dict[str, Any]:
    """An alert as ``evaluate`` and ``replay`` print it; with ``patient`` first where one is given."""
    finding = alert.finding
    printed: dict[str, Any] = {} if patient is None else {"patient": patient}
    printed |= {
        "shownAt": time_json(alert.shown_at),
        "until": to_json(alert.until),
        "type": finding.type,
        "module": finding.module,
        "at": time_json(finding.at),
        "indicator": finding.indicator,
        "facts": facts_json(alert.facts),
        "findingId": finding.id,
        "evidence": _evidence_json(finding.evidence),
    }
    if alert.revised_facts is not None:
        printed["revisedFacts"] = revised_json(alert)
    if alert.reopened_at:
        printed["reopenedAt"] = to_json(alert.reopened_at)
    if alert.withdrawn:
        printed["withdrawn"] = True
        printed["withdrawnBy"] = alert.withdrawn_by
    return printed


def line(alert: Alert, times: Times) -> str:
    """The finding in one short plain line, for a place that states the time itself."""
    return plain(WORDINGS[alert.finding.type].line(alert, times), LONGEST_SUMMARY)


def _card_order(alerts: Sequence[Alert]) -> tuple[int, int]:
    return INDICATORS.index(alerts[0].finding.indicator), MODULES.index(alerts[0].finding.module)


def _card(
    lead: Alert, others: Sequence[Alert], view: View, hook_instance: str | None, *, first: bool
) -> dict[str, Any]:
    finding, wording = lead.finding, WORDINGS[lead.finding.type]
    body = wording.body(lead, view)
    if lead.finding.unusable and lead.finding.type != DoseUnknown.type:
        body.points.insert(0, could_not_be_used(lead.finding.unusable))
    identity = finding.id if hook_instance is None else _identity(f"{finding.id}|{hook_instance}")
    about = view.context.about_url
    card: dict[str, Any] = {
        "uuid": identity,
        "summary": _summary(lead, view),
        "detail": _detail(lead, others, body, wording, view, first=first),
        "indicator": finding.indicator,
        "source": card_source(wording.source, finding.module, about),
    }
    if body.suggestions:
        card["suggestions"] = [_with_identity(draft, identity) for draft in body.suggestions]
        card["selectionBehavior"] = "any"
    if finding.indicator != "info":
        card["overrideReasons"] = override_reasons()
    if links := _links(wording, about):
        card["links"] = links
    card["extension"] = {EXTENSION: _extension(lead, others, view)}
    return card


def _links(wording: Wording, about: str | None) -> list[dict[str, Any]]:
    """The publication the card rests on, and what this service is; https addresses only."""
    places = ((wording.source.label, wording.source.url), ("About this service and its sources", about or ""))
    return [{"label": label, "url": url, "type": "absolute"} for label, url in places if url.startswith("https://")]


def _extension(lead: Alert, others: Sequence[Alert], view: View) -> dict[str, Any]:
    finding = lead.finding
    extension = {
        "findingId": finding.id,
        "type": finding.type,
        "module": finding.module,
        "at": time_json(finding.at),
        "shownAt": time_json(lead.shown_at),
        "facts": facts_json(lead.facts),
        "evidence": _evidence_json(finding.evidence),
        "alsoHolds": [_also(alert) for alert in others],
        "policy": view.policy.label,
    }
    if lead.revised_facts is not None:
        extension["revisedFacts"] = revised_json(lead)
    if view.context.mappings:
        extension["mappings"] = view.context.mappings
    return extension


def _also(alert: Alert) -> dict[str, Any]:
    also = {
        "findingId": alert.finding.id,
        "type": alert.finding.type,
        "at": time_json(alert.finding.at),
        "indicator": alert.finding.indicator,
        "facts": facts_json(alert.facts),
    }
    if alert.revised_facts is not None:
        also["revisedFacts"] = revised_json(alert)
    return also


def _evidence_json(evidence: Sequence[Evidence]) -> list[dict[str, Any]]:
    return [
        {
            "reference": item.reference,
            "element": item.element,
            "value": item.value,
            "time": to_json(item.time),
        }
        for item in evidence
    ]


def _detail(lead: Alert, others: Sequence[Alert], body: Body, wording: Wording, view: View, *, first: bool) -> str:
    """How the patient is now and why the card is shown, then tables, further findings and sources.

    What is the same for a whole answer is on its first card: the state of the patient, citation and disclaimer.
    """
    finding = lead.finding
    points = [*body.points, *_corrected(lead, view)]
    if not view.administrations_read:
        points.append(_NOT_READ)
    parts = [body.lead, bullets(points)]
    now = now_points(view) if first else []
    if now:
        parts = ["**Now**", bullets(now), "**Why**", *parts]
    if body.evidence_table:
        parts.append(_evidence_table(finding.evidence, view))
    parts.extend(body.blocks)
    parts.append(_others(lead, others, view))
    if first:
        parts += [_provenance(wording, view), _STANDING]
    if finding.module in _AFFECTED:
        parts.append(closing_line(view))
    return "\n\n".join(part for part in parts if part)


def _summary(alert: Alert, view: View) -> str:
    return plain(WORDINGS[alert.finding.type].summary(alert, view), LONGEST_SUMMARY)


def _corrected(alert: Alert, view: View) -> list[str]:
    """What a correction changed since the finding was first shown."""
    if alert.revised_facts is None:
        return []
    latest, first = revised_json(alert), facts_json(alert.facts)
    named = "; ".join(f"{key} was {_said(first.get(key))}, is {_said(latest[key])}" for key in [*latest][:NAMED])
    return [f"Corrected since it was first shown {view.clock(alert.shown_at)}: {named}."]


def _said(fact: object) -> str:
    return "not known" if fact is None else escape(str(fact))


def _evidence_table(evidence: Sequence[Evidence], view: View) -> str:
    if not evidence:
        return ""
    rows = [
        [
            _recorded(item),
            _recorded_at(item, view),
            escape(item.reference),
            escape(item.element),
        ]
        for item in evidence[:_EVIDENCE_ROWS]
    ]
    listed = table(["Recorded", "Time", "Resource", "Element"], rows)
    more = len(evidence) - _EVIDENCE_ROWS
    return f"{listed}\n\nand {more} more in the card's evidence." if more > 0 else listed


def _recorded(item: Evidence) -> str:
    """What was charted, and of what: ``ICE score: 5``, ``dexamethasone: 10 mg``."""
    named = NAMES.get(item.what, item.what)
    value = escape(item.value) or "no value"
    return f"{escape(named)}: {value}" if named else value


def _recorded_at(item: Evidence, view: View) -> str:
    if item.day is not None:
        return f"{item.day}, no time charted"
    return view.clock(item.time) if item.time is not None else "no time"


def _others(lead: Alert, others: Sequence[Alert], view: View) -> str:
    """Further findings of the module and problems that bear on it, at most NAMED together."""
    problems = _problems(lead, view)
    others = [alert for alert in others if alert.finding.type != IcansActive.type]  # the grade is on every card
    lines = [escape(_capital(line(alert, view))) for alert in others[:NAMED]]
    lines.extend(
        f"Problem: {problem_line(problem, whole='dose' not in problem.affects)}"
        for problem in problems[: NAMED - len(lines)]
    )
    more = len(others) + len(problems) - len(lines)
    if more:
        lines.append(f"and {more} more, listed in the evaluation")
    return f"Also:\n\n{bullets(lines)}" if lines else ""


def _problems(lead: Alert, view: View) -> list[Problem]:
    """Problems that bear on the module, those of the assessment itself first, then the latest first."""
    affected = _AFFECTED.get(lead.finding.module)
    if affected is None:
        return []
    basis = lead.finding.basis
    own = list(basis.problems) if isinstance(basis, Assessment) else []
    named = basis.uncounted if isinstance(basis, RefractoryBasis) else ()  # in the card's own words
    general = [
        problem
        for problem in view.evaluation.problems
        if problem not in own
        and problem.reference not in named
        and (problem.code == "partial-data" or affected.intersection(problem.affects))
    ]
    undated = view.evaluation.as_of + timedelta(1)
    general.sort(key=lambda problem: (problem.at or undated, problem.reference, problem.code), reverse=True)
    return own + general


def _provenance(wording: Wording, view: View) -> str:
    course = f", course {view.evaluation.course}" if view.evaluation.course > 1 else ""
    cited = f"; {wording.source.citation}" if wording.source.citation else ""
    return f"Rule {wording.rule}, {escape(view.policy.label)}{course}{cited}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _identity(name: str) -> str:
    return str(uuid.uuid5(NAMESPACE, name))


def _with_identity(draft: dict[str, Any], card: str) -> dict[str, Any]:
    label = draft["label"]
    return {
        "label": label,
        "uuid": _identity(f"{card}|{label}"),
        "isRecommended": False,  # a choice, never advice; some clients ask for the member
        "actions": draft["actions"],
    }
