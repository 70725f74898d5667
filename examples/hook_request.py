"""A CDS Hooks request for one of the demonstration courses, as an EHR would send it.

    python examples/hook_request.py s2 2026-03-15T12:30:00Z > examples/patient-view-s2.json

Prefetch holds what the service's templates ask for. The time is that of the question: the extension
``org.icans-cds.asOf`` is honoured in development trust only.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).resolve().parent.parent / "cds_service" / "examples"
#: Prefetch key -> resource type of its search.
SEARCHES = {
    "observations": "Observation",
    "medicationAdministrations": "MedicationAdministration",
    "procedures": "Procedure",
    "conditions": "Condition",
}


def request(course: str, as_of: str) -> dict[str, Any]:
    """The body of a patient-view call on ``course`` ("s0", "s1", "s2") at ``as_of`` (ISO 8601)."""
    bundle = json.loads((EXAMPLES / f"{course}.json").read_text(encoding="utf-8"))
    resources = [entry["resource"] for entry in bundle["entry"]]
    patient = next(one for one in resources if one["resourceType"] == "Patient")
    return {
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/example", "patientId": patient["id"]},
        "prefetch": {
            "patient": patient,
            **{key: searchset(resources, kind) for key, kind in SEARCHES.items()},
        },
        "extension": {"org.icans-cds.asOf": as_of},
    }


def searchset(resources: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    """The answer of a search for all resources of one type."""
    found = [{"resource": one} for one in resources if one["resourceType"] == kind]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(found), "entry": found}


if __name__ == "__main__":
    print(json.dumps(request(*sys.argv[1:3]), indent=1))
