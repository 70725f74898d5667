"""A CDS Hooks call, from request body to response body: everything but HTTP and trust; fetching is handed in.

The body is scanned, not built: ``prefetch`` values stay raw bytes for fhir_mappings, which reads only what
matters; the rest of the request is small. Duplicate members are refused, not guessed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from cds_service.collection import collection_paused
from cds_service.evaluation import evaluate_record, with_problems_of_none
from cds_service.hooks.access import FhirAccess, HookFetch, fhir_access
from cds_service.hooks.errors import HookError, refused
from cds_service.hooks.members import Malformed, request_members
from cds_service.hooks.services import SERVICES, Service
from cds_service.instants import instant
from cds_service.site.site import Site, bundled_site

if TYPE_CHECKING:
    from fhir_mappings import Reading
    from icans.record import Record

__all__ = ["HookError", "answer_hook", "handle_hook"]

AS_OF_EXTENSION = "org.icans-cds.asOf"
#: The prefetch key without which nothing can be evaluated, and its continuations (observations2, ...).
ESSENTIAL = "observations"


@dataclass(frozen=True, slots=True, kw_only=True)
class HookRequest:
    """A CDS Hooks request as far as this project uses it.

    patient: ``context.patientId``, bare. prefetch: raw JSON of each value, None for null; an absent key is absent.
    access: the FHIR server that may be asked, if any. as_of: the instant asked for by the extension
    org.icans-cds.asOf, UTC.
    """

    hook_instance: str
    patient: str
    prefetch: dict[str, bytes | None]
    access: FhirAccess | None
    as_of: datetime | None


def handle_hook(service_id: str, body: bytes, *, as_of: datetime | None = None) -> bytes:
    """The response body to a CDS Hooks request body, with bundled policy and terminology.

    as_of: evaluate as of then (aware; wins over the extension org.icans-cds.asOf); None: now. Raises HookError
    for every call that is answered with a 4xx, ValueError for an as_of without offset. Does no network.
    """
    if as_of is not None and as_of.tzinfo is None:
        raise ValueError("as_of needs a time zone")
    return answer_hook(service_id, body, bundled_site(), as_of=as_of)


def answer_hook(
    service_id: str, body: bytes, site: Site, *, as_of: datetime | None = None, fetch: HookFetch | None = None
) -> bytes:
    """As handle_hook, at a given site. fetch: fetches what the prefetch lacks; None: nothing is fetched."""
    service = SERVICES.get(service_id)
    if service is None:
        raise refused(404, f"There is no such service; this server offers {', '.join(SERVICES)}.")
    request = read_request(service, body)
    site = site.of_server(request.access.base if request.access else None)
    as_of = as_of.astimezone(UTC) if as_of is not None else request.as_of
    now = datetime.now(UTC)
    with collection_paused():
        record = _record(request, site, now if as_of is None else None, fetch)
        answer = evaluate_record(record, site, as_of or now, request.hook_instance)
        return orjson.dumps({"cards": answer.cards})


def read_request(service: Service, body: bytes) -> HookRequest:
    """The request, checked against its service. Raises HookError (400) for what CDS Hooks does not allow."""
    try:
        members, prefetch = request_members(body)
    except Malformed as error:
        expression = [error.element] if error.element else []
        raise refused(400, str(error), *expression, code="structure") from error
    hook = _member(members, "hook", str)
    if hook != service.hook:
        raise refused(400, f"This service answers the hook {service.hook} only.", "hook", code="value")
    hook_instance = _member(members, "hookInstance", str)
    if not hook_instance.strip():
        raise refused(400, "hookInstance is empty.", "hookInstance", code="required")
    context = _member(members, "context", dict)
    for name in service.context:
        value = context.get(name)
        if not isinstance(value, str) or not value.strip():
            raise refused(400, f"context.{name} is required and is a text.", f"context.{name}", code="required")
    patient = context["patientId"].strip().removeprefix("Patient/")
    return HookRequest(
        hook_instance=hook_instance,
        patient=patient,
        prefetch={key: None if value == b"null" else value for key, value in prefetch.items()},
        access=fhir_access(members, patient),
        as_of=_as_of(members),
    )


def _record(request: HookRequest, site: Site, now: datetime | None, fetch: HookFetch | None) -> Record:
    """The patient's record; HookError if prefetch holds another patient (400) or no observations (412)."""
    from fhir_mappings import read_prefetch

    wanted = f"Patient/{request.patient}"
    settings = site.read_settings(now)
    reading = read_prefetch(request.prefetch, request.patient, settings)
    _require_patient(reading, wanted)
    reasons: dict[str, str] = {}
    if fetch is not None and request.access is not None:
        fetched = fetch(site, request.access, request.patient, request.prefetch, reading)
        if fetched is not None:
            reasons = fetched.reasons
            left = {key: value for key, value in request.prefetch.items() if key not in reading.missing}
            reading = read_prefetch({**left, **fetched.prefetch}, request.patient, settings, reasons)
            _require_patient(reading, wanted)
    missing = [key for key in reading.missing if key.startswith(ESSENTIAL)]
    if missing:
        said = "".join(f" {reasons[key]}." for key in missing if key in reasons)
        where = "" if said else " from prefetch"
        raise refused(
            412,
            f"Data without which nothing can be evaluated could not be read{where}: {', '.join(missing)}.{said}",
            *(f"prefetch.{key}" for key in missing),
        )
    return with_problems_of_none(reading.records[wanted], reading)


def _require_patient(reading: Reading, wanted: str) -> None:
    if reading.prefetch_patient not in (None, wanted):
        raise refused(
            400, "context.patientId names another patient than prefetch.patient.", "context.patientId", code="value"
        )


def _as_of(members: dict[str, bytes]) -> datetime | None:
    if not _is_given(members, "extension"):
        return None
    extension = _member(members, "extension", dict)
    if AS_OF_EXTENSION not in extension:
        return None
    element = f"extension['{AS_OF_EXTENSION}']"
    value = extension[AS_OF_EXTENSION]
    try:
        return instant(value if isinstance(value, str) else "")
    except ValueError as error:
        raise refused(400, f"{AS_OF_EXTENSION} is not usable: {error}.", element, code="value") from error


def _is_given(members: dict[str, bytes], name: str) -> bool:
    return members.get(name, b"null") != b"null"


def _member(members: dict[str, bytes], name: str, kind: type) -> Any:
    """One small member of the request, built; HookError (400) if it is absent or of another kind."""
    expected = "a text" if kind is str else "a JSON object"
    if not _is_given(members, name):
        raise refused(400, f"{name} is required and is {expected}.", name, code="required")
    try:
        value = json.loads(members[name], object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise refused(400, f"{name} is not valid JSON, or has a member twice.", name, code="structure") from error
    if not isinstance(value, kind):
        raise refused(400, f"{name} is {expected}.", name, code="structure")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands twice")
    return members
