"""Observations: every way to chart a value, and what is said of the values that cannot be used."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from fhir_mappings.canonical import LOINC, SNOMED, UCUM
from icans.record import (
    Capd,
    Consciousness,
    DocumentedGrade,
    GcsEye,
    IceItem,
    IceTotal,
    IcpEdema,
    Infusion,
    Motor,
    NotAssessed,
    Rass,
    Seizure,
)
from tests.unit.reading_samples import (
    AT,
    Json,
    bundle,
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
    assert {entry.level for entry in found.observed if isinstance(entry, Consciousness)} == {"alert", "unarousable"}
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
            {"system": "http://open.epic.com/FHIR/StructureDefinition/observation-flowsheet-id", "code": "tBd"},
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
    parts = [component("ice-writing", dataAbsentReason=not_assessed("literacy")), component("ice-year", valueInteger=1)]
    missing, year = record(observation(component=parts)).observed
    assert isinstance(missing, NotAssessed) and isinstance(year, IceItem)
    assert (missing.tool, missing.reason, missing.element) == ("writing", "literacy", "component[0].dataAbsentReason")
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
        hasMember=[{"reference": "Observation/a"}, {"reference": "https://x.example/Observation/b/_history/2"}],
    )
    found = record(panel, observation("ice-year", id="a", valueInteger=1), observation("ice-month", id="b", valueInteger=0))
    assert [entry.reference for entry in found.observed] == ["Observation/a", "Observation/b"]
    assert found.problems == ()


def test_a_member_that_is_not_there_is_said() -> None:
    found = record(observation(valueInteger=5, hasMember=[{"reference": "Observation/gone"}]))
    assert codes(found) == [("reference-unresolved", "Observation/o", "hasMember")]
    assert len(found.observed) == 1


def test_contained_members_have_the_panels_time() -> None:
    inner = {"resourceType": "Observation", "id": "y", "status": "final", "code": concept("ice-year"), "valueInteger": 1}
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
    (rass,) = record(observation(concept("1345050000", SNOMED), valueCodeableConcept=concept("LA33966-5", LOINC))).observed
    assert isinstance(rass, Rass)
    assert rass.score == -4


@pytest.mark.parametrize(
    ("quantity", "seconds"),
    [({"value": 6, "unit": "min", "system": UCUM, "code": "min"}, 360), ({"value": 300.5, "unit": "s"}, Decimal("300.5"))],
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
    found = record(panel, observation("ice-year", id="a", valueInteger=0), observation("ice-city", id="b", valueInteger=0))
    assert {entry.reference: entry.other_cause for entry in found.observed} == {
        "Observation/a": True,
        "Observation/b": False,
    }


def test_an_attribution_that_is_not_understood_excludes_nothing() -> None:
    found = record(observation(valueInteger=3, component=[component("attribution", valueString="stroke")]))
    assert not found.observed[0].other_cause
    assert [problem.code for problem in found.problems] == ["code-unmapped"]


@pytest.mark.parametrize("status", ["final", "amended", "corrected", "final ", " corrected"])
def test_quirk_26_statuses_that_are_used(status: str) -> None:
    assert len(record(observation(status=status, valueInteger=5)).observed) == 1


@pytest.mark.parametrize(
    ("status", "affects"),
    [
        ("preliminary", ("grade",)),
        ("unknown", ("grade",)),
        ("registered", ()),
        ("cancelled", ()),
        ("entered-in-error", ()),
        ("entered-in-error ", ()),
    ],
)
def test_quirk_26_statuses_that_are_not_used(status: str, affects: tuple[str, ...]) -> None:
    found = record(observation(status=status, valueInteger=5))
    assert found.observed == ()
    assert codes(found) == [("status-not-usable", "Observation/o", "status")]
    assert found.problems[0].affects == affects


def test_preliminary_results_are_used_where_the_site_says_so() -> None:
    assert len(record(observation(status="preliminary", valueInteger=5), preliminary_observations=True).observed) == 1


def test_the_services_own_suggestion_is_never_read_back() -> None:
    own = observation(
        "documented-icans-grade", status="preliminary", valueInteger=3, method={"text": "computed from recorded items"}
    )
    found = record(own, preliminary_observations=True)
    assert (found.observed, found.problems) == ((), ())


def test_an_observation_is_known_when_it_was_issued() -> None:
    late = observation(valueInteger=5, issued="2026-03-08T20:00:00.000+01:00")
    (entry,) = record(late).observed
    assert (entry.at, entry.known) == (NOON, NOON + timedelta(hours=5))
    (migrated,) = record(late, known="effective").observed
    assert migrated.known == NOON
    (early,) = record(observation(valueInteger=5, issued="2026-03-08T10:00:00Z")).observed
    assert early.known == NOON


@pytest.mark.parametrize(
    ("time", "hours"),
    [
        ({"effectiveInstant": AT}, 0),
        ({"effectivePeriod": {"start": AT, "end": "2026-03-08T16:00:00Z"}}, 0),
        ({"effectivePeriod": {"end": "2026-03-08T16:00:00Z"}}, 2),
        ({"effectiveTiming": {"event": [AT]}}, 0),
    ],
)
def test_every_kind_of_effective_time(time: Json, hours: int) -> None:
    (entry,) = record(observation(effectiveDateTime=None, valueInteger=5, **time)).observed
    assert entry.at == NOON + timedelta(hours=hours)


@pytest.mark.parametrize(
    ("time", "code", "element"),
    [
        ({}, "time-missing", "effective[x]"),
        ({"effectivePeriod": {}}, "time-missing", "effectivePeriod.end"),
        ({"effectiveDateTime": "2026-03"}, "time-imprecise", "effectiveDateTime"),
        ({"effectiveDateTime": "2026"}, "time-imprecise", "effectiveDateTime"),
    ],
)
def test_quirk_27_without_a_usable_time_it_is_said(time: Json, code: str, element: str) -> None:
    found = record(observation(**{"effectiveDateTime": None, "valueInteger": 5, **time}))
    assert found.observed == ()
    assert codes(found) == [(code, "Observation/o", element)]
    assert found.problems[0].affects == ("grade",)


def test_quirk_27_a_day_is_its_whole_day() -> None:
    found = record(observation(effectiveDateTime="2026-03-08", valueInteger=5))
    (entry,) = found.observed
    assert not entry.precise
    assert entry.known == entry.at == datetime(2026, 3, 9, tzinfo=UTC)
    assert found.problems == ()


def test_a_time_without_zone_is_used_and_said() -> None:
    found = record(observation(effectiveDateTime="2026-03-08T14:00:00", valueInteger=5))
    assert not found.observed[0].precise
    assert codes(found) == [("time-imprecise", "Observation/o", "effectiveDateTime")]


def test_what_is_planned_is_not_counted() -> None:
    now = NOON - timedelta(minutes=6)
    found = record(observation(valueInteger=5), now=now)
    assert found.observed == ()
    assert codes(found) == [("time-in-future", "Observation/o", "effectiveDateTime")]
    (entry,) = record(observation(valueInteger=5), now=NOON - timedelta(minutes=5)).observed
    assert entry.known == NOON - timedelta(minutes=5)


def test_an_unknown_modifier_forbids_the_use() -> None:
    modifier = [{"url": "https://x.example/negated", "valueBoolean": True}]
    found = record(observation(valueInteger=5, modifierExtension=modifier))
    assert (found.observed, codes(found)) == ((), [("unknown-modifier", "Observation/o", "modifierExtension")])
    parts = [component("ice-year", valueInteger=0, modifierExtension=modifier), component("ice-city", valueInteger=1)]
    found = record(observation(component=parts))
    assert [entry.element for entry in found.observed] == ["component[1].valueInteger"]
    assert codes(found) == [("unknown-modifier", "Observation/o", "component[0].modifierExtension")]


def test_an_unknown_extension_is_no_matter() -> None:
    extension = [{"url": "https://x.example/e", "valueIdentifier": {"system": "urn:x", "value": "1"}}]
    assert len(record(observation(valueInteger=5, extension=extension)).observed) == 1


def test_what_looks_relevant_and_is_not_mapped_is_said() -> None:
    local = concept("17", "urn:oid:1.2.3", text="ICE score total")
    found = record(observation(local, valueInteger=5))
    assert codes(found) == [("code-unmapped", "Observation/o", "code")]
    assert record(observation(concept("17", "urn:oid:1.2.3", text="Office visit"), valueInteger=5)).problems == ()


def test_an_observation_of_the_infusion() -> None:
    found = record(observation("car-t-infusion", valueString="given"))
    (infusion,) = found.infusions
    assert isinstance(infusion, Infusion)
    assert (infusion.source, infusion.at) == ("observation", NOON)
    assert record(observation("car-t-infusion", valueBoolean=False)).infusions == ()
    assert record(observation("car-t-infusion", status="preliminary")).problems[0].affects == ("infusion",)


def test_r5_observations_are_read_like_r4() -> None:
    r5 = observation(valueInteger=5, triggeredBy=[{"observation": {"reference": "Observation/x"}, "type": "reflex"}])
    assert len(record(r5).observed) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"valueInteger": True},
        {"valueInteger": 5, "valueString": "6"},
        {"valueInteger": 5, "foo": 1},
        {"valueInteger": 5, "status": None},
        {"valueInteger": 5, "effectiveDateTime": 1700000000},
        {"valueInteger": 5, "effectiveDateTime": "2026-02-30"},
        {"valueInteger": 5, "component": {}},
        {"valueInteger": 99999999999},
        {"valueInteger": 5, "subject": {"reference": "Patient/p", "foo": 1}},
    ],
)
def test_an_invalid_resource_is_said_and_not_used(change: Json) -> None:
    found = record(observation(**change))
    assert found.observed == ()
    (problem,) = found.problems
    assert (problem.code, problem.reference, problem.affects) == ("invalid-resource", "Observation/o", ("grade",))


def test_a_key_that_stands_twice_is_not_guessed() -> None:
    import json

    whole = json.dumps(bundle(observation(valueInteger=5), observation(concept("1", "urn:x"), id="other")))
    for old, new in (
        ('"valueInteger": 5', '"valueInteger": 5, "valueInteger": 9'),
        ('"status": "final"', '"status": "final", "status": "final"'),
        ('"system": "urn:x"', '"system": "urn:x", "system": "urn:y"'),
    ):
        found = reading(whole.replace(old, new).encode()).records["Patient/p"]
        irrelevant = "urn:x" in old
        assert ([p.code for p in found.problems] == ["invalid-resource"]) is not irrelevant, new
        assert len(found.observed) == (1 if irrelevant else 0)


def test_an_irrelevant_code_does_not_hide_a_relevant_one_before_it() -> None:
    import json

    text = json.dumps(observation(valueInteger=5))
    hidden = text.replace('"subject"', '"code": {"text": "Heart rate"}, "subject"').encode()
    found = reading(hidden).records["Patient/p"]
    assert codes(found) == [("invalid-resource", "Observation/o", "code")]
