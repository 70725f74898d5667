"""Habits of real FHIR servers as a client meets them, each test named after its number in docs/ehr-vendors.md."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
import responses

from cds_service.fhir_client.client import FhirClient, Search
from cds_service.fhir_client.deadlines import Deadline
from cds_service.site.settings import Settings
from cds_service.web.app import create_app
from tests.support import fhir_server as server
from tests.support.fhir_server import FhirServer, serving
from tests.support.hook_calls import (
    AT_COMA,
    PATIENT,
    SERVICE,
    alert_of,
    body_of,
    check_response,
    course,
    hook_call,
    search_result,
)

EHR = "https://ehr.example/api/FHIR/R4"
OWN = "https://icans-cds.org/fhir/CodeSystem/icans-assessment"


def resources(*types: str) -> list[dict[str, Any]]:
    held = [deepcopy(entry["resource"]) for entry in course()["entry"]]
    return [resource for resource in held if not types or resource["resourceType"] in types]


def answer(fhir: FhirServer | None) -> list[dict[str, Any]]:
    """The cards of a call that lets the service fetch everything; with prefetch instead if there is no server."""
    client = create_app(Settings(fetch_seconds=20, answer_seconds=30)).test_client()
    call = hook_call(extension={"org.icans-cds.asOf": AT_COMA})
    if fhir is not None:
        call |= {"prefetch": {}, "fhirServer": fhir.base}
    response = client.post(f"/cds-services/{SERVICE}", data=body_of(call), content_type="application/json")
    assert response.status_code == 200
    return check_response(response.get_json())


def test_quirk_23_a_search_by_code_that_finds_nothing_is_not_taken_for_none() -> None:
    """Oracle Health answers a search that holds a local code with nothing, and does not search components."""
    with serving(resources=resources(), unsearchable=(OWN,)) as fhir:
        cards = answer(fhir)
        assert fhir.asked_for(f"Observation?patient={PATIENT}")[-1].endswith(f"?patient={PATIENT}")
    assert cards == answer(None)


def test_quirk_23_procedures_that_are_not_searched_by_code_are_found() -> None:
    with serving(resources=resources()) as fhir:
        fhir.unsearchable = (OWN,)
        assert alert_of(answer(fhir)[0])["facts"]["grade"] == 4
        assert fhir.asked_for("Procedure")[-1].endswith(f"?patient={PATIENT}")


def test_quirk_28_an_outcome_beside_the_matches_means_that_something_is_left_out() -> None:
    said = {"severity": "warning", "code": "suppressed", "diagnostics": "MRN 4711: some results were not included"}
    outcome = {"resourceType": "OperationOutcome", "issue": [said]}
    with serving(resources=resources(), outcome=outcome) as fhir:
        cards = json.dumps(answer(fhir))
    assert "partial-data" in cards and "warning: suppressed" in cards
    assert "4711" not in cards


@pytest.mark.parametrize("total", [2, None], ids=["the size of the page", "absent"])
def test_quirk_29_the_total_is_not_believed(total: int | None) -> None:
    """Epic's total is the number of rows on the page; Oracle Health sends none."""
    rows = resources("Observation")
    first = search_result(rows[:2]) | {"total": total, "link": [{"relation": "next", "url": f"{EHR}/?sessionID=1-a"}]}
    first = {key: value for key, value in first.items() if value is not None}
    found = pages_of({f"{EHR}/Observation?patient=1": first, f"{EHR}/?sessionID=1-a": search_result(rows[2:])})
    assert (found.matches, found.pages, found.cut) == (len(rows), 2, None)


@pytest.mark.parametrize(
    "following",
    [
        f"{EHR}?sessionID=22-AB12%2BCD==",
        f"{EHR}/Observation?patient=1&-pageContext=ae2c|1,2&-pageDirection=NEXT",
        "https://ehr.example:443/api/FHIR/R4/Observation?continue=eyJ.a%3D",
        "Observation?_getpages=1%2F2&_getpagesoffset=2",
        "/api/FHIR/R4?page=2",
    ],
)
def test_quirk_30_a_next_link_goes_back_as_it_came(following: str) -> None:
    rows = resources("Observation")
    first = search_result(rows[:2]) | {"link": [{"relation": "next", "url": following}]}
    absolute = {"Observation?_getpages=1%2F2&_getpagesoffset=2": f"{EHR}/{following}"}.get(following, following)
    absolute = f"https://ehr.example{absolute}" if absolute.startswith("/") else absolute
    with responses.RequestsMock() as mock:
        mock.get(f"{EHR}/Observation", json=first)
        mock.get(absolute.partition("?")[0].replace(":443", ""), json=search_result(rows[2:]))
        mock.get(absolute.partition("?")[0], json=search_result(rows[2:]))
        mock.assert_all_requests_are_fired = False
        found = Search("Observation?patient=1")
        FhirClient(EHR, deadline=Deadline(20)).search(found)
        assert mock.calls[1].request.url == absolute
    assert (found.pages, found.cut) == (2, None)


