"""One resource from bytes to its lean form: plainly valid, or valid in what decides, or Refused (L1)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from fhir_mappings.fhir_types import elements as lean
from fhir_mappings.fhir_types import medication as medications
from fhir_mappings.fhir_types import questionnaire as questionnaires
from fhir_mappings.fhir_types import strict as plain
from fhir_mappings.fhir_types import strict_medication as plain_medication
from fhir_mappings.fhir_types.deciding import R4, R5, JsonObject, NamedTwice, deciding
from fhir_mappings.fhir_types.json_text import decoded, first_repeated_key, has_repeated_keys
from fhir_mappings.fhir_types.validate import Fault, Refused, faults_of, has_visible_strings, is_told_completely

_Struct = TypeVar("_Struct", bound=msgspec.Struct)

_ENCODER = msgspec.json.Encoder(decimal_format="number")
#: What the reading has a rule for where it is absent, though FHIR asks for it (L32).
_MAY_BE_ABSENT = frozenset({"subject"})
#: Of a Patient a faulty element costs only itself.
_EACH_FOR_ITSELF = frozenset({"Patient"})
#: And everywhere names, and what only tells copies and versions apart.
_COSTS_ITSELF = re.compile(
    r"id|meta\.(?:versionId|lastUpdated|tag|extension)|identifier|(?:.+\.)?(?:display|text|unit)"
)
_MOST_FAULTS = 20


class Read(NamedTuple, Generic[_Struct]):
    """A resource, and what is wrong with it without costing anything."""

    resource: _Struct
    faults: tuple[Fault, ...] = ()


class _Kind(NamedTuple):
    """How a type is decoded. plainly: its strict decoder and what its types alone cannot say, if it has one."""

    lean: type[msgspec.Struct]
    plainly: tuple[msgspec.json.Decoder[Any], Callable[[Any], bool]] | None = None


KINDS = {
    "Observation": _Kind(lean.Observation, (msgspec.json.Decoder(plain.Observation), plain.accepts_observation)),
    "Procedure": _Kind(lean.Procedure, (msgspec.json.Decoder(plain.Procedure), plain.accepts_procedure)),
    "Patient": _Kind(lean.Patient, (msgspec.json.Decoder(plain.Patient), plain.accepts_patient)),
    "MedicationAdministration": _Kind(
        medications.MedicationAdministration,
        (plain_medication.ADMINISTRATION, plain_medication.accepts_administration),
    ),
    "Medication": _Kind(medications.Medication, (plain_medication.MEDICATION, plain_medication.accepts_medication)),
    "Substance": _Kind(medications.Substance),
    "Condition": _Kind(lean.Condition),
    "QuestionnaireResponse": _Kind(questionnaires.QuestionnaireResponse),
}
_DECODERS = {name: msgspec.json.Decoder(kind.lean) for name, kind in KINDS.items()}


def decode(resource_type: str, raw: bytes) -> Read[Any]:
    """The resource; raises Refused if an element that decides is broken or occurs twice."""
    plainly = KINDS[resource_type].plainly
    if plainly is not None:
        found = plainly_valid(raw, *plainly)
        if found is not None:
            return Read(found)
    return _judged(resource_type, raw)


def plainly_valid(
    raw: bytes, decoder: msgspec.json.Decoder[_Struct], accepts: Callable[[_Struct], bool]
) -> _Struct | None:
    """The resource if it is plainly valid FHIR R4 without any doubt."""
    try:
        found = decoder.decode(raw)
        if not is_told_completely(raw, _ENCODER.encode(found)) and (
            has_repeated_keys(raw) or not has_visible_strings(raw)
        ):
            return None
        return found if accepts(found) else None
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def readable_elements(resource_type: str, raw: bytes) -> msgspec.Struct:
    """What a refused resource says, element by element: those that can be decoded by themselves.

    For telling its place and what it may have been, never for using it.
    """
    kind = KINDS[resource_type].lean
    try:
        document = decoded(raw)
        kept = deciding(document, R5) | deciding(document, R4) if isinstance(document, dict) else {}
        if kept and resource_type == "MedicationAdministration" and says_not_given(document):
            kept["status"] = "not-done"
    except (ValueError, KeyError):
        kept = {}
    found: JsonObject = {}
    for name, value in kept.items():
        try:
            msgspec.json.decode(_ENCODER.encode({**_needed(kind), name: value}), type=kind)
        except msgspec.MsgspecError:
            continue
        found[name] = value
    read: msgspec.Struct = msgspec.json.decode(_ENCODER.encode(_needed(kind) | found), type=kind)
    return read


def says_not_given(document: JsonObject) -> bool:
    """How older releases (DSTU2, STU3) say that an administration was not done."""
    return document.get("notGiven") is True or document.get("wasNotGiven") is True


def _needed(kind: type[msgspec.Struct]) -> JsonObject:
    return {"code": {}} if kind is lean.Observation else {}


def _judged(resource_type: str, raw: bytes) -> Read[Any]:
    """What fhir.resources accepts in the elements that decide, as R4 or as R5."""
    try:
        document = decoded(raw)
    except ValueError as error:
        raise Refused(f"The resource is not valid JSON: {error}.") from error
    if not isinstance(document, dict):
        raise Refused("The resource is not a JSON object.")
    if resource_type == "MedicationAdministration" and says_not_given(document):
        document = {**document, "status": "not-done"}
    repeated = first_repeated_key(document)
    complaints = faults_of("R4B", resource_type, document)
    try:
        if repeated is None and not (complaints and faults_of("R5", resource_type, document)):
            return Read(_DECODERS[resource_type].decode(raw))
        release, kept = _deciding_elements(resource_type, document)
        read = _DECODERS[resource_type].decode(_ENCODER.encode(kept))
    except msgspec.MsgspecError as error:
        raise Refused(f"It is not FHIR JSON: {error}.") from error
    twice = [] if repeated is None else [Fault(repeated, f'"{repeated}" occurs twice in one object.')]
    if release == "R5":
        complaints = faults_of(release, resource_type, document)
    return Read(read, tuple([*twice, *complaints][:_MOST_FAULTS]))


def _deciding_elements(resource_type: str, document: JsonObject) -> tuple[str, JsonObject]:
    """The elements that decide, and the release in which they are valid: that which names more of them first."""
    refusal: Refused | None = None
    try:
        held = [(release, deciding(document, shapes)) for release, shapes in (("R4B", R4), ("R5", R5))]
    except NamedTwice as twice:
        message = f'The element "{twice}" occurs twice in one object; which one is meant is not guessed.'
        raise Refused(message, str(twice)) from twice
    for release, kept in sorted(held, key=lambda item: -_elements(item[1])):
        try:
            return release, _accepted(resource_type, kept, release)
        except Refused as reason:
            refusal = refusal or reason
    assert refusal is not None
    raise refusal


def _elements(value: Any) -> int:
    if isinstance(value, dict):
        return len(value) + sum(map(_elements, value.values()))
    return sum(map(_elements, value)) if isinstance(value, list) else 0


def _accepted(resource_type: str, kept: JsonObject, release: str) -> JsonObject:
    """The elements that decide, if they are valid in this release; raises Refused with the first fault."""
    while faults := [fault for fault in faults_of(release, resource_type, kept) if not _may_be(fault, kept)]:
        spoilt = {fault: _spoilt(fault, resource_type) for fault in faults}
        fault = next((fault for fault in faults if not _is_in(kept, spoilt[fault])), None)
        if fault is not None:
            raise Refused(f"It is not a valid {resource_type}: {fault.message}", fault.element)
        for path in set(spoilt.values()):
            kept = _without(kept, path)
    return kept


def _spoilt(fault: Fault, resource_type: str) -> tuple[str, ...]:
    """The path of what a fault costs where it costs only itself, else nothing."""
    path = tuple(fault.element.split("."))
    if resource_type in _EACH_FOR_ITSELF:
        return path[:1]
    named = (path[:length] for length in range(1, len(path) + 1))
    return next((part for part in named if _COSTS_ITSELF.fullmatch(".".join(part))), ())


def _is_in(value: Any, path: tuple[str, ...]) -> bool:
    for name in path:
        if isinstance(value, list) and name.isdigit():
            value = value[int(name)]
        elif isinstance(value, dict) and name in value:
            value = value[name]
        else:
            return False
    return bool(path)


def _without(value: Any, path: tuple[str, ...]) -> Any:
    """The same without the element at the path; its siblings keep their places."""
    if not path or not isinstance(value, (dict, list)):
        return value
    name, rest = path[0], path[1:]
    if isinstance(value, list):
        return [_without(item, rest) if str(index) == name else item for index, item in enumerate(value)]
    if not rest:
        return {key: item for key, item in value.items() if key != name}
    return {key: _without(item, rest) if key == name else item for key, item in value.items()}


def _may_be(fault: Fault, kept: JsonObject) -> bool:
    return fault.element in _MAY_BE_ABSENT and fault.element not in kept
