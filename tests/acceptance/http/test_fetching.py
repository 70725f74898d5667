"""Hook calls without prefetch, or with half of it: what is absent is fetched, from whom, with what, how much of it."""

from __future__ import annotations

import gzip
import json
import logging
import time
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import responses
from werkzeug.test import TestResponse

from cds_service.fhir_client.client import FhirClient, Limits, Search
from cds_service.fhir_client.deadlines import Deadline
from cds_service.hooks.access import fhir_access
from cds_service.site.settings import Settings
from cds_service.web.app import create_app
from tests.support import fhir_server as server
from tests.support.fhir_server import FhirServer, serving
from tests.support.hook_calls import (
    AT_COMA,
    PATIENT,
    SERVICE,
    body_of,
    check_response,
    course,
    hook_call,
    prefetch_of,
    search_result,
)

TOKEN = "eyJhbGciOi.s3cret-t0ken"
AUTHORIZATION = {
    "access_token": TOKEN,
    "token_type": "Bearer",
    "expires_in": 300,
    "scope": "patient/*.rs",
    "subject": "icans-cds",
    "patient": PATIENT,
}
EXTENSION = {"org.icans-cds.asOf": AT_COMA}
KEYS = ("patient", "observations", "medicationAdministrations", "procedures", "conditions")


def resources() -> list[dict[str, Any]]:
    return [entry["resource"] for entry in course()["entry"]]


def call(fhir: FhirServer | None, settings: Settings | None = None, **changes: Any) -> TestResponse:
    changes = {"prefetch": None, "extension": EXTENSION, **changes}
    if fhir is not None:
        changes = {"fhirServer": fhir.base, **changes}
    client = create_app(settings or Settings(fetch_seconds=20, answer_seconds=30)).test_client()
    return client.post(f"/cds-services/{SERVICE}", data=body_of(hook_call(**changes)), content_type="application/json")


def by_prefetch(**changes: Any) -> Any:
    return call(None, prefetch=prefetch_of(course()), **changes).get_json()


def what_is_said(response: TestResponse) -> str:
    document = response.get_json(force=True)
    if response.status_code == 200:
        return json.dumps(check_response(document))
    said: str = document["issue"][0]["diagnostics"]
    return said


# --- what is fetched


def test_without_prefetch_the_cards_are_those_of_the_whole_prefetch() -> None:
    with serving(resources=resources(), page=2) as fhir:
        response = call(fhir)
    assert response.get_json() == by_prefetch()


@pytest.mark.parametrize("absent", KEYS)
def test_only_what_is_absent_is_fetched(absent: str) -> None:
    prefetch = prefetch_of(course())
    del prefetch[absent]
    with serving(resources=resources()) as fhir:
        response = call(fhir, prefetch=prefetch)
        asked = {path.removeprefix("/fhir/").partition("?")[0].partition("/")[0] for path, _ in fhir.asked}
    expected = {"patient": "Patient", "observations": "Observation", "procedures": "Procedure"}
    kind = expected.get(absent, absent[0].upper() + absent[1:-1])
    assert asked == {kind}
    assert response.get_json() == by_prefetch()


def test_a_whole_prefetch_asks_the_server_for_nothing() -> None:
    with serving(resources=resources()) as fhir:
        response = call(fhir, prefetch=prefetch_of(course()))
    assert (fhir.asked, response.status_code) == ([], 200)


def test_null_and_an_empty_bundle_say_that_the_search_was_made() -> None:
    prefetch = prefetch_of(course()) | {"medicationAdministrations": None, "conditions": search_result([])}
    with serving(resources=resources()) as fhir:
        response = call(fhir, prefetch=prefetch)
    assert fhir.asked == []
    assert "20 mg dexamethasone-equivalent" not in what_is_said(response)


def test_a_patient_that_is_null_is_fetched() -> None:
    with serving(resources=resources()) as fhir:
        response = call(fhir, prefetch=prefetch_of(course()) | {"patient": None})
        assert fhir.asked_for("Patient")
    assert response.get_json() == by_prefetch()


