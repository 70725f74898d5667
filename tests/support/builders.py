"""Small builders of FHIR R4 resources, for tests that come in through a door.

Every builder takes the instant it happened first and returns a resource without an id; ``bundle`` numbers
those that have none. Common keywords: ``id``, ``issued``, ``status``, ``version`` and ``updated`` (meta),
``other_cause`` (attributed to another cause).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

Resource = dict[str, Any]

ASSESSMENT = "https://icans-cds.org/fhir/CodeSystem/icans-assessment"
FINDING = "https://icans-cds.org/fhir/CodeSystem/icans-finding"
NOT_ASSESSED = "https://icans-cds.org/fhir/CodeSystem/icans-not-assessed"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
UCUM = "http://unitsofmeasure.org"
GCS_EYE = (LOINC, "9267-6")
RASS = (SNOMED, "1345050000")
DRUGS = {
    "dexamethasone": "3264",
    "methylprednisolone": "6902",
    "hydrocortisone": "5492",
    "prednisone": "8640",
    "propofol": "8782",
    "anakinra": "72435",
    "methotrexate": "6851",
    "rocuronium": "68139",
}
ROUTES = {"IV": "47625008", "PO": "26643006", "intrathecal": "72607000"}
ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"

PATIENT_ID = "p1"
DAY_0 = datetime(2026, 3, 1, tzinfo=UTC)


def on_day(day: int, clock: str = "08:00") -> str:
    """The instant of a clock time (UTC) on a day counted from 2026-03-01, the infusion's day."""
    parts = [int(part) for part in clock.split(":")]
    hour, minute, second = (*parts, 0)[:3]
    return (DAY_0 + timedelta(days=day, hours=hour, minutes=minute, seconds=second)).isoformat()


def concept(system: str, code: str, text: str | None = None) -> Resource:
    found: Resource = {"coding": [{"system": system, "code": code}]}
    return {**found, "text": text} if text else found


def dressed(resource: Resource, more: dict[str, Any]) -> Resource:
    """The keywords every builder takes, put where FHIR wants them."""
    meta = {"versionId": more.pop("version", None), "lastUpdated": more.pop("updated", None)}
    meta = {k: v for k, v in meta.items() if v is not None}
    if more.pop("other_cause", False):
        cause = {"code": concept(ASSESSMENT, "attribution"), "valueCodeableConcept": concept(FINDING, "other-cause")}
        resource.setdefault("component", []).append(cause)
    resource.update({k: v for k, v in more.items() if v is not None})
    return {**resource, "meta": meta} if meta else resource


def observation(when: str, code: tuple[str, str], value: Resource, **more: Any) -> Resource:
    resource: Resource = {
        "resourceType": "Observation",
        "status": "final",
        "code": concept(*code),
        "subject": {"reference": f"Patient/{PATIENT_ID}"},
        "effectiveDateTime": when,
        **value,
    }
    return dressed(resource, more)


def coded(when: str, what: str, finding: str, **more: Any) -> Resource:
    return observation(when, (ASSESSMENT, what), {"valueCodeableConcept": concept(FINDING, finding)}, **more)


def number(value: int | float | str) -> Resource:
    """An integer as valueInteger, another number as valueQuantity, anything else as valueString."""
    if isinstance(value, int):
        return {"valueInteger": value}
    return {"valueQuantity": {"value": value}} if isinstance(value, float) else {"valueString": value}


def ice(when: str, score: int | float | str, high: int | None = None, **more: Any) -> Resource:
    """ICE score; with ``high`` a charted range."""
    if high is None:
        return observation(when, (ASSESSMENT, "ice-total"), number(score), **more)
    ends = {"valueRange": {"low": {"value": score}, "high": {"value": high}}}
    return observation(when, (ASSESSMENT, "ice-total"), ends, **more)


def ice_items(when: str, results: dict[str, int | str], **more: Any) -> Resource:
    """ICE items as components of one Observation: points, or why an item was not assessed."""
    components = [
        {
            "code": concept(ASSESSMENT, f"ice-{item}"),
            **(
                {"valueInteger": result}
                if isinstance(result, int)
                else {"dataAbsentReason": concept(NOT_ASSESSED, result)}
            ),
        }
        for item, result in results.items()
    ]
    return observation(when, (ASSESSMENT, "ice-total"), {"component": components}, **more)


def item(when: str, name: str, points: int, **more: Any) -> Resource:
    """One loose ICE item."""
    return observation(when, (ASSESSMENT, f"ice-{name}"), {"valueInteger": points}, **more)


def not_assessed(when: str, what: str, reason: str, **more: Any) -> Resource:
    """An assessment (``ice-total``, ``capd-total``, ``consciousness``, ``ice-writing``) that was not made."""
    absent = {"dataAbsentReason": concept(NOT_ASSESSED, reason)}
    return observation(when, (ASSESSMENT, what), absent, **more)


def capd(when: str, total: int, **more: Any) -> Resource:
    return observation(when, (ASSESSMENT, "capd-total"), {"valueInteger": total}, **more)


