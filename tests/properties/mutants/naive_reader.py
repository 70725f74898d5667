"""A second, small and slow reading of one resource as parsed JSON: which entries could be read out of it at all.

It shares no code with the reading. It knows nothing of validity, only what would be a wrong value: an entry whose
number, unit, code, drug or time is not in the resource as charted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

BASE = "https://icans-cds.org/fhir/CodeSystem/"
ASSESSMENT, FINDING, NOT_ASSESSED = BASE + "icans-assessment", BASE + "icans-finding", BASE + "icans-not-assessed"
SCORE = BASE + "icans-score"
UCUM, RXNORM, SNOMED = (
    "http://unitsofmeasure.org",
    "http://www.nlm.nih.gov/research/umls/rxnorm",
    "http://snomed.info/sct",
)
#: What the standard codes of the samples mean.
MEANS = {("http://loinc.org", "9267-6"): "gcs-eye", (SNOMED, "1345050000"): "rass"}
DRUGS = {"3264": "dexamethasone", "6902": "methylprednisolone"}
ROUTES = {"47625008": "systemic", "26643006": "systemic"}
GIVEN = {"completed", "in-progress", "stopped"}
USED = {"final", "amended", "corrected", "completed"}
MILLIGRAMS = {"mg": Decimal(1), "g": Decimal(1000), "ug": Decimal("0.001"), "kg": Decimal(10**6), "ng": Decimal("1e-6")}
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)?)?", re.ASCII)
_NUMBER = re.compile(r"\s*[+-]?\d+(\.\d+)?([eE][+-]?\d{1,3})?\s*", re.ASCII)


def instants(value: Any) -> Iterator[datetime]:
    """Every instant that a text under a time element represents."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from instants(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from instants(inner)
    elif isinstance(value, str) and (found := _TIME.fullmatch(value)):
        try:
            day = date.fromisoformat(found[1])
            if found[2] is None or found[4] is None:
                yield datetime.combine(day + timedelta(days=1), time(), UTC)
            else:
                moment = datetime.fromisoformat(f"{found[1]}T{found[2]}{found[4]}".replace("Z", "+00:00"))
                fraction = Decimal(f"0.{(found[3] or '0')[:6]}")
                yield moment.astimezone(UTC) + timedelta(microseconds=int(fraction * 1_000_000))
        except (ValueError, OverflowError):
            return


def times(resource: dict[str, Any]) -> set[datetime]:
    names = ("effective", "performed", "occurrence", "occurence", "authored")
    return {found for name, value in resource.items() if name.startswith(names) for found in instants(value)}


def number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        return None
    try:
        return Decimal(value.strip() if isinstance(value, str) else value)
    except InvalidOperation:
        return None


def pairs(concept: Any) -> set[tuple[str, str]]:
    """System and code of the codings of a concept."""
    codings = concept.get("coding") if isinstance(concept, dict) else None
    found = [coding for coding in codings if isinstance(coding, dict)] if isinstance(codings, list) else []
    texts = [(coding.get("system"), coding.get("code")) for coding in found]
    return {(s, c.strip()) for s, c in texts if isinstance(s, str) and isinstance(c, str) and c.strip()}


def assessments(concept: Any) -> set[str]:
    found = {code for system, code in pairs(concept) if system == ASSESSMENT}
    return found | {MEANS[pair] for pair in pairs(concept) if pair in MEANS}


def scores(valued: dict[str, Any]) -> Iterator[tuple[int, int]]:
    """Lowest and highest score that a value could be read as."""
    for name in ("valueInteger", "valueString", "valueDecimal"):
        yield from _integer(number(valued.get(name)))
    yield from _integer(_unitless(valued.get("valueQuantity")))
    coded = valued.get("valueCodeableConcept")
    for concept in (coded, {"coding": [valued.get("valueCoding")]}):
        for system, code in pairs(concept):
            if system == SCORE:
                yield from _integer(number(code))
    bounds = valued.get("valueRange")
    if isinstance(bounds, dict):
        low = Decimal(0) if _is_open(bounds.get("low")) else _unitless(bounds["low"])
        high = Decimal(10) if _is_open(bounds.get("high")) else _unitless(bounds["high"])
        if low is not None and high is not None and low == int(low) and high == int(high):
            yield int(low), int(high)


def _integer(value: Decimal | None) -> Iterator[tuple[int, int]]:
    if value is not None and abs(value) < 100 and value == int(value):
        yield int(value), int(value)


def _is_open(end: Any) -> bool:
    """Whether an end of a range is not there, or nothing that can be read is: then it is open."""
    return not isinstance(end, dict) or number(end.get("value")) is None


def _text(value: Any) -> str | None:
    """A text with something visible; what is none is as if it were not there."""
    return value if isinstance(value, str) and any(sign.isprintable() and sign != " " for sign in value) else None


def _unitless(quantity: Any) -> Decimal | None:
    if not isinstance(quantity, dict) or _text(quantity.get("comparator")) is not None:
        return None
    unit = _text(quantity.get("code")) or _text(quantity.get("unit"))
    if unit is not None and unit.strip() not in ("1", "{score}", "{scale}", "{points}"):
        return None
    return number(quantity.get("value"))


def answers(valued: dict[str, Any]) -> set[str]:
    found = pairs(valued.get("valueCodeableConcept")) | pairs({"coding": [valued.get("valueCoding")]})
    return {code for system, code in found if system in (FINDING, NOT_ASSESSED)} | {
        code for system, code in pairs(valued.get("dataAbsentReason")) if system == NOT_ASSESSED
    }


def charted(resource: dict[str, Any]) -> Iterator[tuple[set[str], dict[str, Any]]]:
    """What each part of an Observation or a QuestionnaireResponse answers, and with what."""
    yield assessments(resource.get("code")), resource
    for component in _objects(resource.get("component")):
        yield assessments(component.get("code")), component
    yield from _items(resource)


def _items(holder: dict[str, Any]) -> Iterator[tuple[set[str], dict[str, Any]]]:
    for item in _objects(holder.get("item")):
        link = item.get("linkId")
        asked = {link.split(".")[0]} if isinstance(link, str) else set()
        for answer in _objects(item.get("answer")):
            yield asked, answer
            yield from _items(answer)
        yield from _items(item)


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def milligrams(quantity: Any) -> set[Decimal]:
    """The masses that a quantity could be read as: by its code, else by its unit, never where they contradict."""
    if not isinstance(quantity, dict) or _text(quantity.get("comparator")) is not None:
        return set()
    value, code, unit = number(quantity.get("value")), _text(quantity.get("code")), _text(quantity.get("unit"))
    by_code = _factor(code, quantity.get("system") == UCUM) if code is not None else None
    by_unit = _factor(unit, False) if unit is not None else None
    if value is None or (code is not None and quantity.get("system") == UCUM and by_code is None):
        return set()
    factors = {factor for factor in (by_code, by_unit) if factor is not None}
    return {value * factors.pop()} if len(factors) == 1 else set()


def _factor(label: Any, is_ucum: bool) -> Decimal | None:
    if not isinstance(label, str):
        return None
    plain = label if is_ucum else label.strip().replace("\u00b5", "u").replace("\u03bc", "u").lower()
    listed = {
        "milligrams": "mg",
        "milligram": "mg",
        "gram": "g",
        "grams": "g",
        "gm": "g",
        "mcg": "ug",
        "microgram": "ug",
    }
    return MILLIGRAMS.get(plain if is_ucum else listed.get(plain, plain))
