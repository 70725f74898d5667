"""The table of docs/faults.md, row by row: a server that fails in this way, and what a hook call answers."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cds_service.fhir_client.client import Search
from cds_service.site.settings import Settings
from cds_service.web.app import create_app
from tests.support import fhir_server as server
from tests.support.fhir_server import FhirServer, Handler, serving
from tests.support.hook_calls import AT_COMA, SERVICE, body_of, check_response, course, hook_call, search_result

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "faults.md"
#: Enough for a machine that is busy; a row that is to end at its deadline gets a short one.
PATIENCE, DEADLINE = 20.0, 0.5

SAME = "the same as without them"
TOKEN = "s3cret"
AUTHORIZATION = {
    "access_token": TOKEN,
    "token_type": "Bearer",
    "expires_in": 300,
    "scope": "patient/*.rs",
    "subject": "icans-cds",
}
OUTCOME = b'{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"exception"}]}'


def rows_of(resource_type: str) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in course()["entry"] if entry["resource"]["resourceType"] == resource_type]


@dataclass(frozen=True)
class Fault:
    """How it is played: an answer in place of the server's own, on the first page or from the second on, or
    another way in which the server is made."""

    answer: Callable[[str], Callable[[Handler], None]] | None = None
    page: str = ""
    make: Callable[[FhirServer, str], None] | None = None


def others_rows(fhir: FhirServer, resource_type: str) -> None:
    """The server ignores for whom it was asked: rows of somebody else stand among the patient's."""
    strangers = deepcopy(rows_of(resource_type))
    for number, stranger in enumerate(strangers):
        stranger |= {"id": f"other-{number}", "subject": {"reference": "Patient/other"}}
    fhir.faults[resource_type] = server.links(server.elsewhere, [])
    bundle = {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": row} for row in [*rows_of(resource_type), *strangers]],
    }
    fhir.faults[resource_type] = server.body(json.dumps(bundle).encode())


def page(resource_type: str, **changes: Any) -> dict[str, Any]:
    """The first of two pages as the server would send it, with other members."""
    bundle = search_result(rows_of(resource_type)[:2]) | changes
    return {name: value for name, value in bundle.items() if value is not None}


def sends(make: Callable[[str], bytes], page: str = "", code: int = 200) -> Fault:
    return Fault(lambda resource_type: server.body(make(resource_type), code=code), page)


def with_entry(resource_type: str, entry: Any) -> bytes:
    bundle = page(resource_type)
    return json.dumps(bundle | {"entry": [*bundle["entry"], entry]}).encode()


def with_second(member: str, resource_type: str) -> bytes:
    """The rows in two members of one name: a decoder keeps the last."""
    first = json.dumps({member: search_result(rows_of(resource_type)[2:4])["entry"] if member == "entry" else []})
    return first[:-1].encode() + b"," + json.dumps(page(resource_type, link=[])).encode()[1:]


def offers_nothing(fhir: FhirServer, resource_type: str) -> None:
    fhir.manner, fhir.lacks = "silent", (resource_type,)


def nobody(fhir: FhirServer, _resource_type: str) -> None:
    fhir.resources = []


def with_user_name(handler: Handler) -> str:
    return handler.fhir.base.replace("http://", "http://user:secret@") + "?_pages=2"


def capital_links(fhir: FhirServer, _resource_type: str) -> None:
    fhir.relation = "Next"


def simple(answer: Callable[[Handler], None]) -> Fault:
    return Fault(lambda _type: answer)


FAULTS = {
    "hangs": simple(server.hangs),
    "drips its body": simple(server.drips),
    "drips its headers": simple(server.drips_its_headers),
    "cuts off mid-body": simple(server.cuts_off),
    **{f"status {code}": simple(server.status(code)) for code in (401, 403, 404, 500)},
    "status 429": simple(server.status(429, Retry_After="120")),
    "HTML": simple(server.body(b"<!DOCTYPE html><html><h1>404 - File not found.</h1></html>", "text/html")),
    "XML": simple(server.body(b'<?xml version="1.0"?><Bundle xmlns="http://hl7.org/fhir"/>', "application/fhir+xml")),
    "an empty 200": simple(server.body(b"")),
    "JSON that is not FHIR": simple(server.body(b'{"hello": "world"}')),
    "an OperationOutcome": simple(server.body(OUTCOME)),
    "a paging loop": Fault(lambda kind: server.links(server.in_a_circle, rows_of(kind))),
    "a next link to another host": Fault(lambda kind: server.links(server.elsewhere, rows_of(kind))),
    "10,000 pages": Fault(lambda kind: server.links(server.without_end, rows_of(kind))),
    "a body of 200 MB": simple(server.huge),
    "a token that expires between pages": Fault(lambda _type: server.status(401), " page 2"),
    "a redirect to another host": simple(server.redirects("https://elsewhere.example/fhir/Observation")),
    "rows of another patient": Fault(make=others_rows),
    "a byte that is no UTF-8 on the second page": sends(
        lambda kind: json.dumps(page(kind, note="K\xf6ln"), ensure_ascii=False).encode("latin-1"), " page 2"
    ),
    "a total above its rows": sends(lambda kind: json.dumps(page(kind, total=9)).encode()),
    "an entry without a resource": sends(lambda kind: with_entry(kind, {"fullUrl": "urn:x"})),
    "a text for a resource": sends(lambda kind: with_entry(kind, {"resource": "<Observation/>"})),
    "an entry that is null": sends(lambda kind: with_entry(kind, None)),
    "entry twice": sends(lambda kind: with_second("entry", kind)),
    "link twice": sends(lambda kind: with_second("link", kind)),
    "status 206": sends(lambda kind: json.dumps(page(kind)).encode(), code=206),
    "a next link with a user name": Fault(lambda kind: server.links(with_user_name, rows_of(kind))),
    "a next link in capitals": Fault(make=capital_links),
    "status 429, and a pause that is no number": simple(server.status(429, Retry_After="soon")),
    "found nothing, and does not offer the search": Fault(make=offers_nothing),
    "no such patient": Fault(make=nobody),
}


