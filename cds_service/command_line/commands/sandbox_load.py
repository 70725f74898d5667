"""``icans-cds sandbox load``: the demonstration patients onto a FHIR server, under their own ids, in one
transaction. Nothing that is not ours is overwritten, and with --shift nothing lies in the future."""

from __future__ import annotations

import threading
from argparse import Namespace
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from pkgutil import get_data
from typing import Any
from urllib.parse import urlsplit

import orjson

from cds_service.command_line.commands.sandbox import client_of, require_fhir, status_after
from cds_service.command_line.options import json_bytes, say, write
from cds_service.errors import DONE, UNAVAILABLE, Refusal
from cds_service.examples.shifting import TELLING_MOMENTS, shift_bundle
from cds_service.fhir_client.client import FhirClient
from cds_service.fhir_client.deadlines import side_by_side
from cds_service.fhir_client.pages import Unreadable
from cds_service.site.settings import is_loopback
from fhir_mappings import BASE

#: Marks what this command wrote: only that may it write again.
TAG = {"system": f"{BASE}/CodeSystem/icans-demonstration", "code": "example"}
_READERS = 8


def sandbox_load(options: Namespace) -> int:
    """Loads them, moved in time with --shift so that the most telling moment of each is now."""
    client = client_of(options)
    base = client.base.rstrip("/")
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    courses = {name: _course(name, now if options.shift else None) for name in TELLING_MOMENTS}
    resources = [resource for course in courses.values() for resource in course]
    if not is_loopback(urlsplit(base).hostname or "") and not options.yes:
        raise Refusal(
            f"this would write {len(resources)} resources of {len(courses)} invented patients to {base}, which is not "
            "this machine. Say --yes if that is a server for tests, and never a clinic's own"
        )
    require_fhir(client)
    _refuse_others(client, resources)
    try:
        answer = orjson.loads(client.send("POST", "", transaction(resources)))
    except Unreadable as error:
        raise Refusal(f"nothing was loaded: the FHIR server {error.reason}", status_after(error)) from error
    except orjson.JSONDecodeError as error:
        raise Refusal("the FHIR server answered the transaction with what is not JSON; look what it holds") from error
    entries = answer.get("entry") if isinstance(answer, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise Refusal(
            "the FHIR server answered the transaction with what is no Bundle; look what it holds", UNAVAILABLE
        )
    statuses = Counter(_status_of(entry) for entry in entries)
    say(f"{statuses['201']} resources created, {statuses['200']} updated on {base}")
    rows = [_row(name, course, base, options.shift) for name, course in courses.items()]
    if options.format == "json":
        write(json_bytes(rows), options.output)
    else:
        write(("\n".join(row["command"] for row in rows) + "\n").encode(), options.output)
    return DONE


def transaction(resources: list[dict[str, Any]]) -> bytes:
    """A transaction Bundle that PUTs each resource under its own id."""
    entries = [
        {"resource": resource, "request": {"method": "PUT", "url": f"{resource['resourceType']}/{resource['id']}"}}
        for resource in resources
    ]
    return orjson.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries})


def _course(name: str, now: datetime | None) -> list[dict[str, Any]]:
    data = get_data("cds_service", f"examples/{name}.json")
    bundle = orjson.loads(data or b"{}")
    delta = now - datetime.fromisoformat(TELLING_MOMENTS[name]) if now is not None else timedelta(0)
    moved = shift_bundle(bundle, delta)
    resources = [{**entry["resource"], "meta": {"tag": [TAG]}} for entry in moved["entry"]]
    return resources if now is None else [known for resource in resources if (known := until(resource, now))]


def until(resource: dict[str, Any], now: datetime) -> dict[str, Any] | None:
    """A resource as it is known at ``now``: None before it begins, without its end, or a death, that is to come."""
    died = resource.get("deceasedDateTime")
    if died is not None and datetime.fromisoformat(died) > now:
        return {name: value for name, value in resource.items() if name != "deceasedDateTime"}
    period = resource.get("effectivePeriod") or resource.get("performedPeriod") or {}
    begins = [resource.get(name) for name in ("effectiveDateTime", "performedDateTime", "issued")]
    if any(datetime.fromisoformat(begin) > now for begin in (*begins, period.get("start")) if begin):
        return None
    if "end" not in period or datetime.fromisoformat(period["end"]) <= now:
        return resource
    name = "effectivePeriod" if "effectivePeriod" in resource else "performedPeriod"
    return {**resource, "status": "in-progress", name: {"start": period["start"]}}


def _status_of(entry: dict[str, Any]) -> str:
    response = entry.get("response")
    return str(response.get("status") if isinstance(response, dict) else None)[:3]


def _row(name: str, course: list[dict[str, Any]], base: str, shifted: bool) -> dict[str, Any]:
    patient = next(resource["id"] for resource in course if resource["resourceType"] == "Patient")
    as_of = "" if shifted else f" --as-of {TELLING_MOMENTS[name]}"
    command = f"icans-cds sandbox --fhir-server {base} --patient {patient}{as_of}"
    return {"patient": f"Patient/{patient}", "resources": len(course), "command": command}


def _refuse_others(client: FhirClient, resources: list[dict[str, Any]]) -> None:
    """Refusal if one of the ids is somebody else's already, or if that cannot be determined."""
    queue = [f"{resource['resourceType']}/{resource['id']}" for resource in resources]
    others: list[str] = []
    failed: list[Unreadable] = []
    lock = threading.Lock()
    workers = {str(number): partial(_look, client, queue, others, failed, lock) for number in range(_READERS)}
    failed.extend(map(Unreadable, side_by_side(workers, client.deadline).values()))
    if failed:
        reason = failed[0].reason
        message = f"nothing was loaded: asked whether our ids are free, the FHIR server {reason}"
        raise Refusal(message, status_after(failed[0]))
    if others:
        named = ", ".join(sorted(others)[:5])
        raise Refusal(
            f"nothing was loaded: {len(others)} of the ids are taken on this server by resources that this command did "
            f"not write: {named}. Take another server, or remove them there"
        )


def _look(
    client: FhirClient, queue: list[str], others: list[str], failed: list[Unreadable], lock: threading.Lock
) -> None:
    while True:
        with lock:
            if not queue or failed:
                return
            name = queue.pop()
        try:
            tags = (orjson.loads(client.read(name)).get("meta") or {}).get("tag") or []
        except Unreadable as error:
            if error.status not in (404, 410):
                failed.append(error)
            continue
        except (orjson.JSONDecodeError, AttributeError):
            tags = []
        if not any(isinstance(tag, dict) and TAG.items() <= tag.items() for tag in tags):
            others.append(name)
