"""Resources that are plainly valid FHIR R4: every usual element named and typed, nothing else let through.

What these classes accept, fhir.resources accepts too (the tests hold them to it on real data and under
mutation). What they do not accept is not necessarily wrong: fhir.resources judges it.
"""

from __future__ import annotations

import re

from fhir_mappings.fhir_types import elements as lean
from fhir_mappings.fhir_types.strict_elements import (
    Address,
    Annotation,
    Code,
    CodeableConcept,
    Communication,
    ContactPoint,
    Extension,
    HumanName,
    Identifier,
    Meta,
    Narrative,
    Performer,
    Period,
    Quantity,
    Range,
    Reference,
    ReferenceRange,
    Status,
    Text,
    accepts_extensions,
    accepts_head,
    accepts_instant,
    accepts_notes,
    accepts_period,
    accepts_time,
    accepts_zoned_period,
)

_INTEGER_LIMIT = 2**31
_DAY = re.compile(r"[1-9]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])", re.ASCII)


class Component(lean.Component, frozen=True, rename="camel", gc=False, kw_only=True, forbid_unknown_fields=True):
    code: CodeableConcept
    value_quantity: Quantity | None = None
    value_codeable_concept: CodeableConcept | None = None
    value_string: Text | None = None
    value_range: Range | None = None
    data_absent_reason: CodeableConcept | None = None
    interpretation: tuple[CodeableConcept, ...] = ()
    reference_range: tuple[ReferenceRange, ...] = ()


class Observation(lean.Observation, frozen=True, rename="camel", gc=False, kw_only=True, forbid_unknown_fields=True):
    resource_type: str
    id: str | None = None
    meta: Meta | None = None
    language: Code | None = None
    text: Narrative | None = None
    extension: tuple[Extension, ...] = ()
    identifier: tuple[Identifier, ...] = ()
    based_on: tuple[Reference, ...] = ()
    part_of: tuple[Reference, ...] = ()
    status: Status
    category: tuple[CodeableConcept, ...] = ()
    code: CodeableConcept
    subject: Reference | None = None
    focus: tuple[Reference, ...] = ()
    encounter: Reference | None = None
    effective_period: Period | None = None
    performer: tuple[Reference, ...] = ()
    value_quantity: Quantity | None = None
    value_codeable_concept: CodeableConcept | None = None
    value_string: Text | None = None
    value_range: Range | None = None
    data_absent_reason: CodeableConcept | None = None
    interpretation: tuple[CodeableConcept, ...] = ()
    note: tuple[Annotation, ...] = ()
    body_site: CodeableConcept | None = None
    method: CodeableConcept | None = None
    specimen: Reference | None = None
    device: Reference | None = None
    reference_range: tuple[ReferenceRange, ...] = ()
    has_member: tuple[Reference, ...] = ()
    derived_from: tuple[Reference, ...] = ()
    component: tuple[Component, ...] = ()


class Procedure(lean.Procedure, frozen=True, rename="camel", gc=False, kw_only=True, forbid_unknown_fields=True):
    resource_type: str
    id: str | None = None
    meta: Meta | None = None
    text: Narrative | None = None
    extension: tuple[Extension, ...] = ()
    identifier: tuple[Identifier, ...] = ()
    based_on: tuple[Reference, ...] = ()
    part_of: tuple[Reference, ...] = ()
    status: Status
    category: CodeableConcept | None = None
    code: CodeableConcept | None = None
    subject: Reference
    encounter: Reference | None = None
    performed_period: Period | None = None
    recorder: Reference | None = None
    asserter: Reference | None = None
    performer: tuple[Performer, ...] = ()
    location: Reference | None = None
    reason_code: tuple[CodeableConcept, ...] = ()
    reason_reference: tuple[Reference, ...] = ()
    body_site: tuple[CodeableConcept, ...] = ()
    outcome: CodeableConcept | None = None
    note: tuple[Annotation, ...] = ()


class Patient(lean.Patient, frozen=True, rename="camel", gc=False, kw_only=True, forbid_unknown_fields=True):
    resource_type: str
    id: str | None = None
    meta: Meta | None = None
    text: Narrative | None = None
    extension: tuple[Extension, ...] = ()
    identifier: tuple[Identifier, ...] = ()
    active: bool | None = None
    name: tuple[HumanName, ...] = ()
    telecom: tuple[ContactPoint, ...] = ()
    gender: Code | None = None
    address: tuple[Address, ...] = ()
    marital_status: CodeableConcept | None = None
    multiple_birth_boolean: bool | None = None
    communication: tuple[Communication, ...] = ()
    general_practitioner: tuple[Reference, ...] = ()
    managing_organization: Reference | None = None


def accepts_observation(read: Observation) -> bool:
    """What the types alone cannot say: times, ids, and that one of several elements is present."""
    return (
        accepts_head(read.id, read.meta, read.extension, read.modifier_extension)
        and _accepts_values(read)
        and (not read.component or all(map(_accepts_component, read.component)))
        and (read.effective_date_time is None) + (read.effective_period is None) + (read.effective_instant is None) > 1
        and read.effective_timing is None
        and not read.contained
        and accepts_time(read.effective_date_time)
        and accepts_instant(read.effective_instant)
        and accepts_instant(read.issued)
        and accepts_period(read.effective_period)
        and (not read.note or accepts_notes(read.note))
    )


def accepts_procedure(read: Procedure) -> bool:
    return (
        accepts_head(read.id, read.meta, read.extension, read.modifier_extension)
        and (read.performed_date_time is None or read.performed_period is None)
        and read.occurrence_date_time is None
        and read.occurrence_period is None
        and accepts_time(read.performed_date_time)
        and accepts_period(read.performed_period)
        and accepts_notes(read.note)
    )


def accepts_patient(read: Patient) -> bool:
    return (
        accepts_head(read.id, read.meta, read.extension, read.modifier_extension)
        and (read.deceased_boolean is None or read.deceased_date_time is None)
        and accepts_time(read.deceased_date_time)
        and read.link is None
        and (read.birth_date is None or _DAY.fullmatch(read.birth_date) is not None)
        and all(accepts_zoned_period(name.period) and accepts_extensions(name.extension) for name in read.name)
        and all(accepts_zoned_period(address.period) for address in read.address)
    )


def _accepts_component(read: Component) -> bool:
    return _accepts_values(read) and not read.modifier_extension


def _accepts_values(read: Observation | Component) -> bool:
    present = (
        (read.value_quantity is not None)
        + (read.value_codeable_concept is not None)
        + (read.value_string is not None)
        + (read.value_boolean is not None)
        + (read.value_integer is not None)
        + (read.value_range is not None)
    )
    number = read.value_integer
    return present <= 1 and (number is None or (number.as_tuple().exponent == 0 and abs(number) < _INTEGER_LIMIT))
