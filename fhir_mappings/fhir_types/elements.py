"""Resources as a lean typed decode sees them: the elements that are read, and nothing else.

Each class has a plain twin in plain.py that knows every usual element; what that accepts needs no judge.
R4 and R5 differ only in the names of some elements, so that one class reads both.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec


class Coding(msgspec.Struct, frozen=True, rename="camel", gc=False, omit_defaults=True):
    system: str | None = None
    code: str | None = None
    display: str | None = None


class CodeableConcept(msgspec.Struct, frozen=True, rename="camel", gc=False, omit_defaults=True):
    coding: tuple[Coding, ...] | None = None
    text: str | None = None

    @property
    def pairs(self) -> list[tuple[str | None, str | None]]:
        """(system, code) of every coding."""
        return [(coding.system, coding.code) for coding in self.coding or ()]

    @property
    def texts(self) -> list[str]:
        """The text and every display, as far as there are any."""
        shown = [coding.display for coding in self.coding or () if coding.display]
        return [self.text, *shown] if self.text else shown


class Identifier(msgspec.Struct, frozen=True, rename="camel", gc=False, omit_defaults=True):
    system: str | None = None
    value: str | None = None


class Reference(msgspec.Struct, frozen=True, rename="camel", gc=False, omit_defaults=True):
    reference: str | None = None
    type: str | None = None
    identifier: Identifier | None = None
    display: str | None = None


class Quantity(msgspec.Struct, frozen=True, rename="camel", gc=False, omit_defaults=True):
    value: Decimal | None = None
    comparator: str | None = None
    unit: str | None = None
    system: str | None = None
    code: str | None = None


class Range(msgspec.Struct, frozen=True, rename="camel", gc=False, omit_defaults=True):
    low: Quantity | None = None
    high: Quantity | None = None


class Period(msgspec.Struct, frozen=True, rename="camel", gc=False, omit_defaults=True):
    start: str | None = None
    end: str | None = None


class TimingRepeat(msgspec.Struct, frozen=True, rename="camel", gc=False, omit_defaults=True):
    bounds_period: Period | None = None


class Timing(msgspec.Struct, frozen=True, rename="camel", gc=False, omit_defaults=True):
    event: tuple[str, ...] | None = None
    repeat: TimingRepeat | None = None


class Meta(msgspec.Struct, frozen=True, rename="camel", gc=False, omit_defaults=True):
    version_id: str | None = None
    last_updated: str | None = None


class Valued(msgspec.Struct, frozen=True, rename="camel", gc=False, omit_defaults=True):
    """value[x] and dataAbsentReason of an Observation or a component; the values that are read."""

    value_quantity: Quantity | None = None
    value_codeable_concept: CodeableConcept | None = None
    value_string: str | None = None
    value_boolean: bool | None = None
    value_integer: Decimal | None = None
    value_range: Range | None = None
    data_absent_reason: CodeableConcept | None = None


class Component(Valued, frozen=True, rename="camel", gc=False, kw_only=True):
    code: CodeableConcept
    modifier_extension: msgspec.Raw = msgspec.Raw(b"")


class Observation(Valued, frozen=True, rename="camel", gc=False, kw_only=True):
    meta: Meta | None = None
    implicit_rules: str | None = None
    contained: msgspec.Raw = msgspec.Raw(b"")
    focus: tuple[Reference, ...] | None = None
    status: str | None = None
    code: CodeableConcept
    subject: Reference | None = None
    effective_date_time: str | None = None
    effective_instant: str | None = None
    effective_period: Period | None = None
    effective_timing: Timing | None = None
    issued: str | None = None
    method: CodeableConcept | None = None
    has_member: tuple[Reference, ...] | None = None
    component: tuple[Component, ...] | None = None
    modifier_extension: msgspec.Raw = msgspec.Raw(b"")


class Procedure(msgspec.Struct, frozen=True, rename="camel", gc=False, omit_defaults=True, kw_only=True):
    """R4 says performed[x], R5 occurrence[x]."""

    meta: Meta | None = None
    implicit_rules: str | None = None
    status: str | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    performed_date_time: str | None = None
    performed_period: Period | None = None
    occurrence_date_time: str | None = None
    occurrence_period: Period | None = None
    modifier_extension: msgspec.Raw = msgspec.Raw(b"")


class Link(msgspec.Struct, frozen=True, rename="camel", gc=False, omit_defaults=True):
    """Another Patient resource of the same patient (L6)."""

    other: Reference | None = None
    type: str | None = None


class Patient(msgspec.Struct, frozen=True, rename="camel", gc=False, omit_defaults=True, kw_only=True):
    meta: Meta | None = None
    implicit_rules: str | None = None
    identifier: tuple[Identifier, ...] | None = None
    link: tuple[Link, ...] | None = None
    birth_date: str | None = None
    deceased_boolean: bool | None = None
    deceased_date_time: str | None = None
    modifier_extension: msgspec.Raw = msgspec.Raw(b"")


class Condition(msgspec.Struct, frozen=True, rename="camel", gc=False, omit_defaults=True, kw_only=True):
    meta: Meta | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    clinical_status: CodeableConcept | None = None
    verification_status: CodeableConcept | None = None
    modifier_extension: msgspec.Raw = msgspec.Raw(b"")


def has_content(raw: msgspec.Raw) -> bool:
    """Whether an element that is only recognised holds anything."""
    return bytes(raw).strip() not in (b"", b"null", b"[]")
