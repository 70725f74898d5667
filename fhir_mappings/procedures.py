"""The infusion of CAR-T cells out of a Procedure (R4 performed[x], R5 occurrence[x])."""

from __future__ import annotations

from fhir_mappings.contribution import Contribution
from fhir_mappings.fhir_types import elements as lean
from fhir_mappings.intake.relevance import CodeVerdict, Selector
from fhir_mappings.settings import ReadSettings
from fhir_mappings.times import EARLIEST_INFUSION, IMPLAUSIBLE, clamp_to_now, known_from, parse_when
from icans.record import Infusion, Problem

#: A Procedure that took place or is taking place.
USED_STATUS = frozenset({"completed", "in-progress"})
#: A Procedure that certainly did not.
VOID_STATUS = frozenset({"not-done", "entered-in-error", "preparation"})
_AFFECTS = ("infusion",)


def read_procedure(
    procedure: lean.Procedure, reference: str, settings: ReadSettings, selector: Selector
) -> Contribution:
    """The infusion, known from its start, or the problem that keeps it from being used."""
    concept = procedure.code or lean.CodeableConcept()
    verdict = selector.verdict(concept)
    element, value = performed(procedure)
    when = parse_when(value, settings) if value else "time-missing"
    if isinstance(when, str):
        message = _no_time(value, when)
        return Contribution(None, [], [Problem(when, reference, element, message, affects=_AFFECTS)])
    placed = clamp_to_now(when, settings)
    at = (placed or when).at
    known = known_from(settings, at)
    found = Contribution(known)
    if at < EARLIEST_INFUSION:
        message = f"The infusion at {value} lies before {EARLIEST_INFUSION.year}; it is none."
        found.problems.append(Problem(IMPLAUSIBLE, reference, element, message, at=at, known=known, affects=_AFFECTS))
        return found
    refusal = _refusal(procedure, verdict, selector, element, value or "", placed is None)
    if refusal is not None:
        code, place, message, affects = refusal
        found.problems.append(Problem(code, reference, place, message, at=at, known=known, affects=affects))
        return found
    if when.zoneless:
        message = f"The time {value} has no zone; it counts as its whole day."
        found.problems.append(
            Problem("time-imprecise", reference, element, message, at=at, known=known, affects=_AFFECTS)
        )
    shown = next(iter(concept.texts), "CAR-T infusion")
    earliest = (placed or when).earliest
    found.entries.append(
        Infusion(
            at=at,
            earliest=earliest,
            known=known,
            day=when.day,
            reference=reference,
            element="code",
            shown=shown,
            source="procedure",
        )
    )
    return found


def performed(procedure: lean.Procedure) -> tuple[str, str | None]:
    """Element and text of the start of a Procedure."""
    for element, value in (
        ("performedDateTime", procedure.performed_date_time),
        ("occurrenceDateTime", procedure.occurrence_date_time),
    ):
        if value is not None:
            return element, value
    for element, period in (
        ("performedPeriod", procedure.performed_period),
        ("occurrencePeriod", procedure.occurrence_period),
    ):
        if period is not None:
            return (f"{element}.start", period.start) if period.start else (f"{element}.end", period.end)
    return "performed[x]", None


def _refusal(
    procedure: lean.Procedure,
    verdict: CodeVerdict,
    selector: Selector,
    element: str,
    value: str,
    planned: bool,
) -> tuple[str, str, str, tuple[str, ...]] | None:
    """Code, element, sentence and effect of what keeps a Procedure from being used, None if nothing does."""
    status = (procedure.status or "").strip()
    if not selector.terminology.infusion_procedure(verdict.pairs):
        message = "Its code is not mapped to the CAR-T infusion, but it looks as if it were one."
        return "code-unmapped", "code", message, _AFFECTS
    if planned:
        return "time-in-future", element, f"{value} lies in the future: planned, not counted.", _AFFECTS
    if procedure.implicit_rules or procedure.modifier_extension and lean.has_content(procedure.modifier_extension):
        return (
            "unknown-modifier",
            "modifierExtension",
            "It carries a modifier that is not known here.",
            _AFFECTS,
        )
    if status not in USED_STATUS:
        affects = () if status in VOID_STATUS else _AFFECTS
        return "status-not-usable", "status", f"Its status is {status or 'missing'}; it is not used.", affects
    return None


def _no_time(value: str | None, code: str) -> str:
    """Why a Procedure has no usable time."""
    if value is None:
        return "The Procedure says no time."
    if code == IMPLAUSIBLE:
        return f"The time {value} is implausible."
    return f"The time {value} names no usable day."