def table() -> list[tuple[str, ...]]:
    lines = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    rows = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]
    return [row for row in rows if row[0] != "fault" and len(row) == 5]


def answer(fhir: FhirServer, seconds: float) -> tuple[int, Any, float]:
    """Status and document of a call without prefetch, and the seconds it took."""
    app = create_app(Settings(fetch_seconds=seconds, answer_seconds=seconds + 5)).test_client()
    call = hook_call(prefetch=None, fhirServer=fhir.base, fhirAuthorization=AUTHORIZATION)
    call["extension"]["org.icans-cds.asOf"] = AT_COMA
    started = time.monotonic()
    response = app.post(f"/cds-services/{SERVICE}", data=body_of(call), content_type="application/json")
    return response.status_code, response.get_json(force=True), time.monotonic() - started


@pytest.mark.parametrize("row", table(), ids=lambda row: f"{row[0]}, {row[1]}")
def test_each_row_of_the_table(row: tuple[str, ...], caplog: pytest.LogCaptureFixture) -> None:
    name, resource_type, status, says, when = row
    fault = FAULTS[name]
    seconds = DEADLINE if when == "deadline" else PATIENCE
    resources = [entry["resource"] for entry in course()["entry"]]
    with serving(resources=resources, page=2, token=TOKEN) as fhir:
        _, whole, _ = answer(fhir, PATIENCE) if says == SAME else (0, None, 0)
        if fault.answer is not None:
            fhir.faults[f"{resource_type}{fault.page}"] = fault.answer(resource_type)
        if fault.make is not None:
            fault.make(fhir, resource_type)
        answered, document, spent = answer(fhir, seconds)
    assert (str(answered), spent < seconds + 2) == (status, True)
    assert (spent >= DEADLINE * 0.9) if when == "deadline" else (spent < PATIENCE / 2)
    if says == SAME:
        assert document == whole
        return
    said = document["issue"][0]["diagnostics"] if status == "412" else json.dumps(check_response(document))
    assert says in re.sub(r"\\+", "", said)
    assert not {TOKEN, "4711", "127.0.0.1", "elsewhere.example"} & set(re.findall(r"[\w.]+", said + caplog.text))


@pytest.mark.parametrize("resource_type", ["Observation", "MedicationAdministration", "Procedure"])
def test_L33_an_unforeseen_fault_while_fetching_is_partial_data(
    resource_type: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever goes wrong in the thread of a search: what it has not read is missing, and is reported as missing."""
    whole = Search.take

    def fails(search: Search, page: Any) -> None:
        whole(search, page)
        if search.query.startswith(resource_type) and search.pages == (2 if resource_type == "Observation" else 1):
            raise ZeroDivisionError

    with serving(resources=[entry["resource"] for entry in course()["entry"]], page=2, token=TOKEN) as fhir:
        monkeypatch.setattr(Search, "take", fails)
        status, document, _ = answer(fhir, PATIENCE)
    assert status == 200
    assert f"asked for {resource_type}, sent something that this service failed to read" in json.dumps(document)
    assert "partial-data" in json.dumps(check_response(document))


def test_every_fault_stands_in_the_table() -> None:
    assert {row[0] for row in table()} == set(FAULTS)


def test_a_call_that_waits_for_its_server_keeps_no_other_waiting() -> None:
    app = create_app(Settings(fetch_seconds=PATIENCE, answer_seconds=PATIENCE + 5))
    asked = threading.Event()

    def hanging(handler: Handler) -> None:
        asked.set()
        server.hangs(handler)

    def post(call: dict[str, Any]) -> int:
        return (
            app.test_client()
            .post(f"/cds-services/{SERVICE}", data=body_of(call), content_type="application/json")
            .status_code
        )

    with ThreadPoolExecutor(1) as pool, serving(faults={"Observation": hanging}) as fhir:
        waiting = pool.submit(post, hook_call(prefetch=None, fhirServer=fhir.base))
        assert asked.wait(PATIENCE)
        assert post(hook_call()) == 200
        assert not waiting.done()
        fhir.closing.set()
        assert waiting.result() == 412
