"""A small FHIR server on loopback, deliberately different from the usual ones, and faulty on demand.

It pages with opaque links, and what it makes of unknown parameters and types is a matter of its manner:
``strict`` refuses (400, 404), ``lax`` ignores parameters (as Epic does), ``silent`` answers 200 and nothing
(as the WSO2 server does).
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from cds_service.fhir_client.capabilities import _REMEMBERED

TYPES = ("Patient", "Observation", "MedicationAdministration", "Medication", "Procedure", "Condition")
PARAMETERS = {
    "Patient": ("_id",),
    "Observation": ("_id", "patient", "code"),
    "MedicationAdministration": ("_id", "patient", "effective-time"),
    "Procedure": ("_id", "patient", "code"),
    "Condition": ("_id", "patient"),
    "Medication": ("_id",),
}
EVERYWHERE = ("_count", "_pages")
JSON = "application/fhir+json"


@dataclass
class FhirServer:
    """One server. resources: what it holds. manner: see above. lacks: types it does not offer. page: most rows a
    page. token: needed if given. unsearchable: code systems by which it finds nothing. faults: by type of
    resource, or ``TYPE page 2`` from the second page on. asked: path and headers of each request. written: each
    transaction. relation: of the link to the next page."""

    resources: list[dict[str, Any]] = field(default_factory=list)
    manner: str = "strict"
    lacks: tuple[str, ...] = ()
    page: int = 1000
    token: str | None = None
    unsearchable: tuple[str, ...] = ()
    faults: dict[str, Callable[[Handler], None]] = field(default_factory=dict)
    delay: float = 0.0
    relation: str = "next"
    outcome: dict[str, Any] | None = None
    base: str = ""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    written: list[dict[str, Any]] = field(default_factory=list)
    pages: dict[str, tuple[str, list[dict[str, Any]]]] = field(default_factory=dict)
    closing: threading.Event = field(default_factory=threading.Event)

    def asked_for(self, resource_type: str) -> list[str]:
        return [path for path, _ in self.asked if f"/{resource_type}" in path]


@contextmanager
def serving(**how: Any) -> Iterator[FhirServer]:
    """The server, running until the block ends."""
    server = FhirServer(**how)

    class Bound(Handler):
        fhir = server

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Bound)
    listener.daemon_threads = True
    server.base = f"http://127.0.0.1:{listener.server_port}/fhir"
    _REMEMBERED.pop(f"{server.base}/", None)  # an earlier server may have had this port
    threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield server
    finally:
        server.closing.set()
        listener.shutdown()
        listener.server_close()


class Handler(BaseHTTPRequestHandler):
    fhir: FhirServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        try:
            self._answer()
        except OSError:
            self.close_connection = True

    def do_POST(self) -> None:
        """A transaction of PUTs on the base."""
        transaction = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.fhir.written.append(transaction)
        held = {(resource["resourceType"], resource["id"]): resource for resource in self.fhir.resources}
        answers = []
        for entry in transaction["entry"]:
            key = (entry["resource"]["resourceType"], entry["resource"]["id"])
            answers.append({"response": {"status": "200 OK" if key in held else "201 Created"}})
            held[key] = entry["resource"]
        self.fhir.resources = list(held.values())
        self.resource(200, {"resourceType": "Bundle", "type": "transaction-response", "entry": answers})

    def _answer(self) -> None:
        self.fhir.asked.append((self.path, dict(self.headers)))
        time.sleep(self.fhir.delay)
        path, _, query = self.path.partition("?")
        parameters = dict(parse_qsl(query))
        name = path.removeprefix("/fhir").strip("/")
        fault = self._fault(name, parameters)
        if fault is not None:
            fault(self)
        elif self.headers.get("Accept") != JSON:
            self.send(200, b"<Bundle xmlns='http://hl7.org/fhir'/>", "application/fhir+xml")
        elif self.fhir.token is not None and self.headers.get("Authorization") != f"Bearer {self.fhir.token}":
            self.outcome(401, "login")
        elif name == "metadata":
            self.resource(200, self._capabilities())
        elif "_pages" in parameters:
            self._page(parameters["_pages"])
        elif "/" in name:
            self._read(name)
        else:
            self._search(name, parameters)

    def _fault(self, name: str, parameters: dict[str, str]) -> Callable[[Handler], None] | None:
        if "_pages" in parameters and parameters["_pages"] in self.fhir.pages:
            return self.fhir.faults.get(f"{self.fhir.pages[parameters['_pages']][0]} page 2")
        return self.fhir.faults.get(name.partition("/")[0])

    def _read(self, name: str) -> None:
        kind, _, identity = name.partition("/")
        found = [r for r in self.fhir.resources if (r["resourceType"], r["id"]) == (kind, identity)]
        if not found or kind in self.fhir.lacks:
            self.outcome(404, "not-found")
        else:
            self.resource(200, found[0])

    def _search(self, kind: str, parameters: dict[str, str]) -> None:
        known = (*PARAMETERS.get(kind, ()), *EVERYWHERE)
        unknown = [name for name in parameters if name not in known]
        offered = kind in TYPES and kind not in self.fhir.lacks
        if not offered or (unknown and self.fhir.manner != "lax"):
            if self.fhir.manner == "silent":
                self.resource(200, {"resourceType": "Bundle", "type": "searchset", "entry": []})
            else:
                self.outcome(400 if offered else 404, "not-supported")
            return
        rows = [r for r in self.fhir.resources if r["resourceType"] == kind and self._matches(r, parameters)]
        size = min(int(parameters.get("_count", "20")), self.fhir.page)
        self._send_rows(kind, rows, size)

    def _matches(self, resource: dict[str, Any], parameters: dict[str, str]) -> bool:
        if "_id" in parameters and resource["id"] not in parameters["_id"].split(","):
            return False
        if "patient" in parameters:
            if resource.get("subject", {}).get("reference") != f"Patient/{parameters['patient']}":
                return False
        if "code" not in parameters:
            return True
        tokens = parameters["code"].split(",")
        if any(token.partition("|")[0] in self.fhir.unsearchable for token in tokens):
            return False
        codings = resource.get("code", {}).get("coding", [])
        return any(f"{coding.get('system')}|{coding.get('code')}" in tokens for coding in codings)

    def _send_rows(self, kind: str, rows: list[dict[str, Any]], size: int) -> None:
        entries = [{"resource": row, "search": {"mode": "match"}} for row in rows[:size]]
        bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "total": len(entries)}
        if len(rows) > size:
            page = f"{len(self.fhir.pages)}.{size}"
            self.fhir.pages[page] = (kind, rows[size:])
            bundle["link"] = [{"relation": self.fhir.relation, "url": f"{self.fhir.base}?_pages={page}"}]
        elif self.fhir.outcome is not None and kind == "Observation":
            entries.append({"resource": self.fhir.outcome, "search": {"mode": "outcome"}})
        if entries:
            bundle["entry"] = entries
        self.resource(200, bundle)

    def _page(self, page: str) -> None:
        kind, rows = self.fhir.pages[page]
        self._send_rows(kind, rows, int(page.partition(".")[2]))

    def _capabilities(self) -> dict[str, Any]:
        offered = [
            {"type": kind, "searchParam": [{"name": name, "type": "token"} for name in PARAMETERS[kind]]}
            for kind in TYPES
            if kind not in self.fhir.lacks
        ]
        return {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": [{"resource": offered}]}

    def resource(self, status: int, resource: dict[str, Any]) -> None:
        self.send(status, json.dumps(resource).encode(), JSON)

    def outcome(self, status: int, code: str) -> None:
        issue = {"severity": "error", "code": code, "diagnostics": "MRN 4711 is not to be seen"}
        self.resource(status, {"resourceType": "OperationOutcome", "issue": [issue]})

    def send(self, status: int, body: bytes, media_type: str, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing: the test run is quiet."""


