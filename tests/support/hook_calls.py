"""Hook requests for the acceptance tests: a published course as an EHR would send it in prefetch."""

from __future__ import annotations

import json
import pkgutil
from typing import Any

import jsonschema

from cds_service.published.schemas import schema

SERVICE = "icans-patient-view"
HOOK_INSTANCE = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
KEY_OF = {
    "Observation": "observations",
    "MedicationAdministration": "medicationAdministrations",
    "Procedure": "procedures",
    "Condition": "conditions",
}
#: Course of Katsin et al. 2024 (examples/s2.json): onset at grade 3 on day +14, 10:00; coma (grade 4) at 11:30.
COURSE = "s2"
PATIENT = "seed-002"
AT_ONSET = "2026-03-15T10:15:00+00:00"
AT_COMA = "2026-03-15T11:45:00+00:00"


def course(name: str = COURSE) -> dict[str, Any]:
    """One of the bundled example Bundles."""
    data = pkgutil.get_data("cds_service", f"examples/{name}.json")
    assert data is not None
    bundle: dict[str, Any] = json.loads(data)
    return bundle


def search_result(resources: list[dict[str, Any]]) -> dict[str, Any]:
    """A searchset Bundle; an empty one has no entry at all, as servers send it."""
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "total": len(resources)}
    return bundle | ({"entry": [{"resource": resource} for resource in resources]} if resources else {})


def prefetch_of(bundle: dict[str, Any]) -> dict[str, Any]:
    """What a client would send for the published templates, from all resources of one patient."""
    resources = [entry["resource"] for entry in bundle["entry"]]
    patients = [resource for resource in resources if resource["resourceType"] == "Patient"]
    searches = {
        key: search_result([resource for resource in resources if resource["resourceType"] == kind])
        for kind, key in KEY_OF.items()
    }
    return {"patient": patients[0], **searches}


def hook_call(**changes: Any) -> dict[str, Any]:
    """A patient-view call on the course of COURSE at its onset; ``changes`` replace members, None removes one."""
    call: dict[str, Any] = {
        "hook": "patient-view",
        "hookInstance": HOOK_INSTANCE,
        "context": {"userId": "Practitioner/example", "patientId": PATIENT},
        "prefetch": prefetch_of(course()),
        "extension": {"org.icans-cds.asOf": AT_ONSET},
    }
    call |= changes
    return {name: value for name, value in call.items() if value is not None}


def body_of(call: object) -> bytes:
    return json.dumps(call).encode()


def alert_of(card: dict[str, Any]) -> dict[str, Any]:
    alert: dict[str, Any] = card["extension"]["org.icans-cds.alert"]
    return alert


def check_schema(name: str, document: object) -> None:
    jsonschema.Draft202012Validator(schema(name)).validate(document)


def check_response(document: Any) -> list[dict[str, Any]]:
    """The cards of a hook response that keeps to CDS Hooks 2.0.1: schema, and nothing null or empty within."""
    check_schema("hook-response", document)
    assert not list(empty_members({"cards": document["cards"] or "none"}, ""))
    cards: list[dict[str, Any]] = document["cards"]
    return cards


def empty_members(value: Any, place: str) -> Any:
    """Where a JSON value holds null or something empty."""
    if value is None or (isinstance(value, str | list | dict) and not value):
        yield place
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from empty_members(member, f"{place}.{name}")
    elif isinstance(value, list):
        for number, member in enumerate(value):
            yield from empty_members(member, f"{place}[{number}]")
