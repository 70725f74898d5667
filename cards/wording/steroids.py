"""Wording of the steroid module: what was given, added up line by line, and what could not be counted."""

from __future__ import annotations

from cards.json_values import number_text
from cards.markdown import escape
from cards.sources import ASCO_8011, FRIDBERG, RECORD, STRATI, Source
from cards.view import Times, View
from cards.wording.exposure import other_totals, sum_table
from cards.wording.literature import DOSE_LIMITS, EARLY_START, EQUIVALENCE, STEROID_DAYS, tier_evidence
from cards.wording.parts import Body, Wording, count, facts_of
from icans.facts import CumulativeDose, DoseUnknown, SteroidDays
from icans.findings import Alert, ExposureNow
from icans.record import Dose

_UNIT = "mg dexamethasone-equivalent"
_NAMED = 5


def cumulative_dose_summary(alert: Alert, view: View) -> str:
    facts = facts_of(alert, CumulativeDose)
    return (
        f"Recorded steroids since infusion reached {number_text(facts.threshold_mg)} {_UNIT} "
        f"({_least(facts)}{number_text(facts.dexamethasone_equivalent_mg)} mg), "
        f"{view.short_time(alert.finding.at)}"
    )


def cumulative_dose_line(alert: Alert, times: Times) -> str:
    facts = facts_of(alert, CumulativeDose)
    return (
        f"recorded steroids since infusion reached {number_text(facts.threshold_mg)} {_UNIT} "
        f"({_least(facts)}{number_text(facts.dexamethasone_equivalent_mg)} mg)"
    )


def cumulative_dose_body(alert: Alert, view: View) -> Body:
    facts = facts_of(alert, CumulativeDose)
    crossed = [number_text(mg) for mg in facts.crossed_mg or ()]
    passed = f" (passed at once: {', '.join(crossed)} mg)" if len(crossed) > 1 else ""
    lead = (
        f"Systemic steroids since infusion reached {number_text(facts.threshold_mg)} {_UNIT} at "
        f"{view.time(alert.finding.at)}{passed}: {_least(facts)}"
        f"{number_text(facts.dexamethasone_equivalent_mg)} mg then{_now(facts, view)}."
    )
    points = [_at_crossing(facts)] if _now(facts, view) or view.evaluation.exposure is None else []
    exposure = view.evaluation.exposure
    if exposure is not None:
        points.extend(other_totals(exposure))
        points.extend(_early_start(exposure, view))
    evidence = f"What is known: {tier_evidence(facts.threshold_mg)} {DOSE_LIMITS}"
    return Body(
        lead=lead,
        points=[point for point in points if point],
        blocks=[*_sum(view), EQUIVALENCE, evidence],
        evidence_table=False,
    )


def steroid_days_summary(alert: Alert, view: View) -> str:
    facts = facts_of(alert, SteroidDays)
    return (
        f"Systemic steroids recorded on {facts.steroid_days} distinct days since infusion "
        f"({number_text(facts.dexamethasone_equivalent_mg)} {_UNIT}), {view.short_time(alert.finding.at)}"
    )


def steroid_days_line(alert: Alert, times: Times) -> str:
    return f"systemic steroids recorded on {facts_of(alert, SteroidDays).steroid_days} distinct days since infusion"


def steroid_days_body(alert: Alert, view: View) -> Body:
    facts = facts_of(alert, SteroidDays)
    lead = (
        f"Systemic steroid doses are recorded on {facts.steroid_days} distinct calendar days since "
        f"infusion, the latest counted from {view.time(alert.finding.at)}; "
        f"{number_text(facts.dexamethasone_equivalent_mg)} {_UNIT} in all{_now(facts, view)}."
    )
    exposure = view.evaluation.exposure
    points = other_totals(exposure) if exposure is not None else []
    return Body(
        lead=lead,
        points=points,
        blocks=[*_sum(view), EQUIVALENCE, f"What is known: {STEROID_DAYS} {DOSE_LIMITS}"],
        evidence_table=False,
    )


def dose_unknown_summary(alert: Alert, view: View) -> str:
    facts, what = facts_of(alert, DoseUnknown), _undosed(alert)
    return (
        f"{what[:1].upper()}{what[1:]} without a usable dose, {view.clock(alert.finding.at)}: "
        f"cumulative dose at least {number_text(facts.lower_bound_mg)} {_UNIT}"
    )