# --- faults


def hangs(handler: Handler) -> None:
    handler.fhir.closing.wait(20)


def drips(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    while not handler.fhir.closing.wait(0.02):
        handler.wfile.write(b" ")


def drips_its_headers(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not handler.fhir.closing.wait(0.02):
        handler.wfile.write(b"x")


def cuts_off(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"resourceType":"Bundle","type":"searchset","entry":[')
    handler.close_connection = True


def status(code: int, **headers: str) -> Callable[[Handler], None]:
    def answer(handler: Handler) -> None:
        handler.send(code, b"", "text/plain", **headers)

    return answer


def body(content: bytes, media_type: str = JSON, code: int = 200) -> Callable[[Handler], None]:
    def answer(handler: Handler) -> None:
        handler.send(code, content, media_type)

    return answer


def huge(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "200000000")
    handler.end_headers()
    while not handler.fhir.closing.is_set():
        handler.wfile.write(b" " * 1_000_000)


def redirects(url: str) -> Callable[[Handler], None]:
    def answer(handler: Handler) -> None:
        handler.send(302, b"", "text/plain", Location=url)

    return answer


def links(following: Callable[[Handler], str], rows: list[dict[str, Any]]) -> Callable[[Handler], None]:
    """One page of these rows, with the next link that ``following`` makes."""

    def answer(handler: Handler) -> None:
        link = [{"relation": "next", "url": following(handler)}]
        entries = [{"resource": row} for row in rows]
        handler.resource(200, {"resourceType": "Bundle", "type": "searchset", "link": link, "entry": entries})

    return answer


def in_a_circle(handler: Handler) -> str:
    return f"{handler.fhir.base}{urlsplit(handler.path).path.removeprefix('/fhir')}?_pages=always"


def without_end(handler: Handler) -> str:
    path = urlsplit(handler.path).path.removeprefix("/fhir")
    return f"{handler.fhir.base}{path}?_pages={len(handler.fhir.asked)}"


def elsewhere(_handler: Handler) -> str:
    return "https://elsewhere.example/fhir/Observation?page=2"
