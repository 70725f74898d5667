"""A CDS Hooks call, from request body to response body: everything but HTTP and trust; fetching is handed in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import orjson

from cds_service.evaluation import collection_paused, evaluate_record, with_problems_of_none
from cds_service.hooks.access import HookFetch
from cds_service.hooks.errors import HookError, refused
from cds_service.hooks.request import HookRequest, read_request
from cds_service.hooks.services import SERVICES
from cds_service.site.site import Site, bundled_site

if TYPE_CHECKING:
    from fhir_mappings import Reading
    from icans import Record

__all__ = ["HookError", "answer_hook", "handle_hook"]

#: The prefetch key without which nothing can be evaluated, and its continuations (observations2, ...).
ESSENTIAL = "observations"


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
