"""The JSON Schema of what each type of finding states, made from its class (``icans.FINDING_TYPES``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from icans import FINDING_TYPES, OneOf, Range, published_name

Schema = dict[str, Any]
_PLAIN: dict[object, Schema] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    Decimal: {"type": "number"},
    str: {"type": "string"},
    datetime: {"$ref": "#/$defs/time"},
    NoneType: {"type": "null"},
}


def fact_schemas(*, complete: bool) -> list[Schema]:
    """One conditional schema a type of finding, for ``allOf``.

    complete: which facts must be there (``evaluate`` and ``replay``); else what each may be (hook responses leave out
    members that are null or empty).
    """
    return [
        {
            "if": {"properties": {"type": {"const": name}}},
            "then": {"properties": {"facts": _required(row.facts) if complete else _object(row.facts)}},
        }
        for name, row in FINDING_TYPES.items()
    ]


def _required(stated: type) -> Schema:
    return {"required": [published_name(member.name) for member in fields(stated) if not member.metadata]}


def _object(stated: type) -> Schema:
    hints = get_type_hints(stated, include_extras=True)
    return {"properties": {published_name(member.name): _value(hints[member.name]) for member in fields(stated)}}


def _value(hint: Any) -> Schema:
    """The schema of one type. Raises TypeError for a type that no fact has yet."""
    if hint in _PLAIN:
        return _PLAIN[hint]
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _narrowed(*parts)
    if origin in (Union, UnionType):
        return {"anyOf": [_value(part) for part in parts]}
    if origin is tuple:
        return {"type": "array", "items": _value(parts[0])}
    if origin is Mapping:
        return {"type": "object", "additionalProperties": _value(parts[1])}
    if is_dataclass(hint) and isinstance(hint, type):
        return {"type": "object", **_object(hint)}  # hook responses leave out what is empty, at any depth
    raise TypeError(f"no schema for {hint!r}")


def _narrowed(hint: Any, limit: Range | OneOf) -> Schema:
    if isinstance(limit, OneOf):
        return {"enum": list(limit.codes)}
    upper = {} if limit.high is None else {"maximum": limit.high}
    return {**_value(hint), "minimum": limit.low, **upper}
