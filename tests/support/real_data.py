"""The folder of public FHIR data that the tests may be given, and the resources in it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

FOLDER = os.environ.get("ICANS_CDS_REALDATA", "")
needs_real_data = pytest.mark.skipif(not FOLDER, reason="ICANS_CDS_REALDATA names no folder of public FHIR data")


@cache
def documents() -> tuple[tuple[str, bytes], ...]:
    """Every JSON file, and the FHIR document inside those that are wrappers around one."""
    found = []
    for path in sorted(Path(FOLDER).rglob("*.json")) + sorted(Path(FOLDER).rglob("*.ndjson")):
        name, data = str(path.relative_to(FOLDER)), path.read_bytes()
        found.append((name, data))
        body = _body(data)
        if body is not None:
            found.append((f"{name}#body", json.dumps(body).encode()))
    return tuple(found)


def resources(*types: str) -> Iterator[dict[str, Any]]:
    """Every resource of these types, wherever it is."""
    for name, data in documents():
        if not name.endswith(".ndjson"):
            yield from _resources(json.loads(data), types)


def _body(data: bytes) -> object:
    try:
        document = json.loads(data)
    except ValueError:
        return None
    return document.get("body") if isinstance(document, dict) else None


def _resources(value: object, types: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if value.get("resourceType") in types:
            yield value
        for inner in value.values():
            yield from _resources(inner, types)
    elif isinstance(value, list):
        for inner in value:
            yield from _resources(inner, types)
