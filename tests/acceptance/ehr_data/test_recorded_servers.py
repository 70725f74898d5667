"""Answers recorded from real FHIR servers, replayed: those of HAPI FHIR everywhere, the public captures of vendors'
sandboxes where their folder is there."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import responses

from cds_service import evaluate_bundle
from cds_service.evaluation import evaluate_record
from cds_service.fhir_client.client import FhirClient, Search
from cds_service.fhir_client.deadlines import Deadline
from cds_service.fhir_client.pages import Unreadable
from cds_service.fhir_client.prefetch import fetch
from cds_service.published.result_json import evaluation_json
from cds_service.site.site import bundled_site
from fhir_mappings import read_prefetch
from tests.support.hook_calls import AT_COMA, PATIENT
from tests.support.real_data import documents, needs_real_data

RECORDED = Path(__file__).resolve().parents[2] / "support" / "recorded" / "hapi.json"
HAPI = "https://hapi.example/fhir"
TEMPLATES = {
    "patient": "Patient/{{context.patientId}}",
    "observations": "Observation?patient={{context.patientId}}&_count=2",
    "medicationAdministrations": "MedicationAdministration?patient={{context.patientId}}&_count=4",
    "procedures": "Procedure?patient={{context.patientId}}",
    "conditions": "Condition?patient={{context.patientId}}",
}


def recorded() -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = json.loads(RECORDED.read_text(encoding="utf-8"))
    return answers


@pytest.fixture
def hapi() -> Any:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        for answer in recorded():
            mock.get(answer["url"], json=answer["body"], status=answer["status"], content_type=answer["type"])
        yield mock


def test_a_course_fetched_from_hapi_is_what_its_resources_are_in_one_bundle(hapi: responses.RequestsMock) -> None:
    client = FhirClient(HAPI, deadline=Deadline(30))
    fetched = fetch(client, PATIENT, TEMPLATES, {}, set(TEMPLATES), lambda _prefetch: True)
    assert fetched.reasons == {}
    assert [search.pages for search in fetched.searches["observations"]] == [2]
    reading = read_prefetch(fetched.prefetch, PATIENT, bundled_site().read_settings(None))
    as_of = datetime.fromisoformat(AT_COMA)
    answer = evaluate_record(reading.records[f"Patient/{PATIENT}"], bundled_site(), as_of)
    found = evaluation_json(answer.evaluation, answer.cards)
    entries = [entry for page in recorded() for entry in page["body"].get("entry", ())]
    patient = next(page["body"] for page in recorded() if page["body"]["resourceType"] == "Patient")
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": patient}, *entries]}
    assert found["findings"] == evaluate_bundle(bundle, as_of=as_of)["findings"]
    assert found["grade"]["working"] == 4


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("Observation?patient=seed-002&colour=green", "status 400"),
        ("Observation?patient=seed-002&date=yesterday", "status 400"),
        ("Colour?patient=seed-002", "status 404 (it does not offer this)"),
    ],
)
def test_what_hapi_refuses_is_said(hapi: responses.RequestsMock, query: str, reason: str) -> None:
    found = Search(query)
    FhirClient(HAPI, deadline=Deadline(30)).search(found)
    assert found.cut is not None and reason in found.cut


def test_a_patient_whom_hapi_does_not_know_is_unreadable(hapi: responses.RequestsMock) -> None:
    with pytest.raises(Unreadable) as error:
        FhirClient(HAPI, deadline=Deadline(30)).read("Patient/nobody")
    assert error.value.status == 404


@needs_real_data
def test_captures_of_vendors_are_read_or_said_to_be_unreadable() -> None:
    """Every document is served as the answer to a search: what is no searchset has a reason, what is has rows, and
    a next link is followed on its own server only."""
    pages = 0
    for name, data in documents():
        host = _server_of(data)
        with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
            mock.get(f"{host}/Observation", body=data, content_type="application/fhir+json")
            found = Search("Observation?patient=1")
            FhirClient(host, deadline=Deadline(30)).search(found)
            assert {call.request.url.split("/")[2] for call in mock.calls} == {host.split("/")[2]}
        assert found.cut is not None or found.pages == 1, name
        pages += found.pages
    assert pages


def _server_of(data: bytes) -> str:
    """The server whose next link is in the capture, or any."""
    try:
        document = json.loads(data)
        links = document.get("link") or [] if isinstance(document, dict) else []
        following = [link["url"] for link in links if isinstance(link, dict) and link.get("relation") == "next"]
    except (ValueError, KeyError):
        following = []
    absolute = following and following[0].startswith("https://")
    return "/".join(following[0].split("/")[:3]) + "/fhir" if absolute else "https://vendor.example/fhir"
