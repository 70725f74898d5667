"""Versions of one resource: corrections, retractions, deletions, copies."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from icans.record import IceTotal, Record
from tests.support.resources import (
    PATIENT,
    Json,
    bundle,
    codes,
    observation,
    reading,
    record,
)


def version(number: str | None, filed: str | None, value: int | None = 5, **elements: Any) -> Json:
    meta = {"versionId": number, "lastUpdated": filed}
    return observation(
        meta={name: text for name, text in meta.items() if text is not None} or None,
        valueInteger=value,
        **elements,
    )


def hour(clock: int) -> str:
    return f"2026-03-08T{clock}:00:00Z"


def at(clock: int) -> datetime:
    return datetime(2026, 3, 8, clock, tzinfo=UTC)


def totals(found: Record) -> list[tuple[int, datetime, datetime | None]]:
    return sorted((e.low, e.known, e.superseded) for e in found.observed if isinstance(e, IceTotal))


def test_a_correction_replaces_from_when_it_was_filed() -> None:
    first = version("1", hour(14), 2)
    second = version("2", hour(18), 7, status="amended")
    expected = [(2, at(14), at(18)), (7, at(18), None)]
    assert totals(record(first, second)) == totals(record(second, first)) == expected
    superseded = next(entry for entry in record(first, second).observed if entry.superseded)
    assert superseded.superseded_by == "Observation/o"


def test_versions_are_ordered_as_numbers() -> None:
    found = record(version("10", hour(20), 7), version("9", hour(18), 6), version("2", hour(14), 5))
    assert totals(found) == [(5, at(14), at(18)), (6, at(18), at(20)), (7, at(20), None)]


def test_versions_without_numbers_are_ordered_by_filing() -> None:
    found = record(version("b", hour(14), 5), version("a", hour(18), 6))
    assert totals(found) == [(5, at(14), at(18)), (6, at(18), None)]


def test_the_first_version_is_known_as_it_says_and_not_when_it_was_filed() -> None:
    assert totals(record(version("7", hour(20), 5, status="amended"))) == [(5, at(14), None)]


def test_entered_in_error_removes() -> None:
    found = record(version("1", hour(14)), version("2", hour(17), status="entered-in-error"))
    assert totals(found) == [(5, at(14), at(17))]
    assert found.problems == ()


def test_entered_in_error_without_anything_to_remove_is_said() -> None:
    assert codes(record(version("2", hour(17), status="entered-in-error")))[0][0] == "status-not-usable"


def test_entered_in_error_without_version_or_value_removes_too() -> None:
    error = version(None, None, None, status="entered-in-error", effectiveDateTime=None)
    found = record(version(None, None), error)
    assert [superseded is not None for _, _, superseded in totals(found)] == [True]


def test_a_preliminary_result_that_became_final() -> None:
    found = record(version("1", hour(14), status="preliminary"), version("2", hour(16)))
    assert totals(found) == [(5, at(16), None)]
    assert [(problem.code, problem.superseded) for problem in found.problems] == [("status-not-usable", at(16))]


def test_a_correction_to_nonsense_does_not_leave_the_old_value_standing() -> None:
    found = record(version("1", hour(14), 5), version("2", hour(16), 55))
    assert totals(found) == [(5, at(14), at(16))]
    assert [(problem.code, problem.known) for problem in found.problems] == [("value-out-of-range", at(16))]


def test_an_unreadable_version_replaces_nothing_and_is_said() -> None:
    found = record(version("1", hour(14), 5), {**version("2", hour(16), 6), "valueString": "6"})
    assert totals(found) == [(5, at(14), None)]
    assert [problem.code for problem in found.problems] == ["invalid-resource"]


def test_a_copy_counts_once() -> None:
    found = record(version("1", hour(14)), version("1", hour(14)), dict(reversed(version("1", hour(14)).items())))
    assert totals(found) == [(5, at(14), None)]
    assert found.problems == ()


def test_versions_that_cannot_be_ordered_are_all_considered() -> None:
    found = record(version(None, None, 5), version(None, None, 9))
    assert totals(found) == [(5, at(14), None), (9, at(14), None)]
    assert codes(found) == [("conflicting-values", "Observation/o", "meta.versionId")]


def test_an_amended_resource_under_another_id_replaces_nothing() -> None:
    found = record(version("1", hour(14), 2), observation(id="o2", status="amended", valueInteger=7))
    assert [superseded for _, _, superseded in totals(found)] == [None, None]


def test_a_deletion_in_a_history_removes() -> None:
    history = bundle(PATIENT, version("1", hour(14)), kind="history")
    history["entry"].insert(
        0,
        {
            "request": {"method": "DELETE", "url": "Observation/o"},
            "response": {"status": "200", "lastModified": hour(19)},
        },
    )
    (found,) = reading(history).records.values()
    assert totals(found) == [(5, at(14), at(19))]


def test_in_a_live_call_nothing_is_known_later_than_now() -> None:
    found = record(version("1", hour(14), 2), version("2", hour(18), 7), now=at(16))
    assert totals(found) == [(2, at(14), at(16)), (7, at(16), None)]
