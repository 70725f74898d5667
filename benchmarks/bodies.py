"""Synthetic patients for the benchmark: the same bytes at every run, shaped like what EHRs send.

A vital-sign row carries five to seven codings (local flowsheet id, hashed id, an identifier wrapped as OID,
several LOINC codes), category, encounter, performer and issued time, as sandbox captures of large vendors do.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

Resource = dict[str, Any]

PATIENT = "bench"
INFUSION = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
AS_OF = INFUSION + timedelta(days=12)
ASSESSMENT = "https://icans-cds.org/fhir/CodeSystem/icans-assessment"
LOINC = "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
FLOWSHEET = "urn:oid:1.2.840.114350.1.13.0.1.7.2.707679"
HASHED = "http://open.epic.com/FHIR/StructureDefinition/observation-flowsheet-id"
WRAPPED = "urn:oid:1.2.246.537.6.96"

#: Display, unit, LOINC codes and a usual value of the vital signs and laboratory values that decide nothing.
BACKGROUND = (
    ("Heart rate", "/min", ("8867-4", "8716-3"), 88),
    ("Respiratory rate", "/min", ("9279-1", "8716-3"), 16),
    ("Oxygen saturation", "%", ("59408-5", "2708-6", "8716-3"), 96),
    ("Body temperature", "Cel", ("8310-5", "8716-3"), 37.4),
    ("Systolic blood pressure", "mm[Hg]", ("8480-6", "85354-9", "8716-3"), 118),
    ("C reactive protein", "mg/L", ("1988-5",), 57.3),
    ("Ferritin", "ug/L", ("2276-4",), 4046),
    ("Platelets", "10*3/uL", ("777-3", "26515-7"), 51),
)
#: ICE totals of a course that worsens and improves twice.
ICE_COURSE = (10, 10, 9, 7, 5, 3, 1, 2, 4, 6, 8, 10, 10, 10, 9, 6, 4, 5, 7, 9, 10, 10, 10, 10)
DOSES = (("dexamethasone", "3264", 10), ("methylprednisolone", "6902", 1000), ("dexamethasone", "3264", 20))


def prefetch_body(count: int, relevant: float) -> bytes:
    """A patient-view request with ``count`` resources in prefetch, a share ``relevant`` of them decisive."""
    wanted = round(count * relevant)
    observations: list[Resource] = []
    administrations: list[Resource] = []
    step = timedelta(days=13) / count
    due = 0.0
    for number in range(count):
        when = INFUSION + step * number
        due += wanted / count
        if due >= 1:
            due -= 1
            kind = administrations if number % 4 == 3 else observations
            kind.append(dose(number, when) if kind is administrations else assessment(number, when))
        elif number % 10 == 9:
            administrations.append(other_drug(number, when))
        else:
            observations.append(background(number, when))
    body = {
        "hook": "patient-view",
        "hookInstance": "4f5a1c5e-0d0e-4b0e-9d55-6d6b5f1a9c10",
        "context": {"userId": "Practitioner/bench", "patientId": PATIENT},
        "prefetch": {
            "patient": {"resourceType": "Patient", "id": PATIENT, "birthDate": "1972-02-01"},
            "observations": searchset(observations),
            "medicationAdministrations": searchset(administrations),
            "procedures": searchset([infusion()]),
            "conditions": searchset([]),
        },
        "extension": {"org.icans-cds.asOf": AS_OF.isoformat()},
    }
    return json.dumps(body).encode()


def course_bundle(events: int, *, spacing: timedelta, filing: str = "at once") -> bytes:
    """A course of ``events`` assessments and doses (three to one) as a Bundle.

    filing: when an assessment became known: "as charted", "12-hour batches", or "at once" at the end.
    """
    resources: list[Resource] = [
        {"resourceType": "Patient", "id": PATIENT, "birthDate": "1972-02-01"},
        infusion(),
    ]
    end = INFUSION + spacing * (events + 1)
    for number in range(events):
        when = INFUSION + spacing * (number + 1)
        if number % 4 == 3:
            resources.append(dose(number, when))
            continue
        row = ice_total(number, when, ICE_COURSE[number * 3 // 4 % len(ICE_COURSE)])
        if filing != "as charted":
            row["issued"] = (end if filing == "at once" else next_batch(when)).isoformat()
        resources.append(row)
    entries = [{"resource": resource} for resource in resources]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()


def doses_bundle(count: int, *, spacing: timedelta) -> bytes:
    """An ICE of 5 and ``count`` doses after it, as a Bundle."""
    first = INFUSION + timedelta(days=5)
    resources = [
        {"resourceType": "Patient", "id": PATIENT, "birthDate": "1972-02-01"},
        infusion(),
        ice_total(0, first - timedelta(hours=1), 5),
        *(administration(k, first + spacing * k, "dexamethasone", "3264", 1 + k % 40) for k in range(count)),
    ]
    return json.dumps({"resourceType": "Bundle", "entry": [{"resource": one} for one in resources]}).encode()


def next_batch(when: datetime) -> datetime:
    """The 12-hour filing that comes after ``when``: 07:00 or 19:00."""
    batch = when.replace(hour=7, minute=0, second=0, microsecond=0)
    while batch < when:
        batch += timedelta(hours=12)
    return batch


def searchset(resources: list[Resource]) -> Resource:
    entries = [
        {
            "fullUrl": f"https://ehr.example/R4/{one['resourceType']}/{one['id']}",
            "resource": one,
            "search": {"mode": "match"},
        }
        for one in resources
    ]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


def infusion() -> Resource:
    return {
        "resourceType": "Procedure",
        "id": "infusion",
        "status": "completed",
        "code": {"coding": [{"system": ASSESSMENT, "code": "car-t-infusion"}]},
        "subject": {"reference": f"Patient/{PATIENT}"},
        "performedDateTime": INFUSION.isoformat(),
    }


def row(number: int, when: datetime, codings: list[Resource], text: str, category: str) -> Resource:
    """What every Observation of such an EHR carries."""
    return {
        "resourceType": "Observation",
        "id": f"fqdS7TVNHGu19cTebHzGmeHPrhNlegyBi0tecRO.{number:06d}",
        "extension": [
            {
                "url": "http://open.epic.com/FHIR/StructureDefinition/extension/template-id",
                "valueIdentifier": {"system": "urn:oid:1.2.840.114350.1.13.0.1.7.2.707684", "value": "17006"},
            }
        ],
        "status": "final",
        "category": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                        "code": category,
                        "display": text,
                    }
                ],
                "text": text,
            }
        ],
        "code": {"coding": codings, "text": text},
        "subject": {"reference": f"Patient/{PATIENT}", "display": "Bench, Patient"},
        "encounter": {
            "reference": "Encounter/eoK8nLRcEypNjtns4dgnF3Q3",
            "identifier": {
                "use": "usual",
                "system": "urn:oid:1.2.840.114350.1.13.0.1.7.3.698084.8",
                "value": "29547",
            },
            "display": "Hospital Encounter",
        },
        "effectiveDateTime": when.isoformat(),
        "issued": when.isoformat(),
        "performer": [{"reference": "Practitioner/evNp-KhYwOOqAZn1pZ2enuA3", "display": "Nurse, Ward"}],
    }


def local_codings(number: int, display: str) -> list[Resource]:
    """The local codings that are before any standard one."""
    return [
        {"system": FLOWSHEET, "code": str(number % 97), "display": display},
        {"system": HASHED, "code": f"tBdNYepLeojPG60x7nUx{number % 97:04d}", "display": display},
    ]


def background(number: int, when: datetime) -> Resource:
    """A vital sign or laboratory value that decides nothing here."""
    display, unit, codes, value = BACKGROUND[number % len(BACKGROUND)]
    codings = local_codings(number, display)
    codings += [{"system": WRAPPED, "code": code} for code in codes[:2]]
    codings += [{"system": LOINC, "code": code, "display": display} for code in codes]
    quantity = {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
    return {**row(number, when, codings, display, "vital-signs"), "valueQuantity": quantity}


def assessment(number: int, when: datetime) -> Resource:
    """An assessment that decides: ICE, GCS eye response or RASS, in turn."""
    turn = number // 2 % 3
    if turn == 0:
        return ice_total(number, when, ICE_COURSE[number // 7 % len(ICE_COURSE)])
    display, code, low, high = (("Glasgow coma score eye opening", "9267-6", 3, 4), ("RASS", "", -1, 0))[turn - 1]
    codings = local_codings(number, display)
    codings.append(
        {"system": LOINC, "code": code, "display": display}
        if code
        else {"system": "http://snomed.info/sct", "code": "1345050000", "display": display}
    )
    return {**row(number, when, codings, display, "exam"), "valueInteger": high if number % 5 else low}


def ice_total(number: int, when: datetime, total: int) -> Resource:
    codings = [*local_codings(number, "ICE score"), {"system": ASSESSMENT, "code": "ice-total"}]
    return {**row(number, when, codings, "ICE score", "survey"), "valueInteger": total}


def dose(number: int, when: datetime) -> Resource:
    """An intravenous steroid."""
    drug, code, amount = DOSES[number // 4 % len(DOSES)]
    return administration(number, when, drug, code, amount)


def other_drug(number: int, when: datetime) -> Resource:
    """An administration that decides nothing here."""
    return administration(number, when, "ondansetron", "26225", 8)


def administration(number: int, when: datetime, drug: str, code: str, amount: int) -> Resource:
    return {
        "resourceType": "MedicationAdministration",
        "id": f"eMAR.{number:06d}",
        "identifier": [{"system": "urn:oid:1.2.840.114350.1.13.0.1.7.2.798268", "value": f"{number:06d}"}],
        "status": "completed",
        "medicationCodeableConcept": {
            "coding": [{"system": RXNORM, "code": code, "display": drug}],
            "text": f"{drug} injection",
        },
        "subject": {"reference": f"Patient/{PATIENT}", "display": "Bench, Patient"},
        "effectiveDateTime": when.isoformat(),
        "dosage": {
            "route": {"coding": [{"system": "http://snomed.info/sct", "code": "47625008", "display": "Intravenous"}]},
            "dose": {"value": amount, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"},
        },
    }
