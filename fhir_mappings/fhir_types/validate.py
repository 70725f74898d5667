"""Whether a resource is what it says it is: no key twice, and fhir.resources as the judge.

The lean classes accept what is plainly valid; everything else is asked here. Two departures of real EHRs
from FHIR are tolerated, because the reading has a rule for each: white space around a status (Oracle
Health documentation of Observation), and a time without its zone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

import orjson

JsonObject = dict[str, Any]

_TIME_WITHOUT_ZONE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?", re.ASCII)
_TIME_ELEMENTS = re.compile(r"(effective|performed|occurr?ence|deceased)(DateTime|Instant)|issued|recorded")
#: A string of nothing but unusual white space, or of nothing but escapes (which may be such).
_BLANK_STRING = re.compile(r'"(?:[^\S \r\n\t]|\\u[0-9a-fA-F]{4}|\\f)+"')
_PERIOD_ELEMENTS = re.compile(r"(effective|performed|occurr?ence)Period")


class Refused(ValueError):
    """A resource that cannot be used; the text is one plain sentence, ``element`` where it went wrong."""

    def __init__(self, message: str, element: str = "") -> None:
        super().__init__(message)
        self.element = element


def refuse_repeated_keys(raw: bytes) -> None:
    """Raises Refused if any object of the text names a key twice: which one is meant is not guessed.

    Without a backslash every string has two quotation marks, so a decode that keeps one of two equal keys
    loses some; only then, or with a backslash, is it checked object by object.
    """
    if b"\\" in raw or raw.count(b'"') != orjson.dumps(_decode(raw)).count(b'"'):
        decode_checked(raw)


def is_told_completely(raw: bytes, encoded: bytes) -> bool:
    """Whether a typed decode, encoded again without defaults, holds as many strings as the text: then no
    key stands twice, and no string is without a visible character."""
    return raw.count(b'"') == encoded.count(b'"') and b"\\" not in raw and raw.isascii()


def has_visible_strings(raw: bytes) -> bool:
    """Whether certainly no string consists of unusual white space alone, which FHIR does not allow.

    Plain ASCII without a backslash cannot hold such white space.
    """
    return (raw.isascii() and b"\\" not in raw) or not _BLANK_STRING.search(raw.decode())


def decode_checked(raw: bytes) -> JsonObject:
    """The resource as a dictionary; raises Refused for a key that stands twice."""
    _decode(raw)
    try:
        document = json.loads(raw, object_pairs_hook=_object, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        if isinstance(error, Refused):
            raise
        raise Refused(f"The resource is not valid JSON: {error}.") from error
    if not isinstance(document, dict):
        raise Refused("The resource is not a JSON object.")
    return document


def judge(raw: bytes) -> None:
    """Raises Refused with the message of fhir.resources if neither its R4B nor its R5 model accepts.

    R4B is R4 for every resource type that is read here.
    """
    document = tolerated(decode_checked(raw))
    resource_type = str(document.get("resourceType"))
    verdict = _verdict("R4B", resource_type, document)
    if verdict is not None and _verdict("R5", resource_type, document) is not None:
        element, message = verdict
        raise Refused(message, element)


def load_models(resource_types: Iterable[str]) -> None:
    """Loads the models that judge these types, about a third of a second, so that no live call waits for them."""
    for resource_type in resource_types:
        for release in ("R4B", "R5"):
            _verdict(release, resource_type, {})


def tolerated(document: JsonObject) -> JsonObject:
    """The resource without the two tolerated departures from FHIR."""
    kept = dict(document)
    if isinstance(kept.get("status"), str):
        kept["status"] = kept["status"].strip()
    for name, value in document.items():
        if _TIME_ELEMENTS.fullmatch(name):
            kept[name] = _with_zone(value)
        elif _PERIOD_ELEMENTS.fullmatch(name) and isinstance(value, dict):
            ends = {end: _with_zone(value[end]) for end in ("start", "end") if end in value}
            kept[name] = {**value, **ends}
    return kept


def _with_zone(value: object) -> object:
    return f"{value}Z" if isinstance(value, str) and _TIME_WITHOUT_ZONE.fullmatch(value) else value


def _decode(raw: bytes) -> object:
    try:
        return orjson.loads(raw)
    except ValueError as error:
        raise Refused(f"The resource is not valid JSON: {error}.") from error


def _object(pairs: list[tuple[str, Any]]) -> JsonObject:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for index, key in enumerate(keys) if key in keys[:index])
        message = f'The element "{repeated}" stands twice in one object; which one is meant is not guessed.'
        raise Refused(message, repeated)
    return found


def _no_constant(text: str) -> None:
    raise Refused(f"The resource is not valid JSON: {text} is no JSON number.")


def _verdict(release: str, resource_type: str, document: JsonObject) -> tuple[str, str] | None:
    """Element and sentence of the first complaint of fhir.resources, None if it accepts."""
    import fhir.resources
    import fhir.resources.R4B
    from pydantic import ValidationError

    models = fhir.resources.R4B if release == "R4B" else fhir.resources
    try:
        models.get_fhir_model_class(resource_type).model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        element = ".".join(str(part) for part in first["loc"])
        return element, f"It is not a valid {resource_type}: {element or 'resource'}: {first['msg']}."
    except (
        KeyError,
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
        RecursionError,
        ImportError,
    ) as error:
        return "", f"It is not a valid {resource_type} ({type(error).__name__})."
    return None
