"""Lines about coded things: which of several codings a line shows, and how."""

from __future__ import annotations

from fhir_mappings.fhir_types import elements as lean
from fhir_mappings.mapping_check.report import Subject
from fhir_mappings.terminology import systems as canonical

Noted = list[Subject]


def named_by(
    kind: str,
    concept: lean.CodeableConcept,
    verdict: str,
    pair: tuple[str | None, str | None] | None = None,
    *,
    meaning: str = "",
    lost: str = "",
    map_to: str = "",
    targets: tuple[str, ...] = (),
) -> Subject:
    """A line about a concept, shown by one of its codings: the one given, else the one a site would map."""
    system, code = pair if pair is not None else mappable(concept)
    display = next(
        (coding.display for coding in concept.coding or () if (coding.system, coding.code) == (system, code)), None
    )
    return Subject(
        kind,
        verdict,
        system or "",
        (code or "").strip(),
        display or concept.text or next(iter(concept.texts), ""),
        meaning,
        lost,
        map_to,
        targets,
    )


def unit_of(quantity: lean.Quantity, verdict: str, *, meaning: str = "", lost: str = "", map_to: str = "") -> Subject:
    """A line about the unit of a quantity; "none" where it has none."""
    unit = quantity.code or quantity.unit or ""
    display = (quantity.unit or "") if unit else "none"
    return Subject("unit", verdict, quantity.system or "", unit, display, meaning, lost, map_to)


def mappable(concept: lean.CodeableConcept) -> tuple[str | None, str | None]:
    """The coding that a site would map: the first complete one of a local system, else the first complete one."""
    complete = [(system, code) for system, code in concept.pairs if system and code]
    local = [pair for pair in complete if is_local(pair[0])]
    return next(iter([*local, *complete]), (None, None))


def is_local(system: str | None) -> bool:
    """Whether a code system is none of the published ones that are known here."""
    found = canonical.canonical_system(system)
    return found not in canonical.PUBLISHED and found not in _PUBLISHED_ELSEWHERE and not _hl7(found or "")


def only_local(concept: lean.CodeableConcept) -> bool:
    """Whether a concept has codings and all are local: nobody but the site can say what it means."""
    return bool(concept.pairs) and all(is_local(system) for system, _ in concept.pairs)


def _hl7(system: str) -> bool:
    return system.startswith(("http://terminology.hl7.org/", "http://hl7.org/fhir/"))


_PUBLISHED_ELSEWHERE = frozenset({canonical.UCUM, canonical.SCORE, canonical.INGREDIENT, canonical.ROUTE})
