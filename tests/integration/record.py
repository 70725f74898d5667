"""Records what a live FHIR server answers, for the tests that replay it: ``python -m tests.integration.record URL``.

URL: a HAPI FHIR server onto which ``icans-cds sandbox load`` has put the demonstration patients. Written to
tests/support/recorded/hapi.json; the server's own address is replaced by one that nobody has.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import requests

FILE = Path(__file__).resolve().parents[1] / "support" / "recorded" / "hapi.json"
BASE = "https://hapi.example/fhir"
PATIENT = "seed-002"
ASKED = (
    f"Patient/{PATIENT}",
    f"Observation?patient={PATIENT}&_count=2",
    f"MedicationAdministration?patient={PATIENT}&_count=4",
    f"Procedure?patient={PATIENT}",
    f"Condition?patient={PATIENT}",
    "Patient/nobody",
    "Observation?patient=seed-002&colour=green",
    "Observation?patient=seed-002&date=yesterday",
    "Colour?patient=seed-002",
)


def record(base: str) -> list[dict[str, Any]]:
    """The answer to each request, and to the next links that it gives."""
    recorded = []
    waiting = [f"{base}/{path}" for path in ASKED]
    while waiting:
        url = waiting.pop(0)
        response = requests.get(url, headers={"Accept": "application/fhir+json"}, timeout=60)
        links = response.json().get("link") or []
        waiting += [link["url"] for link in links if link["relation"] == "next"]
        body = json.loads(response.text.replace(base, BASE))
        media_type = response.headers["Content-Type"]
        recorded.append(
            {"url": url.replace(base, BASE), "status": response.status_code, "type": media_type, "body": body}
        )
    return recorded


if __name__ == "__main__":
    FILE.write_text(json.dumps(record(sys.argv[1].rstrip("/")), indent=1) + "\n", encoding="utf-8")
