"""What a FHIR server says that it offers (CapabilityStatement): types of resource and search parameters."""

from __future__ import annotations

import time

import msgspec

from cds_service.fhir_client.client import FhirClient
from cds_service.fhir_client.pages import Unreadable

_REMEMBERED_SECONDS = 3600.0
#: Servers remembered at most, each with the names of these types only: whoever calls can name any server.
_MOST_REMEMBERED = 256
_ASKED_FOR = frozenset({"Patient", "Observation", "MedicationAdministration", "Medication", "Procedure", "Condition"})
#: Of a type, search parameters that are looked at, and signs of the name of one that is kept.
_MOST_NAMES, _LONGEST_NAME = 256, 64


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
        resource.type: frozenset(
            param.name
            for param in (resource.search_param or ())[:_MOST_NAMES]
            if param.name and len(param.name) <= _LONGEST_NAME
        )
        for rest in statement.rest or ()
        for resource in rest.resource or ()
        if resource.type in _ASKED_FOR
    }
    while len(_REMEMBERED) >= _MOST_REMEMBERED:
        _REMEMBERED.pop(next(iter(_REMEMBERED)), None)
    _REMEMBERED[client.base] = (time.monotonic(), offered)
    return offered
