"""Inputs of every shape: Bundles, single resources, NDJSON, and what is no FHIR at all."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from fhir_mappings import NotFhir, Source, read
from tests.support.resources import (
    PATIENT,
    Json,
    bundle,
    codes,
    concept,
    data,
    observation,
    reading,
    settings,
)

ICE = observation(valueInteger=5)


def refused(raw: bytes, name: str = "in.json") -> NotFhir:
    with pytest.raises(NotFhir) as caught:
        read([Source(name, raw)], settings())
    return caught.value


@pytest.mark.parametrize("kind", ["collection", "searchset", "batch", "transaction", "history", "document", "message"])
def test_bundles_of_any_type(kind: str) -> None:
    found = reading(bundle(PATIENT, ICE, kind=kind))
    assert len(found.records["Patient/p"].observed) == 1
    assert found.counts == {"Observation": 1, "Patient": 1}


def test_a_single_resource_is_a_bundle_of_one() -> None:
    assert len(reading(ICE).records["Patient/p"].observed) == 1


def test_a_bundle_in_a_bundle() -> None:
    found = reading(bundle(bundle(ICE), PATIENT))
    assert len(found.records["Patient/p"].observed) == 1
    assert found.counts == {"Bundle": 1, "Observation": 1, "Patient": 1}


@pytest.mark.parametrize("name", ["export.ndjson", "-"])
def test_ndjson_by_name_or_by_content(name: str) -> None:
    lines = b"\r\n".join([data(PATIENT), b"", data(ICE), data(observation(id="o2", valueInteger=6)), b""])
    (record,) = read([Source(name, lines)], settings()).records.values()
    assert len(record.observed) == 2


def test_a_damaged_line_is_said_and_the_others_are_read() -> None:
    lines = b"\n".join([data(PATIENT), data(ICE), data(observation(id="o2", valueInteger=6))[:-30]])
    (record,) = read([Source("e.ndjson", lines)], settings()).records.values()
    assert len(record.observed) == 1
    assert codes(record) == [("partial-data", "", "line 3")]
    assert record.problems[0].affects == ("grade",)


def test_several_files_of_one_patient_are_one_record() -> None:
    found = reading(PATIENT, bundle(ICE), observation(id="o2", valueInteger=6))
    assert len(found.records["Patient/p"].observed) == 2


def test_a_byte_order_mark_is_no_matter() -> None:
    assert reading(b"\xef\xbb\xbf" + data(ICE)).records


@pytest.mark.parametrize(
    ("raw", "place", "reason"),
    [
        (b"", "", "is empty"),
        (b" \n ", "", "is empty"),
        (b"<Bundle/>", "", "is XML or HTML"),
        (b"{}", "resourceType", "no resourceType"),
        (b"5", "", "not a FHIR resource"),
        (b'"text"', "", "not a FHIR resource"),
        (b"[]", "", "not a FHIR resource"),
        (data([ICE]), "", "not a FHIR resource"),
        (b'{"resourceType": 5}', "resourceType", "no resourceType"),
        (b'{"body": {"resourceType": "Patient"}}', "body", "wrapper"),
        (b'{"resourceType": "Patient"', "line 1, column 27 (end)", "not valid JSON"),
        (b'{"resourceType":\n "Patient", }', "line 2, column 13", "not valid JSON"),
        (b'{"resourceType": "Patient", "x": NaN}', "line 1, column 34", "not valid JSON"),
        (b'{"resourceType": "Patient", "x": "\xff"}', "line 1, column 35", "UTF-8"),
        (b"\xff\xfe{\x00}\x00", "line 1, column 1", "UTF-8"),
        (b'{"resourceType": "Bundle", "entry": {}}', "", "not a FHIR Bundle"),
        (b'{"resourceType": "Patient", "x": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", "", "too deeply"),
        (b"[" * 10_000, "", "not a FHIR resource"),
    ],
)
def test_what_is_no_fhir_is_refused_with_place_and_reason(raw: bytes, place: str, reason: str) -> None:
    error = refused(raw)
    assert error.name == "in.json"
    assert error.place == place
    assert reason in error.reason
    assert str(error).startswith("in.json: ")


def test_every_truncation_of_a_bundle_is_refused() -> None:
    whole = data(bundle(PATIENT, ICE))
    for length in range(0, len(whole), 7):
        refused(whole[:length])


def test_L33_a_second_list_of_rows_or_links_makes_an_input_partial_and_anything_else_twice_is_refused() -> None:
    inner = data(bundle(ICE))[:-1]
    for extra in (
        b', "entry": []}',
        b', "entry": [{"resource": {"resourceType": "Basic"}}]}',
        b', "link": [], "link": []}',
    ):
        problems = [p for record in reading(inner + extra).records.values() for p in record.problems]
        problems += reading(inner + extra).problems
        assert "partial-data" in [problem.code for problem in problems], extra
    assert "twice" in refused(inner + b', "resourceType": "Bundle"}').reason
    hidden = b'{"resourceType":"Bundle","entry":[{"resource":' + data(ICE) + b',"resource":{"resourceType":"Basic"}}]}'
    found = reading(hidden)
    assert [problem.code for problem in found.problems] == ["invalid-resource"]
    assert found.problems[0].element == "entry[0]"


def test_a_bad_entry_is_a_problem_and_not_a_failure() -> None:
    document = bundle(PATIENT, ICE)
    document["entry"] += [
        5,
        {"resource": 5},
        {"resource": {"id": "x"}},
        {"resource": {"resourceType": 7}},
        {"fullUrl": "x"},
    ]
    (record,) = reading(document).records.values()
    assert len(record.observed) == 1
    assert codes(record) == [
        ("invalid-resource", "", "entry[2]"),
        ("invalid-resource", "", "entry[3].resource"),
        ("invalid-resource", "", "entry[4].resource"),
        ("invalid-resource", "", "entry[5].resource"),
        ("partial-data", "", "entry[6]"),
    ]
    assert record.incomplete


def test_quirk_28_an_outcome_beside_matches_means_partial_data() -> None:
    outcome = {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "warning", "code": "suppressed", "diagnostics": "of Mr. Example"}],
    }
    (record,) = reading(bundle(PATIENT, ICE, outcome)).records.values()
    assert codes(record) == [("partial-data", "", "entry[2].resource")]
    assert "suppressed" in record.problems[0].message
    assert "Example" not in record.problems[0].message


def test_a_page_that_was_not_followed_means_partial_data() -> None:
    link = [{"relation": "next", "url": "https://x.example/?sessionID=1"}]
    (record,) = reading(bundle(PATIENT, ICE, kind="searchset", link=link)).records.values()
    assert codes(record) == [("partial-data", "", "link")]
    assert record.problems[0].affects == ("grade",)


def test_a_failed_part_of_a_batch_means_partial_data() -> None:
    document = bundle(PATIENT, ICE, kind="batch-response")
    document["entry"].append({"response": {"status": "403 Forbidden"}})
    (record,) = reading(document).records.values()
    assert codes(record) == [("partial-data", "", "entry[2]")]


def test_the_order_of_entries_and_of_keys_changes_nothing() -> None:
    rng = random.Random(7)
    resources: list[Json] = [PATIENT]
    for index in range(30):
        resources.append(
            observation(id=f"o{index % 25}", valueInteger=index % 13, issued=f"2026-03-08T1{index % 10}:00:00Z")
        )
    resources.append(observation(concept("1", "urn:x", text="ICE"), id="local"))
    expected = reading(bundle(*resources))
    assert len(expected.records["Patient/p"].problems) > 2
    for _ in range(10):
        shuffled = rng.sample(resources, len(resources))
        turned = [dict(rng.sample(list(resource.items()), len(resource))) for resource in shuffled]
        assert reading(bundle(*turned)) == expected


def test_irrelevant_resources_change_nothing_but_the_counts() -> None:
    plain = reading(bundle(PATIENT, ICE))
    noise: list[Json] = [
        {"resourceType": "Encounter", "id": "e", "status": "finished", "class": {"code": "IMP"}},
        observation(concept("8867-4", "http://loinc.org", text="Heart rate"), id="hr", valueQuantity={"value": 80}),
        {
            "resourceType": "Condition",
            "id": "c",
            "code": {"text": "Headache"},
            "subject": {"reference": "Patient/p"},
        },
        {
            "resourceType": "Procedure",
            "id": "x",
            "status": "completed",
            "subject": {"reference": "Patient/p"},
        },
    ]
    mixed = reading(bundle(*noise, PATIENT, ICE))
    assert mixed.records == plain.records
    assert mixed.counts["Encounter"] == 1


def test_escaped_keys_and_values_are_read_as_what_they_are() -> None:
    raw = data(ICE).replace(b'"code": "ice-total"', b'"co\\u0064e": "ice\\u002dtotal"')
    assert raw != data(ICE)
    assert len(reading(raw).records["Patient/p"].observed) == 1


@pytest.mark.parametrize("text", ["Büro µ \U0001f9e0", "\u00a0", 'say "ah" \\ \n'])
def test_unusual_text_is_no_matter(text: str) -> None:
    for ascii_only in (True, False):
        raw = json.dumps(
            observation(valueInteger=5, subject={"reference": "Patient/p", "display": text}),
            ensure_ascii=ascii_only,
        )
        found = reading(raw.encode())
        (record,) = found.records.values()
        assert len(record.observed) == 1


def test_an_input_that_names_no_patient_is_of_one() -> None:
    found = reading(observation(subject=None, valueInteger=5))
    assert list(found.records) == ["Patient/unknown"]


def test_fhir_without_anything_relevant_is_read_and_holds_nothing() -> None:
    values: list[Any] = [
        {"resourceType": "Bundle", "type": "searchset"},
        {
            "resourceType": "CapabilityStatement",
            "status": "active",
            "rest": [{"resource": [{"type": "Bundle"}]}],
        },
    ]
    for value in values:
        found = reading(value)
        assert (found.records, found.problems) == ({}, ())
