"""MedicationAdministration and Medication that are plainly valid FHIR R4 (see plain.py)."""

from __future__ import annotations

import msgspec

from fhir_mappings.fhir_types import medication as shapes
from fhir_mappings.fhir_types import strict_elements as plain


class Ratio(shapes.Ratio, frozen=True, rename="camel", gc=False, forbid_unknown_fields=True):
    numerator: plain.Quantity | None = None
    denominator: plain.Quantity | None = None


class Dosage(shapes.Dosage, frozen=True, rename="camel", gc=False, kw_only=True, forbid_unknown_fields=True):
    text: plain.Text | None = None
    site: plain.CodeableConcept | None = None
    route: plain.CodeableConcept | None = None
    method: plain.CodeableConcept | None = None
    dose: plain.Quantity | None = None
    rate_ratio: Ratio | None = None
    rate_quantity: plain.Quantity | None = None


class MedicationAdministration(
    shapes.MedicationAdministration,
    frozen=True,
    rename="camel",
    gc=False,
    kw_only=True,
    forbid_unknown_fields=True,
):
    resource_type: str
    meta: plain.Meta | None = None
    text: plain.Narrative | None = None
    extension: tuple[plain.Extension, ...] = ()
    identifier: tuple[plain.Identifier, ...] = ()
    part_of: tuple[plain.Reference, ...] = ()
    status: plain.Code
    status_reason: tuple[plain.CodeableConcept, ...] = ()
    category: plain.CodeableConcept | None = None
    medication_codeable_concept: plain.CodeableConcept | None = None
    medication_reference: plain.Reference | None = None
    medication: None = None
    subject: plain.Reference
    context: plain.Reference | None = None
    supporting_information: tuple[plain.Reference, ...] = ()
    effective_period: plain.Period | None = None
    occurence_date_time: None = None
    occurence_period: None = None
    occurence_timing: None = None
    recorded: None = None
    performer: tuple[plain.Performer, ...] = ()
    reason_code: tuple[plain.CodeableConcept, ...] = ()
    reason_reference: tuple[plain.Reference, ...] = ()
    request: plain.Reference | None = None
    device: tuple[plain.Reference, ...] = ()
    note: tuple[plain.Annotation, ...] = ()
    dosage: Dosage | None = None
    event_history: tuple[plain.Reference, ...] = ()


class Ingredient(shapes.Ingredient, frozen=True, rename="camel", gc=False, kw_only=True, forbid_unknown_fields=True):
    item_codeable_concept: plain.CodeableConcept | None = None
    item_reference: plain.Reference | None = None
    item: None = None
    is_active: bool | None = None
    strength: Ratio | None = None
    strength_ratio: None = None


class Medication(shapes.Medication, frozen=True, rename="camel", gc=False, kw_only=True, forbid_unknown_fields=True):
    resource_type: str
    meta: plain.Meta | None = None
    text: plain.Narrative | None = None
    extension: tuple[plain.Extension, ...] = ()
    identifier: tuple[plain.Identifier, ...] = ()
    code: plain.CodeableConcept | None = None
    status: plain.Code | None = None
    manufacturer: plain.Reference | None = None
    form: plain.CodeableConcept | None = None
    dose_form: None = None
    amount: Ratio | None = None
    ingredient: tuple[Ingredient, ...] = ()


ADMINISTRATION = msgspec.json.Decoder(MedicationAdministration)
MEDICATION = msgspec.json.Decoder(Medication)


def accepts_administration(read: MedicationAdministration) -> bool:
    """What the types alone cannot say: one medication, one time, at most one rate, plain times."""
    return (
        read.resource_type == "MedicationAdministration"
        and plain.accepts_head(read.id, read.meta, read.extension, read.modifier_extension)
        and not read.contained
        and (read.medication_codeable_concept is None) != (read.medication_reference is None)
        and (read.effective_date_time is None) != (read.effective_period is None)
        and plain.accepts_time(read.effective_date_time)
        and plain.accepts_period(read.effective_period)
        and plain.accepts_notes(read.note)
        and (read.dosage is None or _accepts_dosage(read.dosage))
    )


def accepts_medication(read: Medication) -> bool:
    """What the types alone cannot say: one item an ingredient."""
    return (
        read.resource_type == "Medication"
        and plain.accepts_head(read.id, read.meta, read.extension, read.modifier_extension)
        and not read.contained
        and all(_accepts_ingredient(ingredient) for ingredient in read.ingredient)
    )


def _accepts_dosage(dosage: Dosage) -> bool:
    return not dosage.modifier_extension and (dosage.rate_ratio is None or dosage.rate_quantity is None)


def _accepts_ingredient(ingredient: Ingredient) -> bool:
    return not ingredient.modifier_extension and (
        (ingredient.item_codeable_concept is None) != (ingredient.item_reference is None)
    )
