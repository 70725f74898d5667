"""Administrations and Medications, looked at for what of them is understood."""

from __future__ import annotations

from dataclasses import replace

from fhir_mappings.fhir_types import elements as lean
from fhir_mappings.fhir_types.medication import CodeableReference, Medication, MedicationAdministration
from fhir_mappings.mapping_check.proposals import Proposals
from fhir_mappings.mapping_check.report import (
    IRRELEVANT,
    LOOKS_RELEVANT,
    UNDERSTOOD,
    CodedItem,
    CodedItems,
    is_local,
    mappable,
    named_by,
    only_local,
    unit_of,
    what_it_may_be,
)
from fhir_mappings.medications.administration import AdministrationContext
from fhir_mappings.medications.amounts import Given
from fhir_mappings.medications.drugs import AdministeredDrug, administered_drug
from fhir_mappings.medications.times import NoTime, administration_times
from fhir_mappings.settings import ReadSettings
from fhir_mappings.terminology import systems as canonical
from fhir_mappings.terminology.drug_names import words

#: Medications of an input that are remembered for the administrations that refer to them.
_REMEMBERED = 50_000
_KEPT = 10_000
_ITSELF = "Medication/itself"
_NOT_COUNTED = "it is not counted: a steroid, a sedative or the infusion may be missing"


