"""The demonstration patients on a live FHIR server: fetched, they are what their bundles are."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from cds_service import evaluate_bundle, handle_hook, replay_bundle
from cds_service.command_line.main import main
from cds_service.fhir_client.client import FhirClient, Search
from cds_service.fhir_client.deadlines import Deadline
from cds_service.site.settings import Settings
from cds_service.web.app import create_app
from tests.support.hook_calls import SERVICE, alert_of, body_of, check_schema, course, hook_call, prefetch_of

pytestmark = [pytest.mark.integration, pytest.mark.slow]

PATIENTS = {"s0": "seed-000", "s1": "seed-001", "s2": "seed-002"}
MOST_INSTANTS = 8


@pytest.fixture(scope="module")
def loaded(hapi: str) -> str:
    assert main(["sandbox", "load", "--fhir-server", hapi]) == 0
    return hapi


def instants(name: str) -> list[str]:
    """When something was first shown in this course: a few instants, spread over it."""
    (replayed,) = replay_bundle(course(name))
    shown = sorted({alert["shownAt"] for alert in replayed["alerts"]})
    return shown[:: max(1, len(shown) // MOST_INSTANTS)]


def sandbox(base: str, capsysbinary: Any, *options: str) -> Any:
    assert main(["sandbox", "--fhir-server", base, "--format", "json", *options]) == 0
    return json.loads(capsysbinary.readouterr().out)


@pytest.mark.parametrize("name", PATIENTS)
def test_a_course_on_the_server_gives_the_alerts_of_its_bundle(loaded: str, name: str, capsysbinary: Any) -> None:
    patient = PATIENTS[name]
    app = create_app(Settings()).test_client()
    for as_of in instants(name):
        bundle = evaluate_bundle(course(name), as_of=datetime.fromisoformat(as_of))
        fetched = sandbox(loaded, capsysbinary, "--patient", patient, "--as-of", as_of)
        check_schema("evaluate", fetched)
        assert fetched["findings"] == bundle["findings"]
        assert (fetched["grade"], fetched["exposure"]) == (bundle["grade"], bundle["exposure"])
        call = hook_call(
            prefetch=None,
            fhirServer=loaded,
            context={"userId": "Practitioner/1", "patientId": patient},
            extension={"org.icans-cds.asOf": as_of},
        )
        response = app.post(f"/cds-services/{SERVICE}", data=body_of(call), content_type="application/json")
        assert response.status_code == 200
        by_prefetch = handle_hook(SERVICE, body_of({**call, "prefetch": prefetch_of(course(name))}))
        assert response.get_json() == json.loads(by_prefetch)


def test_pages_are_followed_to_the_last(loaded: str) -> None:
    found = Search("Observation?patient=seed-001&_count=5")
    FhirClient(loaded, deadline=Deadline(30)).search(found)
    held = [e for e in course("s1")["entry"] if e["resource"]["resourceType"] == "Observation"]
    assert (found.matches, found.pages, found.cut) == (len(held), -(-len(held) // 5), None)


def test_a_medication_named_by_reference_is_read(loaded: str, capsysbinary: Any) -> None:
    patient = {"resourceType": "Patient", "id": "by-reference", "name": [{"family": "Reference"}]}
    subject = {"reference": "Patient/by-reference"}
    own = "https://icans-cds.org/fhir/CodeSystem/icans-assessment"
    concept = {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "3264"}]}
    mg = {"value": 10, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}
    route = {"coding": [{"system": "http://snomed.info/sct", "code": "47625008"}]}
    resources: list[dict[str, Any]] = [
        patient,
        {"resourceType": "Medication", "id": "dexamethasone-a", "code": concept},
        {
            "resourceType": "Procedure",
            "id": "by-reference-1",
            "status": "completed",
            "subject": subject,
            "code": {"coding": [{"system": own, "code": "car-t-infusion"}]},
            "performedDateTime": "2026-03-01T08:30:00Z",
        },
        {
            "resourceType": "Observation",
            "id": "by-reference-2",
            "status": "final",
            "subject": subject,
            "code": {"coding": [{"system": own, "code": "ice-total"}]},
            "effectiveDateTime": "2026-03-05T08:00:00Z",
            "valueInteger": 6,
        },
        {
            "resourceType": "MedicationAdministration",
            "id": "by-reference-3",
            "status": "completed",
            "subject": subject,
            "medicationReference": {"reference": "Medication/dexamethasone-a"},
            "effectiveDateTime": "2026-03-05T09:00:00Z",
            "dosage": {"route": route, "dose": mg},
        },
    ]
    for resource in resources:
        put = requests.put(f"{loaded}/{resource['resourceType']}/{resource['id']}", json=resource, timeout=30)
        assert put.ok, put.text
    found = sandbox(loaded, capsysbinary, "--patient", "by-reference", "--as-of", "2026-03-05T10:00:00Z")
    assert found["exposure"]["dexamethasoneEquivalentMg"] == 10
    assert ["medications", 1] in [[row["key"], row["resources"]] for row in found["fetched"]]


def test_candidates_are_listed(loaded: str, capsysbinary: Any) -> None:
    assert main(["sandbox", "patients", "--fhir-server", loaded, "--format", "json"]) == 0
    rows = json.loads(capsysbinary.readouterr().out)
    assert {f"Patient/{patient}" for patient in PATIENTS.values()} <= {row["patient"] for row in rows}


def test_shifted_in_time_the_most_telling_moment_is_now(loaded: str, capsysbinary: Any) -> None:
    assert main(["sandbox", "load", "--shift", "--fhir-server", loaded]) == 0
    capsysbinary.readouterr()
    now = sandbox(loaded, capsysbinary, "--patient", "seed-002")
    assert now["grade"]["working"] == 4
    assert abs(datetime.fromisoformat(now["asOf"]) - datetime.now(UTC)).total_seconds() < 60
    assert main(["sandbox", "serve-check", "--fhir-server", loaded, "--patient", "seed-002", "--format", "json"]) == 0
    shown = json.loads(capsysbinary.readouterr().out)
    assert shown["response"]["status"] == 200
    assert alert_of(shown["response"]["body"]["cards"][0])["facts"]["grade"] == 4
    assert main(["sandbox", "load", "--fhir-server", loaded]) == 0


def test_a_wrong_id_names_the_next_step(loaded: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sandbox", "--fhir-server", loaded, "--patient", "nobody"]) == 2
    assert "icans-cds sandbox patients" in capsys.readouterr().err