def dose_unknown_line(alert: Alert, times: Times) -> str:
    return f"{_undosed(alert)} without a usable dose"


def dose_unknown_body(alert: Alert, view: View) -> Body:
    facts = facts_of(alert, DoseUnknown)
    references = [str(reference) for reference in facts.administrations]
    given = alert.finding.basis
    drug = given.drug if isinstance(given, Dose) else "a systemic steroid"
    lead = (
        f"{count(len(references), 'administration')} of {drug} without a usable amount, route or "
        f"end, {view.time(alert.finding.at)}: not in the sum, so the cumulative dose is at least "
        f"{number_text(facts.lower_bound_mg)} {_UNIT}; how much more is not known."
    )
    named = ", ".join(escape(reference) for reference in references[:_NAMED])
    more = f" and {len(references) - _NAMED} more" if len(references) > _NAMED else ""
    points = [
        f"Not counted: {named}{more}.",
        "What would settle it: the given amount with its unit, the route and the times as charted.",
        "It counts in steroid days, and may count as treatment start.",
    ]
    exposure = view.evaluation.exposure
    if exposure is not None:
        points.extend(other_totals(exposure))
    return Body(lead=lead, points=points)


def _undosed(alert: Alert) -> str:
    given = alert.finding.basis
    if isinstance(given, Dose):
        return given.drug
    return count(len(facts_of(alert, DoseUnknown).administrations), "steroid administration")


def _sum(view: View) -> list[str]:
    exposure = view.evaluation.exposure
    if exposure is None or not exposure.counted:
        return []
    as_of = view.time(view.evaluation.as_of)
    each = "Those that this finding rests on stand one by one in the card's evidence."
    return [f"Counted doses since infusion, as of {as_of}. {each}", sum_table(exposure.counted, view)]


def _at_crossing(facts: CumulativeDose) -> str:
    """The published facts of the crossing: number of doses, last 24 h, since onset, steroid days."""
    parts = [count(facts.administrations, "administration")]
    for name, amount in (("last 24 h", facts.last_24h_mg), ("since onset", facts.since_onset_mg)):
        if amount is not None:
            parts.append(f"{name} {number_text(amount)} mg")
    parts.append(f"steroid days {facts.steroid_days}")
    if facts.uncounted:
        parts.append(f"{count(facts.uncounted, 'administration')} not countable")
    return f"At that moment: {', '.join(parts)}."


def _early_start(exposure: ExposureNow, view: View) -> list[str]:
    if not exposure.counted:
        return []
    day = view.day_number(min(dose.day for dose in exposure.counted))
    if day is None or not 0 <= day <= view.policy.early_start_days:
        return []
    return [f"First counted dose on day {day}. {EARLY_START}"]


def _now(facts: CumulativeDose | SteroidDays, view: View) -> str:
    """The sum as of the call where it has moved on since."""
    exposure = view.evaluation.exposure
    if exposure is None or exposure.dexamethasone_equivalent_mg is None:
        return ""
    total = number_text(exposure.dexamethasone_equivalent_mg)
    if total == number_text(facts.dexamethasone_equivalent_mg):
        return ""
    return f", {'at least ' if exposure.uncounted else ''}{total} mg now"


def _least(facts: CumulativeDose) -> str:
    return "at least " if facts.uncounted else ""


_DOSE_SOURCE = Source(
    f"{FRIDBERG.label}; {STRATI.label}; {ASCO_8011.label}",
    f"{FRIDBERG.citation}; {STRATI.citation}; {ASCO_8011.citation}",
)
_DAYS_SOURCE = Source(f"{STRATI.label}; {ASCO_8011.label}", f"{STRATI.citation}; {ASCO_8011.citation}")

WORDINGS = {
    "cumulative-dose": Wording(
        summary=cumulative_dose_summary,
        body=cumulative_dose_body,
        line=cumulative_dose_line,
        rule="E1, E2",
        source=_DOSE_SOURCE,
    ),
    "steroid-days": Wording(
        summary=steroid_days_summary, body=steroid_days_body, line=steroid_days_line, rule="E5", source=_DAYS_SOURCE
    ),
    "dose-unknown": Wording(
        summary=dose_unknown_summary, body=dose_unknown_body, line=dose_unknown_line, rule="E6", source=RECORD
    ),
}
