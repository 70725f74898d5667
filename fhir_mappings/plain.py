"""Resources that are plainly valid FHIR R4: every usual element named and typed, nothing else let through.

What these classes accept, fhir.resources accepts too (the tests hold them to it on real data and under
mutation). What they do not accept is not necessarily wrong: fhir.resources judges it.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated

import msgspec

from fhir_mappings import lean

Text = Annotated[str, msgspec.Meta(min_length=1)]
Code = Annotated[str, msgspec.Meta(pattern=r"\A\S+(\s\S+)*\Z")]
#: A code with white space around it, which is tolerated for a status (see referee).
Status = Annotated[str, msgspec.Meta(pattern=r"\A\s*\S+(\s\S+)*\s*\Z")]
Integer = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
PositiveInteger = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
_INTEGER_LIMIT = 2**31
_DAY = re.compile(r"[1-9]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9\-.]+")
_CALENDAR_DAY = r"[1-9]\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
_CLOCK = r"T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?"
_ZONE = r"(?:Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))"
_INSTANT = re.compile(_CALENDAR_DAY + _CLOCK + _ZONE, re.ASCII)
_TIME = re.compile(f"{_CALENDAR_DAY}(?:{_CLOCK}{_ZONE}?)?", re.ASCII)


class Extension(
    msgspec.Struct, frozen=True, rename="camel", gc=False, forbid_unknown_fields=True, omit_defaults=True
):
    url: Text
    id: Text | None = None
    extension: tuple[Extension, ...] = ()
    value_string: Text | None = None
    value_code: Code | None = None
    value_boolean: bool | None = None
    value_integer: Integer | None = None
    value_identifier: Identifier | None = None
    value_coding: Coding | None = None
    value_codeable_concept: CodeableConcept | None = None
    value_reference: Reference | None = None


class Coding(lean.Coding, frozen=True, rename="camel", gc=False, forbid_unknown_fields=True):
    code: Code | None = None
    display: Text | None = None
    version: Text | None = None
    user_selected: bool | None = None


class CodeableConcept(lean.CodeableConcept, frozen=True, rename="camel", gc=False, forbid_unknown_fields=True):
    coding: tuple[Coding, ...] = ()
    text: Text | None = None


class Period(lean.Period, frozen=True, rename="camel", gc=False, forbid_unknown_fields=True):
    pass


class Identifier(lean.Identifier, frozen=True, rename="camel", gc=False, forbid_unknown_fields=True):
    value: Text | None = None
    use: Code | None = None
    type: CodeableConcept | None = None


class Reference(lean.Reference, frozen=True, rename="camel", gc=False, forbid_unknown_fields=True):
    reference: Text | None = None
    identifier: Identifier | None = None
    display: Text | None = None


class Quantity(lean.Quantity, frozen=True, rename="camel", gc=False, forbid_unknown_fields=True):
    comparator: Code | None = None
    unit: Text | None = None
    code: Code | None = None


class Range(lean.Range, frozen=True, rename="camel", gc=False, forbid_unknown_fields=True):
    low: Quantity | None = None
    high: Quantity | None = None


class Meta(lean.Meta, frozen=True, rename="camel", gc=False, forbid_unknown_fields=True):
    source: str | None = None
    profile: tuple[str, ...] = ()
    security: tuple[Coding, ...] = ()
    tag: tuple[Coding, ...] = ()


class Narrative(
    msgspec.Struct, frozen=True, rename="camel", gc=False, forbid_unknown_fields=True, omit_defaults=True
):
    status: Code
    div: Text


class Annotation(
    msgspec.Struct, frozen=True, rename="camel", gc=False, forbid_unknown_fields=True, omit_defaults=True
):
    text: Text
    time: str | None = None
    author_string: Text | None = None
    author_reference: Reference | None = None


class ReferenceRange(
    msgspec.Struct, frozen=True, rename="camel", gc=False, forbid_unknown_fields=True, omit_defaults=True
):
    low: Quantity | None = None
    high: Quantity | None = None
    type: CodeableConcept | None = None
    applies_to: tuple[CodeableConcept, ...] = ()
    age: Range | None = None
    text: Text | None = None


class Component(lean.Component, frozen=True, rename="camel", gc=False, kw_only=True, forbid_unknown_fields=True):
    code: CodeableConcept
    value_quantity: Quantity | None = None
    value_codeable_concept: CodeableConcept | None = None
    value_string: Text | None = None
    value_range: Range | None = None
    data_absent_reason: CodeableConcept | None = None
    interpretation: tuple[CodeableConcept, ...] = ()
    reference_range: tuple[ReferenceRange, ...] = ()


class Observation(
    lean.Observation, frozen=True, rename="camel", gc=False, kw_only=True, forbid_unknown_fields=True
):
    resource_type: str
    id: str | None = None
    meta: Meta | None = None
    implicit_rules: str | None = None
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


class Performer(
    msgspec.Struct, frozen=True, rename="camel", gc=False, forbid_unknown_fields=True, omit_defaults=True
):
    actor: Reference
    function: CodeableConcept | None = None
    on_behalf_of: Reference | None = None


class Procedure(
    lean.Procedure, frozen=True, rename="camel", gc=False, kw_only=True, forbid_unknown_fields=True
):
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


class HumanName(
    msgspec.Struct, frozen=True, rename="camel", gc=False, forbid_unknown_fields=True, omit_defaults=True
):
    use: Code | None = None
    text: Text | None = None
    family: Text | None = None
    given: tuple[Text, ...] = ()
    prefix: tuple[Text, ...] = ()
    suffix: tuple[Text, ...] = ()
    period: Period | None = None
    extension: tuple[Extension, ...] = ()


class ContactPoint(
    msgspec.Struct, frozen=True, rename="camel", gc=False, forbid_unknown_fields=True, omit_defaults=True
):
    system: Code | None = None
    value: Text | None = None
    use: Code | None = None
    rank: PositiveInteger | None = None


class Address(
    msgspec.Struct, frozen=True, rename="camel", gc=False, forbid_unknown_fields=True, omit_defaults=True
):
    use: Code | None = None
    type: Code | None = None
    text: Text | None = None
    line: tuple[Text, ...] = ()
    city: Text | None = None
    district: Text | None = None
    state: Text | None = None
    postal_code: Text | None = None
    country: Text | None = None
    period: Period | None = None


class Communication(
    msgspec.Struct, frozen=True, rename="camel", gc=False, forbid_unknown_fields=True, omit_defaults=True
):
    language: CodeableConcept
    preferred: bool | None = None


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
        and (read.birth_date is None or _DAY.fullmatch(read.birth_date) is not None)
        and all(accepts_period(name.period) and accepts_extensions(name.extension) for name in read.name)
        and all(accepts_period(address.period) for address in read.address)
    )


def accepts_extensions(extensions: tuple[Extension, ...]) -> bool:
    """Whether each extension has either one value or extensions of its own."""
    return all(_one_content(extension) and accepts_extensions(extension.extension) for extension in extensions)


def _one_content(extension: Extension) -> bool:
    values = msgspec.structs.astuple(extension)[3:]
    return len(values) - values.count(None) == (0 if extension.extension else 1)


def accepts_head(
    identity: str | None, meta: Meta | None, extensions: tuple[Extension, ...], modifiers: msgspec.Raw
) -> bool:
    return (
        (identity is None or _ID.fullmatch(identity) is not None)
        and (meta is None or _accepts_meta(meta))
        and (not extensions or accepts_extensions(extensions))
        and not modifiers
    )


def _accepts_meta(meta: Meta) -> bool:
    return accepts_instant(meta.last_updated) and (
        meta.version_id is None or _ID.fullmatch(meta.version_id) is not None
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


def accepts_period(period: Period | None) -> bool:
    return period is None or (accepts_time(period.start) and accepts_time(period.end))


def accepts_notes(notes: tuple[Annotation, ...]) -> bool:
    return all(
        accepts_time(note.time) and (note.author_string is None or note.author_reference is None) for note in notes
    )


def accepts_time(value: str | None) -> bool:
    """Whether it is a plain date or date-time; the zone may be missing (see referee)."""
    return value is None or _is_plain(_TIME, value)


def accepts_instant(value: str | None) -> bool:
    """Whether it is a plain instant."""
    return value is None or _is_plain(_INSTANT, value)


def _is_plain(pattern: re.Pattern[str], value: str) -> bool:
    return pattern.fullmatch(value) is not None and _exists(value)


def _exists(value: str) -> bool:
    """Whether the calendar has such a day; the pattern of the value has been checked."""
    if value[8:10] <= "28":
        return True
    try:
        date.fromisoformat(value[:10])
    except ValueError:
        return False
    return True
