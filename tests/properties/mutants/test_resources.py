"""Mutated resources: never a traceback, never a value that is not there, never a silent loss.

Resources of every kind that is read are changed in types, units, times, nesting, unicode and numbers, and read
many at a time. Whatever is read out of a mutant must be in it, as a small second reading sees it; a mutant out
of which nothing is read says why, unless what was changed made it something else.
"""

from __future__ import annotations

import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import pytest

from fhir_mappings import NotFhir, ReadSettings, Source, load_terminology, read
from fhir_mappings.mapping_check.check import MappingCheck
from fhir_mappings.mapping_check.report import VERDICTS
from fhir_mappings.mapping_check.template import mapping_template
from icans.record import (
    Capd,
    Consciousness,
    DocumentedGrade,
    Dose,
    Entry,
    GcsEye,
    IceItem,
    IceTotal,
    IcpEdema,
    Infusion,
    Motor,
    NotAssessed,
    Problem,
    Rass,
    Seizure,
)
from tests.properties.mutants import naive_reader as tiny
from tests.support.builders import (
    GCS_EYE,
    NOT_ASSESSED,
    RASS,
    SNOMED,
    UCUM,
    concept,
    consciousness,
    documented,
    ice,
    ice_items,
    icp_edema,
    infusion,
    motor,
    not_assessed,
    observation,
    on_day,
    seizure,
    steroid,
)
from tests.support.mutations import damaged, doubled_keys, mutants

Json = dict[str, Any]
TIME = on_day(5)
SCORED = {"value": 6, "unit": "{score}", "system": UCUM, "code": "{score}"}
STEROID = steroid(TIME, "dexamethasone", "10")
R5 = {name: value for name, value in STEROID.items() if name not in ("medicationCodeableConcept", "effectiveDateTime")}
SAMPLES: list[Json] = [
    ice(TIME, 5, issued=TIME),
    ice(TIME, "7"),
    ice(TIME, 2, 4),
    observation(
        TIME, ("https://icans-cds.org/fhir/CodeSystem/icans-assessment", "capd-total"), {"valueQuantity": SCORED}
    ),
    ice_items(TIME, {"orientation": 4, "naming": 2, "writing": "literacy"}),
    consciousness(TIME, "awakens-to-voice"),
    seizure(TIME, "unspecified", 600),
    motor(TIME, "tremor", other_cause=True),
    icp_edema(TIME, "focal-edema"),
    documented(TIME, 2, version="1", updated=TIME),
    not_assessed(TIME, "ice-total", "sedated"),
    observation(TIME, GCS_EYE, {"valueQuantity": {"value": 3}}),
    observation(TIME, RASS, {"valueInteger": -2}),
    infusion(TIME),
    STEROID,
    steroid(TIME, "methylprednisolone", "62.5", "PO", end=on_day(5, "12:00")),
    {**R5, "medication": {"concept": STEROID["medicationCodeableConcept"]}, "occurenceDateTime": TIME},
    {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "subject": STEROID["subject"],
        "authored": TIME,
        "item": [
            {"linkId": "ice-total", "answer": [{"valueInteger": 5}]},
            {"linkId": "motor", "answer": [{"valueCoding": concept(tiny.FINDING, "tremor")["coding"][0]}]},
        ],
    },
]
#: Changes that real charts hold: units, numbers at an edge, times, signs that look alike.
UNITS = ("mg", "MG", "g", "ug", "\u00b5g", "\u03bcg", "mcg", "mg/kg", "mL", "ml", "TAB", "mgmg", "___", "min", "%", "")
NUMBERS = (0, 1, 5, 10, 10.0, 9.999, 0.1, -5, 1e-30, 1e300, 2**63, 10**40, "5", "5 ", "\u0665", "1e1", True, None, [5])
TIMES = (TIME, "2026-03-06", "2026-03", "2026", "2026-03-06T08:00:00", "2026-03-06T08:00:00-05:00", "2026-02-30")
ODD_TIMES = ("2026-03-06T24:00:00Z", "2026-03-06T08:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31", "now", 20260306)
TEXTS = ("final ", " final", "\u0000", "\ud83d\ude00", "a\u0301", "\u202e5", "Z" * 2000)
COUNT = 30_000
BATCH = 400
_NUMBERED = re.compile(r"m(\d+)$|entry\[(\d+)\]")


def edited(sample: Json, rng: random.Random) -> Json:
    """A copy with one number, unit, time or text replaced by one that charts hold, wherever it is."""
    mutant: Json = json.loads(json.dumps(sample))
    places = list(_leaves(mutant))
    holder, name = rng.choice(places)
    if name in ("value", "valueInteger", "valueString"):
        holder[name] = rng.choice(NUMBERS)
    elif name in ("unit", "code"):
        holder[name] = rng.choice(UNITS)
    elif "DateTime" in name or name in ("start", "end", "issued", "authored", "lastUpdated"):
        holder[name] = rng.choice(TIMES + ODD_TIMES)
    else:
        holder[name] = rng.choice(TEXTS)
    return mutant


