"""Observations as a whole: status, times, modifiers, relevance, validity."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from icans.record import (
    Infusion,
)
from tests.support.resources import (
    AT,
    Json,
    bundle,
    codes,
    concept,
    observation,
    reading,
    record,
)

NOON = datetime(2026, 3, 8, 14, tzinfo=UTC)


def component(code: str | Json, **value: Any) -> Json:
    return {"code": concept(code) if isinstance(code, str) else code, **value}


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
        "documented-icans-grade",
        status="preliminary",
        valueInteger=3,
        method={"text": "computed from recorded items"},
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
    assert (found.observed, codes(found)) == (
        (),
        [("unknown-modifier", "Observation/o", "modifierExtension")],
    )
    parts = [
        component("ice-year", valueInteger=0, modifierExtension=modifier),
        component("ice-city", valueInteger=1),
    ]
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
        {"valueInteger": 5, "status": None},
        {"valueInteger": 5, "effectiveDateTime": 1700000000},
        {"valueInteger": 5, "effectiveDateTime": "2026-02-30"},
        {"valueInteger": 5, "component": 7},
        {"valueInteger": 99999999999},
    ],
)
def test_an_invalid_resource_is_said_and_not_used(change: Json) -> None:
    found = record(observation(**change))
    assert found.observed == ()
    (problem,) = found.problems
    assert (problem.code, problem.reference, problem.affects) == (
        "invalid-resource",
        "Observation/o",
        ("grade",),
    )


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
