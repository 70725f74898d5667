"""Birth and death of a patient, by all Patient resources that are one patient, and what the chart says of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from fhir_mappings.contribution import Contribution
from fhir_mappings.fhir_types import elements as lean
from fhir_mappings.patients.demographics import birth, death
from fhir_mappings.settings import ReadSettings
from icans.record import Birth, Death, Dose, Escalation, Infusion, Observed, Problem, Sedative

#: A patient who is only reported to have died is monitored for so long after what was last charted (L5).
AFTER_LAST_CHARTED = timedelta(hours=24)


def birth_and_death(
    patients: Sequence[tuple[str, lean.Patient]], found: Contribution, settings: ReadSettings
) -> tuple[Birth | None, Death | None, list[Problem]]:
    """Of several Patient resources the replacing one (the first) decides, else the next that says something;
    found: all that is charted of the patient."""
    problems: list[Problem] = []
    readable = []
    for reference, patient in patients:
        if lean.has_content(patient.modifier_extension) or patient.implicit_rules:
            message = "It carries a modifier that is not known here; age and death are not read."
            problems.append(Problem("unknown-modifier", reference, "modifierExtension", message))
        else:
            readable.append((reference, patient))
    born = _birth(readable, found, settings, problems)
    return born, _death(readable, found, settings, problems), problems


def _birth(
    patients: list[tuple[str, lean.Patient]], found: Contribution, settings: ReadSettings, problems: list[Problem]
) -> Birth | None:
    births = [(reference, born) for reference, patient in patients if (born := birth(patient)) is not None]
    if not births:
        return None
    reference, born = births[0]
    if any(other != born for _, other in births):
        message = "The merged Patient resources have different birth dates; that of the replacing one counts."
        problems.append(Problem("conflicting-values", reference, "birthDate", message, affects=("grade",)))
    charted = [entry.day for entry in found.entries if isinstance(entry, (Infusion, Observed))]
    if charted and born.earliest > min(charted):
        message = "The birth date lies after an infusion or an assessment; the age counts as unknown."
        known = min(entry.known for entry in found.entries if entry.day < born.earliest)
        problems.append(Problem("time-implausible", reference, "birthDate", message, known=known, affects=("grade",)))
        return None
    return born


def _death(
    patients: list[tuple[str, lean.Patient]], found: Contribution, settings: ReadSettings, problems: list[Problem]
) -> Death | None:
    last = max((at for at, _, _ in _charted(found)), default=None)
    after = last + AFTER_LAST_CHARTED if last is not None else None
    deaths = []
    for reference, patient in patients:
        died, complaints = death(patient, reference, settings, after)
        problems.extend(complaints)
        if died is not None:
            deaths.append((reference, died))
    if not deaths:
        return None
    reference, died = deaths[0]
    if any(other.shown != died.shown for _, other in deaths):
        message = "The merged Patient resources have different deaths; that of the replacing one counts."
        problems.append(Problem("conflicting-values", reference, died.element, message, affects=("grade",)))
    return _contradicted(died, found, settings, problems)


def _contradicted(died: Death, found: Contribution, settings: ReadSettings, problems: list[Problem]) -> Death:
    """The death, standing until the chart contradicts it."""
    late = [
        (max(known, died.known), by) for at, known, by in _charted(found) if at > died.at + settings.death_contradiction
    ]
    late += [
        (max(entry.known, died.known), entry.reference)
        for entry in found.entries
        if isinstance(entry, Infusion) and died.at < entry.earliest
    ]
    if not late:
        return died
    known, by = min(late)
    message = f"The death recorded at {died.shown} is contradicted by what is charted after it; it ends nothing."
    problems.append(
        Problem(
            "conflicting-values", died.reference, died.element, message, at=died.at, known=known, affects=("grade",)
        )
    )
    return replace(died, superseded=known, superseded_by=by)


def _charted(found: Contribution) -> Iterator[tuple[datetime, datetime, str]]:
    """Instant, known instant and reference of every assessment and administration, those refused included."""
    for entry in found.entries:
        given = isinstance(entry, Infusion) and entry.source == "administration"
        if given or isinstance(entry, (Observed, Dose, Sedative, Escalation)):
            yield entry.at, entry.known, entry.reference
    for refused in found.refused:
        if refused.at is not None and refused.known is not None and refused.may_be != ("infusion",):
            yield refused.at, refused.known, refused.reference
