"""Rules L13, L18, L22, L38 and L39: 24-hour answers that the record leaves open, and why."""

from __future__ import annotations

import pytest

from tests.support.builders import (
    capd,
    consciousness,
    documented,
    ice,
    motor,
    not_assessed,
    on_day,
    propofol,
    rass,
    seizure,
    steroid,
)
from tests.support.charts import alerts, evaluated, lines, replayed, types

ONSET = on_day(5)
T0 = on_day(5, "09:00")
DAY_AFTER = on_day(6)
DUE = on_day(6, "09:00")
MORNING = on_day(6, "10:00")
CHILD = "2019-01-01"


def whole(when, score, level="alert"):
    return ice(when, score), consciousness(when, level)


def dex(when, milligrams="10", **more):
    return steroid(when, "dexamethasone", milligrams, "IV", **more)


GRADE_2 = whole(ONSET, 5)
TREATED = dex(T0), dex(DUE)


def verdicts(*charted, when=MORNING, **who):
    return [line["verdict"] for line in evaluated(when, *charted, **who)["refractory"]["lines"]]


# -- L13: reasons for a missing ICE -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "beside", "verdict"),
    [
        ("sedated", (), "indeterminate:not-assessable"),
        ("unarousable", (), "met"),
        ("aphasia", (), "met"),
        ("asleep", (), "overdue"),
        ("refused", (), "overdue"),
        ("language", (), "overdue"),
        ("language", (consciousness(DAY_AFTER, "alert"),), "indeterminate:interval-overlap"),
        ("refused", (consciousness(DAY_AFTER, "alert"),), "overdue"),
    ],
)
def test_L13_which_reasons_answer_the_24_hours(reason, beside, verdict):
    assert verdicts(*GRADE_2, *TREATED, not_assessed(DAY_AFTER, "ice-total", reason), *beside) == [verdict]


@pytest.mark.parametrize(("reason", "ended"), [("asleep", False), ("refused", False), ("sedated", True)])
def test_L13_a_row_that_is_not_full_ends_no_reassessment_overdue(reason, ended):
    chart = *GRADE_2, *TREATED, not_assessed(on_day(6, "12:00"), "ice-total", reason)
    (missing,) = alerts(replayed(*chart, until=on_day(6, "13:00")), "reassessment-overdue")
    assert missing["until"] == (on_day(6, "12:00") if ended else None)


def test_L13_a_row_with_a_reason_that_raises_the_grade_ends_it():
    chart = *GRADE_2, *TREATED, not_assessed(on_day(6, "12:00"), "ice-total", "refused")
    worse = consciousness(on_day(6, "12:00"), "awakens-to-tactile")
    (missing,) = alerts(replayed(*chart, worse, until=on_day(6, "13:00")), "reassessment-overdue")
    assert missing["until"] == on_day(6, "12:00")


# -- L18: gains within one grade --------------------------------------------------------------------------


def child(before, after, *also):
    both = capd(ONSET, before), consciousness(ONSET, "alert"), *TREATED, capd(DAY_AFTER, after)
    return verdicts(*both, consciousness(DAY_AFTER, "alert"), *also, birth=CHILD)


@pytest.mark.parametrize(
    ("after", "verdict"), [(16, "indeterminate:capd-only"), (17, "met"), (20, "met"), (8, "responded")]
)
def test_L18_a_fall_of_capd_by_4_points_is_open(after, verdict):
    assert child(20, after) == [verdict]


def test_L18_not_where_another_domain_is_worse():
    assert child(20, 12, motor(DAY_AFTER, "none")) == ["indeterminate:capd-only"]
    drowsy = capd(ONSET, 20), consciousness(ONSET, "alert"), *TREATED, capd(DAY_AFTER, 12)
    assert verdicts(*drowsy, consciousness(DAY_AFTER, "awakens-to-voice"), birth=CHILD) == ["met"]


def test_L18_it_asks_for_judgement():
    chart = capd(ONSET, 20), consciousness(ONSET, "alert"), *TREATED, capd(DAY_AFTER, 16)
    called = evaluated(on_day(6, "10:00"), *chart, consciousness(DAY_AFTER, "alert"), birth=CHILD)
    (found,) = [f for f in called["findings"] if f["type"] == "refractory-indeterminate"]
    assert (found["facts"]["reason"], found["facts"]["needed"]) == ("capd-only", ["clinician-judgement"])
    assert any("CAPD" in card["summary"] + card["detail"] for card in called["cards"])


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        (7, 8, "indeterminate:ice-only"),
        (8, 9, "indeterminate:ice-only"),
        (9, 9, "met"),
        (8, 7, "met"),
        (4, 5, "met"),
        (3, 5, "indeterminate:ice-only"),
    ],
)
def test_L18_from_grade_1_one_ice_point_is_a_gain(before, after, verdict):
    assert verdicts(*whole(ONSET, before), *TREATED, *whole(DAY_AFTER, after)) == [verdict]


# -- L22: grades that an earlier event holds --------------------------------------------------------------


def test_L22_an_event_that_may_still_be_there_widens_the_answer():
    """Deep weakness of day 5 counts 0 to 4 a day later; without it the ICE of 9 is an improvement."""
    chart = ice(ONSET, 9), motor(ONSET, "deep-focal-weakness"), consciousness(ONSET, "alert"), *TREATED
    assert verdicts(*chart, *whole(on_day(6, "08:30"), 9)) == ["indeterminate:event-carry"]