class AdministrationCheck:
    """Says of an administration what its drug, dose, unit, route and event are here."""

    def __init__(self, settings: ReadSettings) -> None:
        self._settings = settings
        self._terminology = settings.terminology
        self._proposals = Proposals(settings.terminology)
        self._context = AdministrationContext(settings, self._find)
        self._taken = 0
        self._relevant: dict[str, Medication] = {}
        self._irrelevant: set[str] = set()

    def medication(self, medication: Medication, full_url: str | None) -> CodedItems:
        """The drug of a Medication, which is remembered for what refers to it."""
        itself = MedicationAdministration(medication=CodeableReference(reference=lean.Reference(reference=_ITSELF)))
        drug = administered_drug(
            itself, self._terminology, lambda stated: medication if stated == _ITSELF else self._find(stated)
        )
        noted = self._drug(drug, medication.code or lean.CodeableConcept())
        names = [name for name in (f"Medication/{medication.id}" if medication.id else None, full_url) if name]
        if noted.verdict == IRRELEVANT:
            if len(self._irrelevant) < _REMEMBERED:
                self._irrelevant.update(names)
        elif len(self._relevant) < _REMEMBERED:
            self._relevant.update(dict.fromkeys(names, medication))
        return [noted]

    def noted(self, resource: MedicationAdministration) -> CodedItems:
        self._taken += 1
        if self._taken % _KEPT == 0:
            # A context remembers every drug, route and dose it has seen, and a check may see a hospital's.
            self._context = AdministrationContext(self._settings, self._find)
        drug = self._context.drug(resource)
        concept = resource.medication_codeable_concept or (resource.medication.concept if resource.medication else None)
        if concept is None and drug.unresolved in self._irrelevant:
            return []
        noted = self._drug(drug, concept or lean.CodeableConcept(text=drug.shown or None))
        found: CodedItems = [] if concept is None and drug.unresolved is None and not drug.texts else [noted]
        if drug.unresolved is not None and not drug.texts:
            found = [
                CodedItem(
                    "value",
                    LOOKS_RELEVANT,
                    display="medication reference",
                    lost=_NOT_COUNTED,
                    map_to="nothing: send the Medication with the administration",
                )
            ]
        role = drug.match.role if drug.match is not None else None
        if role == "other" or (noted.verdict == IRRELEVANT and not noted.targets):
            return found
        about: CodedItems = [*self._amount(resource, drug), self._route(resource)] if role in (None, "steroid") else []
        about += self._event(resource)
        if role is None:
            # Of a drug that is not known yet only what a site would have to map as well.
            about = [replace(item, verdict=noted.verdict) for item in about if item.targets]
        return [*found, *about]

    def _find(self, reference: str) -> Medication | None:
        name = reference if reference in self._relevant else "/".join(reference.split("/")[-2:])
        return self._relevant.get(name)

    def _drug(self, drug: AdministeredDrug, concept: lean.CodeableConcept) -> CodedItem:
        match = drug.match
        if match is not None and match.role != "other":
            meaning = f"{match.ingredient} ({match.role})"
            if match.by == "code":
                pair = next((pair for pair in concept.pairs if self._terminology.drug([pair], [])), None)
                return named_by("drug", concept, UNDERSTOOD, pair, meaning=meaning)
            told = f"ingredient {match.ingredient}, to be sure of it"
            return named_by("drug", concept, UNDERSTOOD, meaning=f"{meaning}, by its name", map_to=told)
        if match is not None:
            return named_by("drug", concept, IRRELEVANT, meaning=match.ingredient)
        proposal = self._proposals.drug(drug.texts)
        map_to = what_it_may_be(proposal, "a code of ingredient")
        if not proposal and not self._terminology.looks_relevant(drug.texts, "medication", drug.codings):
            if not only_local(concept):
                return named_by("drug", concept, IRRELEVANT)
            lost = "nothing, unless it is a steroid, a sedative or the infusion by another name"
            return named_by("drug", concept, IRRELEVANT, lost=lost, map_to=map_to, targets=(canonical.INGREDIENT,))
        if mappable(concept)[1] is not None and is_local(mappable(concept)[0]):
            return named_by(
                "drug",
                concept,
                LOOKS_RELEVANT,
                lost=_NOT_COUNTED,
                map_to=map_to,
                targets=(canonical.INGREDIENT,),
                proposal=proposal,
            )
        return CodedItem(
            "drug",
            LOOKS_RELEVANT,
            canonical.MEDICATION_NAME,
            " ".join(words(drug.shown)),
            drug.shown,
            lost=_NOT_COUNTED,
            map_to=map_to,
            targets=(canonical.INGREDIENT,),
            proposal=proposal,
        )

    def _amount(self, resource: MedicationAdministration, drug: AdministeredDrug) -> CodedItems:
        """The unit of a steroid's dose or rate."""
        times = administration_times(resource, self._settings)
        if isinstance(times, NoTime):
            return [
                CodedItem(
                    "value",
                    LOOKS_RELEVANT,
                    display="time",
                    lost="the dose has no place in the course",
                    map_to="nothing: send the time at which it was given",
                )
            ]
        given = self._context.amounts(drug).given(resource.dosage, times.start.at, times.exact_end)
        quantity = _charted(resource)
        if given.problem is None:
            return [] if quantity is None else [unit_of(quantity, UNDERSTOOD, meaning="mg")]
        return [self._no_amount(given, quantity)]

    def _no_amount(self, given: Given, quantity: lean.Quantity | None) -> CodedItem:
        lost = "the dose counts as unknown: nothing in the lower bound, no upper bound"
        if given.problem != "unit-unknown" or quantity is None:
            told = "nothing: send dose and unit as a quantity"
            return CodedItem("value", LOOKS_RELEVANT, display=given.message, lost=lost, map_to=told)
        unit = quantity.code or quantity.unit or ""
        if not unit or self._context.settings.terminology.unit(quantity.unit or unit) or "strength" in given.message:
            told = "nothing: send a mass, or the strength in the Medication"
            return unit_of(quantity, LOOKS_RELEVANT, lost=lost, map_to=told)
        spelling = " ".join((quantity.unit or unit).split()).casefold().replace("\u00b5", "u").replace("\u03bc", "u")
        return CodedItem(
            "unit",
            LOOKS_RELEVANT,
            canonical.UNIT_NAME,
            spelling,
            quantity.unit or unit,
            lost=lost,
            map_to="the UCUM code of the unit, if it is one",
            targets=(canonical.UCUM,),
        )

    def _route(self, resource: MedicationAdministration) -> CodedItem:
        concept = resource.dosage.route if resource.dosage else None
        lost = "the dose counts in the upper bound only"
        if concept is None:
            told = "nothing: chart the route"
            return CodedItem("route", LOOKS_RELEVANT, display="none recorded", lost=lost, map_to=told)
        counts = self._context.route(resource)
        if counts is not None:
            alone = (pair for pair in concept.pairs if self._terminology.route([pair]) == counts)
            return named_by("route", concept, UNDERSTOOD, next(alone, None), meaning=counts)
        pair = mappable(concept)
        shown = next(iter(concept.texts), "") or (pair[1] or "")
        proposal = self._proposals.route(shown)
        map_to = what_it_may_be(proposal, "a code of administration-route")
        if pair[1] is not None and is_local(pair[0]):
            return named_by(
                "route",
                concept,
                LOOKS_RELEVANT,
                lost=lost,
                map_to=map_to,
                targets=(canonical.ROUTE,),
                proposal=proposal,
            )
        return CodedItem(
            "route",
            LOOKS_RELEVANT,
            canonical.ROUTE_NAME,
            " ".join(words(shown)),
            shown,
            lost=lost,
            map_to=map_to,
            targets=(canonical.ROUTE,),
            proposal=proposal,
        )

    def _event(self, resource: MedicationAdministration) -> CodedItems:
        method = resource.dosage.method if resource.dosage else None
        concepts = [*((method,) if method else ()), *(resource.status_reason or ())]
        return [self._one_event(concept) for concept in concepts if concept.pairs or concept.text]

    def _one_event(self, concept: lean.CodeableConcept) -> CodedItem:
        meaning = self._terminology.event(concept.pairs, concept.texts)
        if meaning is not None:
            return named_by("event", concept, UNDERSTOOD, meaning=meaning)
        pair = mappable(concept)
        if pair[0] is not None and not is_local(pair[0]):
            return named_by("event", concept, IRRELEVANT)
        texts = [*concept.texts, *([pair[1]] if pair[1] else [])]
        doubtful = self._terminology.says_not_given(texts)
        lost = "the row counts in the upper bound only" if doubtful else "the row counts as given"
        told = "a code of administration-event, if it says whether a dose was given"
        if pair[1] is not None:
            return named_by("event", concept, LOOKS_RELEVANT, lost=lost, map_to=told, targets=(canonical.EVENT,))
        shown = next(iter(concept.texts), "")
        return CodedItem(
            "event",
            LOOKS_RELEVANT,
            canonical.EVENT_NAME,
            shown.strip().casefold(),
            shown,
            lost=lost,
            map_to=told,
            targets=(canonical.EVENT,),
        )


def _charted(resource: MedicationAdministration) -> lean.Quantity | None:
    """The quantity whose unit decides: the dose, else the rate."""
    dosage = resource.dosage
    if dosage is None:
        return None
    if dosage.dose is not None and dosage.dose.value is not None:
        return dosage.dose
    return dosage.rate_quantity or (dosage.rate_ratio.numerator if dosage.rate_ratio else None)
