"""The body of a CDS Hooks call as far as this project uses it, checked against its service.

The body is scanned, not built: ``prefetch`` values stay raw bytes for fhir_mappings, which reads only what
matters; the rest of the request is small. Duplicate members are refused, not guessed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cds_service.hooks.access import FhirAccess, fhir_access
from cds_service.hooks.errors import refused
from cds_service.hooks.members import request_members
from cds_service.hooks.services import Service
from cds_service.instants import instant
from cds_service.json_members import Malformed

AS_OF_EXTENSION = "org.icans-cds.asOf"


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
        raise ValueError("a member occurs twice")
    return members
