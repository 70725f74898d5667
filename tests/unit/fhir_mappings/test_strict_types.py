"""The plain classes and fhir.resources: what the former accept, the latter accepts too, and reads alike."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from fhir_mappings import NotFhir
from fhir_mappings.fhir_types import decode as judged
from fhir_mappings.fhir_types import validate as referee
from tests.support.mutations import damaged, doubled_keys, mutants
from tests.support.real_data import documents, needs_real_data, resources
from tests.support.resources import (
    AT,
    PATIENT,
    Json,
    bundle,
    coded,
    concept,
    data,
    observation,
    prefetched,
    reading,
    score,
)

#: Types that have a strict twin: its decoder, and what its types alone cannot say.
KINDS = {name: kind.plainly for name, kind in judged.KINDS.items() if kind.plainly is not None}
META = {"versionId": "2", "lastUpdated": "2026-03-08T14:00:00.123Z", "profile": ["http://x.example/p"]}
IDENTIFIER = {"use": "usual", "system": "urn:x", "value": "1", "type": concept("MR", "urn:y")}
EXTENSION = {"url": "http://x.example/e", "extension": [{"url": "a", "valueString": "b"}]}
NOTE = {"text": "as told by the family", "time": "2026-03-08", "authorString": "RN"}
SAMPLES: list[Json] = [
    observation(
        meta=META,
        extension=[EXTENSION],
        identifier=[IDENTIFIER],
        category=[concept("survey", "urn:c", text="Survey")],
        issued="2026-03-08T14:00:00Z",
        performer=[{"reference": "Practitioner/1", "display": "RN"}],
        valueInteger=5,
        note=[NOTE],
        component=[
            {"code": concept("ice-year"), "valueQuantity": score(1)},
            {"code": concept("consciousness"), "valueCodeableConcept": coded("alert")},
        ],
    ),
    observation(
        "consciousness",
        valueCodeableConcept=coded("alert"),
        effectiveDateTime=None,
        effectivePeriod={"start": AT},
    ),
    observation(valueRange={"low": {"value": 0}, "high": score(2)}, hasMember=[{"reference": "Observation/x"}]),
    {
        "resourceType": "Procedure",
        "id": "x",
        "meta": META,
        "status": "completed",
        "code": concept("car-t-infusion"),
        "subject": {"reference": "Patient/p"},
        "performedPeriod": {"start": AT, "end": AT},
        "performer": [{"actor": {"display": "RN"}}],
        "note": [NOTE],
    },
    {
        **PATIENT,
        "meta": META,
        "extension": [EXTENSION],
        "identifier": [IDENTIFIER],
        "active": True,
        "name": [{"family": "Example", "given": ["A"], "period": {"start": "2001-01-01"}}],
        "telecom": [{"system": "phone", "value": "1", "rank": 1}],
        "gender": "other",
        "address": [{"line": ["1 Road"], "city": "X", "postalCode": "1"}],
        "communication": [{"language": concept("en", "urn:ietf:bcp:47"), "preferred": True}],
        "deceasedDateTime": AT,
    },
    {
        "resourceType": "MedicationAdministration",
        "id": "m",
        "meta": META,
        "identifier": [IDENTIFIER],
        "status": "completed",
        "medicationCodeableConcept": concept("3264", "http://www.nlm.nih.gov/research/umls/rxnorm"),
        "subject": {"reference": "Patient/p"},
        "effectivePeriod": {"start": AT, "end": "2026-03-08T15:00:00Z"},
        "dosage": {
            "text": "IV",
            "route": concept("47625008", "http://snomed.info/sct"),
            "dose": {"value": 10.5, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"},
            "rateQuantity": {"value": 1, "unit": "mg/h"},
        },
    },
    {
        "resourceType": "Medication",
        "id": "d",
        "code": {"text": "dexamethasone"},
        "form": {"text": "injection"},
        "ingredient": [
            {
                "itemCodeableConcept": {"text": "dexamethasone"},
                "strength": {
                    "numerator": {"value": 4, "unit": "mg"},
                    "denominator": {"value": 1, "unit": "mL"},
                },
            }
        ],
    },
]


def plainly_accepted(kind: str, raw: bytes) -> bool:
    return judged.plainly_valid(raw, *KINDS[kind]) is not None


def complaint(document: Json) -> object:
    """What fhir.resources says against a resource, in both releases; nothing if one of them accepts."""
    kind = str(document["resourceType"])
    return referee.faults_of("R4B", kind, document) and referee.faults_of("R5", kind, document)


def hold_to_account(document: Json) -> str:
    """Raises AssertionError if the two disagree; otherwise how the resource was judged."""
    kind, raw = document["resourceType"], data(document)
    against = complaint(document)
    if plainly_accepted(kind, raw):
        assert not against, (against, document)
        return "plain"
    try:
        read = judged.decode(kind, raw)
    except referee.Refused as refusal:
        if not against:
            assert str(refusal).startswith("It is not FHIR JSON"), (refusal, document)
            return "coerced by fhir.resources"
        return "refused"
    if against:
        return "judged by what decides"
    assert read.faults == ()
    return "judged"


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample["resourceType"])
def test_usual_shapes_need_no_judge(sample: Json) -> None:
    assert hold_to_account(sample) == "plain"


def agree_under_mutation(count: int) -> Counter[str]:
    verdicts: Counter[str] = Counter()
    for seed, sample in enumerate(SAMPLES):
        for mutant in mutants(sample, count, seed):
            if mutant.get("resourceType") == sample["resourceType"]:
                verdicts[hold_to_account(mutant)] += 1
    return verdicts


def test_both_agree_under_mutation() -> None:
    verdicts = agree_under_mutation(200)
    assert min(verdicts[verdict] for verdict in ("plain", "judged", "refused")) > 10, verdicts


@pytest.mark.slow
def test_both_agree_under_many_mutations() -> None:
    verdicts = agree_under_mutation(3_000)
    assert verdicts.total() > 20_000


@needs_real_data
def test_both_agree_on_real_data() -> None:
    verdicts: Counter[str] = Counter()
    for resource in resources(*KINDS):
        verdicts[hold_to_account(resource)] += 1
    assert verdicts["plain"] > verdicts.total() * 0.7, verdicts


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample["resourceType"])
def test_a_key_that_stands_twice_is_refused_where_it_decides_and_listed_elsewhere(sample: Json) -> None:
    outcomes: Counter[str] = Counter()
    for raw in doubled_keys(sample):
        try:
            read = judged.decode(sample["resourceType"], raw)
        except referee.Refused as refusal:
            assert "occurs twice" in str(refusal)
            outcomes["refused"] += 1
        else:
            assert read.faults
            outcomes["listed"] += 1
    assert outcomes["refused"]


def read_mutants(count: int, seed: int) -> tuple[int, int]:
    """Readings and refusals of mutated inputs, by both entrances; anything else fails the test."""
    whole = bundle(PATIENT, *SAMPLES, kind="searchset", link=[{"relation": "self", "url": "x"}])
    texts = [data(mutant) for mutant in mutants(whole, count, seed)]
    texts += damaged(data(whole), count, seed)
    readings = refusals = 0
    for text in texts:
        try:
            reading(text)
            readings += 1
        except NotFhir as refusal:
            assert refusal.reason
            refusals += 1
        prefetched({"patient": PATIENT, "observations": text})
    return readings, refusals


def test_mutants_of_an_input_are_read_or_refused() -> None:
    readings, refusals = read_mutants(200, 11)
    assert readings > 200 and refusals > 50


@pytest.mark.slow
def test_many_mutants_of_an_input_are_read_or_refused() -> None:
    readings, refusals = read_mutants(4_000, 12)
    assert readings > 4_000 and refusals > 1_000


@needs_real_data
def test_all_real_data_is_read_or_refused_with_a_reason() -> None:
    seen: Counter[str] = Counter()
    for name, raw in documents():
        try:
            found = reading(raw)
        except NotFhir as refusal:
            seen["refused"] += 1
            assert refusal.reason, name
            continue
        seen["read"] += 1
        seen["entries"] += sum(len(record.observed) + len(record.doses) for record in found.records.values())
    assert seen["read"] > 300 and seen["refused"] > 50 and seen["entries"] > 10, seen


@needs_real_data
def test_real_captures_of_an_ehr_are_wrappers_and_say_so() -> None:
    captures = [(name, raw) for name, raw in documents() if "observation-vital-signs" in name and "#" not in name]
    assert captures
    for _, raw in captures:
        with pytest.raises(NotFhir, match="not a FHIR resource"):
            reading(raw)


def test_the_pretty_and_the_compact_form_are_read_alike() -> None:
    whole = bundle(PATIENT, *SAMPLES)
    compact = json.dumps(whole, separators=(",", ":")).encode()
    pretty = json.dumps(whole, indent=2).encode()
    assert reading(compact) == reading(pretty)
