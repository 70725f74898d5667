"""``icans-cds sandbox serve-check``: one patient-view call to this service, the way an EHR would make it."""

from __future__ import annotations

import threading
import time
import uuid
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import orjson
import requests

from cds_service.command_line.commands.sandbox import client_of, require_fhir, token_of
from cds_service.command_line.options import compiled_site, say, settings_of, write
from cds_service.errors import DONE, FAULT, NOT_AUTHORISED, NOTHING_EVALUABLE, TRY_LATER, UNAVAILABLE, Refusal
from cds_service.hooks.access import fetch_all
from cds_service.hooks.discovery import prefetch_templates
from cds_service.hooks.request import AS_OF_EXTENSION

HOOK = "patient-view"
WITHHELD = "(not shown)"
_SECONDS = 30


def sandbox_serve_check(options: Namespace) -> int:
    """Makes the call and shows request and response; without --service, to a service of its own on this machine."""
    client = client_of(options)
    if options.patient is None:
        raise Refusal("name a patient with --patient ID")
    require_fhir(client)
    patient = options.patient.removeprefix("Patient/")
    token = token_of(options)
    call: dict[str, Any] = {
        "hook": HOOK,
        "hookInstance": str(uuid.uuid4()),
        "fhirServer": client.base.rstrip("/"),
        "context": {"userId": "Practitioner/icans-cds-sandbox", "patientId": patient},
    }
    if token is not None:
        call["fhirAuthorization"] = {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": "patient/*.rs",
            "subject": "icans-cds-sandbox",
        }
    if options.as_of is not None:
        call["extension"] = {AS_OF_EXTENSION: options.as_of.isoformat()}
    if options.prefetch:
        site = compiled_site(options).of_server(client.base)
        templates = prefetch_templates(site.terminology)
        fetched = fetch_all(client, patient, {}, set(templates), site)
        call["prefetch"] = {key: orjson.loads(value) for key, value in fetched.prefetch.items() if value is not None}
    if options.service:
        return _check(options, options.service.rstrip("/"), call)
    with own_service(options, client.base) as service:
        return _check(options, service, call)


def _check(options: Namespace, service: str, call: dict[str, Any]) -> int:
    address = _address(service)
    started = time.monotonic()
    try:
        response = requests.post(address, data=orjson.dumps(call), headers=_JSON, timeout=_SECONDS)
    except requests.RequestException as error:
        raise Refusal(f"{address} did not answer", UNAVAILABLE) from error
    spent = time.monotonic() - started
    say(f"{address} answered with status {response.status_code} in {spent:.2f} s")
    shown = {"request": {"url": address, "body": _shown(call)}, "response": _response(response, spent)}
    if options.format == "json":
        write(orjson.dumps(shown, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE), options.output)
    else:
        write(_text(shown), options.output)
    if response.status_code == 412:
        return NOTHING_EVALUABLE
    if response.status_code in (401, 403):
        return NOT_AUTHORISED
    if response.status_code == 503:
        return TRY_LATER if "Retry-After" in response.headers else UNAVAILABLE
    return DONE if response.ok else FAULT


_JSON = {"Content-Type": "application/json", "Accept": "application/json"}


def _address(service: str) -> str:
    """The address of the service for this hook, as discovery gives it."""
    base = service.removesuffix("/cds-services")
    try:
        response = requests.get(f"{base}/cds-services", headers=_JSON, timeout=_SECONDS)
        services = response.json()["services"]
    except requests.ConnectionError as error:
        raise Refusal(f"nothing answers at {base}: start the service with icans-cds serve", UNAVAILABLE) from error
    except (requests.RequestException, ValueError, KeyError, TypeError) as error:
        raise Refusal(f"{base}/cds-services is no CDS Hooks discovery") from error
    for offered in services:
        if offered.get("hook") == HOOK:
            return f"{base}/cds-services/{offered['id']}"
    raise Refusal(f"{base} offers no service for the hook {HOOK}")


@contextmanager
def own_service(options: Namespace, fhir_server: str) -> Iterator[str]:
    """The service of this command's policy and mappings on a free port of this machine, for as long as needed."""
    from dataclasses import replace

    from waitress.server import create_server

    from cds_service.web.app import create_app

    named = (fhir_server.rstrip("/"),)
    settings = replace(settings_of(options), host="127.0.0.1", trust="", fhir_servers=named)
    server = create_server(create_app(settings), host="127.0.0.1", port=0)

    def run() -> None:
        with suppress(OSError, ValueError):  # its socket is closed under it: this is how it ends
            server.run()

    threading.Thread(target=run, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        server.close()


def _shown(call: dict[str, Any]) -> dict[str, Any]:
    """The request without its token, and with what prefetch holds counted, not shown."""
    shown = dict(call)
    if "fhirAuthorization" in shown:
        shown["fhirAuthorization"] = {**shown["fhirAuthorization"], "access_token": WITHHELD}
    if "prefetch" in shown:
        shown["prefetch"] = {
            key: {"resourceType": value["resourceType"], "entries": len(value.get("entry", ()))}
            for key, value in shown["prefetch"].items()
        }
    return shown


def _response(response: requests.Response, spent: float) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        body = response.text[:2000]
    return {"status": response.status_code, "seconds": round(spent, 3), "body": body}


def _text(shown: dict[str, Any]) -> bytes:
    indented = orjson.OPT_INDENT_2
    parts = [
        f"POST {shown['request']['url']}".encode(),
        orjson.dumps(shown["request"]["body"], option=indented),
        f"\nstatus {shown['response']['status']} in {shown['response']['seconds']} s".encode(),
        orjson.dumps(shown["response"]["body"], option=indented),
    ]
    return b"\n".join(parts) + b"\n"
