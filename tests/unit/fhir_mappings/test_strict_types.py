"""The plain classes and fhir.resources: what the former accept, the latter accepts too, and reads alike."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from fhir_mappings import NotFhir
from fhir_mappings.fhir_types import decode as judged
from fhir_mappings.fhir_types import strict as plain
from fhir_mappings.fhir_types import strict_medication as plain_medication
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

Plain = tuple[msgspec.json.Decoder[Any], Callable[[Any], bool], Callable[[bytes], object]]
KINDS: dict[str, Plain] = {
    "Observation": (judged._PLAIN_OBSERVATION, plain.accepts_observation, judged.observation),
    "Procedure": (judged._PLAIN_PROCEDURE, plain.accepts_procedure, judged.procedure),
    "Patient": (judged._PLAIN_PATIENT, plain.accepts_patient, judged.patient),
    "MedicationAdministration": (
        plain_medication.ADMINISTRATION,
        plain_medication.accepts_administration,
        judged.administration,
    ),
    "Medication": (plain_medication.MEDICATION, plain_medication.accepts_medication, judged.medication),
}
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
    decoder, accepts, _ = KINDS[kind]
    return judged._plainly(raw, decoder, accepts) is not None


def complaint(document: Json) -> object:
    """What fhir.resources says against a resource, in both releases; None if one of them accepts."""
    tolerated = referee.tolerated(document)
    kind = str(document["resourceType"])
    return referee._verdict("R4B", kind, tolerated) and referee._verdict("R5", kind, tolerated)


def hold_to_account(document: Json) -> str:
    """Raises AssertionError if the two disagree; otherwise how the resource was judged."""
    kind, raw = document["resourceType"], data(document)
    against = complaint(document)
    try:
        accepted = plainly_accepted(kind, raw)
    except referee.Refused:
        accepted = False
    if accepted:
        assert against is None, (against, document)
        return "plain"
    try:
        KINDS[kind][2](raw)
    except referee.Refused as refusal:
        if against is None:
            assert str(refusal).startswith("It is not FHIR JSON"), (refusal, document)
            return "coerced by fhir.resources"
        return "refused"
    assert against is None
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
def test_every_key_that_stands_twice_is_refused(sample: Json) -> None:
    for raw in doubled_keys(sample):
        with pytest.raises(referee.Refused, match="stands twice"):
            KINDS[sample["resourceType"]][2](raw)


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
