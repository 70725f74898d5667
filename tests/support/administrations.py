"""Builders of MedicationAdministrations, and what reading one gives."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from fhir_mappings.contribution import Contribution
from fhir_mappings.fhir_types.medication import ADMINISTRATION, MEDICATION
from fhir_mappings.medications.administration import AdministrationContext, read_administration
from fhir_mappings.settings import ReadSettings
from fhir_mappings.terminology import systems as canonical
from fhir_mappings.terminology.lookup import load_terminology
from icans.record import Dose

SETTINGS = ReadSettings(load_terminology())
IV = {"coding": [{"system": canonical.SNOMED, "code": "47625008"}]}
START = "2026-03-05T09:00:00Z"
END = "2026-03-05T21:00:00Z"
AT = datetime(2026, 3, 5, 9, tzinfo=UTC)
UNTIL = datetime(2026, 3, 5, 21, tzinfo=UTC)
REFERENCE = "MedicationAdministration/1"


def rxnorm(code: str, text: str = "") -> dict[str, Any]:
    return {"coding": [{"system": canonical.RXNORM, "code": code}]} | ({"text": text} if text else {})


DEXAMETHASONE = rxnorm("3264", "dexamethasone")


def ucum(value: float, code: str) -> dict[str, Any]:
    return {"value": value, "unit": code, "system": canonical.UCUM, "code": code}


def dosage(dose: dict[str, Any] | None = None, route: Any = IV, **more: Any) -> dict[str, Any]:
    found = {"dose": dose, "route": route, **more}
    return {key: value for key, value in found.items() if value is not None}


def administration(concept: dict[str, Any] | None = DEXAMETHASONE, /, **more: Any) -> dict[str, Any]:
    """A completed 10 mg dose by vein at START; None removes an element."""
    resource: dict[str, Any] = {
        "resourceType": "MedicationAdministration",
        "id": "1",
        "status": "completed",
        "subject": {"reference": "Patient/1"},
        "medicationCodeableConcept": concept,
        "effectiveDateTime": START,
        "dosage": dosage(ucum(10, "mg")),
    }
    return {key: value for key, value in (resource | more).items() if value is not None}


def period(start: str | None = START, end: str | None = END) -> dict[str, Any]:
    found = {"start": start, "end": end}
    return {"effectiveDateTime": None, "effectivePeriod": {k: v for k, v in found.items() if v is not None}}


def read(
    resource: dict[str, Any], settings: ReadSettings = SETTINGS, medications: dict[str, Any] | None = None
) -> Contribution:
    def medication(reference: str) -> Any:
        found = (medications or {}).get(reference)
        return None if found is None else MEDICATION.decode(json.dumps(found))

    shape = ADMINISTRATION.decode(json.dumps(resource))
    return read_administration(shape, REFERENCE, AdministrationContext(settings, medication))


def one_dose(resource: dict[str, Any], **more: Any) -> Dose:
    entries = read(resource, **more).entries
    assert len(entries) == 1
    assert isinstance(entries[0], Dose)
    return entries[0]


def codes(found: Contribution) -> list[str]:
    return [problem.code for problem in found.problems]


def nothing(found: Contribution) -> bool:
    return not found.entries and not found.problems


def by_reference(reference: str, dose: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return administration(
        None, medicationReference={"reference": reference}, dosage=dosage(dose or ucum(10, "mg")), **more
    )
