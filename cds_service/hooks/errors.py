"""Errors of the HTTP door as FHIR OperationOutcome: one plain sentence, never anything of the patient's."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

MEDIA_TYPE = "application/fhir+json"

#: FHIR issue type (http://hl7.org/fhir/issue-type) of each status answered.
ISSUE_TYPE = {
    400: "invalid",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    408: "timeout",
    412: "required",
    413: "too-long",
    414: "too-long",
    415: "not-supported",
    429: "throttled",
    431: "too-long",
    500: "exception",
    501: "not-supported",
    503: "transient",
}


def operation_outcome(status: int, diagnostics: str, expression: Sequence[str] = (), code: str = "") -> bytes:
    """An OperationOutcome with one error, as JSON bytes.

    expression: the elements concerned, such as ``prefetch.observations``. code: the FHIR issue type, where the
    one that goes with ``status`` is not the right one.
    """
    issue: dict[str, object] = {
        "severity": "fatal" if status == 500 else "error",
        "code": code or ISSUE_TYPE.get(status, "processing"),
        "diagnostics": diagnostics,
    }
    if expression:
        issue["expression"] = list(expression)
    return orjson.dumps({"resourceType": "OperationOutcome", "issue": [issue]})


class HookError(Exception):
    """A hook call that is answered with a 4xx: ``status``, and ``body``, an OperationOutcome as JSON bytes."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"hook call answered with status {status}")
        self.status = status
        self.body = body


def refused(status: int, diagnostics: str, *expression: str, code: str = "") -> HookError:
    """The HookError for ``status`` with its OperationOutcome."""
    return HookError(status, operation_outcome(status, diagnostics, expression, code))
