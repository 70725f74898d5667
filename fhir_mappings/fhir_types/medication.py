"""MedicationAdministration and Medication as a lean typed decode sees them, R4 and R5 in one shape.

The plain twins are in plain_medication.py.
"""

from __future__ import annotations

import msgspec

from fhir_mappings.fhir_types import elements as lean


class CodeableReference(msgspec.Struct, frozen=True, rename="camel", gc=False, omit_defaults=True):
    """R5: a concept, or a reference to it."""

    concept: lean.CodeableConcept | None = None
    reference: lean.Reference | None = None


class Ratio(msgspec.Struct, frozen=True, rename="camel", gc=False, omit_defaults=True):
    numerator: lean.Quantity | None = None
    denominator: lean.Quantity | None = None


class Dosage(msgspec.Struct, frozen=True, rename="camel", gc=False, omit_defaults=True, kw_only=True):
    modifier_extension: msgspec.Raw = msgspec.Raw(b"")
    route: lean.CodeableConcept | None = None
    method: lean.CodeableConcept | None = None
    dose: lean.Quantity | None = None
    rate_ratio: Ratio | None = None
    rate_quantity: lean.Quantity | None = None


class Ingredient(msgspec.Struct, frozen=True, rename="camel", gc=False, omit_defaults=True, kw_only=True):
    """R4 says item[x] and strength, R5 item and strength[x]."""

    modifier_extension: msgspec.Raw = msgspec.Raw(b"")
    item_codeable_concept: lean.CodeableConcept | None = None
    item_reference: lean.Reference | None = None
    item: CodeableReference | None = None
    strength: Ratio | None = None
    strength_ratio: Ratio | None = None


class Medication(msgspec.Struct, frozen=True, rename="camel", gc=False, omit_defaults=True, kw_only=True):
    """R4 says form, R5 doseForm."""

    resource_type: str | None = None
    id: str | None = None
    contained: msgspec.Raw = msgspec.Raw(b"")
    modifier_extension: msgspec.Raw = msgspec.Raw(b"")
    identifier: tuple[lean.Identifier, ...] | None = None
    status: str | None = None
    code: lean.CodeableConcept | None = None
    form: lean.CodeableConcept | None = None
    dose_form: lean.CodeableConcept | None = None
    ingredient: tuple[Ingredient, ...] | None = None


class SubstanceCode(lean.CodeableConcept, frozen=True, rename="camel", gc=False, omit_defaults=True):
    """R4: a concept; R5: one in ``concept``."""

    concept: lean.CodeableConcept | None = None


class Substance(msgspec.Struct, frozen=True, rename="camel", gc=False, omit_defaults=True, kw_only=True):
    """What an ingredient may refer to."""

    resource_type: str | None = None
    id: str | None = None
    code: SubstanceCode | None = None


class MedicationAdministration(msgspec.Struct, frozen=True, rename="camel", gc=False, omit_defaults=True, kw_only=True):
    """R4 says effective[x] and medication[x], R5 occurence[x] (its spelling) and medication."""

    id: str | None = None
    meta: lean.Meta | None = None
    implicit_rules: str | None = None
    modifier_extension: msgspec.Raw = msgspec.Raw(b"")
    contained: msgspec.Raw = msgspec.Raw(b"")
    part_of: tuple[lean.Reference, ...] | None = None
    identifier: tuple[lean.Identifier, ...] | None = None
    status: str | None = None
    status_reason: tuple[lean.CodeableConcept, ...] | None = None
    subject: lean.Reference | None = None
    medication_codeable_concept: lean.CodeableConcept | None = None
    medication_reference: lean.Reference | None = None
    medication: CodeableReference | None = None
    effective_date_time: str | None = None
    effective_period: lean.Period | None = None
    occurence_date_time: str | None = None
    occurence_period: lean.Period | None = None
    occurence_timing: lean.Timing | None = None
    recorded: str | None = None
    dosage: Dosage | None = None


ADMINISTRATION = msgspec.json.Decoder(MedicationAdministration)
MEDICATION = msgspec.json.Decoder(Medication)
CONTAINED = msgspec.json.Decoder(tuple[Medication, ...])
