"""Looking into prefetch values, given or fetched, as far as fetching needs: further pages, and Medications that
administrations refer to."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from cds_service.fhir_client.pages import is_next

Prefetch = Mapping[str, bytes | None]

#: The word itself, before anything is decoded.
_NEXT = re.compile(rb"next", re.IGNORECASE)
_MEDICATION = re.compile(r"(?:^|/)(Medication/(?=[\-.]*[A-Za-z0-9])[A-Za-z0-9\-.]{1,64})(?:/_history/[^/]+)?$")


class _Linked(msgspec.Struct, frozen=True, gc=False):
    relation: str | None = None


class _Whole(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    resource_type: str | None = None
    link: list[_Linked] | None = None
    entry: list[msgspec.Raw] | None = None


class _Reference(msgspec.Struct, frozen=True, gc=False):
    reference: str | None = None


class _Referring(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    resource_type: str | None = None
    id: str | None = None
    medication_reference: _Reference | None = None
    medication: msgspec.Raw | None = None


class _ReferringEntry(msgspec.Struct, frozen=True, gc=False):
    resource: _Referring | None = None


class _Medication5(msgspec.Struct, frozen=True, gc=False):
    reference: _Reference | None = None


def goes_on(value: bytes | None) -> bool:
    """Whether a prefetch value is a Bundle with a further page."""
    if value is None or not _NEXT.search(value):
        return False
    try:
        page = msgspec.json.decode(value, type=_Whole)
    except (msgspec.DecodeError, RecursionError):
        return False
    return page.resource_type == "Bundle" and any(is_next(link.relation) for link in page.link or ())


def lacks_medications(prefetch: Prefetch, base: str) -> bool:
    """Whether administrations of a prefetch refer to Medications of this server that it does not hold."""
    return bool(medications_wanted(prefetch, base.rstrip("/") + "/"))


def medications_wanted(prefetch: Prefetch, base: str) -> list[str]:
    """``Medication/ID`` of each Medication that an administration refers to and that is not there, in order."""
    wanted: dict[str, None] = {}
    held: set[str] = set()
    for key, value in prefetch.items():
        if value is None or not key.startswith("medication") or b'"Medication' not in value:
            continue
        for raw in entries_of(value):
            try:
                resource = msgspec.json.decode(raw, type=_ReferringEntry).resource
            except (msgspec.DecodeError, RecursionError):
                continue
            if resource is None:
                continue
            if resource.resource_type == "Medication" and resource.id:
                held.add(f"Medication/{resource.id}")
            reference = _reference(resource)
            if reference is not None and ("://" not in reference or reference.startswith(base)):
                named = _MEDICATION.search(reference)
                if named is not None:
                    wanted[named[1]] = None
    return [reference for reference in wanted if reference not in held]


def _reference(resource: _Referring) -> str | None:
    if resource.medication_reference is not None:
        return resource.medication_reference.reference
    if resource.medication is None:
        return None
    try:
        found = msgspec.json.decode(resource.medication, type=_Medication5).reference
    except (msgspec.DecodeError, RecursionError):
        return None
    return found.reference if found is not None else None


def entries_of(value: bytes) -> list[bytes]:
    """The entries of a Bundle, each as JSON; none of what is no Bundle."""
    try:
        return [bytes(raw) for raw in msgspec.json.decode(value, type=_Whole).entry or ()]
    except (msgspec.DecodeError, RecursionError):
        return []