@pytest.mark.parametrize(
    "value",
    ["<html>", [], 7, {}, {"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]}],
    ids=["html", "list", "number", "object", "outcome"],
)
@pytest.mark.parametrize("key", ["observations", "medicationAdministrations"])
def test_a_value_of_the_wrong_shape_is_fetched_anew(key: str, value: Any) -> None:
    with serving(resources=resources()) as fhir:
        response = call(fhir, prefetch=prefetch_of(course()) | {key: value})
    assert response.get_json() == by_prefetch()


def test_a_further_page_of_the_prefetch_is_followed() -> None:
    prefetch = prefetch_of(course())
    whole = prefetch["observations"]["entry"]
    with serving(resources=resources()) as fhir:
        fhir.pages["rest"] = ("Observation", [entry["resource"] for entry in whole[2:]])
        link = [{"relation": "next", "url": f"{fhir.base}?_pages=rest"}]
        fhir.pages["rest.9"] = fhir.pages["rest"]
        link[0]["url"] += ".9"
        observations = {**prefetch["observations"], "entry": whole[:2], "link": link}
        response = call(fhir, prefetch=prefetch | {"observations": observations})
        assert len(fhir.asked) == 1
    assert response.get_json() == by_prefetch()


def test_a_further_page_that_cannot_be_read_is_said() -> None:
    prefetch = prefetch_of(course())
    link = [{"relation": "next", "url": "https://elsewhere.example/fhir?page=2"}]
    observations = {**prefetch["observations"], "link": link}
    with serving(resources=resources()) as fhir:
        said = what_is_said(call(fhir, prefetch=prefetch | {"observations": observations}))
    assert "further page on another server, which is not followed (page 2); part is missing" in said


def by_reference(reference: str) -> list[dict[str, Any]]:
    """The course with one Medication for all its doses, named by reference."""
    found = deepcopy(resources())
    for resource in found:
        if resource["resourceType"] == "MedicationAdministration":
            concept = resource.pop("medicationCodeableConcept")
            resource["medicationReference"] = {"reference": reference}
    return [*found, {"resourceType": "Medication", "id": "m1", "code": concept}]


@pytest.mark.parametrize("given", [True, False], ids=["prefetched administrations", "fetched administrations"])
def test_medications_named_by_reference_are_read_once_each(given: bool) -> None:
    rows = by_reference("Medication/m1")
    prefetch = prefetch_of({"entry": [{"resource": row} for row in rows]}) if given else None
    with serving(resources=rows) as fhir:
        response = call(fhir, prefetch=prefetch)
        assert len(fhir.asked_for("Medication/m1")) == 1
    assert "20 mg dexamethasone-equivalent" in what_is_said(response)


def test_medications_of_other_servers_are_not_read() -> None:
    rows = by_reference("https://elsewhere.example/fhir/Medication/m1")
    with serving(resources=rows) as fhir:
        assert call(fhir).status_code == 200
        assert fhir.asked_for("Medication/") == []


def test_a_medication_that_cannot_be_read_is_said() -> None:
    with serving(resources=by_reference("Medication/m1"), faults={"Medication": server.status(500)}) as fhir:
        said = what_is_said(call(fhir))
    assert "asked for each Medication, answered with status 500; some are missing" in said


def test_an_empty_chart_is_no_failure() -> None:
    with serving(resources=resources()[:1]) as fhir:
        response = call(fhir)
    assert (response.status_code, response.get_json()) == (200, {"cards": []})


@pytest.mark.parametrize("identity", ["1&patient=2", "../Patient", "..", "1?x", "1#x", "a b", "ä", "1%2F2", "x" * 300])
def test_an_id_that_is_no_fhir_id_is_not_asked_for(identity: str) -> None:
    with serving(resources=resources()) as fhir:
        response = call(fhir, context={"userId": "Practitioner/1", "patientId": identity})
        assert fhir.asked == []
    assert response.status_code == 412
    assert "the patient's id is no FHIR id" in what_is_said(response)


@pytest.mark.parametrize("following", ["https://[", "javascript:alert(1)", "", " ", "//elsewhere.example/x", "http://"])
def test_a_next_link_of_any_shape_is_not_followed_elsewhere(following: str) -> None:
    rows = [row for row in resources() if row["resourceType"] == "Observation"]
    faults = {"Observation": server.links(lambda _: following, rows), "Procedure": server.redirects(following or "/")}
    with serving(resources=resources(), faults=faults) as fhir:
        response = call(fhir)
    assert response.status_code == 200
    assert "part is missing" in what_is_said(response)


# --- deadlines


def test_the_answer_of_a_slow_server_comes_within_the_default_deadline() -> None:
    create_app(Settings())  # compiled once a process, and not what is measured
    with serving(resources=resources(), faults={"MedicationAdministration": server.hangs}) as fhir:
        started = time.monotonic()
        response = call(fhir, Settings())
        spent = time.monotonic() - started
    assert response.status_code == 200
    assert 1.5 < spent < 3
    assert "MedicationAdministration, did not answer in time" in what_is_said(response)


def test_searches_run_side_by_side() -> None:
    with serving(resources=resources(), delay=0.4) as fhir:
        started = time.monotonic()
        response = call(fhir)
        spent = time.monotonic() - started
    assert response.status_code == 200
    assert spent < 0.4 * len(fhir.asked) * 0.7


def test_a_server_that_asks_for_a_short_pause_gets_it() -> None:
    turned_away = []

    def busy_once(handler: server.Handler) -> None:
        if not turned_away:
            turned_away.append(handler.path)
            handler.send(429, b"", "text/plain", Retry_After="1")
        else:
            handler.fhir.faults.clear()
            handler._answer()

    with serving(resources=resources(), faults={"Observation": busy_once}) as fhir:
        started = time.monotonic()
        response = call(fhir)
        spent = time.monotonic() - started
    assert (len(turned_away), spent >= 1) == (1, True)
    assert response.get_json() == by_prefetch()


def states_no_length(content: bytes, **headers: str) -> Callable[[server.Handler], None]:
    def answer(handler: server.Handler) -> None:
        handler.send_response(200)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.wfile.write(content)
        handler.close_connection = True

    return answer


PAGE = json.dumps(search_result(resources())).encode()


@pytest.mark.parametrize(
    "fault",
    [
        server.body(PAGE),
        states_no_length(PAGE),
        states_no_length(gzip.compress(PAGE), Content_Encoding="gzip"),
    ],
    ids=["states its length", "states none", "compressed"],
)
def test_a_body_is_read_up_to_the_cap_whatever_it_states(fault: Any) -> None:
    with serving(faults={"Observation": fault}) as fhir:
        for most, cut in ((len(PAGE), None), (len(PAGE) - 1, "sends more data than are read")):
            found = Search("Observation?patient=1")
            FhirClient(fhir.base, deadline=Deadline(20), limits=Limits(page_bytes=most)).search(found)
            assert found.cut == cut


def test_a_search_is_read_up_to_the_cap_of_all_its_pages() -> None:
    with serving(resources=resources(), page=1) as fhir:
        whole = Search(f"Observation?patient={PATIENT}")
        FhirClient(fhir.base, deadline=Deadline(20)).search(whole)
        assert whole.pages > 2
        found = Search(whole.query)
        FhirClient(fhir.base, deadline=Deadline(20), limits=Limits(search_bytes=whole.size - 1)).search(found)
    assert whole.cut is None
    assert (found.pages, found.cut) == (whole.pages - 1, f"sends more data than are read (page {whole.pages})")


def test_no_search_is_answered_from_what_a_server_remembers() -> None:
    """HAPI answers a search that it was asked a minute ago from its memory, unless it is asked not to."""
    with serving(resources=resources(), page=5) as fhir:
        assert call(fhir).status_code == 200
        assert {headers.get("Cache-Control") for _, headers in fhir.asked} == {"no-cache"}


# --- the token, and whom it goes to


def test_the_token_goes_to_its_server_with_every_request_and_nowhere_else(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with serving(resources=resources(), token=TOKEN, page=2) as fhir, serving(resources=resources()) as other:
        other_link = server.links(lambda _: f"{other.base}/Observation?page=2", resources()[:3])
        fhir.faults["Observation"] = other_link
        fhir.faults["Procedure"] = server.redirects(f"{other.base}/Procedure")
        response = call(fhir, fhirAuthorization=AUTHORIZATION)
    assert response.status_code == 200
    assert other.asked == []
    assert {headers["Authorization"] for _, headers in fhir.asked} == {f"Bearer {TOKEN}"}
    assert {headers["Accept"] for _, headers in fhir.asked} == {"application/fhir+json"}
    assert TOKEN not in response.get_data(as_text=True) + caplog.text
    assert PATIENT not in caplog.text


def test_the_token_is_not_replaced_by_a_password_of_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passwords = tmp_path / "netrc"
    passwords.write_text("machine 127.0.0.1 login user password secret\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(passwords))
    with serving(resources=resources(), token=TOKEN) as fhir:
        assert call(fhir, fhirAuthorization=AUTHORIZATION).status_code == 200
        assert {headers["Authorization"] for _, headers in fhir.asked} == {f"Bearer {TOKEN}"}


def test_the_token_is_not_replaced_by_a_user_name_in_a_link() -> None:
    def with_user_name(handler: server.Handler) -> str:
        return handler.fhir.base.replace("http://", "http://user:secret@") + "/Observation?page=2"

    with serving(resources=resources(), token=TOKEN) as fhir:
        fhir.faults["Observation"] = server.links(with_user_name, resources()[:3])
        fhir.faults["Procedure"] = server.redirects(with_user_name(SimpleNamespace(fhir=fhir)))  # type: ignore[arg-type]
        call(fhir, fhirAuthorization=AUTHORIZATION)
        assert {headers["Authorization"] for _, headers in fhir.asked} == {f"Bearer {TOKEN}"}


@pytest.mark.parametrize("fault", [server.hangs, server.cuts_off, server.status(401), server.status(503), server.drips])
def test_the_token_is_in_no_log_whatever_fails(fault: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    everything = dict.fromkeys((*server.TYPES, "metadata"), fault)
    with serving(resources=resources(), token=TOKEN, faults=everything) as fhir:
        response = call(fhir, Settings(fetch_seconds=0.5), fhirAuthorization=AUTHORIZATION)
    assert response.status_code == 412
    assert caplog.text
    written = response.get_data(as_text=True) + caplog.text
    assert not [secret for secret in (TOKEN, PATIENT, fhir.base) if secret in written]


@pytest.mark.parametrize(
    "change",
    [
        {"access_token": ""},
        {"access_token": None},
        {"access_token": "two words"},
        {"access_token": "line\r\nX-Injected: 1"},
        {"token_type": "MAC"},
        {"token_type": None},
        {"expires_in": 0},
        {"expires_in": "300"},
        {"expires_in": True},
        {"scope": None},
        {"subject": None},
        {"patient": "somebody-else"},
    ],
    ids=str,
)
def test_an_authorization_that_is_not_valid_is_as_good_as_none(change: dict[str, Any]) -> None:
    authorization = {key: value for key, value in {**AUTHORIZATION, **change}.items() if value is not None}
    with serving(resources=resources()) as fhir:
        response = call(fhir, fhirAuthorization=authorization)
        assert not any("Authorization" in headers for _, headers in fhir.asked)
    assert response.get_json() == by_prefetch()


@pytest.mark.parametrize("authorization", [None, [], "Bearer x", 7, {}])
def test_an_authorization_of_any_shape_fails_no_call(authorization: Any) -> None:
    members = {"fhirServer": b'"http://x"', "fhirAuthorization": json.dumps(authorization).encode()}
    access = fhir_access(members, PATIENT)
    assert access is not None and access.token is None
    assert TOKEN not in repr(fhir_access({**members, "fhirAuthorization": json.dumps(AUTHORIZATION).encode()}, PATIENT))


# --- settings


@pytest.mark.parametrize("name", ["fetch_seconds", "answer_seconds"])
def test_the_deadlines_can_be_set(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from cds_service.site.settings import load_settings

    settings = load_settings(None, {f"ICANS_CDS_{name.upper()}": "1.5"}, {})
    assert getattr(settings, name) == 1.5


# --- recorded answers, replayed everywhere


@responses.activate
def test_requests_are_those_of_the_published_templates() -> None:
    base = "https://ehr.example/fhir"
    responses.get(f"{base}/Observation", json=search_result([]))
    found = Search("Observation?patient=1&code=http://loinc.org|9267-6&_count=1000")
    FhirClient(base, deadline=Deadline(20)).search(found)
    assert (found.cut, found.pages, found.matches) == (None, 1, 0)
    sent = responses.calls[0].request
    assert sent.url == f"{base}/Observation?patient=1&code=http://loinc.org|9267-6&_count=1000"
    assert "Cookie" not in sent.headers