def test_L22_a_seizure_that_is_carried_holds_the_answer_below_the_reference():
    """Reference 3-4 (the ICE was not recorded); next day ICE 10 and the seizure of that night, still carried."""
    chart = seizure(on_day(5, "02:00"), "brief-or-resolving"), dex(on_day(5, "02:30")), dex(on_day(5, "20:30"))
    assert verdicts(*chart, *whole(on_day(5, "22:00"), 10), when=on_day(6, "03:00")) == ["indeterminate:event-carry"]


def test_L22_not_where_the_answer_is_open_without_it_too():
    """Reference 4; next day a seizure of unknown duration, 3 to 4, next to the weakness that may still be there."""
    chart = *GRADE_2, motor(on_day(5, "08:30"), "deep-focal-weakness"), *TREATED
    fresh = *whole(on_day(6, "08:45"), 9), seizure(on_day(6, "08:45"), "unspecified")
    assert verdicts(*chart, *fresh) == ["indeterminate:interval-overlap"]


def held_under_sedation(*charted):
    """Grade 4 by a seizure before the dose; ventilated with propofol since, the seizure still carried."""
    start = *whole(ONSET, 5), seizure(on_day(5, "10:00"), "prolonged"), dex(on_day(5, "11:00"), "20")
    running = propofol(on_day(5, "10:40"), on_day(7)), dex(on_day(6, "11:00"), "20")
    return verdicts(*start, *running, *charted, when=on_day(6, "11:30"))


def test_L22_what_only_an_earlier_event_holds_under_sedation_is_not_assessable():
    assert held_under_sedation(ice(on_day(6, "09:00"), 0)) == ["indeterminate:not-assessable"]
    assert held_under_sedation(rass(on_day(6, "09:00"), -4)) == ["overdue"]


def test_L22_a_fresh_event_under_sedation_answers():
    again = seizure(on_day(6, "09:00"), "prolonged")
    assert held_under_sedation(ice(on_day(6, "09:00"), 0), again) == ["met"]


# -- L39: an older, worse event next to a milder one -------------------------------------------------------


def test_L39_a_carried_seizure_next_to_a_fresh_milder_one_is_carried():
    chart = (
        *whole(ONSET, 10),
        seizure(on_day(5, "10:00"), "prolonged"),
        dex(on_day(5, "11:00"), "20"),
        dex(on_day(6, "07:00"), "20"),
        *whole(DAY_AFTER, 9),
        seizure(DAY_AFTER, "brief-or-resolving"),
    )
    played = replayed(*chart, until=on_day(6, "12:00"))
    assert alerts(played, "refractory") == []
    assert [a["facts"]["reason"] for a in alerts(played, "refractory-indeterminate")] == ["event-carry"]


def test_L39_a_fresh_seizure_as_bad_as_the_carried_one_is_not():
    chart = *whole(ONSET, 10), seizure(on_day(5, "10:00"), "prolonged"), dex(on_day(5, "11:00"), "20")
    fresh = *whole(DAY_AFTER, 9), seizure(DAY_AFTER, "prolonged")
    assert verdicts(*chart, *fresh, when=on_day(6, "11:00")) == ["met"]


# -- L38: known by the day only ----------------------------------------------------------------------------


def by_day(resource, day):
    return {**resource, "effectiveDateTime": day}


def test_L38_no_reference_at_one_end_of_the_day_is_time_imprecise():
    """The charted grade is of day 4: 24 hours before a dose of day 5 20:00 only if it was charted late that day."""
    start = by_day(documented(ONSET, 2), "2026-03-05")
    chart = start, dex(on_day(5, "20:00")), dex(on_day(6, "14:00")), *whole(on_day(6, "20:00"), 5)
    assert verdicts(*chart, when=on_day(6, "21:00")) == ["indeterminate:time-imprecise"]


def test_L38_a_treatment_start_with_a_reference_at_its_early_end_only_is_time_imprecise():
    """A dose of day 6: at its end the ICE of day 5 08:00 is too old, at its start it is the reference."""
    chart = *GRADE_2, by_day(dex(T0), "2026-03-07"), dex(on_day(7, "20:00"))
    assert verdicts(*chart, when=on_day(7, "03:00")) == ["indeterminate:time-imprecise"]


def test_L38_no_reference_at_either_end_is_no_reference():
    chart = *GRADE_2, by_day(dex(T0), "2026-03-08"), dex(on_day(8, "20:00"))
    assert verdicts(*chart, when=on_day(8, "03:00")) == ["indeterminate:no-reference"]


def test_L38_no_verdict_at_one_end_is_time_imprecise():
    """ICE of 20:00: within 24 hours of a start at the day's end, but a treatment start at its begin asks on day 6."""
    chart = *GRADE_2, by_day(dex(T0), "2026-03-06"), dex(DUE), *whole(on_day(6, "20:00"), 5)
    assert verdicts(*chart, when=on_day(7, "01:00")) == ["indeterminate:time-imprecise"]


def test_L38_reassessment_overdue_follows_a_time_imprecise_reference():
    chart = *GRADE_2, by_day(dex(T0), "2026-03-07"), dex(on_day(7, "20:00"))
    assert "reassessment-overdue" in types(evaluated(on_day(8, "00:30"), *chart))
    assert lines(on_day(8, "00:30"), *chart)[0]["verdict"] == "overdue"
