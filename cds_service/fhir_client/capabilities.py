"""What a FHIR server says that it offers (CapabilityStatement): types of resource and search parameters."""

from __future__ import annotations

import time

import msgspec

from cds_service.fhir_client.client import FhirClient
from cds_service.fhir_client.pages import Unreadable

_REMEMBERED_SECONDS = 3600.0


class _SearchParam(msgspec.Struct, frozen=True, gc=False):
    name: str | None = None


class _Offered(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    type: str | None = None
    search_param: list[_SearchParam] | None = None


class _Rest(msgspec.Struct, frozen=True, gc=False):
    resource: list[_Offered] | None = None


class _Capabilities(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    resource_type: str | None = None
    rest: list[_Rest] | None = None


_REMEMBERED: dict[str, tuple[float, dict[str, frozenset[str]]]] = {}


def capabilities(client: FhirClient) -> dict[str, frozenset[str]] | None:
    """Types of resource and the search parameters that the server's CapabilityStatement offers for each.

    Remembered for an hour; None where it cannot be read.
    """
    remembered = _REMEMBERED.get(client.base)
    if remembered is not None and time.monotonic() - remembered[0] < _REMEMBERED_SECONDS:
        return remembered[1]
    try:
        statement = msgspec.json.decode(client.read("metadata"), type=_Capabilities)
    except (Unreadable, msgspec.DecodeError):
        return None
    if statement.resource_type != "CapabilityStatement":
        return None
    offered = {
        resource.type: frozenset(param.name for param in resource.search_param or () if param.name)
        for rest in statement.rest or ()
        for resource in rest.resource or ()
        if resource.type
    }
    _REMEMBERED[client.base] = (time.monotonic(), offered)
    return offered
