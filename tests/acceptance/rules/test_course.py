"""Rules A1 to A5 and C1 to C7: who is evaluated and when, and the course of the grade; boundaries on both sides."""

from __future__ import annotations

import pytest

from tests.support.builders import (
    administration,
    capd,
    consciousness,
    documented,
    gcs_eye,
    ice,
    infusion,
    not_assessed,
    on_day,
    rass,
    seizure,
    steroid,
)
from tests.support.charts import alerts, changes, evaluated, problems, replayed, types

T = on_day(5)


def whole(when, score, level="alert"):
    """A full assessment: ICE and level of consciousness."""
    return ice(when, score), consciousness(when, level)


CLEAR_6_7 = (*whole(on_day(6), 10), *whole(on_day(7), 10))


@pytest.mark.parametrize(("when", "monitoring"), [(on_day(90, "08:29"), "active"), (on_day(90, "08:31"), "ended")])
def test_A1_monitoring_runs_for_90_days(when, monitoring):
    found = evaluated(when, *whole(T, 5), *CLEAR_6_7)
    assert found["monitoring"] == monitoring
    assert monitoring == "active" or found["findings"] == []


@pytest.mark.parametrize(("when", "monitoring"), [(on_day(118, "07:59"), "active"), (on_day(118, "08:01"), "ended")])
def test_A1_an_open_episode_extends_it_to_30_days_after_the_last_assessment(when, monitoring):
    found = evaluated(when, *whole(on_day(88), 5))
    assert found["monitoring"] == monitoring
    assert found["grade"]["working"] == 2


@pytest.mark.parametrize(
    ("charted", "monitoring"),
    [
        (ice(T, 5), "active"),
        (documented(T, 2), "active"),
        (capd(T, 12), "none"),
        (gcs_eye(T, 1), "none"),
        (rass(T, -5), "none"),
        (seizure(T, "prolonged"), "none"),
        (steroid(T, "dexamethasone", "10"), "none"),
    ],
)
def test_A1_without_an_infusion_only_ice_or_a_documented_grade_start_it(charted, monitoring):
    assert evaluated(T, charted, infused=False)["monitoring"] == monitoring


def test_A1_it_ends_at_death():
    found = evaluated(on_day(6), *whole(T, 5), deceased=on_day(5, "20:00"))
    assert (found["monitoring"], found["findings"], found["grade"]["working"]) == ("ended", [], 2)
    played = replayed(*whole(T, 5), deceased=on_day(5, "19:00"))
    assert alerts(played, "assessment-overdue") == []


def test_A2_records_within_30_days_are_one_infusion_at_the_earliest():
    again = infusion(on_day(30, "08:29"), id="second")
    found = evaluated(on_day(31), again)
    assert found["infusions"] == [on_day(0, "08:30")]


def test_A2_a_later_one_opens_a_new_course():
    again = infusion(on_day(60), id="second")
    played = replayed(*whole(T, 2), *CLEAR_6_7, again, *whole(on_day(65), 5))
    assert played["infusions"] == [on_day(0, "08:30"), on_day(60)]
    assert [course["peakGrade"] for course in played["courses"]] == [3, 2]
    assert played["summary"] == played["courses"][-1]
    assert [entry["day"] for entry in played["timeline"]][-1] == 5
    assert alerts(played, "grade-change")[-1]["facts"]["course"] == 2


def test_A2_not_done_is_no_infusion():
    assert evaluated(T, infusion(on_day(0), status="not-done"), ice(T, 9), infused=False)["infusion"] is None


def test_A3_without_an_infusion_grades_work_and_sums_are_not_known():
    chart = (*whole(T, 5), steroid(on_day(5, "09:00"), "methylprednisolone", "2000"))
    found = evaluated(on_day(5, "10:00"), *chart, infused=False)
    assert (found["infusion"], found["grade"]["working"]) == (None, 2)
    assert found["exposure"]["dexamethasoneEquivalentMg"] is None
    assert found["exposure"]["last24hMg"] == 375
    played = replayed(*chart, infused=False)
    assert alerts(played, "cumulative-dose") == []
    assert [problem["code"] for problem in played["problems"]].count("infusion-missing") == 1


