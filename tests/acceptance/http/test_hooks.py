"""The HTTP door as a CDS Hooks client meets it (Flask's test client; the real server is in test_server.py)."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from typing import Any

import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cds_service import HookError, handle_hook
from cds_service.hooks.services import SERVICES
from cds_service.site.settings import Settings
from cds_service.web.app import create_app
from tests.support.hook_calls import (
    AT_COMA,
    AT_ONSET,
    PATIENT,
    SERVICE,
    alert_of,
    body_of,
    check_response,
    course,
    hook_call,
    prefetch_of,
    search_result,
)

PATH = f"/cds-services/{SERVICE}"
LOCAL = "http://localhost:4200"


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create_app(Settings(trust="development")).test_client()


def post(client: FlaskClient, body: bytes, path: str = PATH, **options: Any) -> TestResponse:
    return client.post(path, data=body, content_type=options.pop("content_type", "application/json"), **options)


def refused(response: TestResponse, status: int) -> dict[str, Any]:
    """The one issue of a refusal: a valid OperationOutcome that says nothing of the patient."""
    assert response.status_code == status
    assert response.mimetype == "application/fhir+json"
    OperationOutcome.model_validate_json(response.data)
    (issue,) = response.get_json(force=True)["issue"]
    assert issue["severity"] in ("error", "fatal")
    assert PATIENT not in response.text
    refusal: dict[str, Any] = issue
    return refusal


def cards_of(client: FlaskClient, **changes: Any) -> list[dict[str, Any]]:
    response = post(client, body_of(hook_call(**changes)))
    assert response.status_code == 200, response.text
    return check_response(response.get_json())


# --- discovery


def test_discovery_lists_each_service_with_its_templates(client: FlaskClient) -> None:
    response = client.get("/cds-services")
    assert (response.status_code, response.mimetype) == (200, "application/json")
    services = response.get_json()["services"]
    assert [(service["id"], service["hook"]) for service in services] == [(SERVICE, "patient-view")]
    for service in services:
        assert all(service[name] for name in ("title", "description", "usageRequirements"))
        keys = list(service["prefetch"])
        assert keys == ["patient", "observations", "medicationAdministrations", "procedures", "conditions"]
        for template in service["prefetch"].values():
            assert re.findall(r"{{(.*?)}}", template) == ["context.patientId"]
            assert len(template) <= 2000
        assert "icans-assessment|ice-total" in service["prefetch"]["observations"]
        assert service["prefetch"]["observations"].endswith("&_sort=-date&_count=1000")


def test_every_advertised_service_answers(client: FlaskClient) -> None:
    for service in client.get("/cds-services").get_json()["services"]:
        assert (
            post(client, body_of(hook_call(hook=service["hook"])), f"/cds-services/{service['id']}").status_code == 200
        )


# --- a call and its cards


@pytest.mark.parametrize(("as_of", "grade", "direction"), [(AT_ONSET, 3, "onset"), (AT_COMA, 4, "worsening")])
def test_a_published_course_returns_its_grade_card(client: FlaskClient, as_of: str, grade: int, direction: str) -> None:
    cards = cards_of(client, extension={"org.icans-cds.asOf": as_of})
    (alert,) = [alert_of(card) for card in cards if alert_of(card)["module"] == "icans"]
    assert (alert["type"], alert["facts"]["grade"], alert["facts"]["direction"]) == ("grade-change", grade, direction)
    (card,) = [card for card in cards if alert_of(card) is alert]
    assert card["indicator"] == "critical"
    assert cards[0]["indicator"] == "critical"


def test_a_hook_response_is_json_and_never_stored(client: FlaskClient) -> None:
    response = post(client, body_of(hook_call()))
    assert response.mimetype == "application/json"
    assert response.headers["Cache-Control"] == "no-store"


def test_http_answers_what_handle_hook_answers(client: FlaskClient) -> None:
    body = body_of(hook_call())
    assert post(client, body).data == handle_hook(SERVICE, body)


def test_the_response_is_the_same_in_any_order_of_entries(client: FlaskClient) -> None:
    prefetch = prefetch_of(course())
    shuffled = {key: prefetch[key] for key in reversed(prefetch)}
    for bundle in shuffled.values():
        if "entry" in bundle:
            bundle["entry"] = bundle["entry"][::-1]
    assert post(client, body_of(hook_call(prefetch=shuffled))).data == post(client, body_of(hook_call())).data


def test_an_empty_chart_is_evaluated_and_needs_no_card(client: FlaskClient) -> None:
    patient = prefetch_of(course())["patient"]
    empty = {"patient": patient, **{key: search_result([]) for key in ("observations", "procedures", "conditions")}}
    prefetch = empty | {"medicationAdministrations": None}
    response = post(client, body_of(hook_call(prefetch=prefetch)))
    assert (response.status_code, response.data) == (200, b'{"cards":[]}')


def test_null_means_that_the_search_found_nothing(client: FlaskClient) -> None:
    prefetch = prefetch_of(course()) | {"medicationAdministrations": None, "conditions": None}
    assert [alert_of(card)["type"] for card in cards_of(client, prefetch=prefetch)] == ["grade-change"]


def test_nothing_to_evaluate_and_no_procedures_read_is_said(client: FlaskClient) -> None:
    nothing = {"patient": prefetch_of(course())["patient"], "observations": None, "medicationAdministrations": None}
    answer = post(client, body_of(hook_call(prefetch=nothing)))
    cards = answer.get_json()["cards"]
    assert [card["indicator"] for card in cards] == ["info"]
    assert cards[0]["summary"].startswith("Not evaluated: ")
    assert cards[0]["extension"]["org.icans-cds.alert"]["type"] == "data-quality"


@pytest.mark.parametrize("key", ["patient", "medicationAdministrations", "procedures", "conditions"])
@pytest.mark.parametrize(
    "value",
    ["absent", None, search_result([]), {"resourceType": "OperationOutcome", "issue": []}, "<html>", [], 7, {}],
    ids=["absent", "null", "empty", "outcome", "html", "list", "number", "object"],
)
def test_a_key_that_is_not_essential_never_fails_the_call(client: FlaskClient, key: str, value: Any) -> None:
    prefetch = prefetch_of(course())
    if value == "absent":
        del prefetch[key]
    else:
        prefetch[key] = value
    assert cards_of(client, prefetch=prefetch)


def test_a_page_that_is_not_followed_is_said(client: FlaskClient) -> None:
    prefetch = prefetch_of(course())
    prefetch["observations"]["link"] = [{"relation": "next", "url": "https://ehr.example/fhir?page=2"}]
    assert "partial-data" in json.dumps(cards_of(client, prefetch=prefetch))


def test_what_is_unknown_in_a_request_is_ignored(client: FlaskClient) -> None:
    call = hook_call(
        user="Practitioner/1",
        fhirAuthorization={"access_token": "secret"},
        context={"userId": "Practitioner/1", "patientId": f"Patient/{PATIENT}", "encounterId": "e", "more": [1]},
        extension={"org.icans-cds.asOf": AT_ONSET, "com.example": None},
    )
    assert post(client, body_of(call)).data == post(client, body_of(hook_call())).data


def test_a_byte_order_mark_is_no_fault(client: FlaskClient) -> None:
    assert post(client, b"\xef\xbb\xbf" + body_of(hook_call())).status_code == 200


def test_without_as_of_the_call_is_answered_as_of_now(client: FlaskClient) -> None:
    response = post(client, body_of(hook_call(extension=None)))
    assert response.status_code == 200


# --- what is refused


def mutated(change: Callable[[dict[str, Any]], None]) -> bytes:
    call = hook_call()
    change(call)
    return body_of(call)


CALL = body_of(hook_call())
REFUSED: dict[str, tuple[bytes, str]] = {
    "empty body": (b"", ""),
    "no JSON": (b"hook=patient-view", ""),
    "list": (b"[]", ""),
    "null": (b"null", ""),
    "text": (b'"hook"', ""),
    "truncated": (CALL[: len(CALL) // 2], ""),
    "something after the end": (CALL + b"{}", ""),
    "invalid UTF-8": (CALL.replace(b"Practitioner/example", b"\xff"), ""),
    "NaN": (CALL.replace(b'"Practitioner/example"', b"NaN"), ""),
    "nested 10,000 deep": (b'{"hook":' + b"[" * 10_000 + b"]" * 10_000 + b"}", ""),
    "member twice": (CALL.replace(b'"hook": ', b'"hook": "patient-view", "hook": ', 1), ""),
    "prefetch twice": (CALL[:-1] + b', "prefetch": {}}', ""),
    "prefetch key twice": (CALL.replace(b'"prefetch": {', b'"prefetch": {"patient": null, ', 1), "prefetch"),
    "patient id twice": (CALL.replace(b'"patientId":', b'"patientId": "other", "patientId":', 1), "context"),
    "no hook": (mutated(lambda call: call.pop("hook")), "hook"),
    "another hook": (mutated(lambda call: call.update(hook="order-sign")), "hook"),
    "hook is no text": (mutated(lambda call: call.update(hook=["patient-view"])), "hook"),
    "no hookInstance": (mutated(lambda call: call.pop("hookInstance")), "hookInstance"),
    "hookInstance is a number": (mutated(lambda call: call.update(hookInstance=1)), "hookInstance"),
    "no context": (mutated(lambda call: call.pop("context")), "context"),
    "context is null": (mutated(lambda call: call.update(context=None)), "context"),
    "context is a list": (mutated(lambda call: call.update(context=[])), "context"),
    "no patientId": (mutated(lambda call: call["context"].pop("patientId")), "context.patientId"),
    "empty patientId": (mutated(lambda call: call["context"].update(patientId="")), "context.patientId"),
    "patientId is a number": (mutated(lambda call: call["context"].update(patientId=2)), "context.patientId"),
    "no userId": (mutated(lambda call: call["context"].pop("userId")), "context.userId"),
    "prefetch is a list": (mutated(lambda call: call.update(prefetch=[])), "prefetch"),
    "another patient": (mutated(lambda call: call["context"].update(patientId="someone-else")), "context.patientId"),
    "asOf without offset": (
        mutated(lambda call: call.update(extension={"org.icans-cds.asOf": "2026-03-15T10:15:00"})),
        "extension['org.icans-cds.asOf']",
    ),
    "asOf is a number": (
        mutated(lambda call: call.update(extension={"org.icans-cds.asOf": 20260315})),
        "extension['org.icans-cds.asOf']",
    ),
    "extension is a list": (mutated(lambda call: call.update(extension=[{"url": "x"}])), "extension"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_request_that_breaks_the_rules_is_a_400(client: FlaskClient, name: str) -> None:
    body, expression = REFUSED[name]
    issue = refused(post(client, body), 400)
    assert issue.get("expression", [""]) == [expression]
    with pytest.raises(HookError) as error:
        handle_hook(SERVICE, body)
    assert error.value.status == 400
    assert json.loads(error.value.body)["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    "change",
    [
        {"prefetch": None},
        {"prefetch": {}},
        {"prefetch": {"patient": prefetch_of(course())["patient"]}},
        {"prefetch": {"observations": "<html>Internal error</html>"}},
        {"prefetch": {"observations": {"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]}}},
        {"prefetch": None, "fhirServer": "https://ehr.example/fhir"},
    ],
    ids=["no prefetch", "empty prefetch", "key absent", "wrong shape", "outcome", "server without token"],
)
def test_without_observations_the_call_is_a_412_that_names_the_key(client: FlaskClient, change: dict[str, Any]) -> None:
    issue = refused(post(client, body_of(hook_call(**change))), 412)
    assert issue["expression"] == ["prefetch.observations"]
    assert "observations" in issue["diagnostics"]


def test_unknown_services_and_addresses_are_a_404(client: FlaskClient) -> None:
    for path in ("/cds-services/no-such-service", "/cds-services/icans-patient-view/x/y", "/nowhere", "/schemas/x"):
        refused(post(client, CALL, path) if "cds" in path else client.get(path), 404)
    with pytest.raises(HookError) as error:
        handle_hook("no-such-service", CALL)
    assert error.value.status == 404


def test_a_wrong_method_is_a_405_that_says_what_is_allowed(client: FlaskClient) -> None:
    for response in (client.get(PATH), client.put(PATH), client.delete("/cds-services"), client.post("/healthz")):
        refused(response, 405)
        assert response.headers["Allow"]


@pytest.mark.parametrize("media_type", ["application/json", "APPLICATION/JSON; charset=UTF-8", "application/fhir+json"])
def test_json_is_taken_under_its_names(client: FlaskClient, media_type: str) -> None:
    assert post(client, CALL, content_type=media_type).status_code == 200


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""])
def test_other_media_types_are_a_415(client: FlaskClient, media_type: str) -> None:
    refused(post(client, CALL, content_type=media_type), 415)


def test_a_compressed_body_is_a_415(client: FlaskClient) -> None:
    refused(post(client, CALL, headers={"Content-Encoding": "gzip"}), 415)


def test_a_body_over_the_limit_is_a_413() -> None:
    client = create_app(Settings(trust="development", body_limit_megabytes=1)).test_client()
    refused(post(client, b" " * 1_000_001), 413)
    assert post(client, CALL).status_code == 200


def test_odd_accept_headers_are_answered(client: FlaskClient) -> None:
    for accept in ("*/*", "text/html", "application/json, text/plain, */*"):
        assert post(client, CALL, headers={"Accept": accept}).status_code == 200


def test_a_fault_is_never_an_empty_card_list(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError(f"of Patient/{PATIENT}")

    for place in ("icans.evaluate", "cards.render", "fhir_mappings.read_prefetch"):
        with monkeypatch.context() as patch, caplog.at_level(logging.ERROR):
            patch.setattr(place, fail)
            issue = refused(post(client, CALL), 500)
            assert issue["severity"] == "fatal"
    assert "ZeroDivisionError" in caplog.text
    assert PATIENT not in caplog.text


@pytest.mark.parametrize("settings", [Settings(trust="none"), Settings(trust="jwt"), Settings(host="0.0.0.0")])
def test_without_development_trust_hook_calls_are_refused(settings: Settings) -> None:
    client = create_app(settings).test_client()
    issue = refused(post(client, CALL), 503)
    assert "cannot verify callers" in issue["diagnostics"]
    assert client.get("/cds-services").status_code == 200
    assert client.get("/healthz").status_code == 200


def test_development_trust_reaches_further_only_when_it_is_asked_for() -> None:
    client = create_app(Settings(host="0.0.0.0", development=True)).test_client()
    assert post(client, CALL).status_code == 200


# --- addresses, methods and browsers


@pytest.mark.parametrize("path", [f"{PATH}/", f"/{PATH}", f"/cds-services//{SERVICE}", f"//cds-services//{SERVICE}//"])
def test_slashes_are_answered_without_a_redirect(client: FlaskClient, path: str) -> None:
    # The path is given to the application as it comes: the test client would take // for a host.
    assert post(client, CALL, "/", environ_overrides={"PATH_INFO": path}).status_code == 200
    assert client.get("/cds-services/").status_code == 200


def test_head_is_answered_like_get_without_a_body(client: FlaskClient) -> None:
    response = client.head("/cds-services")
    assert (response.status_code, response.data) == (200, b"")


@pytest.mark.parametrize("path", ["/cds-services", PATH, "/about"])
def test_a_preflight_is_answered(client: FlaskClient, path: str) -> None:
    asked = {
        "Origin": LOCAL,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    response = client.options(path, headers=asked)
    assert (response.status_code, response.mimetype) == (200, "application/json")
    assert response.headers["Access-Control-Allow-Origin"] == LOCAL
    assert "POST" in response.headers["Access-Control-Allow-Methods"]
    allowed = response.headers["Access-Control-Allow-Headers"].lower()
    assert "authorization" in allowed and "content-type" in allowed


@pytest.mark.parametrize(
    "origin", ["http://localhost", "http://localhost:3000", "https://127.0.0.1:8443", "http://[::1]:4200"]
)
def test_local_pages_may_call_in_development_trust(client: FlaskClient, origin: str) -> None:
    for response in (
        client.get("/cds-services", headers={"Origin": origin}),
        post(client, CALL, headers={"Origin": origin}),
        post(client, b"{", headers={"Origin": origin}),
        client.get("/nowhere", headers={"Origin": origin}),
    ):
        assert response.headers["Access-Control-Allow-Origin"] == origin
        assert "Origin" in response.headers["Vary"]


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://localhost.evil.example", "null", "http://localhost:1/x", ""]
)
def test_other_pages_may_not(client: FlaskClient, origin: str) -> None:
    response = post(client, CALL, headers={"Origin": origin})
    assert "Access-Control-Allow-Origin" not in response.headers
    assert "Origin" in response.headers["Vary"]


def test_outside_development_trust_only_configured_origins_may_read() -> None:
    client = create_app(Settings(trust="none", cors_origins=("https://ehr.example",))).test_client()
    allowed = client.get("/cds-services", headers={"Origin": "https://ehr.example"})
    assert allowed.headers["Access-Control-Allow-Origin"] == "https://ehr.example"
    local = client.get("/cds-services", headers={"Origin": LOCAL})
    assert "Access-Control-Allow-Origin" not in local.headers


# --- what the service says of itself


def test_health_and_readiness(client: FlaskClient) -> None:
    assert client.get("/healthz").get_json()["status"] == "ok"
    ready = client.get("/readyz").get_json()
    assert ready["status"] == "ok" and ready["policy"].startswith("icans-default/")


def test_about_names_developer_version_policy_and_source_attributes(client: FlaskClient) -> None:
    about = client.get("/about").get_json()
    assert about["developer"] and about["version"] and about["policy"].startswith("icans-default/")
    assert about["regulatoryStatus"] == "not determined"
    attributes = about["sourceAttributes"]
    assert {"bibliographicCitation", "developer", "fundingSource", "releaseAndRevisionDates"} <= set(attributes)
    used = {name for name, attribute in attributes["use"].items() if attribute["used"]}
    assert used == {"dateOfBirth", "healthStatusAssessments", "language"}
    assert len(attributes["use"]) == 9


def test_schemas_are_published(client: FlaskClient) -> None:
    addresses = client.get("/schemas/").get_json()["schemas"]
    assert {"/schemas/evaluate", "/schemas/replay", "/schemas/alert"} <= set(addresses)
    for address in addresses:
        for form in (address, f"{address}.json"):
            response = client.get(form)
            assert response.mimetype == "application/schema+json"
            assert response.get_json()["$schema"].startswith("https://json-schema.org/")


def test_only_icans_patient_view_is_offered_yet() -> None:
    assert set(SERVICES) == {SERVICE}
