"""``icans-cds sandbox``: the first hour with a FHIR server, as a new user meets it."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest

from cds_service.command_line.commands.sandbox_load import until
from cds_service.command_line.main import main
from tests.support import fhir_server as server
from tests.support.fhir_server import serving
from tests.support.hook_calls import AT_COMA, PATIENT, check_schema, course

TOKEN = "sandbox-s3cret"


def resources() -> list[dict[str, Any]]:
    return [deepcopy(entry["resource"]) for entry in course()["entry"]]


def run(capsysbinary: Any, *arguments: str) -> tuple[int, str, str]:
    """Exit status, standard output and standard error."""
    status = main(["sandbox", *arguments])
    written = capsysbinary.readouterr()
    return status, written.out.decode(), written.err.decode()


def refused(capsysbinary: Any, *arguments: str) -> tuple[int, str]:
    """Exit status and message of a command that writes nothing to standard output."""
    status, out, err = run(capsysbinary, *arguments)
    assert out == "" and status != 0 and "Traceback" not in err
    return status, err


# --- one patient


def test_it_prints_what_was_fetched_what_was_understood_and_the_cards(capsysbinary: Any) -> None:
    with serving(resources=resources(), page=3) as fhir:
        status, out, _ = run(capsysbinary, "--fhir-server", fhir.base, "--patient", PATIENT, "--as-of", AT_COMA)
    assert status == 0
    assert "Understood: 1 infusion, 4 assessment values, 6 steroid doses." in out
    observations = next(line.split() for line in out.splitlines() if "observations" in line)
    assert observations[1:3] == ["4", "2"]
    assert "[CRITICAL] " in out
    assert max(len(line) for line in out.splitlines()) <= 100


def test_as_json_it_is_what_evaluate_prints_and_what_was_fetched(capsysbinary: Any) -> None:
    options = ("--patient", f"Patient/{PATIENT}", "--as-of", AT_COMA, "--format", "json")
    with serving(resources=resources(), page=3) as fhir:
        status, out, _ = run(capsysbinary, "--fhir-server", fhir.base, *options)
    found = json.loads(out)
    check_schema("evaluate", found)
    assert (status, found["grade"]["working"]) == (0, 4)
    assert {row["key"]: row["resources"] for row in found["fetched"]}["observations"] == 4


def test_what_is_missing_is_said(capsysbinary: Any) -> None:
    with serving(resources=resources(), lacks=("MedicationAdministration",)) as fhir:
        status, out, _ = run(capsysbinary, "--fhir-server", fhir.base, "--patient", PATIENT, "--as-of", AT_COMA)
    assert status == 0
    assert "The FHIR server, asked for MedicationAdministration, answered with status 404" in out
    assert "Steroids    not known" in out or "could not be read" in out


def test_old_data_without_as_of_are_said_to_be_old(capsysbinary: Any) -> None:
    with serving(resources=resources()) as fhir:
        status, _, err = run(capsysbinary, "--fhir-server", fhir.base, "--patient", PATIENT)
    assert (status, "--as-of was not given" in err) == (0, True)


def test_options_may_stand_before_and_after_the_action(capsysbinary: Any) -> None:
    with serving(resources=resources()) as fhir:
        before = run(capsysbinary, "--fhir-server", fhir.base, "--format", "json", "patients")
        after = run(capsysbinary, "patients", "--fhir-server", fhir.base, "--format", "json")
    assert before == after and before[0] == 0


# --- first contact: each message names the next step


def test_without_a_server_it_says_how_to_name_one(capsysbinary: Any) -> None:
    status, err = refused(capsysbinary, "--patient", "1")
    assert (status, "--fhir-server URL" in err) == (2, True)


def test_without_a_patient_it_says_how_to_find_one(capsysbinary: Any) -> None:
    status, err = refused(capsysbinary, "--fhir-server", "http://127.0.0.1:9/fhir")
    assert (status, "icans-cds sandbox patients --fhir-server http://127.0.0.1:9/fhir" in err) == (2, True)


@pytest.mark.parametrize("base", ["http://127.0.0.1:9/fhir", "https://nowhere.invalid/fhir", "fhir", "ftp://x/fhir"])
def test_a_wrong_url_says_what_to_check(capsysbinary: Any, base: str) -> None:
    status, err = refused(capsysbinary, "--fhir-server", base, "--patient", "1", "--timeout", "20")
    assert (status, "Check the address: it is the base of the FHIR API" in err) == (69, True)


@pytest.mark.parametrize(
    "answer",
    [
        server.body(b"<html><h1>It works!</h1></html>", "text/html"),
        server.body(b"<html>not here</html>", "text/html", 404),
        server.body(b'{"hello": 1}', "application/json"),
        server.body(b'{"resourceType": "Patient"}'),
        server.body(b""),
    ],
    ids=["html", "html 404", "json", "a patient", "nothing"],
)
def test_a_server_that_is_not_fhir_is_said_to_be_none(capsysbinary: Any, answer: Any) -> None:
    with serving(faults={"metadata": answer}) as fhir:
        status, err = refused(capsysbinary, "--fhir-server", fhir.base, "--patient", "1")
    assert (status, "is no FHIR server" in err, "often ends in /fhir, /R4" in err) == (3, True, True)


def test_a_wrong_id_says_how_to_find_the_right_one(capsysbinary: Any) -> None:
    with serving(resources=resources()) as fhir:
        status, err = refused(capsysbinary, "--fhir-server", fhir.base, "--patient", "nobody")
    assert (status, "has no Patient/nobody" in err, "icans-cds sandbox patients" in err) == (2, True, True)


def test_without_a_token_it_says_how_to_give_one(capsysbinary: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ICANS_CDS_FHIR_TOKEN", raising=False)
    with serving(resources=resources(), token=TOKEN) as fhir:
        status, err = refused(capsysbinary, "--fhir-server", fhir.base, "--patient", PATIENT)
    assert (status, "--token" in err, "ICANS_CDS_FHIR_TOKEN" in err) == (77, True, True)


def test_a_token_that_is_not_accepted_is_said_and_not_shown(capsysbinary: Any) -> None:
    with serving(resources=resources(), token="another") as fhir:
        status, err = refused(capsysbinary, "--fhir-server", fhir.base, "--patient", PATIENT, "--token", TOKEN)
    assert (status, "it may have expired; get a new one" in err, TOKEN in err) == (77, True, False)


def test_a_token_that_may_not_read_the_patient_names_the_scopes(capsysbinary: Any) -> None:
    with serving(resources=resources(), faults={"Patient": server.status(403)}) as fhir:
        status, err = refused(capsysbinary, "--fhir-server", fhir.base, "--patient", PATIENT)
    assert (status, "patient/Observation.rs" in err) == (77, True)


def test_a_token_of_the_environment_is_used(capsysbinary: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ICANS_CDS_FHIR_TOKEN", f"Bearer {TOKEN}")
    with serving(resources=resources(), token=TOKEN) as fhir:
        assert run(capsysbinary, "--fhir-server", fhir.base, "--patient", PATIENT)[0] == 0


def test_a_patient_with_nothing_to_evaluate_is_exit_status_4(capsysbinary: Any) -> None:
    with serving(resources=resources()[:1]) as fhir:
        status, err = refused(capsysbinary, "--fhir-server", fhir.base, "--patient", PATIENT)
    assert (status, "nothing to evaluate" in err, "--mappings DIR" in err) == (4, True, True)


def test_without_observations_it_says_why(capsysbinary: Any) -> None:
    with serving(resources=resources(), faults={"Observation": server.status(403)}) as fhir:
        status, err = refused(capsysbinary, "--fhir-server", fhir.base, "--patient", PATIENT)
    assert (status, "asked for Observation, answered with status 403" in err) == (77, True)


# --- candidates


def test_candidates_have_an_infusion_an_ice_or_a_documented_grade(capsysbinary: Any) -> None:
    others = [{"resourceType": "Observation", "id": "x", "code": {"coding": []}, "subject": {"reference": "Patient/x"}}]
    with serving(resources=[*resources(), *others], manner="lax", page=2) as fhir:
        status, out, _ = run(capsysbinary, "patients", "--fhir-server", fhir.base)
    assert (status, out) == (0, f"Patient/{PATIENT}: 1 infusion, 3 ICE values\n")


def test_a_server_that_refuses_such_a_search_is_said_to(capsysbinary: Any) -> None:
    refusing = {"Observation": server.status(400), "Procedure": server.status(400)}
    with serving(resources=resources(), faults=refusing) as fhir:
        status, err = refused(capsysbinary, "patients", "--fhir-server", fhir.base)
    assert (status, "refuse a search that names no patient" in err, "--patient ID" in err) == (2, True, True)


def test_no_candidate_is_exit_status_4(capsysbinary: Any) -> None:
    with serving() as fhir:
        status, err = refused(capsysbinary, "patients", "--fhir-server", fhir.base)
    assert (status, "icans-cds sandbox load" in err) == (4, True)


# --- loading the demonstration patients


def test_beyond_this_machine_loading_asks_for_yes(capsysbinary: Any) -> None:
    status, err = refused(capsysbinary, "load", "--fhir-server", "https://test.fhir.example/r4")
    assert (status, "--yes" in err, "82 resources" in err) == (2, True, True)


def test_ids_that_are_somebody_elses_are_not_overwritten(capsysbinary: Any) -> None:
    with serving(resources=resources()) as fhir:
        status, err = refused(capsysbinary, "load", "--fhir-server", fhir.base)
        assert not [path for path, _ in fhir.asked if path in ("/fhir", "/fhir/")]
    assert (status, "nothing was loaded: 12 of the ids are taken" in err) == (2, True)


def test_it_is_one_transaction_under_the_own_ids_and_may_be_repeated(capsysbinary: Any) -> None:
    with serving() as fhir:
        for _ in range(2):
            status, out, err = run(capsysbinary, "load", "--fhir-server", fhir.base)
            assert (status, len(fhir.resources)) == (0, 82)
        assert len(fhir.written) == 2
        assert {entry["request"]["method"] for entry in fhir.written[0]["entry"]} == {"PUT"}
        assert "0 resources created, 82 updated" in err
        command = next(line for line in out.splitlines() if PATIENT in line).removeprefix("icans-cds sandbox ")
        assert run(capsysbinary, *command.split())[0] == 0


def test_shifted_patients_are_ill_now(capsysbinary: Any) -> None:
    with serving() as fhir:
        assert run(capsysbinary, "load", "--shift", "--fhir-server", fhir.base)[0] == 0
        _, out, err = run(capsysbinary, "--fhir-server", fhir.base, "--patient", PATIENT, "--format", "json")
    assert json.loads(out)["grade"]["working"] == 4
    assert err == ""


# --- the service as an EHR calls it


@pytest.mark.parametrize("more", [(), ("--prefetch",)], ids=["fetching", "with prefetch"])
def test_serve_check_shows_request_and_response_and_hides_the_token(capsysbinary: Any, more: tuple[str, ...]) -> None:
    options = ("--patient", PATIENT, "--as-of", AT_COMA, "--token", TOKEN)
    with serving(resources=resources(), token=TOKEN) as fhir:
        status, out, err = run(capsysbinary, "serve-check", "--fhir-server", fhir.base, *options, *more)
    assert status == 0
    assert '"hook": "patient-view"' in out and "status 200" in out and '"indicator": "critical"' in out
    assert TOKEN not in out + err
    assert ("prefetch" in out) == bool(more)


def test_serve_check_shows_a_412(capsysbinary: Any) -> None:
    with serving(resources=resources(), faults={"Observation": server.status(403)}) as fhir:
        status, out, _ = run(capsysbinary, "serve-check", "--fhir-server", fhir.base, "--patient", PATIENT)
    assert (status, "asked for Observation, answered with status 403" in out) == (4, True)


def test_serve_check_says_how_to_start_a_service(capsysbinary: Any) -> None:
    with serving(resources=resources()) as fhir:
        options = ("--fhir-server", fhir.base, "--patient", PATIENT, "--service", "http://127.0.0.1:9")
        status, err = refused(capsysbinary, "serve-check", *options)
    assert (status, "icans-cds serve" in err) == (69, True)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (server.status(401), 77),
        (server.status(403), 77),
        (server.status(429), 75),
        (server.status(503, Retry_After="3600"), 75),
        (server.status(503), 69),
        (server.status(500), 69),
        (server.cuts_off, 69),
        (server.hangs, 69),
        (server.status(400), 2),
    ],
    ids=["401", "403", "429", "503 with Retry-After", "503", "500", "cut off", "hangs", "400"],
)
@pytest.mark.parametrize("resource_type", ["metadata", "Patient", "Observation"])
def test_exit_statuses_tell_try_later_from_a_typing_error(
    resource_type: str, fault: Any, expected: int, capsysbinary: Any
) -> None:
    with serving(resources=resources(), faults={resource_type: fault}) as fhir:
        arguments = ["--fhir-server", fhir.base, "--patient", PATIENT, "--as-of", AT_COMA, "--timeout", "3"]
        status, _, err = run(capsysbinary, *arguments)
    if resource_type == "metadata":
        expected = {77: 0, 2: 3}.get(expected, expected)  # a token may be asked for metadata too; no FHIR server
    assert status == expected, err


@pytest.mark.parametrize(
    "entry",
    [None, 7, "text", [], {}, {"resource": None}, {"resource": []}, {"resource": {"resourceType": "Observation"}}]
    + [
        {"resource": {"resourceType": "Observation", "subject": subject, "code": code}}
        for subject, code in (("x", {}), ({}, "x"), ({"reference": 7}, {"coding": "x"}), ([], {"coding": [7, {}]}))
    ],
    ids=str,
)
def test_patients_of_a_server_that_sends_anything(entry: Any, capsysbinary: Any) -> None:
    page = json.dumps({"resourceType": "Bundle", "type": "searchset", "entry": [entry]}).encode()
    with serving(resources=resources(), faults={"Observation": server.body(page)}) as fhir:
        status, out, _ = run(capsysbinary, "patients", "--fhir-server", fhir.base)
    assert (status, out) == (0, f"Patient/{PATIENT}: 1 infusion\n")


def test_N4_what_is_loaded_with_shift_does_not_lie_in_the_future(capsysbinary: Any) -> None:
    with serving() as fhir:
        assert run(capsysbinary, "load", "--fhir-server", fhir.base, "--shift")[0] == 0
        now = datetime.now(UTC)
        texts = re.findall(r'"(\d{4}-\d\d-\d\dT[^"]+)"', json.dumps(fhir.resources))
        assert texts and all(datetime.fromisoformat(text) <= now for text in texts)
        ids = [resource["id"] for resource in fhir.resources if resource["resourceType"] == "Patient"]
        for identity in ids:
            status, out, _ = run(capsysbinary, "--fhir-server", fhir.base, "--patient", identity)
            assert (status, "future" in out) == (0, False)


def test_N4_an_infusion_that_runs_has_no_end_yet() -> None:
    now = datetime(2026, 3, 8, 12, tzinfo=UTC)
    running = {
        "status": "completed",
        "effectivePeriod": {"start": "2026-03-08T11:00:00Z", "end": "2026-03-08T13:00:00Z"},
    }
    assert until(running, now) == {"status": "in-progress", "effectivePeriod": {"start": "2026-03-08T11:00:00Z"}}
    assert until({"effectivePeriod": {"start": "2026-03-08T12:00:01Z"}}, now) is None
    assert until({"effectiveDateTime": "2026-03-08T11:00:00Z", "issued": "2026-03-08T12:30:00Z"}, now) is None
    assert until({"effectiveDateTime": "2026-03-08T12:00:00Z"}, now) == {"effectiveDateTime": "2026-03-08T12:00:00Z"}
