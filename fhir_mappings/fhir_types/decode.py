"""One resource from bytes to its lean form: plainly valid, or accepted by fhir.resources, or Refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

from fhir_mappings.fhir_types import elements as lean
from fhir_mappings.fhir_types import medication as medication_shapes
from fhir_mappings.fhir_types import questionnaire as questionnaires
from fhir_mappings.fhir_types import strict as plain
from fhir_mappings.fhir_types import strict_medication as plain_medication
from fhir_mappings.fhir_types.validate import (
    Refused,
    has_visible_strings,
    is_told_completely,
    judge,
    refuse_repeated_keys,
)

_Plain = TypeVar("_Plain", bound=msgspec.Struct)
_Lean = TypeVar("_Lean", bound=msgspec.Struct)

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_PLAIN_OBSERVATION = msgspec.json.Decoder(plain.Observation)
_PLAIN_PROCEDURE = msgspec.json.Decoder(plain.Procedure)
_PLAIN_PATIENT = msgspec.json.Decoder(plain.Patient)
_OBSERVATION = msgspec.json.Decoder(lean.Observation)
_PROCEDURE = msgspec.json.Decoder(lean.Procedure)
_PATIENT = msgspec.json.Decoder(lean.Patient)
_CONDITION = msgspec.json.Decoder(lean.Condition)


def observation(raw: bytes) -> lean.Observation:
    """Raises Refused if neither the plain classes nor fhir.resources accept the bytes."""
    return _plainly(raw, _PLAIN_OBSERVATION, plain.accepts_observation) or _judged(raw, _OBSERVATION)


def procedure(raw: bytes) -> lean.Procedure:
    """Raises Refused, as for an Observation."""
    return _plainly(raw, _PLAIN_PROCEDURE, plain.accepts_procedure) or _judged(raw, _PROCEDURE)


def patient(raw: bytes) -> lean.Patient:
    """Raises Refused, as for an Observation."""
    return _plainly(raw, _PLAIN_PATIENT, plain.accepts_patient) or _judged(raw, _PATIENT)


def administration(raw: bytes) -> medication_shapes.MedicationAdministration:
    """Raises Refused, as for an Observation."""
    plainly = _plainly(raw, plain_medication.ADMINISTRATION, plain_medication.accepts_administration)
    return plainly or _judged(raw, medication_shapes.ADMINISTRATION)


def medication(raw: bytes) -> medication_shapes.Medication:
    """Raises Refused, as for an Observation."""
    plainly = _plainly(raw, plain_medication.MEDICATION, plain_medication.accepts_medication)
    return plainly or _judged(raw, medication_shapes.MEDICATION)


def condition(raw: bytes) -> lean.Condition:
    """Raises Refused; Conditions that matter are rare, so that each is judged."""
    refuse_repeated_keys(raw)
    return _judged(raw, _CONDITION)


def questionnaire_response(raw: bytes) -> questionnaires.QuestionnaireResponse:
    """Raises Refused; responses that matter are rare, so that each is judged."""
    refuse_repeated_keys(raw)
    return _judged(raw, questionnaires.DECODER)


def _plainly(raw: bytes, decoder: msgspec.json.Decoder[_Plain], accepts: Callable[[_Plain], bool]) -> _Plain | None:
    """The resource if it is plainly valid; raises Refused for a key that stands twice."""
    try:
        read = decoder.decode(raw)
    except (msgspec.MsgspecError, RecursionError):
        refuse_repeated_keys(raw)
        return None
    if not is_told_completely(raw, _ENCODER.encode(read)):
        refuse_repeated_keys(raw)
        if not has_visible_strings(raw):
            return None
    return read if accepts(read) else None


def _judged(raw: bytes, decoder: msgspec.json.Decoder[_Lean]) -> _Lean:
    """What fhir.resources accepts, by its own JSON types: true is no number, a number is no time."""
    judge(raw)
    try:
        return decoder.decode(raw)
    except msgspec.MsgspecError as error:
        raise Refused(f"It is not FHIR JSON: {error}.") from error