def _leaves(value: Any) -> Iterator[tuple[Any, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if isinstance(inner, dict | list):
                yield from _leaves(inner)
            else:
                yield value, name
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)


def batches(count: int) -> Iterator[list[Json]]:
    """Mutants of all samples, half of them changed anywhere, half where charts differ."""
    rng = random.Random(20)
    each = count // len(SAMPLES) + 1
    found: list[Json] = []
    for seed, sample in enumerate(SAMPLES):
        anywhere = mutants(sample, each // 2, seed)
        found += [mutant for mutant in anywhere if isinstance(mutant, dict)]
        found += [edited(sample, rng) for _ in range(each - each // 2)]
    rng.shuffle(found)
    for start in range(0, len(found), BATCH):
        yield found[start : start + BATCH]


def read_all(texts: Sequence[str]) -> tuple[dict[int, list[Entry]], dict[int, list[Problem]]]:
    """Entries and problems of each of many resources, all in one Bundle."""
    body = ",".join(f'{{"fullUrl":"urn:x:m{number}","resource":{text}}}' for number, text in enumerate(texts))
    data = f'{{"resourceType":"Bundle","type":"collection","entry":[{body}]}}'.encode("utf-8", "surrogatepass")
    reading = read([Source("mutants.json", data)], ReadSettings(load_terminology()))
    entries: dict[int, list[Entry]] = defaultdict(list)
    problems: dict[int, list[Problem]] = defaultdict(list)
    for record in reading.records.values():
        groups = (record.observed, record.infusions, record.doses, record.sedatives, record.escalations)
        for entry in (entry for group in groups for entry in group):
            entries[_number(entry.reference)].append(entry)
    for problem in [*reading.problems, *(p for r in reading.records.values() for p in r.problems)]:
        problems[_number(problem.reference or problem.element)].append(problem)
    return entries, problems


def _number(name: str) -> int:
    found = _NUMBERED.search(name)
    assert found is not None, name
    return int(found[1] or found[2])


def justified(entry: Entry, resource: Json) -> bool:
    """Whether an entry is in the resource as charted."""
    if entry.at not in tiny.times(resource):
        return False
    status = str(resource.get("status")).strip()
    if isinstance(entry, Infusion):
        return status in ("completed", "in-progress") and "car-t-infusion" in tiny.assessments(resource.get("code"))
    if isinstance(entry, Dose):
        return status in tiny.GIVEN and _dose_is_justified(entry, resource)
    parts = list(tiny.charted(resource))
    return status in tiny.USED and any(_value_is_justified(entry, asked, valued) for asked, valued in parts)


def _value_is_justified(entry: Entry, asked: set[str], valued: Json) -> bool:
    found = set(tiny.scores(valued))
    if isinstance(entry, IceTotal):
        return "ice-total" in asked and (entry.low, entry.high) in found
    for kind, code, name in (
        (Capd, "capd-total", "total"),
        (GcsEye, "gcs-eye", "score"),
        (Rass, "rass", "score"),
        (DocumentedGrade, "documented-icans-grade", "grade"),
    ):
        if isinstance(entry, kind):
            points = getattr(entry, name)
            return code in asked and (points, points) in found
    if isinstance(entry, IceItem):
        return f"ice-{entry.item}" in asked and (entry.points, entry.points) in found
    if isinstance(entry, NotAssessed):
        tool = {"ice": "ice-total", "capd": "capd-total"}.get(entry.tool, entry.tool)
        return bool(asked & {tool, f"ice-{tool}"}) and entry.reason in tiny.answers(valued)
    for kind, code, name in (
        (Consciousness, "consciousness", "level"),
        (Seizure, "seizure", "finding"),
        (Motor, "motor", "finding"),
        (IcpEdema, "icp-edema", "finding"),
    ):
        if isinstance(entry, kind):
            return code in asked and getattr(entry, name) in tiny.answers(valued)
    return False


def _dose_is_justified(dose: Dose, resource: Json) -> bool:
    drug = resource.get("medicationCodeableConcept")
    if isinstance(resource.get("medication"), dict):
        drug = resource["medication"].get("concept")
    text = json.dumps(drug, default=str).lower()
    if dose.drug not in {tiny.DRUGS.get(code) for _, code in tiny.pairs(drug)} and dose.drug not in text:
        return False
    dosage = resource.get("dosage") if isinstance(resource.get("dosage"), dict) else {}
    masses = tiny.milligrams(dosage.get("dose"))
    routes = {tiny.ROUTES.get(code) for _, code in tiny.pairs(dosage.get("route"))}
    if dose.route not in (*routes, "unknown"):
        return False
    unknown = dose.upper_mg is None and dose.lower_mg == 0
    return unknown or (dose.upper_mg in masses and dose.lower_mg in (*masses, Decimal(0)))


def silence_is_right(resource: Json) -> bool:
    """Whether nothing needs to be reported of a resource out of which nothing is read."""
    kind = resource.get("resourceType")
    if kind not in ("Observation", "Procedure", "MedicationAdministration", "QuestionnaireResponse"):
        return True
    if kind == "MedicationAdministration":
        drug = resource.get("medicationCodeableConcept") or (resource.get("medication") or {})
        drug = drug.get("concept", drug) if isinstance(drug, dict) else drug
        named = {tiny.DRUGS.get(code) for system, code in tiny.pairs(drug) if system == tiny.RXNORM} - {None}
        texts = json.dumps(drug, default=str)
        return not named and not any(name in texts for name in tiny.DRUGS.values())
    if kind == "Procedure":
        return "car-t-infusion" not in tiny.assessments(resource.get("code"))
    read = {"attribution", "seizure-duration"}
    for asked, valued in tiny.charted(resource):
        told = any(name.startswith("value") for name in valued) or _has_reason(valued)
        if asked - read and not _is_absent(valued) and told:
            return asked - read <= {"documented-crs-grade"} or not asked - read & KNOWN
    return True


KNOWN = {f"ice-{item}" for item in ("total", "orientation", "naming", "writing")} | {
    "capd-total", "consciousness", "seizure", "motor", "icp-edema", "documented-icans-grade", "gcs-eye", "rass",
}  # fmt: skip


def _has_reason(valued: Json) -> bool:
    return bool(tiny.pairs(valued.get("dataAbsentReason")))


def _is_absent(valued: Json) -> bool:
    reason = valued.get("dataAbsentReason")
    return any("data-absent-reason" in system for system, _ in tiny.pairs(reason))


def numbered(mutant: Json, number: int) -> Json:
    return {**mutant, "id": f"m{number}"}


def test_what_is_read_out_of_a_mutant_stands_in_it_and_what_is_not_is_said() -> None:
    seen = quiet = 0
    for batch in batches(COUNT):
        resources = [numbered(mutant, number) for number, mutant in enumerate(batch)]
        texts = [json.dumps(resource) for resource in resources]
        entries, problems = read_all(texts)
        for number, text in enumerate(texts):
            resource = json.loads(text, parse_float=Decimal)
            for entry in entries[number]:
                assert justified(entry, resource), (entry, text)
            if not entries[number] and not problems[number]:
                quiet += 1
                assert silence_is_right(resource), text
            seen += 1
    assert seen >= 20_000
    assert quiet < seen / 2


def test_a_dose_that_is_not_certain_says_so() -> None:
    rng = random.Random(7)
    rows = [numbered(edited(rng.choice(SAMPLES[14:17]), rng), number) for number in range(1_000)]
    entries, problems = read_all([json.dumps(row) for row in rows])
    for number, row in enumerate(rows):
        for dose in entries[number]:
            assert isinstance(dose, Dose)
            certain = dose.amount_known and dose.route != "unknown"
            assert certain or problems[number], row


def test_a_check_of_mappings_takes_every_mutant() -> None:
    check = MappingCheck(load_terminology())
    for batch in batches(4_000):
        lines = [json.dumps(numbered(mutant, number)) for number, mutant in enumerate(batch)]
        check.take(Source("mutants.ndjson", "\n".join(lines).encode()))
    for raw in damaged(json.dumps(SAMPLES[4]).encode(), 500, 5):
        try:
            check.take(Source("damaged.json", raw))
        except NotFhir as refusal:
            assert refusal.reason
    assert sum(check.report.resources.values()) > 3_500
    assert all(check.report.rows(verdict) for verdict in VERDICTS)
    mapping_template(check.report, load_terminology())


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: str(sample["resourceType"]))
def test_a_key_that_stands_twice_is_never_guessed(sample: Json) -> None:
    texts = [raw.decode() for raw in doubled_keys(numbered(sample, 0))]
    for text in texts:
        try:
            entries, problems = read_all([text])
        except NotFhir:
            continue
        assert not any(entries.values())
        assert any(found.code == "invalid-resource" for listed in problems.values() for found in listed), text


def test_the_second_reading_agrees_on_the_samples_themselves() -> None:
    texts = [json.dumps(numbered(sample, number)) for number, sample in enumerate(SAMPLES)]
    entries, _ = read_all(texts)
    for number, text in enumerate(texts):
        resource = json.loads(text, parse_float=Decimal)
        assert entries[number] and all(justified(entry, resource) for entry in entries[number]), text
        assert not silence_is_right(resource)
    assert NOT_ASSESSED == tiny.NOT_ASSESSED and SNOMED == tiny.SNOMED
