"""Small FHIR resources for the tests of reading."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from fhir_mappings import Reading, ReadSettings, Source, load_terminology, read, read_prefetch
from fhir_mappings.terminology.systems import ASSESSMENT, FINDING, NOT_ASSESSED, UCUM
from icans.record import Record

Json = dict[str, Any]
PATIENT: Json = {"resourceType": "Patient", "id": "p", "birthDate": "1970-05-02"}
AT = "2026-03-08T14:00:00Z"


@cache
def settings(**changes: Any) -> ReadSettings:
    return ReadSettings(load_terminology(), **changes)


def concept(code: str, system: str = ASSESSMENT, **more: Any) -> Json:
    return {"coding": [{"system": system, "code": code}], **more}


def observation(code: str | Json = "ice-total", *, id: str | None = "o", **elements: Any) -> Json:
    """An Observation of the patient ``p``; an element given as None is left out."""
    resource = {
        "resourceType": "Observation",
        "id": id,
        "status": "final",
        "code": concept(code) if isinstance(code, str) else code,
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": AT,
        **elements,
    }
    return {name: value for name, value in resource.items() if value is not None}


def coded(code: str, system: str = FINDING) -> Json:
    return {"coding": [{"system": system, "code": code}]}


def not_assessed(reason: str) -> Json:
    return {"coding": [{"system": NOT_ASSESSED, "code": reason}]}


def score(value: Any, **unit: str) -> Json:
    return {"value": value, **(unit or {"unit": "{score}", "system": UCUM, "code": "{score}"})}


def bundle(*resources: Json, kind: str = "collection", **elements: Any) -> Json:
    return {
        "resourceType": "Bundle",
        "type": kind,
        **elements,
        "entry": [{"fullUrl": f"urn:x:{index}", "resource": resource} for index, resource in enumerate(resources)],
    }


def data(document: object) -> bytes:
    return document if isinstance(document, bytes) else json.dumps(document).encode()


def reading(*documents: object, patient: str | None = None, **changes: Any) -> Reading:
    sources = [Source(f"file{index}.json", data(document)) for index, document in enumerate(documents)]
    return read(sources, settings(**changes), patient)


def record(*resources: Json, **changes: Any) -> Record:
    """The record of the one patient of a bundle of these resources and the patient ``p``."""
    (found,) = reading(bundle(PATIENT, *resources), **changes).records.values()
    return found


def prefetched(prefetch: Mapping[str, object], patient: str = "p", **changes: Any) -> Reading:
    values = {key: None if value is None else data(value) for key, value in prefetch.items()}
    return read_prefetch(values, patient, settings(**changes))


def codes(found: Record | Reading) -> list[tuple[str, str, str]]:
    """Code, reference and element of each problem."""
    return [(problem.code, problem.reference, problem.element) for problem in found.problems]
