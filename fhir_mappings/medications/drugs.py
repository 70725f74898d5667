"""Which drug an administration gave: by code, by reference, by what it is made of; and how strong it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import msgspec

from fhir_mappings.fhir_types import elements as lean
from fhir_mappings.fhir_types.medication import (
    CONTAINED,
    Ingredient,
    Medication,
    MedicationAdministration,
    Ratio,
)
from fhir_mappings.terminology.lookup import CodePair, DrugMatch, Terminology
from fhir_mappings.terminology.systems import is_absent

#: The Medication of the input that a reference means ("Medication/1", a URL, urn:uuid), None if not there.
Medications = Callable[[str], Medication | None]


@dataclass(frozen=True, slots=True)
class AdministeredDrug:
    """What is known of the drug.

    match: what it was recognised as, None if nothing here. element: where it is named.
    shown: how it is named there. texts: all its names. codings: all its codes.
    local: its form says that it is not systemic.
    unresolved: the reference that led nowhere. named: some name or code is charted, and not masked.
    modified: it carries a modifier that is not known here.
    strengths: amounts of the recognised ingredient in the medication (mg per mL, per tablet ...).
    mixture: those of all ingredients.
    """

    match: DrugMatch | None
    element: str
    shown: str
    texts: tuple[str, ...] = ()
    codings: tuple[CodePair, ...] = ()
    local: bool = False
    unresolved: str | None = None
    modified: bool = False
    named: bool = True
    strengths: tuple[Ratio, ...] = ()
    mixture: tuple[Ratio, ...] = ()


def administered_drug(
    resource: MedicationAdministration, terminology: Terminology, medications: Medications
) -> AdministeredDrug:
    """The drug of an administration: its concept, the Medication it refers to, else the reference's text."""
    element, concept, reference = _named(resource)
    medication: Medication | None = None
    unresolved: str | None = None
    if reference is not None and reference.reference:
        medication = _resolve(reference.reference, resource, medications)
        unresolved = reference.reference if medication is None else None
    elif reference is not None and reference.identifier is not None:
        unresolved = reference.identifier.value or "named by an identifier"
    coded = medication.code if medication is not None else None
    concepts = [found for found in (concept, coded) if found is not None]
    codings = tuple(pair for found in concepts for pair in found.pairs)
    texts = tuple(text for found in concepts for text in found.texts)
    if reference is not None and reference.display:
        texts += (reference.display,)
    match = terminology.drug(codings, texts)
    if match is None and medication is not None:
        # Some records keep a drug's name as an identifier: it is no code, but may show what was given.
        texts += tuple(identifier.value for identifier in medication.identifier or () if identifier.value)
    strengths: tuple[Ratio, ...] = ()
    mixture: tuple[Ratio, ...] = ()
    if medication is not None and medication.ingredient:
        parts = _Ingredients(medication, resource, terminology, medications)
        if match is None or match.role == "other":
            match = parts.match() or match
        texts += tuple(text for text in parts.texts() if match is None)
        strengths, mixture = parts.strengths(match), parts.all_strengths()
    return AdministeredDrug(
        match,
        element,
        next(iter(texts), "") or next((code for _, code in codings if code), "") or (unresolved or ""),
        texts + tuple(code for system, code in codings if code and not terminology.is_published(system)),
        codings,
        bool(match and match.local) or (medication is not None and terminology.says_local(_form(medication))),
        unresolved,
        medication is not None and lean.has_content(medication.modifier_extension),
        bool(texts) or any(code and not is_absent(system) for system, code in codings) or bool(strengths),
        strengths,
        mixture,
    )


def _named(
    resource: MedicationAdministration,
) -> tuple[str, lean.CodeableConcept | None, lean.Reference | None]:
    if resource.medication is not None:
        return "medication", resource.medication.concept, resource.medication.reference
    if resource.medication_reference is not None:
        return "medicationReference", resource.medication_codeable_concept, resource.medication_reference
    return "medicationCodeableConcept", resource.medication_codeable_concept, None


