"""What decides whether a resource is used: the elements that are read, by type and FHIR release (L1).

A fault anywhere else costs nothing. Of an element that decides only what is read of it is kept: of a coding
its system, code and display, of meta the version, the time and the tags.
"""

from __future__ import annotations

from typing import Any, Final

from fhir_mappings.fhir_types.json_text import RepeatedKeys

#: Name of an element -> what is read of it; None: all of it.
Shape = dict[str, "Shape | None"]
JsonObject = dict[str, Any]

_CODING: Final[Shape] = {"system": None, "code": None, "display": None}
_CONCEPT: Final[Shape] = {"coding": _CODING, "text": None}
_IDENTIFIER: Final[Shape] = {"system": None, "value": None}
_REFERENCE: Final[Shape] = {"reference": None, "type": None, "identifier": _IDENTIFIER, "display": None}
_CODEABLE_REFERENCE: Final[Shape] = {"concept": _CONCEPT, "reference": _REFERENCE}
_QUANTITY: Final[Shape] = {"value": None, "comparator": None, "unit": None, "system": None, "code": None}
_RANGE: Final[Shape] = {"low": _QUANTITY, "high": _QUANTITY}
_RATIO: Final[Shape] = {"numerator": _QUANTITY, "denominator": _QUANTITY}
_PERIOD: Final[Shape] = {"start": None, "end": None}
_TIMING: Final[Shape] = {"event": None, "repeat": {"boundsPeriod": _PERIOD}}
_META: Final[Shape] = {"versionId": None, "lastUpdated": None, "tag": _CODING, "extension": None}
_ANY: Final[Shape] = {
    "resourceType": None, "id": None, "meta": _META, "implicitRules": None, "modifierExtension": None,
}  # fmt: skip
_VALUE: Final[Shape] = {
    "valueQuantity": _QUANTITY, "valueCodeableConcept": _CONCEPT, "valueString": None, "valueBoolean": None,
    "valueInteger": None, "valueRange": _RANGE, "valueRatio": None, "valueSampledData": None, "valueTime": None,
    "valueDateTime": None, "valuePeriod": None, "dataAbsentReason": _CONCEPT,
}  # fmt: skip
_OBSERVATION: Final[Shape] = {
    **_ANY, **_VALUE, "status": None, "code": _CONCEPT, "subject": _REFERENCE, "focus": _REFERENCE,
    "effectiveDateTime": None, "effectiveInstant": None, "effectivePeriod": _PERIOD, "effectiveTiming": _TIMING,
    "issued": None, "method": _CONCEPT, "hasMember": _REFERENCE, "contained": {},
    "component": {**_VALUE, "code": _CONCEPT, "modifierExtension": None},
}  # fmt: skip
_PROCEDURE: Final[Shape] = {**_ANY, "status": None, "code": _CONCEPT, "subject": _REFERENCE, "contained": {}}
_DOSAGE: Final[Shape] = {
    "route": _CONCEPT, "method": _CONCEPT, "dose": _QUANTITY, "rateRatio": _RATIO, "rateQuantity": _QUANTITY,
    "modifierExtension": None,
}  # fmt: skip
_ADMINISTRATION: Final[Shape] = {
    **_ANY, "identifier": _IDENTIFIER, "status": None, "partOf": _REFERENCE, "subject": _REFERENCE, "dosage": _DOSAGE,
    "contained": {},
}  # fmt: skip
_INGREDIENT: Final[Shape] = {"modifierExtension": None}
_MEDICATION: Final[Shape] = {**_ANY, "identifier": _IDENTIFIER, "status": None, "code": _CONCEPT, "contained": {}}
_SUBSTANCE: Final[Shape] = {**_ANY, "contained": {}}
_CONDITION: Final[Shape] = {
    **_ANY, "code": _CONCEPT, "subject": _REFERENCE, "clinicalStatus": _CONCEPT, "verificationStatus": _CONCEPT,
    "contained": {},
}  # fmt: skip
_PATIENT: Final[Shape] = {
    **_ANY, "identifier": _IDENTIFIER, "birthDate": None, "deceasedBoolean": None, "deceasedDateTime": None,
    "link": {"other": _REFERENCE, "type": None},
}  # fmt: skip
_ITEM: Final[Shape] = {"linkId": None, "definition": None, "text": None}
_ITEM["answer"] = {**_VALUE, "valueDecimal": None, "valueCoding": _CODING, "item": _ITEM}
_ITEM["item"] = _ITEM
_RESPONSE: Final[Shape] = {
    **_ANY, "questionnaire": None, "status": None, "subject": _REFERENCE, "authored": None, "item": _ITEM,
}  # fmt: skip

