"""Three published courses as FHIR R4 Bundles, from the tables of their papers.

    python tools/build_courses.py [FOLDER]      (default: cds_service/examples)

From the papers: days, ICE scores and ranges, grades, GCS, seizures, drugs, routes, milligrams, ages, death.
Fixture, because papers give days only: the calendar (infusion 2026-03-01 08:30 UTC, birth dates) and clock
times (assessments 08:00, doses 09:00, four times daily 09/15/21/03), where the text gives no interval to
count from. A printed ICE range is a valueRange, a printed grade without ICE a documented grade. Consciousness
is charted only where it is printed. Imaging, EEG, laboratory values, CRS and other drugs are left out.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

Resource = dict[str, Any]
#: A row: day from the infusion, clock time, what, and its value.
Row = tuple[int, str, str, Any]

ASSESSMENT = "https://icans-cds.org/fhir/CodeSystem/icans-assessment"
FINDING = "https://icans-cds.org/fhir/CodeSystem/icans-finding"
LOINC = "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
SNOMED = "http://snomed.info/sct"
ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
BASE = "https://icans-cds.org/fhir/examples"

GCS = {"gcs-eye": "9267-6", "gcs-verbal": "9270-0", "gcs-motor": "9268-4"}
DRUGS = {"dexamethasone": "3264", "methylprednisolone": "6902", "hydrocortisone": "5492", "propofol": "8782"}
ROUTES = {"IV": "47625008", "IT": "72607000"}
ROUTE_TEXTS = {"IV": "IV", "IT": "intrathecal"}
DAY_0 = datetime(2026, 3, 1, tzinfo=UTC)
UNKNOWN = None

# Frisch A et al., J Med Cases 2025, doi 10.14740/jmc5211: 51-year-old man, brexucabtagene autoleucel.
# The paper names "high-dose glucocorticoid" without drug, time or amount; intubation until day 16 (here under
# propofol) and full recovery by day 19 (here ICE 10).
S0: list[Row] = [
    (0, "08:30", "infusion", None),
    (7, "08:00", "ice-total", 9),
    (7, "08:00", "documented-icans-grade", 2),
    (7, "14:00", "ice-total", 6),
    *[(day, "15:00", "methylprednisolone IV", UNKNOWN) for day in range(7, 13)],
    (10, "08:00", "documented-icans-grade", 4),
    (10, "12:00", "hydrocortisone IT", 50),
    (10, "11:30", "propofol IV", (4000, 16, "08:00")),
    (19, "08:00", "ice-total", 10),
    (20, "08:00", "ice-total", 10),
]

# van Nijendaal et al., Haematologica 2026, doi 10.3324/haematol.2025.300224, Table 1: 54-year-old man,
# axicabtagene ciloleucel. Days without a row in the table have none here.
S1: list[Row] = [
    (0, "08:30", "infusion", None),
    (-8, "09:00", "dexamethasone IV", 40),
    (0, "08:00", "ice-total", 10),
    (0, "09:00", "dexamethasone IV", 10),
    (1, "08:00", "ice-total", 10),
    (1, "09:00", "dexamethasone IV", 10),
    (2, "08:00", "ice-total", 10),
    (2, "09:00", "dexamethasone IV", 10),
    (3, "08:00", "ice-total", 9),
    (3, "09:00", "dexamethasone IV", 10),
    (5, "08:00", "ice-total", 5),
    (5, "09:00", "dexamethasone IV", 10),
    (5, "15:00", "dexamethasone IV", 10),
    (5, "21:00", "dexamethasone IV", 10),
    (6, "03:00", "dexamethasone IV", 10),
    (7, "08:00", "ice-total", 1),
    *[(day, "09:00", "methylprednisolone IV", 1000) for day in (7, 8, 9)],
    (8, "08:00", "ice-total", (0, 2)),
    (8, "08:00", "seizure", "unspecified"),
    (8, "08:00", "documented-icans-grade", 3),
    (10, "08:00", "documented-icans-grade", 3),
    (10, "09:00", "dexamethasone IV", 40),
    (12, "08:00", "ice-total", (8, 9)),
    (13, "08:00", "ice-total", 7),
    (15, "08:00", "ice-total", (0, 1)),
    (15, "08:00", "seizure", "unspecified"),
    (25, "08:00", "gcs", {"gcs-eye": 3, "gcs-verbal": 3, "gcs-motor": 6}),
    (40, "08:00", "gcs", {"gcs-eye": 4, "gcs-verbal": 4, "gcs-motor": 6}),
    (41, "08:00", "gcs", {"gcs-eye": 1, "gcs-verbal": 1, "gcs-motor": 1}),
    (41, "08:00", "seizure", "unspecified"),
    (41, "08:00", "documented-icans-grade", 4),
    *[(day, "09:00", "methylprednisolone IV", 1000) for day in (41, 42, 43)],
    (45, "08:00", "gcs", {"gcs-eye": 1, "gcs-verbal": 1, "gcs-motor": 3}),
    (45, "10:00", "hydrocortisone IT", 20),
    (47, "08:00", "gcs", {"gcs-eye": 3, "gcs-motor": 4}),
    (47, "10:00", "hydrocortisone IT", 20),
    (49, "08:00", "gcs", {"gcs-eye": 4, "gcs-motor": 6}),
    (88, "08:00", "gcs", {"gcs-eye": 4, "gcs-motor": 6}),
    (88, "12:00", "death", None),
]

# Katsin et al., Front Immunol 2024, doi 10.3389/fimmu.2024.1380451: 39-year-old man. The text counts hours:
# coma within 1 hour of the first dose, ICE 6 within 6 hours of intrathecal therapy, grade 0 less than 32
# hours after it, 96 mg of intravenous dexamethasone in total.
S2: list[Row] = [
    (0, "08:30", "infusion", None),
    (14, "10:00", "ice-total", 2),
    (14, "10:30", "dexamethasone IV", 20),
    (14, "16:30", "dexamethasone IV", 20),
    (14, "22:30", "dexamethasone IV", 20),
    (15, "04:30", "dexamethasone IV", 20),
    (15, "10:30", "dexamethasone IV", 16),
    (14, "11:30", "consciousness", "unarousable"),
    (14, "12:30", "dexamethasone IT", 4),
    (14, "18:30", "ice-total", 6),
    (15, "20:00", "ice-total", 10),
]

#: File name -> patient id, name to show, birth date, rows.
COURSES: dict[str, tuple[str, str, str, list[Row]]] = {
    "s0": ("seed-000", "Frisch 2025", "1975-02-01", S0),
    "s1": ("seed-001", "van Nijendaal 2026", "1972-02-01", S1),
    "s2": ("seed-002", "Katsin 2024", "1987-02-01", S2),
}


def instant(day: int, clock: str) -> str:
    """The instant of a row as FHIR writes it."""
    hours, minutes = map(int, clock.split(":"))
    return (DAY_0 + timedelta(days=day, hours=hours, minutes=minutes)).isoformat()


def bundle(name: str) -> Resource:
    """One course as a collection Bundle; ids count the resources in the order of its table."""
    patient, shown, birth_date, rows = COURSES[name]
    person: Resource = {
        "resourceType": "Patient",
        "id": patient,
        "name": [{"family": shown, "given": ["Case"]}],
        "gender": "male",
        "birthDate": birth_date,
    }
    resources = [person]
    for day, clock, what, value in rows:
        when = instant(day, clock)
        if what == "death":
            person["deceasedDateTime"] = when
            continue
        for resource in row_resources(what, value, when):
            identity = {"resourceType": resource["resourceType"], "id": f"{patient}-{len(resources)}"}
            resources.append({**identity, **resource, "subject": {"reference": f"Patient/{patient}"}})
    entries = [{"fullUrl": f"{BASE}/{one['resourceType']}/{one['id']}", "resource": one} for one in resources]
    return {"resourceType": "Bundle", "id": f"course-{name}", "type": "collection", "entry": entries}


def row_resources(what: str, value: Any, when: str) -> Iterator[Resource]:
    """The resources of one row, still without id and patient."""
    if what == "infusion":
        code = concept(ASSESSMENT, "car-t-infusion")
        yield {"resourceType": "Procedure", "status": "completed", "code": code, "performedDateTime": when}
    elif what == "gcs":
        for part, score in value.items():
            yield observation(concept(LOINC, GCS[part]), when, {"valueInteger": score})
    elif what.split()[0] in DRUGS:
        drug, route = what.split()
        yield administration(drug, route, value, when)
    else:
        yield observation(concept(ASSESSMENT, what), when, observed_value(value))


def observation(code: Resource, when: str, value: Resource) -> Resource:
    common = {"resourceType": "Observation", "status": "final", "code": code}
    return {**common, "effectiveDateTime": when, **value}


def observed_value(value: int | str | tuple[int, int]) -> Resource:
    """A score, a range of scores or a coded finding as value[x]."""
    if isinstance(value, tuple):
        return {"valueRange": {"low": {"value": value[0]}, "high": {"value": value[1]}}}
    if isinstance(value, str):
        return {"valueCodeableConcept": concept(FINDING, value)}
    return {"valueInteger": value}


def administration(drug: str, route: str, amount: Any, when: str) -> Resource:
    """A given dose in mg; of unknown size (None), or over a period (mg, last day, clock)."""
    effective: Resource = {"effectiveDateTime": when}
    if isinstance(amount, tuple):
        amount, last_day, clock = amount
        effective = {"effectivePeriod": {"start": when, "end": instant(last_day, clock)}}
    dose: Resource = {"value": amount, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}
    if amount is UNKNOWN:
        dose = {"extension": [{"url": ABSENT, "valueCode": "unknown"}]}
    return {
        "resourceType": "MedicationAdministration",
        "status": "completed",
        "medicationCodeableConcept": {**concept(RXNORM, DRUGS[drug]), "text": drug},
        "dosage": {"route": {**concept(SNOMED, ROUTES[route]), "text": ROUTE_TEXTS[route]}, "dose": dose},
        **effective,
    }


def concept(system: str, code: str) -> Resource:
    return {"coding": [{"system": system, "code": code}]}


def text(name: str) -> str:
    """A course as the bytes of its file: the same at every build."""
    return json.dumps(bundle(name), indent=1, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> None:
    default = Path(__file__).resolve().parent.parent / "cds_service" / "examples"
    folder = Path(arguments[0]) if arguments else default
    for name in COURSES:
        (folder / f"{name}.json").write_text(text(name), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