def test_A4_before_the_infusion_doses_and_assessments_stand_apart():
    before = whole(on_day(-2), 3), steroid(on_day(-3), "dexamethasone", "40")
    found = evaluated(on_day(1), *before[0], before[1])
    assert found["exposure"]["beforeInfusionMg"] == 40
    assert found["exposure"]["dexamethasoneEquivalentMg"] == 0
    assert found["grade"]["working"] is None
    played = replayed(*before[0], before[1])
    assert [(entry["kind"], entry["day"]) for entry in played["timeline"]] == [("dose", -3), ("assessment", -2)]
    assert changes(played) == []


def test_A5_no_card_at_a_fresh_grade_0_and_one_when_nothing_was_found():
    assert evaluated(on_day(5, "20:00"), *whole(T, 10))["cards"] == []
    assert types(evaluated(on_day(6, "20:00"), *whole(T, 10))) == {"assessment-not-found"}
    assert evaluated(on_day(31), *whole(on_day(29), 10))["cards"] == []


@pytest.mark.parametrize(
    ("first", "second", "change"),
    [
        (whole(T, 8), whole(on_day(6), 5), ("worsening", 1, 2)),
        (whole(T, 5), whole(on_day(6), 8), ("improvement", 2, 1)),
        (whole(T, 5), whole(on_day(6), 10), ("resolution", 2, 0)),
    ],
)
def test_C1_the_headline_follows_definite_changes(first, second, change):
    assert changes(replayed(*first, *second))[-1] == change


def test_C1_an_interval_that_holds_the_headline_leaves_it():
    played = replayed(*whole(T, 5), consciousness(on_day(6), "awakens-to-voice"))
    assert changes(played) == [("onset", 0, 2)]


def test_C1_after_resolution_a_rise_is_a_recurrence():
    assert changes(replayed(*whole(T, 5), *CLEAR_6_7, *whole(on_day(8), 8)))[-1] == ("recurrence", 0, 1)
    assert changes(replayed(*whole(T, 5), *whole(on_day(6), 10), *whole(on_day(7), 8)))[-1] == ("worsening", 0, 1)


@pytest.mark.parametrize(("grade_of", "indicator"), [(8, "info"), (5, "warning"), (2, "critical")])
def test_C1_indicator_of_an_onset(grade_of, indicator):
    assert alerts(replayed(*whole(T, grade_of)), "grade-change")[0]["indicator"] == indicator


def test_C2_a_possible_worsening_is_judged_after_the_change():
    found = alerts(replayed(ice(T, 0)), "grade-possible-change")[0]["facts"]
    assert (found["previousGrade"], found["gradeLow"], found["gradeHigh"], found["direction"]) == (3, 3, 4, "worsening")


def test_C2_a_possible_improvement():
    played = replayed(*whole(T, 2), consciousness(on_day(7), "alert"))
    found = alerts(played, "grade-possible-change")
    assert [(a["facts"]["direction"], a["facts"]["gradeLow"], a["facts"]["gradeHigh"]) for a in found] == [
        ("improvement", 0, 3)
    ]


def test_C2_up_to_grade_1_is_no_possible_change():
    played = replayed(ice(T, 10), consciousness(T, "awakens-spontaneously"))
    assert alerts(played, "grade-possible-change") == []


def test_C2_the_same_interval_keeps_the_finding():
    again = ice(on_day(5, "10:00"), 0)
    assert len(alerts(replayed(ice(T, 0), again), "grade-possible-change")) == 1
    ended = alerts(replayed(ice(T, 0), ice(on_day(5, "10:00"), 2)), "grade-possible-change")[0]
    assert ended["until"] == on_day(5, "10:00")


@pytest.mark.parametrize(("clock", "state"), [("08:00", "resolved"), ("07:59", "untreated")])
def test_C3_an_episode_resolves_after_24_hours_of_clear_assessments(clock, state):
    chart = (*whole(T, 5), *whole(on_day(6), 10), *whole(on_day(7, clock), 10))
    assert evaluated(on_day(7, "09:00"), *chart)["refractory"]["state"] == state


def test_C3_an_assessment_that_is_not_clear_breaks_the_run():
    chart = (*whole(T, 5), *whole(on_day(6), 10), *whole(on_day(6, "20:00"), 9), *whole(on_day(7), 10))
    assert evaluated(on_day(7), *chart)["refractory"]["state"] == "untreated"


@pytest.mark.parametrize(("score", "indicator"), [(8, "info"), (5, "info"), (2, "warning")])
def test_C4_icans_active_keeps_the_patient_in_sight(score, indicator):
    found = evaluated(on_day(6, "09:00"), *whole(T, score))
    active = next(f for f in found["findings"] if f["type"] == "icans-active")
    assert (active["indicator"], active["at"], active["facts"]["since"]) == (indicator, T, T)
    assert "icans-active" not in types(evaluated(on_day(7), *whole(T, score), *CLEAR_6_7))


