"""FHIR times as instants: days, zones, summer time, partial dates, the clock of a live call."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from fhir_mappings.times import When, clamp_to_now, known_from, parse_when
from tests.support.resources import settings

NEW_YORK = ZoneInfo("America/New_York")


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-03-08T14:00:00Z", "2026-03-08T14:00:00+00:00"),
        ("2026-03-08T14:00:00-05:00", "2026-03-08T19:00:00+00:00"),
        ("2026-03-08T14:00:00.5+14:00", "2026-03-08T00:00:00.5+00:00"),
        ("2026-03-08T14:00:00.123456789Z", "2026-03-08T14:00:00.123456+00:00"),
        ("2026-12-31T23:59:60Z", "2027-01-01T00:00:00+00:00"),
    ],
)
def test_a_time_with_offset_is_one_instant(written: str, expected: str) -> None:
    when = parse_when(written, settings())
    assert isinstance(when, When)
    assert when.at == when.earliest == instant(expected)
    assert when.at.tzinfo is UTC


def test_a_day_stands_for_the_local_day() -> None:
    when = parse_when("2026-03-08", settings(zone=NEW_YORK, zone_configured=True))
    assert when == When(instant("2026-03-09T04:00:00+00:00"), instant("2026-03-08T05:00:00+00:00"), date(2026, 3, 8)), (
        "the day on which summer time begins has 23 hours"
    )


def test_the_day_of_an_instant_is_the_sites() -> None:
    when = parse_when("2026-03-09T02:00:00Z", settings(zone=NEW_YORK, zone_configured=True))
    assert isinstance(when, When)
    assert when.day == date(2026, 3, 8)


def test_a_time_without_zone_is_the_sites_if_it_has_named_one() -> None:
    when = parse_when("2026-07-01T08:30:00", settings(zone=NEW_YORK, zone_configured=True))
    assert isinstance(when, When)
    assert when.at == when.earliest == instant("2026-07-01T12:30:00+00:00")
    assert not when.zoneless


def test_a_time_without_zone_is_otherwise_its_whole_day() -> None:
    when = parse_when("2026-07-01T08:30:00", settings())
    assert when == When(instant("2026-07-02T00:00+00:00"), instant("2026-07-01T00:00+00:00"), date(2026, 7, 1), True)


def test_the_hour_that_summer_time_repeats_may_be_either() -> None:
    when = parse_when("2026-11-01T01:30:00", settings(zone=NEW_YORK, zone_configured=True))
    assert isinstance(when, When)
    assert when.at - when.earliest == timedelta(hours=1)


@pytest.mark.parametrize("written", ["2026", "2026-03"])
def test_a_month_or_a_year_is_imprecise(written: str) -> None:
    assert parse_when(written, settings()) == "time-imprecise"


@pytest.mark.parametrize(
    "written",
    [
        "",
        "now",
        "2026-02-30",
        "2026-13-01",
        "2026-03-08T14:00Z",
        "２０２６",
    ],
)
def test_what_is_no_time_is_said(written: str) -> None:
    assert parse_when(written, settings()) == "time-missing"


@pytest.mark.parametrize("written", ["9999-12-31", "0001-01-01T00:00:00+14:00", "1899-12", "2300", "0001"])
def test_L4_an_instant_outside_the_plausible_years_is_none(written: str) -> None:
    assert parse_when(written, settings()) == "time-implausible"


def test_a_live_call_knows_nothing_of_the_future() -> None:
    live = settings(now=instant("2026-03-08T14:00:00+00:00"))
    for written, counts in (("2026-03-08T14:05:00Z", True), ("2026-03-08T14:05:01Z", False)):
        when = parse_when(written, live)
        assert isinstance(when, When)
        assert (clamp_to_now(when, live) is not None) is counts
    assert known_from(live, instant("2026-03-08T14:05:00+00:00")) == live.now


def test_of_a_day_that_is_not_over_only_the_past_part_can_have_happened() -> None:
    live = settings(now=instant("2026-03-08T14:00:00+00:00"))
    today, tomorrow = parse_when("2026-03-08", live), parse_when("2026-03-09", live)
    assert isinstance(today, When) and isinstance(tomorrow, When)
    placed = clamp_to_now(today, live)
    assert placed is not None
    assert (placed.at, placed.earliest) == (live.now, instant("2026-03-08T00:00:00+00:00"))
    assert clamp_to_now(tomorrow, live) is None