def test_quirk_31_what_a_server_ignores_of_a_search_is_filtered_here() -> None:
    """Epic ignores parameters it does not know: here even patient and code are ignored."""
    strangers = [{**row, "id": f"x-{row['id']}", "subject": {"reference": "Patient/x"}} for row in resources()[1:]]
    noise = {"resourceType": "Observation", "id": "hr", "status": "final", "valueQuantity": {"value": 80}}
    noise |= {"code": {"coding": [{"system": server.JSON, "code": "8867-4"}]}, "effectiveDateTime": AT_COMA}
    noise |= {"subject": {"reference": f"Patient/{PATIENT}"}}
    everything = [*strangers, noise, *resources()]
    with serving(resources=everything, manner="lax") as fhir:
        for kind in ("Observation", "MedicationAdministration", "Procedure"):
            rows = [row for row in everything if row["resourceType"] == kind]
            fhir.faults[kind] = server.body(json.dumps(search_result(rows)).encode())
        cards = answer(fhir)
    assert alert_of(cards[0])["facts"] == alert_of(answer(None)[0])["facts"]
    assert "are not this patient's" in str(cards) and "Patient/x" not in str(cards)


def test_quirk_31_an_empty_answer_to_an_unknown_type_is_not_taken_for_none() -> None:
    """WSO2's server answers 200 and nothing for a type, a parameter or a date that it does not understand."""
    with serving(resources=resources(), manner="silent", lacks=("MedicationAdministration",)) as fhir:
        cards = answer(fhir)
    assert "its CapabilityStatement does not offer this search: steroid doses and sedation are unknown" in str(cards)
    assert "0 mg dexamethasone" not in str(cards)


@pytest.mark.parametrize("fault", [server.status(500), server.body(b"<html>"), server.body(b'{"resourceType": "X"}')])
def test_quirk_31_nothing_found_is_not_none_while_the_offer_is_unknown(fault: Any) -> None:
    held = resources("Patient", "Observation", "Procedure")
    with serving(resources=held, faults={"metadata": fault}) as fhir:
        cards = answer(fhir)
    assert "what it offers could not be read, so that this is not taken for none" in str(cards)


def test_quirk_31_nothing_found_is_none_where_the_search_is_offered() -> None:
    with serving(resources=resources("Patient", "Observation", "Procedure")) as fhir:
        cards = answer(fhir)
    assert "partial-data" not in str(cards)
    assert "0 mg dexamethasone-equivalent since infusion" in str(cards)


def test_quirk_32_administrations_are_searched_by_patient_only() -> None:
    """Oracle Health takes _id, patient, status, performer and effective-time; neither _include nor _sort."""
    with serving(resources=resources()) as fhir:
        assert answer(fhir) == answer(None)
        assert fhir.asked_for("MedicationAdministration") == [
            f"/fhir/MedicationAdministration?patient={PATIENT}&_count=1000"
        ]
        assert not [path for path, _ in fhir.asked if "_sort" in path or "_include" in path]


def test_quirk_32_a_search_that_is_turned_down_is_made_more_plainly() -> None:
    def without_count(handler: server.Handler) -> None:
        if "_count" in handler.path:
            handler.outcome(400, "invalid")
        else:
            handler.resource(200, search_result(resources("MedicationAdministration")))

    with serving(resources=resources(), faults={"MedicationAdministration": without_count}) as fhir:
        assert answer(fhir) == answer(None)


def test_quirk_33_neither_count_nor_order_is_relied_on() -> None:
    """Oracle Health puts all rows of some kinds onto the first page, whatever _count says, and sorts as it likes."""
    with serving(resources=resources()[::-1], page=3) as fhir:
        rows = resources("Observation")[::-1]
        fhir.faults["Observation"] = server.body(json.dumps(search_result(rows)).encode())
        assert answer(fhir) == answer(None)


@pytest.mark.parametrize("manner", ["strict", "silent"])
def test_quirk_34_without_administrations_grades_still_come(manner: str) -> None:
    """MEDITECH offers no MedicationAdministration in any of its production servers."""
    with serving(resources=resources(), manner=manner, lacks=("MedicationAdministration",)) as fhir:
        cards = answer(fhir)
    assert alert_of(cards[0])["facts"]["grade"] == 4
    assert all("Medication administrations could not be read" in card["detail"] for card in cards)
    assert "refractory" not in {alert_of(card)["module"] for card in cards}


def test_quirk_35_xml_is_never_asked_for() -> None:
    """Some servers answer in XML unless JSON is asked for; so does this one."""
    with serving(resources=resources()) as fhir:
        assert answer(fhir) == answer(None)
        assert {headers["Accept"] for _, headers in fhir.asked} == {"application/fhir+json"}


def test_quirk_35_an_html_error_page_is_a_failure_with_its_status() -> None:
    page = server.body(b"<!DOCTYPE html><title>IIS 10.0 Detailed Error - 404.0</title>", "text/html", 404)
    with serving(resources=resources(), faults={"MedicationAdministration": page}) as fhir:
        cards = str(answer(fhir))
    assert "answered with status 404 (it does not offer this): steroid doses and sedation are unknown" in cards
    assert "IIS" not in cards


def pages_of(answers: dict[str, dict[str, Any]]) -> Search:
    """A search on a server that gives these answers."""
    with responses.RequestsMock() as mock:
        for url, page in answers.items():
            mock.get(url, json=page)
        found = Search("Observation?patient=1")
        FhirClient(EHR, deadline=Deadline(20)).search(found)
    return found
