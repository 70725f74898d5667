"""Whole stays: a ward's nights, and the patients of whom no card must go on for ever."""

from __future__ import annotations

import pytest

from tests.support.builders import (
    consciousness,
    documented,
    gcs_eye,
    ice,
    infusion,
    not_assessed,
    on_day,
    propofol,
    rass,
)
from tests.support.charts import alerts, changes, evaluated, replayed, types

#: Hourly RASS and eye response of a patient who sleeps from 22:00 to 06:00.
ASLEEP = {22: (-1, 3), 23: (-2, 3), 0: (-2, 3), 1: (-3, 3), 2: (-3, 3), 3: (-2, 3), 4: (-2, 3), 5: (-1, 3)}


def full(when, score, **more):
    return ice(when, score, **more), consciousness(when, "alert", **more)


def hourly(days):
    """RASS and GCS eye response every hour of these days, sleep included, from the first ICE on."""
    first = on_day(days[0], "06:00")
    rows = []
    for day in days:
        for hour in range(24):
            level, eye = ASLEEP.get(hour, (0, 4))
            when = on_day(day, f"{hour:02d}:30")
            if when < first:
                continue
            rows += [rass(when, level, id=f"rass-{day}-{hour}"), gcs_eye(when, eye, id=f"eye-{day}-{hour}")]
    return rows


def eight_hourly(days, score):
    return [
        row
        for day in days
        for clock in ("06:00", "14:00", "22:00")
        for row in (ice(on_day(day, clock), score, id=f"ice-{day}-{clock[:2]}"),)
    ]


def told(played):
    """What a viewer would have met: type, time and facts of every alert but the running ones."""
    return [(a["type"], a["shownAt"], a["until"], a["facts"]) for a in played["alerts"]]


@pytest.mark.parametrize("score", [10, 8, 5, 2])
def test_nights_of_hourly_rows_give_no_card_that_the_ice_alone_would_not(score):
    days = range(4, 8)
    alone = eight_hourly(days, score)
    assert told(replayed(*alone, *hourly(days), until=on_day(8))) == told(replayed(*alone, until=on_day(8)))


def test_nights_of_hourly_rows_beside_a_course_that_moves():
    course = [*eight_hourly((4,), 10), *eight_hourly((5,), 5), *eight_hourly((6,), 8), *eight_hourly((7,), 10)]
    noise = hourly(range(4, 8))
    with_rows = replayed(*course, *noise, until=on_day(8))
    assert told(with_rows) == told(replayed(*course, until=on_day(8)))
    assert changes(with_rows) == [("onset", 0, 2), ("improvement", 2, 1), ("resolution", 1, 0)]


def test_an_unsedated_fall_to_eye_1_at_night_is_critical_at_once():
    days = range(4, 7)
    fallen = gcs_eye(on_day(6, "03:00"), 1, id="fall")
    played = replayed(*eight_hourly(days, 8), *hourly(days), fallen, until=on_day(6, "03:10"))
    worse = [a for a in alerts(played, "grade-change") if a["indicator"] == "critical"]
    assert [(a["shownAt"], a["facts"]["grade"]) for a in worse] == [(on_day(6, "03:00"), 4)]
    assert played["cards"][-1]["shownAt"] == on_day(6, "03:00")
    assert played["cards"][-1]["card"]["indicator"] == "critical"


def test_the_same_fall_under_sedation_is_none():
    days = range(4, 7)
    fallen = gcs_eye(on_day(6, "03:00"), 1, id="fall")
    running = propofol(on_day(6, "00:00"), on_day(6, "12:00"))
    played = replayed(*eight_hourly(days, 8), fallen, running, until=on_day(6, "03:10"))
    assert [a for a in alerts(played, "grade-change") if a["indicator"] == "critical"] == []