R4: Final[dict[str, Shape]] = {
    "Observation": _OBSERVATION,
    "Procedure": {**_PROCEDURE, "performedDateTime": None, "performedPeriod": _PERIOD, "performedString": None},
    "MedicationAdministration": {
        **_ADMINISTRATION, "statusReason": _CONCEPT, "medicationCodeableConcept": _CONCEPT,
        "medicationReference": _REFERENCE, "effectiveDateTime": None, "effectivePeriod": _PERIOD,
    },
    "Medication": {
        **_MEDICATION, "form": _CONCEPT,
        "ingredient": {
            **_INGREDIENT, "itemCodeableConcept": _CONCEPT, "itemReference": _REFERENCE, "strength": _RATIO,
        },
    },
    "Substance": {**_SUBSTANCE, "code": _CONCEPT},
    "Condition": _CONDITION,
    "Patient": _PATIENT,
    "QuestionnaireResponse": _RESPONSE,
}  # fmt: skip
R5: Final[dict[str, Shape]] = {
    **R4,
    "Procedure": {**_PROCEDURE, "occurrenceDateTime": None, "occurrencePeriod": _PERIOD, "occurrenceString": None},
    "MedicationAdministration": {
        **_ADMINISTRATION, "statusReason": _CODEABLE_REFERENCE, "medication": _CODEABLE_REFERENCE,
        "occurenceDateTime": None, "occurencePeriod": _PERIOD, "occurenceTiming": _TIMING, "recorded": None,
    },
    "Medication": {
        **_MEDICATION, "doseForm": _CONCEPT,
        "ingredient": {
            **_INGREDIENT, "item": _CODEABLE_REFERENCE, "strengthRatio": _RATIO, "strengthQuantity": None,
            "strengthCodeableConcept": None,
        },
    },
    "Substance": {**_SUBSTANCE, "code": _CODEABLE_REFERENCE},
}  # fmt: skip


class NamedTwice(ValueError):
    """An element that decides occurs twice in one object; the text is its name."""


def deciding(document: JsonObject, shapes: dict[str, Shape]) -> JsonObject:
    """The elements of a resource that decide; what is empty (``""``, ``[]``, ``{}``, null) counts as absent.

    Raises NamedTwice: which of two is meant is not guessed.
    """
    kept = _kept(document, shapes[str(document.get("resourceType"))], shapes)
    return kept if isinstance(kept, dict) else {}


def _kept(value: Any, shape: Shape | None, shapes: dict[str, Shape]) -> Any:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list):
        return [kept for item in value if not _is_empty(kept := _kept(item, shape, shapes))]
    if not isinstance(value, dict):
        return value
    if isinstance(value, RepeatedKeys):
        twice = value.repeated if shape is None else value.repeated & shape.keys()
        if twice:
            raise NamedTwice(min(twice))
    if shape is None:
        return {name: kept for name, item in value.items() if not _is_empty(kept := _kept(item, None, shapes))}
    found = {
        name: _contained(value[name], shapes) if name == "contained" else _kept(value[name], inner, shapes)
        for name, inner in shape.items()
        if name in value
    }
    return {name: item for name, item in found.items() if not _is_empty(item)}


def _contained(value: Any, shapes: dict[str, Shape]) -> Any:
    """Contained resources of the types that are read; the others say nothing here."""
    if not isinstance(value, list):
        return value
    held = [item for item in value if isinstance(item, dict) and item.get("resourceType") in shapes]
    return [deciding(item, shapes) for item in held]


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, (str, list, dict)) and not value)
