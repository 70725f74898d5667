"""Wording of the steroid module: what was given, added up line by line, and what could not be counted."""

from __future__ import annotations

from cards.json_values import number_text
from cards.markdown import escape
from cards.sources import ASCO_8011, FRIDBERG, RECORD, STRATI, Source
from cards.view import Times, View
from cards.wording.data_quality import problem_line
from cards.wording.exposure import other_totals, sum_table
from cards.wording.literature import DOSE_LIMITS, EARLY_START, EQUIVALENCE, STEROID_DAYS, tier_evidence
from cards.wording.parts import Body, Wording, count, facts_of, named
from icans.facts import CumulativeDose, DoseUnknown, SteroidDays
from icans.findings import Alert, ExposureNow
from icans.record import Dose

_UNIT = "dexamethasone-equivalent"


def cumulative_dose_summary(alert: Alert, view: View) -> str:
    facts = facts_of(alert, CumulativeDose)
    return f"{_capital(_reached(facts))} {_UNIT} since infusion, {_past(facts)}, {view.when(alert.finding.at)}"


def _reached(facts: CumulativeDose) -> str:
    least = "at least " if facts.uncounted else ""
    return f"{least}{number_text(facts.dexamethasone_equivalent_mg)} mg"


def _past(facts: CumulativeDose) -> str:
    return f"past {number_text(facts.threshold_mg)} mg"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def cumulative_dose_line(alert: Alert, times: Times) -> str:
    facts = facts_of(alert, CumulativeDose)
    return f"{_reached(facts)} {_UNIT} since infusion, {_past(facts)}"


def cumulative_dose_body(alert: Alert, view: View) -> Body:
    facts, exposure = facts_of(alert, CumulativeDose), view.evaluation.exposure
    crossed = [number_text(mg) for mg in facts.crossed_mg]
    passed = f" (passed at once: {', '.join(crossed)} mg)" if len(crossed) > 1 else ""
    lead = (
        f"Systemic steroids since infusion reached {number_text(facts.threshold_mg)} mg {_UNIT} at "
        f"{view.in_course(alert.finding.at)}{passed}: {_reached(facts)}{_now(facts, view)}."
    )
    points = [_at_crossing(facts)] if _now(facts, view) or exposure is None else []
    if exposure is not None:
        points.extend(other_totals(exposure))
        points.extend(_early_start(exposure, view))
    evidence = f"{tier_evidence(facts.threshold_mg)} {DOSE_LIMITS}"
    return Body(lead=lead, points=points, blocks=[*_sum(view), EQUIVALENCE, evidence], evidence_table=False)


def steroid_days_summary(alert: Alert, view: View) -> str:
    facts = facts_of(alert, SteroidDays)
    total = number_text(facts.dexamethasone_equivalent_mg)
    return (
        f"Systemic steroids on {facts.steroid_days} days since infusion ({total} mg {_UNIT}), "
        f"{view.when(alert.finding.at)}"
    )


def steroid_days_line(alert: Alert, times: Times) -> str:
    return f"systemic steroids on {facts_of(alert, SteroidDays).steroid_days} days since infusion"


def steroid_days_body(alert: Alert, view: View) -> Body:
    facts, exposure = facts_of(alert, SteroidDays), view.evaluation.exposure
    lead = (
        f"Systemic steroid doses are recorded on {facts.steroid_days} distinct calendar days since infusion, the last "
        f"from {view.in_course(alert.finding.at)}; {number_text(facts.dexamethasone_equivalent_mg)} mg {_UNIT} in "
        f"all{_now(facts, view)}."
    )
    points = other_totals(exposure) if exposure is not None else []
    blocks = [*_sum(view), EQUIVALENCE, f"{STEROID_DAYS} {DOSE_LIMITS}"]
    return Body(lead=lead, points=points, blocks=blocks, evidence_table=False)


def dose_unknown_summary(alert: Alert, view: View) -> str:
    facts = facts_of(alert, DoseUnknown)
    total = f"steroid total at least {number_text(facts.lower_bound_mg)} mg" if facts.lower_bound_mg else _total(facts)
    return f"{_capital(_undosed(alert))} {view.when(alert.finding.at)}: {total}"


def dose_unknown_line(alert: Alert, times: Times) -> str:
    return f"{_undosed(alert)}: {_total(facts_of(alert, DoseUnknown))}"


def dose_unknown_body(alert: Alert, view: View) -> Body:
    facts, exposure = facts_of(alert, DoseUnknown), view.evaluation.exposure
    given = alert.finding.basis
    drug = escape(given.drug) if isinstance(given, Dose) else "a systemic steroid"
    number = count(len(facts.administrations), "administration")
    lead = (
        f"{number} of {drug} without a usable amount, route or end, {view.in_course(alert.finding.at)}: not in the "
        f"sum; {_total(facts)}."
    )
    points = [problem_line(problem, whole=True) for problem in alert.finding.unusable]
    points.append("What would settle it: amount with unit, route and times. It may count as treatment start.")
    if exposure is None:
        points.append(f"Not counted: {named(facts.administrations)}.")
    else:
        points.extend(other_totals(exposure, as_given=True))
    return Body(lead=lead, points=points)


def _undosed(alert: Alert) -> str:
    """``methylprednisolone, amount not charted,`` or what else makes it uncountable."""
    given = alert.finding.basis
    if isinstance(given, Dose):
        return f"{given.drug}, {'route or end' if given.amount_known else 'amount'} not charted,"
    number = len(facts_of(alert, DoseUnknown).administrations)
    return f"{count(number, 'steroid dose')} of unknown amount"


def _total(facts: DoseUnknown) -> str:
    """``at least 40 mg``; where nothing countable was given, or the infusion is not known, the total is unknown."""
    if not facts.lower_bound_mg:
        return "the steroid total is unknown"
    return f"at least {number_text(facts.lower_bound_mg)} mg {_UNIT} since infusion"


def _sum(view: View) -> list[str]:
    exposure = view.evaluation.exposure
    if exposure is None or not exposure.counted:
        return []
    return ["Counted doses since infusion:", sum_table(exposure.counted, view)]


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
    return [f"First counted dose on day {day}; {EARLY_START}"]


def _now(facts: CumulativeDose | SteroidDays, view: View) -> str:
    """The sum as of the call where it has moved on since."""
    exposure = view.evaluation.exposure
    if exposure is None or exposure.dexamethasone_equivalent_mg is None:
        return ""
    total = number_text(exposure.dexamethasone_equivalent_mg)
    if total == number_text(facts.dexamethasone_equivalent_mg):
        return ""
    return f", {'at least ' if exposure.uncounted else ''}{total} mg now"


_DOSE_SOURCE = Source(
    f"{FRIDBERG.label}; {STRATI.label}; {ASCO_8011.label}",
    f"{FRIDBERG.citation}; {STRATI.citation}; {ASCO_8011.citation}",
    FRIDBERG.url,
)
_DAYS_SOURCE = Source(f"{STRATI.label}; {ASCO_8011.label}", f"{STRATI.citation}; {ASCO_8011.citation}", STRATI.url)

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