def consciousness(when: str, level: str, **more: Any) -> Resource:
    return coded(when, "consciousness", level, **more)


def seizure(when: str, finding: str, seconds: int | None = None, **more: Any) -> Resource:
    resource = coded(when, "seizure", finding, **more)
    if seconds is not None:
        quantity = {"value": seconds, "unit": "s", "system": UCUM, "code": "s"}
        duration = {"code": concept(ASSESSMENT, "seizure-duration"), "valueQuantity": quantity}
        resource.setdefault("component", []).append(duration)
    return resource


def motor(when: str, finding: str, **more: Any) -> Resource:
    return coded(when, "motor", finding, **more)


def icp_edema(when: str, finding: str, **more: Any) -> Resource:
    return coded(when, "icp-edema", finding, **more)


def documented(when: str, grade: int, **more: Any) -> Resource:
    return observation(when, (ASSESSMENT, "documented-icans-grade"), {"valueInteger": grade}, **more)


def gcs_eye(when: str, score: int, **more: Any) -> Resource:
    return observation(when, GCS_EYE, {"valueInteger": score}, **more)


def rass(when: str, score: int, **more: Any) -> Resource:
    return observation(when, RASS, {"valueInteger": score}, **more)


def infusion(when: str, **more: Any) -> Resource:
    """The CAR-T infusion as a Procedure."""
    resource: Resource = {
        "resourceType": "Procedure",
        "status": "completed",
        "code": concept(ASSESSMENT, "car-t-infusion"),
        "subject": {"reference": f"Patient/{PATIENT_ID}"},
        "performedDateTime": when,
    }
    return dressed(resource, more)


def administration(
    when: str, drug: str, milligrams: str | None, route: str | None, end: str | None = None, **more: Any
) -> Resource:
    """A drug given: ``milligrams`` None for an amount that is not charted, ``route`` None for none charted."""
    dose: Resource = {"extension": [{"url": ABSENT, "valueCode": "unknown"}]}
    if milligrams is not None:
        amount = Decimal(milligrams)
        value = int(amount) if amount == amount.to_integral_value() else float(amount)
        dose = {"value": value, "unit": "mg", "system": UCUM, "code": "mg"}
    dosage: Resource = {"dose": dose}
    if route is not None:
        dosage["route"] = concept(SNOMED, ROUTES[route])
    resource: Resource = {
        "resourceType": "MedicationAdministration",
        "status": "completed",
        "medicationCodeableConcept": concept(RXNORM, DRUGS[drug], drug),
        "subject": {"reference": f"Patient/{PATIENT_ID}"},
        "dosage": dosage,
    }
    if end is None:
        resource["effectiveDateTime"] = when
    else:
        resource["effectivePeriod"] = {"start": when, "end": end}
    return dressed(resource, more)


def steroid(when: str, drug: str, milligrams: str | None, route: str | None = "IV", **more: Any) -> Resource:
    return administration(when, drug, milligrams, route, **more)


def propofol(when: str, until: str | None = None, **more: Any) -> Resource:
    """A propofol infusion with an end, or a bolus without one."""
    return administration(when, "propofol", "4000" if until else "50", "IV", until, **more)


def patient(birth: str | None = "1970-01-01", deceased: str | None = None) -> Resource:
    found: Resource = {"resourceType": "Patient", "id": PATIENT_ID}
    if birth:
        found["birthDate"] = birth
    return {**found, "deceasedDateTime": deceased} if deceased else found


def bundle(*resources: Resource, birth: str | None = "1970-01-01", deceased: str | None = None) -> Resource:
    """A collection with the patient first; resources without an id get ``o1``, ``o2`` ... in order."""
    entries = [{"resource": patient(birth, deceased)}]
    for number_, resource in enumerate(resources, start=1):
        entries.append({"resource": {"id": f"o{number_}", **resource}})
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def search_set(resources: Sequence[Resource]) -> Resource:
    entries = [{"resource": resource, "search": {"mode": "match"}} for resource in resources]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


def hook_request(collection: Resource, as_of: str, hook: str = "patient-view") -> bytes:
    """The same data as the prefetch of a hook call, evaluated as of an instant (development trust)."""
    resources = [entry["resource"] for entry in collection["entry"]]

    def of(*kinds: str) -> list[Resource]:
        return [r for r in resources if r["resourceType"] in kinds]

    request = {
        "hook": hook,
        "hookInstance": "7b4fc93a-255c-475d-9ce4-9a990f09e373",
        "context": {"userId": "Practitioner/1", "patientId": PATIENT_ID},
        "prefetch": {
            "patient": of("Patient")[0],
            "observations": search_set(of("Observation")),
            "medicationAdministrations": search_set(of("MedicationAdministration")),
            "procedures": search_set(of("Procedure")),
            "conditions": search_set(of("Condition")),
        },
        "extension": {"org.icans-cds.asOf": as_of},
    }
    return json.dumps(request).encode()
