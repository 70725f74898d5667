"""Whether a resource is what it says it is: fhir.resources as the judge.

The strict classes accept what is plainly valid; everything else is asked here. Two departures of real EHRs
from FHIR are tolerated, because the reading has a rule for each: white space around a status (Oracle
Health documentation of Observation), and a time without its zone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from fhir_mappings.fhir_types.json_text import decoded, first_repeated_key

JsonObject = dict[str, Any]

_TIME_WITHOUT_ZONE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?", re.ASCII)
_TIME_ELEMENTS = re.compile(r"(effective|performed|occurr?ence|deceased)(DateTime|Instant)|issued|recorded")
#: A string of nothing but unusual white space, or of nothing but escapes (which may be such).
_BLANK_STRING = re.compile(r'"(?:[^\S \r\n\t]|\\u[0-9a-fA-F]{4}|\\f)+"')
_PERIOD_ELEMENTS = re.compile(r"(effective|performed|occurr?ence)Period")


#: What is listed of a fault that costs nothing.
NOT_READ = "What is not read is not valid FHIR and costs nothing: {}"


class Refused(ValueError):
    """A resource that cannot be used; the text is one plain sentence, ``element`` where it went wrong."""

    def __init__(self, message: str, element: str = "") -> None:
        super().__init__(message)
        self.element = element


def is_told_completely(raw: bytes, encoded: bytes) -> bool:
    """Whether a typed decode, encoded again without defaults, holds as many strings as the text: then no
    key occurs twice, and no string is without a visible character."""
    return raw.count(b'"') == encoded.count(b'"') and b"\\" not in raw and raw.isascii()


def has_visible_strings(raw: bytes) -> bool:
    """Whether certainly no string consists of unusual white space alone, which FHIR does not allow.

    Plain ASCII without a backslash cannot hold such white space.
    """
    return (raw.isascii() and b"\\" not in raw) or not _BLANK_STRING.search(raw.decode())


class Fault(NamedTuple):
    """A complaint of fhir.resources: the element, and one plain sentence."""

    element: str
    message: str


def faults_of(release: str, resource_type: str, document: JsonObject) -> list[Fault]:
    """All that the model of a release ("R4B", which is R4 for every type that is read here, or "R5") finds
    wrong, the two tolerated departures from FHIR aside."""
    import fhir.resources
    import fhir.resources.R4B
    from pydantic import ValidationError

    models = fhir.resources.R4B if release == "R4B" else fhir.resources
    try:
        models.get_fhir_model_class(resource_type).model_validate(tolerated(document))
    except ValidationError as error:
        places = [(".".join(map(str, each["loc"])), each["msg"]) for each in error.errors(include_url=False)]
        return [Fault(place, f"{place or 'resource'}: {text}.") for place, text in dict(places).items()]
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError, ImportError) as error:
        return [Fault("", f"it cannot be judged ({type(error).__name__}).")]
    return []


def all_faults(raw: bytes) -> list[Fault]:
    """Everything that is wrong with a resource as a whole; none if either release accepts it."""
    try:
        document = decoded(raw)
        repeated = first_repeated_key(document)
    except ValueError as error:
        return [Fault("", f"it is not valid JSON: {error}.")]
    if repeated is not None:
        return [Fault(repeated, f'the element "{repeated}" occurs twice in one object.')]
    resource_type = str(document.get("resourceType"))
    found = faults_of("R4B", resource_type, document)
    return found if found and faults_of("R5", resource_type, document) else []


def load_models(resource_types: Iterable[str]) -> None:
    """Loads the models that judge these types, about a third of a second, so that no live call waits for them."""
    for resource_type in resource_types:
        for release in ("R4B", "R5"):
            faults_of(release, resource_type, {})


def tolerated(document: JsonObject) -> JsonObject:
    """The resource without the two tolerated departures from FHIR."""
    kept = dict(document)
    meta = kept.get("meta")
    if isinstance(meta, dict) and "lastUpdated" in meta:
        kept["meta"] = {**meta, "lastUpdated": _with_zone(meta["lastUpdated"])}
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