@pytest.mark.parametrize(
    ("score", "last", "due", "interval"),
    [(5, on_day(5, "19:59:59"), on_day(5, "20:00"), 8), (8, on_day(6, "07:59:59"), on_day(6), 12)],
)
def test_C5_overdue_after_the_interval_and_its_grace(score, last, due, interval):
    assert "assessment-overdue" not in types(evaluated(last, *whole(T, score)))
    overdue = next(f for f in evaluated(due, *whole(T, score))["findings"] if f["type"] == "assessment-overdue")
    assert (overdue["at"], overdue["facts"]["intervalHours"], overdue["facts"]["lastAssessment"]) == (due, interval, T)
    assert [(item["value"], item["time"]) for item in overdue["evidence"]] == [(str(score), T), ("alert", T)]


def test_C5_not_at_grade_0_and_ended_only_by_a_full_row():
    assert alerts(replayed(*whole(T, 10)), "assessment-overdue") == []
    played = replayed(
        *whole(T, 5), gcs_eye(on_day(5, "21:00"), 4), not_assessed(on_day(5, "22:00"), "ice-total", "sedated")
    )
    assert alerts(played, "assessment-overdue")[0]["until"] == on_day(5, "22:00")


def test_C5_not_while_the_24_hour_reassessment_is_missing():
    dose = steroid(on_day(5, "09:00"), "dexamethasone", "10")
    played = replayed(*whole(T, 5), *whole(on_day(5, "15:00"), 5), *whole(on_day(5, "23:00"), 5), dose)
    overdue = alerts(played, "assessment-overdue")
    assert [a["shownAt"] for a in overdue if a["shownAt"] < on_day(6, "09:00")] == []


@pytest.mark.parametrize(
    ("charted", "domain"),
    [
        ((ice(T, 5), consciousness(T, "awakens-to-voice")), "ice"),
        ((ice(T, 8), consciousness(T, "awakens-to-voice")), "consciousness"),
        ((ice(T, 1), consciousness(T, "alert"), seizure(T, "brief-or-resolving")), "ice"),
        ((ice(T, 9), consciousness(T, "alert"), seizure(T, "brief-or-resolving")), "seizure"),
        ((documented(T, 2),), "documented"),
        ((ice(T, 10), consciousness(T, "alert")), None),
    ],
)
def test_C6_the_deciding_domain(charted, domain):
    assert evaluated(T, *charted)["grade"]["decidingDomain"] == domain


def test_C6_an_ice_that_is_not_one_number_is_given_by_its_bounds():
    facts = alerts(replayed(ice(T, 0, 1), consciousness(T, "alert")), "grade-change")[0]["facts"]
    assert (facts["iceScore"], facts["iceLow"], facts["iceHigh"]) == (None, 0, 1)


@pytest.mark.parametrize(("when", "said"), [(on_day(1, "20:29:59"), False), (on_day(1, "20:30"), True)])
def test_C7_nothing_assessed_for_36_hours_after_the_infusion(when, said):
    found = evaluated(when, administration(on_day(0), "dexamethasone", "10", "IV"))
    assert ("assessment-not-found" in types(found)) is said


def test_C7_ends_with_the_next_assessable_assessment():
    played = replayed(not_assessed(on_day(2), "ice-total", "sedated"), *whole(on_day(3), 10), until=on_day(60))
    found = alerts(played, "assessment-not-found")
    assert [(a["facts"]["since"], a["until"]) for a in found][0] == (on_day(0, "08:30"), on_day(3))


@pytest.mark.parametrize(("seen", "monitoring"), [(on_day(6, "20:00"), "ended"), (on_day(6, "20:01"), "active")])
def test_L5_a_death_that_the_record_contradicts_ends_nothing(seen, monitoring):
    found = evaluated(on_day(7), *whole(T, 5), *whole(seen, 5), deceased=on_day(5, "20:00"))
    assert found["monitoring"] == monitoring
    assert ("conflicting-values" in problems(found)) == (monitoring == "active")


def test_L5_so_does_one_before_the_infusion():
    assert evaluated(on_day(7), *whole(T, 5), deceased=on_day(-1))["monitoring"] == "active"