def _resolve(reference: str | None, resource: MedicationAdministration, medications: Medications) -> Medication | None:
    if reference is None:
        return None
    if not reference.startswith("#"):
        return medications(reference)
    return _contained(reference, resource.contained)


def _contained(reference: str | None, raw: msgspec.Raw) -> Medication | None:
    """The contained Medication or Substance that "#1" means; None if it is not there."""
    if reference is None or not reference.startswith("#") or not len(memoryview(raw)):
        return None
    try:
        contained = CONTAINED.decode(raw)
    except msgspec.MsgspecError:
        return None
    types = ("Medication", "Substance")
    return next((m for m in contained if m.resource_type in types and m.id == reference[1:]), None)


#: Ingredients of ingredients are followed so far.
_DEEPEST = 5


def _form(medication: Medication) -> Iterable[str]:
    return [text for concept in (medication.form, medication.dose_form) if concept for text in concept.texts]


@dataclass(frozen=True, slots=True)
class _Ingredients:
    """What a Medication is made of."""

    medication: Medication
    resource: MedicationAdministration
    terminology: Terminology
    medications: Medications
    depth: int = 0

    @property
    def ingredients(self) -> tuple[Ingredient, ...]:
        return self.medication.ingredient or ()

    def texts(self) -> list[str]:
        """How the ingredients are named."""
        return [text for ingredient in self.ingredients for text in self._named(ingredient)[1]]

    def match(self) -> DrugMatch | None:
        """The drug in a mixture whose own code says nothing: a steroid in saline is that steroid."""
        found = {match.ingredient: match for match in map(self._drug, self.ingredients) if match is not None}
        relevant = [match for match in found.values() if match.role != "other"] or list(found.values())
        if not relevant:
            return None
        first = min(relevant, key=lambda match: (match.role != "steroid", match.ingredient))
        others = tuple(sorted(m.ingredient for m in relevant if m.role == first.role and m is not first))
        return replace(first, conflicting=others) if others else first

    def strengths(self, match: DrugMatch | None) -> tuple[Ratio, ...]:
        """The strengths of the recognised ingredient; of the only one, if it is not named otherwise."""
        if match is None:
            return ()
        named = [(ingredient, self._drug(ingredient)) for ingredient in self.ingredients]
        same = [i for i, drug in named if drug is not None and drug.ingredient == match.ingredient]
        if not same and len(named) == 1 and named[0][1] is None:
            same = [named[0][0]]
        ratios = (ingredient.strength or ingredient.strength_ratio for ingredient in same)
        usable = not any(lean.has_content(ingredient.modifier_extension) for ingredient in same)
        return tuple(ratio for ratio in ratios if ratio is not None and usable)

    def all_strengths(self) -> tuple[Ratio, ...]:
        """The strengths of all ingredients: where they are of different volumes, it is a mixture."""
        stated = (ingredient.strength or ingredient.strength_ratio for ingredient in self.ingredients)
        return tuple(ratio for ratio in stated if ratio is not None)

    def _drug(self, ingredient: Ingredient) -> DrugMatch | None:
        codings, texts, medication = self._named(ingredient)
        found = self.terminology.drug(codings, texts)
        if found is None and medication is not None and self.depth < _DEEPEST:
            return replace(self, medication=medication, depth=self.depth + 1).match()
        return found

    def _named(self, ingredient: Ingredient) -> tuple[list[CodePair], list[str], Medication | None]:
        """Codes and texts of an ingredient, and the Medication or Substance that it refers to."""
        item = ingredient.item
        concept = ingredient.item_codeable_concept or (item.concept if item else None)
        reference = ingredient.item_reference or (item.reference if item else None)
        texts = list(concept.texts) if concept else []
        codings = list(concept.pairs) if concept else []
        if reference is None:
            return codings, texts, None
        texts += [reference.display] if reference.display else []
        stated = reference.reference
        medication = _contained(stated, self.medication.contained) or _resolve(stated, self.resource, self.medications)
        if medication is not None and medication.code is not None:
            codings += medication.code.pairs
            texts += medication.code.texts
        return codings, texts, medication