def test_a_patient_whom_nobody_saw_for_two_days():
    chart = [row for day in range(1, 6) for row in full(on_day(day), 10)]
    assert types(evaluated(on_day(6, "19:59"), *chart)) == set()
    assert types(evaluated(on_day(7, "08:00"), *chart)) == {"assessment-not-found"}
    found = alerts(replayed(*chart, until=on_day(60)), "assessment-not-found")
    assert len(found) == 1
    assert found[0]["until"] is not None
    assert evaluated(on_day(40), *chart)["cards"] == []


def test_a_patient_sedated_for_three_days():
    running = propofol(on_day(5, "09:00"), on_day(8, "09:00"))
    rows = [
        not_assessed(on_day(day, clock), "ice-total", "sedated") for day in (6, 7, 8) for clock in ("00:00", "08:00")
    ]
    chart = *full(on_day(5), 5), running, *rows
    found = evaluated(on_day(7, "12:00"), *chart)
    assert (found["grade"]["working"], found["grade"]["stale"], found["grade"]["asOf"]) == (2, True, on_day(5))
    assert changes(replayed(*chart)) == [("onset", 0, 2)]
    assert "icans-active" in types(found)
    assert "Last known" in found["cards"][0]["detail"]


def test_a_patient_discharged_at_grade_0():
    chart = *full(on_day(5), 5), *full(on_day(7), 10), *full(on_day(8), 10)
    assert evaluated(on_day(8, "09:00"), *chart)["refractory"]["state"] == "resolved"
    played = replayed(*chart, until=on_day(89))
    assert all(alert["until"] is not None for alert in played["alerts"])
    assert evaluated(on_day(45), *chart)["cards"] == []


def test_a_patient_dead_on_day_3():
    chart = full(on_day(2), 5)
    found = evaluated(on_day(3, "13:00"), *chart, deceased=on_day(3, "12:00"))
    assert (found["monitoring"], found["cards"], found["grade"]["documentedGrade"]) == ("ended", [], None)
    played = replayed(*chart, deceased=on_day(3, "12:00"), until=on_day(30))
    assert all(alert["until"] is not None and alert["until"] <= on_day(3, "12:00") for alert in played["alerts"])


def test_a_patient_with_a_second_infusion_sixty_days_later():
    chart = *full(on_day(5), 2), documented(on_day(6), 0), documented(on_day(7), 0), infusion(on_day(60), id="second")
    later = *chart, *full(on_day(64), 8)
    found = evaluated(on_day(64), *later)
    assert (found["infusion"], found["grade"]["episode"], found["grade"]["working"]) == (on_day(60), 1, 1)
    played = replayed(*later, until=on_day(160))
    assert [course["episodes"] for course in played["courses"]] == [1, 1]
    assert all(alert["until"] is not None for alert in played["alerts"])


@pytest.mark.parametrize(
    ("charted", "hint"),
    [
        ((ice(on_day(5), 0),), "if it was not done, correct it"),
        ((ice(on_day(5), 10), consciousness(on_day(5), "awakens-to-voice")), "ICE 10 of 10 at the same time"),
    ],
)
def test_a_value_that_may_be_charted_from_habit_is_asked_for(charted, hint):
    cards = evaluated(on_day(5), ice(on_day(4), 10), consciousness(on_day(4), "alert"), *charted)["cards"]
    assert hint in cards[0]["detail"]


def test_L3_a_dose_that_could_not_be_read_is_not_no_steroid():
    masked = {
        "resourceType": "MedicationAdministration",
        "id": "masked",
        "status": "completed",
        "subject": {"reference": "Patient/p1"},
        "medicationReference": {"identifier": {"value": "4711"}},
        "effectiveDateTime": on_day(5, "06:00"),
    }
    asked = ice(on_day(5), 5), consciousness(on_day(5), "alert")
    assert "No steroid on record." in evaluated(on_day(5), *asked)["cards"][0]["detail"]
    detail = evaluated(on_day(5), *asked, masked)["cards"][0]["detail"]
    assert "No steroid on record that could be read; one may have been given." in detail
    assert "No steroid on record." not in detail
