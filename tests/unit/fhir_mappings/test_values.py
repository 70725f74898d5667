"""Values of Observations: every way to chart one, and what is reported of those that cannot be used."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from fhir_mappings.terminology.systems import LOINC, SNOMED, UCUM
from icans.record import (
    Capd,
    Consciousness,
    DocumentedGrade,
    GcsEye,
    IceItem,
    IceTotal,
    IcpEdema,
    Motor,
    NotAssessed,
    Rass,
    Seizure,
)
from tests.support.resources import (
    Json,
    coded,
    codes,
    concept,
    not_assessed,
    observation,
    reading,
    record,
    score,
)

NOON = datetime(2026, 3, 8, 14, tzinfo=UTC)


def component(code: str | Json, **value: Any) -> Json:
    return {"code": concept(code) if isinstance(code, str) else code, **value}


@pytest.mark.parametrize(
    "value",
    [
        {"valueInteger": 5},
        {"valueQuantity": {"value": 5}},
        {"valueQuantity": {"value": 5.0, "unit": "{score}"}},
        {"valueQuantity": {"value": 5, "code": "1", "system": UCUM}},
        {"valueQuantity": {"value": 5, "unit": "{scale}", "code": "{scale}", "system": UCUM}},
        {"valueQuantity": {"value": 5, "code": "{points}", "system": UCUM}},
        {"valueQuantity": score(5)},
        {"valueString": "5"},
        {"valueString": " 5.0 "},
    ],
)
def test_a_score_may_be_charted_in_many_ways(value: Json) -> None:
    (total,) = record(observation(**value)).observed
    assert isinstance(total, IceTotal)
    assert (total.low, total.high, total.at, total.reference) == (5, 5, NOON, "Observation/o")
    assert total.element == next(iter(value))


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ({"valueInteger": 11}, "value-out-of-range"),
        ({"valueInteger": -1}, "value-out-of-range"),
        ({"valueQuantity": {"value": 7.5}}, "value-out-of-range"),
        ({"valueQuantity": {"value": 1e300}}, "value-out-of-range"),
        ({"valueString": "-"}, "value-not-numeric"),
        ({"valueString": "5/10"}, "value-not-numeric"),
        ({"valueString": "15.0 gm/L"}, "value-not-numeric"),
        ({"valueString": "Blank"}, "value-not-numeric"),
        ({"valueBoolean": True}, "value-not-numeric"),
        ({"valueQuantity": {"value": 5, "comparator": "<"}}, "value-not-numeric"),
        ({"valueQuantity": {"unit": "{score}"}}, "value-not-numeric"),
        ({"valueQuantity": {"value": 5, "unit": "mg"}}, "unit-unknown"),
        ({"valueQuantity": {"value": 5, "code": "{errors}", "system": UCUM}}, "unit-unknown"),
        ({"valueQuantity": {"value": 5, "code": "min", "system": UCUM}}, "unit-unknown"),
        ({"valueQuantity": {"value": 5, "code": "1", "system": "urn:local"}}, "unit-unknown"),
        ({"valueCodeableConcept": {"text": "five"}}, "code-unmapped"),
        ({}, "value-not-numeric"),
    ],
)
def test_a_value_that_is_no_score_is_refused_and_never_clamped(value: Json, code: str) -> None:
    found = record(observation(**value))
    assert found.observed == ()
    (problem,) = found.problems
    assert (problem.code, problem.reference, problem.affects) == (code, "Observation/o", ("grade",))
    assert problem.at == NOON
    assert problem.message.endswith(".")


def test_a_huge_exponent_costs_nothing_and_is_refused() -> None:
    raw = b'{"resourceType":"Observation","id":"o","status":"final","code":{"coding":[{"system":"https://icans-cds.org/fhir/CodeSystem/icans-assessment","code":"ice-total"}]},"subject":{"reference":"Patient/p"},"effectiveDateTime":"2026-03-08T14:00:00Z","valueQuantity":{"value":1e999999999}}'
    found = reading(raw).records["Patient/p"]
    assert found.observed == ()
    assert [problem.code for problem in found.problems] in (["value-out-of-range"], ["invalid-resource"])


@pytest.mark.parametrize(
    ("bounds", "low", "high"),
    [
        ({"low": {"value": 0}, "high": {"value": 2}}, 0, 2),
        ({"high": {"value": 2}}, 0, 2),
        ({"low": {"value": 8}}, 8, 10),
    ],
)
def test_a_total_may_be_a_range(bounds: Json, low: int, high: int) -> None:
    (total,) = record(observation(valueRange=bounds)).observed
    assert isinstance(total, IceTotal)
    assert (total.low, total.high, total.shown) == (low, high, f"{low}-{high}")


@pytest.mark.parametrize(
    "bounds", [{}, {"low": {"value": 3}, "high": {"value": 2}}, {"low": {"value": 0}, "high": {"value": 12}}]
)
def test_a_range_that_holds_no_score_is_refused(bounds: Json) -> None:
    assert codes(record(observation(valueRange=bounds)))[0][0] == "value-out-of-range"


def test_only_the_ice_total_may_be_a_range() -> None:
    found = record(observation("capd-total", valueRange={"low": {"value": 3}, "high": {"value": 9}}))
    assert codes(found) == [("value-not-numeric", "Observation/o", "valueRange")]


@pytest.mark.parametrize(
    ("code", "value", "expected"),
    [
        ("capd-total", 9, (Capd, "total", 9)),
        ("gcs-eye", 3, (GcsEye, "score", 3)),
        ("rass", -4, (Rass, "score", -4)),
        ("documented-icans-grade", 5, (DocumentedGrade, "grade", 5)),
        ("ice-naming", 3, (IceItem, "points", 3)),
        ("ice-orientation", 4, (IceItem, "points", 4)),
        ("ice-year", 0, (IceItem, "points", 0)),
    ],
)
def test_each_score_has_its_own_bounds(code: str, value: int, expected: tuple[type, str, int]) -> None:
    kind, attribute, number = expected
    (entry,) = record(observation(code, valueInteger=value)).observed
    assert isinstance(entry, kind)
    assert getattr(entry, attribute) == number
    beyond = {"ice-naming": 4, "ice-orientation": 5, "ice-year": 2}.get(code, 33)
    assert codes(record(observation(code, valueInteger=beyond)))[0][0] == "value-out-of-range"


@pytest.mark.parametrize(
    ("code", "answer", "kind", "attribute"),
    [
        ("consciousness", "awakens-to-voice", Consciousness, "level"),
        ("seizure", "prolonged", Seizure, "finding"),
        ("motor", "deep-focal-weakness", Motor, "finding"),
        ("icp-edema", "papilledema", IcpEdema, "finding"),
    ],
)
def test_coded_findings(code: str, answer: str, kind: type, attribute: str) -> None:
    (entry,) = record(observation(code, valueCodeableConcept={**coded(answer), "text": "as charted"})).observed
    assert isinstance(entry, kind)
    assert getattr(entry, attribute) == answer
    assert entry.shown == "as charted"


@pytest.mark.parametrize(
    "value",
    [
        {"valueCodeableConcept": coded("tremor")},
        {"valueCodeableConcept": {"text": "alert"}},
        {"valueCodeableConcept": coded("alert", "urn:local")},
        {"valueString": "alert"},
        {"valueInteger": 4},
    ],
)
def test_a_finding_of_no_or_another_domain_is_unmapped(value: Json) -> None:
    found = record(observation("consciousness", **value))
    assert found.observed == ()
    assert [problem.code for problem in found.problems] == ["code-unmapped"]


def test_codings_that_disagree_are_both_considered_and_said() -> None:
    answer = {"coding": [*coded("alert")["coding"], *coded("unarousable")["coding"]]}
    found = record(observation("consciousness", valueCodeableConcept=answer))
    assert {entry.level for entry in found.observed if isinstance(entry, Consciousness)} == {
        "alert",
        "unarousable",
    }
    assert codes(found) == [("conflicting-values", "Observation/o", "valueCodeableConcept")]


def test_codings_of_different_assessments_are_not_guessed() -> None:
    code = {"coding": [*concept("ice-total")["coding"], *concept("capd-total")["coding"]]}
    found = record(observation(code, valueInteger=5))
    assert found.observed == ()
    assert codes(found) == [("conflicting-values", "Observation/o", "code")]


def test_quirk_21_all_codings_are_scanned() -> None:
    code = {
        "coding": [
            {"system": "urn:oid:1.2.840.114350.1.13.0.1.7.2.707679", "code": "5", "display": "ICE"},
            {
                "system": "http://open.epic.com/FHIR/StructureDefinition/observation-flowsheet-id",
                "code": "tBd",
            },
            *concept("ice-total")["coding"],
        ]
    }
    (total,) = record(observation(code, valueInteger=4)).observed
    assert isinstance(total, IceTotal)


def test_quirk_22_a_panel_code_is_no_match() -> None:
    found = record(observation(concept("8716-3", LOINC), valueInteger=5))
    assert (found.observed, found.problems) == ((), ())


@pytest.mark.parametrize("reason", ["unarousable", "sedated", "aphasia", "language", "not-valid-at-baseline"])
def test_why_a_tool_was_not_assessed(reason: str) -> None:
    (entry,) = record(observation(dataAbsentReason=not_assessed(reason))).observed
    assert isinstance(entry, NotAssessed)
    assert (entry.tool, entry.reason, entry.element) == ("ice", reason, "dataAbsentReason")


def test_why_an_item_was_not_assessed() -> None:
    parts = [
        component("ice-writing", dataAbsentReason=not_assessed("literacy")),
        component("ice-year", valueInteger=1),
    ]
    missing, year = record(observation(component=parts)).observed
    assert isinstance(missing, NotAssessed) and isinstance(year, IceItem)
    assert (missing.tool, missing.reason, missing.element) == (
        "writing",
        "literacy",
        "component[0].dataAbsentReason",
    )
    assert (year.item, year.element) == ("year", "component[1].valueInteger")


def test_quirk_25_a_standard_reason_means_missing_and_not_zero() -> None:
    standard = concept("not-performed", "http://terminology.hl7.org/CodeSystem/data-absent-reason")
    found = record(observation(dataAbsentReason=standard))
    assert (found.observed, found.problems) == ((), ())


def test_a_local_reason_is_said() -> None:
    found = record(observation(dataAbsentReason={"text": "pt asleep"}))
    assert codes(found) == [("code-unmapped", "Observation/o", "dataAbsentReason")]


def test_a_value_beside_a_reason_against_it_is_said() -> None:
    found = record(observation(valueInteger=0, dataAbsentReason=not_assessed("unarousable")))
    assert {type(entry) for entry in found.observed} == {IceTotal, NotAssessed}
    assert codes(found) == [("conflicting-values", "Observation/o", "dataAbsentReason")]


def test_a_reason_charted_as_the_value() -> None:
    (entry,) = record(observation(valueCodeableConcept=not_assessed("sedated"))).observed
    assert isinstance(entry, NotAssessed)


def test_quirk_24_items_in_components() -> None:
    parts = [component("ice-naming", valueInteger=3), component("ice-command", valueQuantity=score(1))]
    found = record(observation(concept("ice", "urn:local", text="ICE"), component=parts))
    assert {entry.item: entry.points for entry in found.observed if isinstance(entry, IceItem)} == {
        "naming": 3,
        "command": 1,
    }
    assert found.problems == ()


def test_quirk_24_items_as_members() -> None:
    panel = observation(
        concept("ice", "urn:local", text="ICE"),
        id="panel",
        hasMember=[
            {"reference": "Observation/a"},
            {"reference": "https://x.example/Observation/b/_history/2"},
        ],
    )
    found = record(
        panel,
        observation("ice-year", id="a", valueInteger=1),
        observation("ice-month", id="b", valueInteger=0),
    )
    assert [entry.reference for entry in found.observed] == ["Observation/a", "Observation/b"]
    assert found.problems == ()


def test_a_member_that_is_not_there_is_said() -> None:
    found = record(observation(valueInteger=5, hasMember=[{"reference": "Observation/gone"}]))
    assert codes(found) == [("reference-unresolved", "Observation/o", "hasMember")]
    assert len(found.observed) == 1


def test_contained_members_have_the_panels_time() -> None:
    inner = {
        "resourceType": "Observation",
        "id": "y",
        "status": "final",
        "code": concept("ice-year"),
        "valueInteger": 1,
    }
    panel = observation("ice-total", contained=[inner], hasMember=[{"reference": "#y"}, {"reference": "#z"}])
    found = record(panel)
    (item,) = found.observed
    assert isinstance(item, IceItem)
    assert (item.reference, item.at) == ("Observation/o#y", NOON)
    assert codes(found) == [("reference-unresolved", "Observation/o", "hasMember")]


def test_the_eye_response_out_of_a_gcs_panel() -> None:
    parts = [
        component(concept("9268-4", LOINC), valueCodeableConcept=concept("LA6566-9", LOINC)),
        component(concept("9267-6", LOINC), valueCodeableConcept=concept("LA6556-0", LOINC)),
        component(concept("9270-0", LOINC), valueString="1T"),
    ]
    found = record(observation(concept("9269-2", LOINC), valueQuantity=score(13), component=parts))
    (eye,) = found.observed
    assert isinstance(eye, GcsEye)
    assert (eye.score, found.problems) == (4, ())


def test_rass_as_a_coded_answer() -> None:
    (rass,) = record(
        observation(concept("1345050000", SNOMED), valueCodeableConcept=concept("LA33966-5", LOINC))
    ).observed
    assert isinstance(rass, Rass)
    assert rass.score == -4


@pytest.mark.parametrize(
    ("quantity", "seconds"),
    [
        ({"value": 6, "unit": "min", "system": UCUM, "code": "min"}, 360),
        ({"value": 300.5, "unit": "s"}, Decimal("300.5")),
    ],
)
def test_the_duration_of_a_seizure(quantity: Json, seconds: object) -> None:
    seizure = observation(
        "seizure",
        valueCodeableConcept=coded("unspecified"),
        component=[component("seizure-duration", valueQuantity=quantity)],
    )
    (entry,) = record(seizure).observed
    assert isinstance(entry, Seizure)
    assert entry.duration_seconds == seconds


def test_a_duration_in_no_unit_of_time_is_said_and_the_seizure_stays() -> None:
    seizure = observation(
        "seizure",
        valueCodeableConcept=coded("unspecified"),
        component=[component("seizure-duration", valueQuantity={"value": 6})],
    )
    found = record(seizure)
    (entry,) = found.observed
    assert isinstance(entry, Seizure)
    assert entry.duration_seconds is None
    assert codes(found) == [("unit-unknown", "Observation/o", "component[0].valueQuantity")]


def test_another_cause_is_attributed_to_every_entry() -> None:
    parts = [
        component("attribution", valueCodeableConcept=coded("other-cause")),
        component("seizure", valueCodeableConcept=coded("prolonged")),
    ]
    entries = record(observation(valueInteger=3, component=parts)).observed
    assert len(entries) == 2
    assert all(entry.other_cause for entry in entries)


def test_another_cause_of_a_panel_is_that_of_its_members() -> None:
    panel = observation(
        id="panel",
        component=[component("attribution", valueCodeableConcept=coded("other-cause"))],
        hasMember=[{"reference": "Observation/a"}],
    )
    found = record(
        panel,
        observation("ice-year", id="a", valueInteger=0),
        observation("ice-city", id="b", valueInteger=0),
    )
    assert {entry.reference: entry.other_cause for entry in found.observed} == {
        "Observation/a": True,
        "Observation/b": False,
    }


def test_an_attribution_that_is_not_understood_excludes_nothing() -> None:
    found = record(observation(valueInteger=3, component=[component("attribution", valueString="stroke")]))
    assert not found.observed[0].other_cause
    assert [problem.code for problem in found.problems] == ["code-unmapped"]
