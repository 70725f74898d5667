"""Data types that are plainly valid FHIR R4: every usual element named and typed, nothing else let through.

What these classes accept, fhir.resources accepts too (the tests hold them to it on real data and under
mutation). What they do not accept is not necessarily wrong: fhir.resources judges it.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated

import msgspec

from fhir_mappings.fhir_types import elements as lean

Text = Annotated[str, msgspec.Meta(min_length=1)]
Code = Annotated[str, msgspec.Meta(pattern=r"\A\S+(\s\S+)*\Z")]
#: A code with white space around it, which is tolerated for a status (see referee).
Status = Annotated[str, msgspec.Meta(pattern=r"\A\s*\S+(\s\S+)*\s*\Z")]
Integer = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
PositiveInteger = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
_ID = re.compile(r"[A-Za-z0-9\-.]+")
_DATE_LENGTH = len("2026-03-01")
_CALENDAR_DAY = r"[1-9]\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
_CLOCK = r"T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?"
_ZONE = r"(?:Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))"
_INSTANT = re.compile(_CALENDAR_DAY + _CLOCK + _ZONE, re.ASCII)
_TIME = re.compile(f"{_CALENDAR_DAY}(?:{_CLOCK}{_ZONE}?)?", re.ASCII)


class Extension(msgspec.Struct, frozen=True, rename="camel", gc=False, forbid_unknown_fields=True, omit_defaults=True):
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


class Narrative(msgspec.Struct, frozen=True, rename="camel", gc=False, forbid_unknown_fields=True, omit_defaults=True):
    status: Code
    div: Text


class Annotation(msgspec.Struct, frozen=True, rename="camel", gc=False, forbid_unknown_fields=True, omit_defaults=True):
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


class Performer(msgspec.Struct, frozen=True, rename="camel", gc=False, forbid_unknown_fields=True, omit_defaults=True):
    actor: Reference
    function: CodeableConcept | None = None
    on_behalf_of: Reference | None = None


class HumanName(msgspec.Struct, frozen=True, rename="camel", gc=False, forbid_unknown_fields=True, omit_defaults=True):
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


class Address(msgspec.Struct, frozen=True, rename="camel", gc=False, forbid_unknown_fields=True, omit_defaults=True):
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


def accepts_period(period: Period | None) -> bool:
    return period is None or (accepts_time(period.start) and accepts_time(period.end))


def accepts_notes(notes: tuple[Annotation, ...]) -> bool:
    return all(
        accepts_zoned_time(note.time) and (note.author_string is None or note.author_reference is None)
        for note in notes
    )


def accepts_time(value: str | None) -> bool:
    """Whether it is a plain date or date-time; the zone may be missing (see referee)."""
    return value is None or _is_plain(_TIME, value)


def accepts_zoned_time(value: str | None) -> bool:
    """Whether it is a date, or a time with its zone."""
    return value is None or (_is_plain(_TIME, value) and (len(value) == _DATE_LENGTH or accepts_instant(value)))


def accepts_zoned_period(period: Period | None) -> bool:
    return period is None or (accepts_zoned_time(period.start) and accepts_zoned_time(period.end))


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
