"""JSON Schemas of the published outputs, from ``schema_files/*.json``; each is complete in itself.

What a finding states is not in the files: ``fact_schemas`` makes it from the classes in icans/facts.py.
"""

from __future__ import annotations

import json
import pkgutil
from functools import cache
from typing import Any

from cds_service.published.fact_schemas import fact_schemas

SCHEMA_NAMES = ("evaluate", "replay", "alert", "card", "hook-response")
#: The schemas each refers to: carried along in its ``$defs``, so that a reader needs one document.
_PARTS = {
    "evaluate": ("alert", "card"),
    "replay": ("alert", "card"),
    "card": ("alert",),
    "hook-response": ("alert", "card"),
}


@cache
def schema(name: str) -> dict[str, Any]:
    """One schema (JSON Schema 2020-12) with those it refers to. Raises KeyError for a name not in SCHEMA_NAMES."""
    if name not in SCHEMA_NAMES:
        raise KeyError(name)
    document = _file(name)
    parts = {f"{part}.json": _file(part) for part in _PARTS.get(name, ())}
    return {**document, "$defs": {**document.get("$defs", {}), **parts}} if parts else document


def _file(name: str) -> dict[str, Any]:
    data = pkgutil.get_data("cds_service.published", f"schema_files/{name}.json")
    if data is None:
        raise FileNotFoundError(f"schema {name} is missing from this installation")
    document: dict[str, Any] = json.loads(data)
    if name == "alert":
        document["allOf"] = fact_schemas(complete=False)
        document["$defs"]["complete"]["allOf"] = fact_schemas(complete=True)
    return document
