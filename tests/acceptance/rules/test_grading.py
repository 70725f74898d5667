"""Rules GRD-1 to GRD-17: how one assessment is graded (ASTCT 2019), each on both sides of its boundary."""

from __future__ import annotations

import pytest

from tests.support.builders import (
    coded,
    consciousness,
    documented,
    ice,
    ice_items,
    icp_edema,
    item,
    motor,
    not_assessed,
    on_day,
    propofol,
    seizure,
)
from tests.support.charts import alerts, changes, evaluated, graded, problems, replayed, strictly, types

T = on_day(5)
ALERT = consciousness(T, "alert", id="alert")


@pytest.mark.parametrize(("score", "grade"), [(10, 0), (9, 1), (7, 1), (6, 2), (3, 2), (2, 3), (1, 3)])
def test_GRD_1_ice_score_gives_the_grade(score, grade):
    assert graded(T, ALERT, ice(T, score)) == (grade, grade)


@pytest.mark.parametrize("score", [-1, 11, 7.5, "-", "nine"])
def test_GRD_1_what_is_no_score_is_rejected_never_clamped(score):
    found = evaluated(T, ice(T, score))
    assert found["grade"]["working"] is None
    assert problems(found) & {"value-out-of-range", "value-not-numeric"}


@pytest.mark.parametrize(
    ("level", "expected"),
    [("alert", (3, 3)), ("awakens-to-voice", (3, 3)), ("awakens-to-tactile", (3, 3)), ("unarousable", (4, 4))],
)
def test_GRD_2_ice_0_is_3_in_the_awake_and_4_in_the_unarousable(level, expected):
    assert graded(T, ice(T, 0), consciousness(T, level)) == expected


def test_GRD_2_ice_0_without_consciousness_is_3_to_4():
    found = evaluated(T, ice(T, 0))
    assert (found["grade"]["low"], found["grade"]["high"]) == (3, 4)
    possible = next(f for f in found["findings"] if f["type"] == "grade-possible-change")
    assert "consciousness" in possible["facts"]["missing"]


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("alert", (0, 0)),
        ("awakens-spontaneously", (0, 1)),
        ("depressed-awakens-spontaneously", (1, 1)),
        ("awakens-to-voice", (2, 2)),
        ("awakens-to-tactile", (3, 3)),
        ("unarousable", (4, 4)),
    ],
)
def test_GRD_3_level_of_consciousness(level, expected):
    assert graded(T, ice(T, 10), consciousness(T, level)) == expected


def test_GRD_3_a_bare_awakens_spontaneously_beside_ice_10_is_no_alert():
    assert alerts(replayed(ice(T, 10), consciousness(T, "awakens-spontaneously")), "grade-change") == []


@pytest.mark.parametrize(
    ("finding", "seconds", "expected"),
    [
        ("none", None, (0, 0)),
        ("brief-or-resolving", None, (3, 3)),
        ("nonconvulsive-resolving", None, (3, 3)),
        ("unspecified", None, (3, 4)),
        ("unspecified", 300, (3, 3)),
        ("unspecified", 301, (4, 4)),
        ("prolonged", 300, (3, 3)),
        ("brief-or-resolving", 301, (4, 4)),
        ("repetitive-without-recovery", 60, (4, 4)),
        ("nonconvulsive-resolving", 900, (3, 3)),
    ],
)
def test_GRD_4_seizures(finding, seconds, expected):
    assert graded(T, ALERT, ice(T, 10), seizure(T, finding, seconds)) == expected


@pytest.mark.parametrize(
    ("finding", "grade"),
    [("deep-focal-weakness", 4), ("tremor", 0), ("myoclonus", 0), ("asterixis", 0), ("gait-instability", 0)],
)
def test_GRD_5_motor_findings(finding, grade):
    assert graded(T, ALERT, ice(T, 10), motor(T, finding)) == (grade, grade)


def test_GRD_5_unspecified_weakness_is_not_counted_and_is_said():
    found = evaluated(T, ALERT, ice(T, 8), motor(T, "weakness-unspecified"))
    assert (found["grade"]["low"], found["grade"]["high"]) == (1, 1)
    assert "finding-unspecific" in problems(found)
    assert "Weakness is charted" in found["cards"][0]["detail"]


@pytest.mark.parametrize(
    ("finding", "grade"),
    [("focal-edema", 3), ("diffuse-edema", 4), ("posturing", 4), ("cranial-nerve-vi-palsy", 4), ("papilledema", 4)],
)
def test_GRD_6_pressure_and_edema(finding, grade):
    assert graded(T, ALERT, ice(T, 10), icp_edema(T, finding)) == (grade, grade)


def test_GRD_6_hemorrhage_is_excluded_and_said():
    found = evaluated(T, ALERT, ice(T, 9), icp_edema(T, "intracranial-hemorrhage"), icp_edema(T, "focal-edema"))
    assert (found["grade"]["low"], found["grade"]["high"]) == (1, 1)
    assert "hemorrhage-excluded" in problems(found)


def test_GRD_7_the_worst_domain_decides_at_both_ends():
    found = evaluated(T, ice(T, 8), consciousness(T, "awakens-to-voice"), seizure(T, "unspecified"))
    assert (found["grade"]["low"], found["grade"]["high"]) == (3, 4)
    assert found["grade"]["domains"] == {"ice": [1, 1], "consciousness": [2, 2], "seizure": [3, 4]}


def test_GRD_8_what_is_charted_as_due_to_another_cause_is_excluded():
    fit = seizure(T, "prolonged", other_cause=True)
    assert graded(T, ALERT, ice(T, 9), fit) == (1, 1)
    assert graded(T, ALERT, ice(T, 9), seizure(T, "prolonged")) == (4, 4)


def test_GRD_9_an_ice_point_means_arousable():
    assert strictly(T, ice(T, 1)) == (3, 3)
    assert strictly(T, ice(T, 0)) == (3, 4)
    found = evaluated(T, ice(T, 1), consciousness(T, "unarousable"))
    assert (found["grade"]["low"], found["grade"]["high"]) == (4, 4)
    assert "inconsistent-arousal" in problems(found)


def test_GRD_10a_unable_because_unarousable_is_4():
    assert graded(T, not_assessed(T, "ice-total", "unarousable")) == (4, 4)


def test_GRD_10b_sedated_is_not_assessable_and_never_shown_as_improved():
    before = ice(on_day(4), 5), consciousness(on_day(4), "alert")
    played = replayed(*before, not_assessed(T, "ice-total", "sedated"))
    assert changes(played) == [("onset", 0, 2)]
    last = [entry for entry in played["timeline"] if entry["kind"] == "assessment"][-1]
    assert (last["assessable"], last["grade"], last["gradeLow"]) == (False, None, None)
    assert evaluated(T, *before, not_assessed(T, "ice-total", "sedated"))["grade"]["working"] == 2


def test_GRD_10c_aphasia_scores_0_points():
    items = {"orientation": 4, "naming": "aphasia", "command": 1, "writing": 1, "attention": 1}
    assert graded(T, ALERT, ice_items(T, items)) == (1, 1)
    assert graded(T, ALERT, not_assessed(T, "ice-total", "aphasia")) == (3, 3)


@pytest.mark.parametrize("reason", ["language", "vision", "hearing", "literacy", "motor", "refused", "asleep"])
def test_GRD_10d_other_reasons_make_the_item_missing(reason):
    items = {"orientation": 4, "naming": 2, "command": 1, "writing": reason, "attention": 0}
    assert graded(T, ALERT, ice_items(T, items)) == (1, 1)
    items = {"orientation": 4, "naming": 2, "command": 0, "writing": reason, "attention": 0}
    assert graded(T, ALERT, ice_items(T, items)) == (1, 2)


def test_GRD_11_nothing_assessable_is_ungradable_never_0():
    found = evaluated(T, not_assessed(T, "ice-total", "refused"))
    assert found["grade"]["working"] is None
    assert found["grade"]["low"] is None


def test_GRD_12_event_domains_that_were_not_documented_are_listed():
    card = evaluated(T, ALERT, ice(T, 8))["cards"][0]
    assert "Not charted: seizure, weakness" in card["detail"]


@pytest.mark.parametrize(("minutes", "expected"), [("07:00", (2, 2)), ("06:59", (0, 0))])
def test_GRD_13_domains_combine_within_60_minutes(minutes, expected):
    assert graded(T, consciousness(on_day(5, minutes), "awakens-to-voice"), ice(T, 10)) == expected


@pytest.mark.parametrize(
    ("score", "fresh", "stale"),
    [
        (5, on_day(5, "19:59:59"), on_day(5, "20:00")),
        (8, on_day(6, "07:59:59"), on_day(6)),
        (10, on_day(6, "19:59:59"), on_day(6, "20:00")),
    ],
)
def test_GRD_14_a_grade_is_stale_after_its_interval(score, fresh, stale):
    charted = ALERT, ice(T, score)
    assert evaluated(fresh, *charted)["grade"]["stale"] is False
    assert evaluated(stale, *charted)["grade"]["stale"] is True


def test_GRD_15_documented_and_computed_grade_stand_side_by_side():
    chart = ALERT, ice(T, 9), documented(T, 2)
    found = evaluated(T, *chart)
    assert found["grade"]["working"] == 1
    assert found["grade"]["documentedGrade"] == 2
    (discrepancy,) = [finding for finding in found["findings"] if finding["type"] == "grade-discrepancy"]
    assert [item["value"] for item in discrepancy["evidence"]] == ["2", "9", "alert"]


def test_GRD_15_a_documented_grade_within_the_strict_interval_is_compatible():
    assert "grade-discrepancy" not in types(evaluated(T, ice(T, 9), documented(T, 2)))


def test_GRD_16_items_and_total_that_disagree_span_both():
    items = ice_items(T, {"orientation": 4, "naming": 3, "command": 1, "writing": 0, "attention": 0})
    found = evaluated(T, ALERT, {**items, "valueInteger": 6})
    assert (found["grade"]["low"], found["grade"]["high"]) == (1, 2)
    assert "items-total-mismatch" in problems(found)


def test_GRD_16_items_and_total_that_agree_are_one():
    items = ice_items(T, {"orientation": 4, "naming": 3, "command": 1, "writing": 0, "attention": 0})
    found = evaluated(T, ALERT, {**items, "valueInteger": 8})
    assert (found["grade"]["low"], found["grade"]["high"]) == (1, 1)
    assert "items-total-mismatch" not in problems(found)


def test_GRD_17_consciousness_not_recorded_beside_a_point():
    assert graded(T, ice(T, 5)) == (2, 2)
    assert strictly(T, ice(T, 5)) == (2, 3)
    assert "at least grade 2" in evaluated(T, ice(T, 5))["cards"][0]["summary"]
    assert graded(T, ice(T, 0)) == (3, 4)


def test_a_running_sedative_voids_ice_0_and_not_a_point_obtained():
    sleeping = propofol(on_day(5, "07:00"), on_day(5, "12:00"))
    assert graded(T, ice(T, 0), sleeping) == (None, None)
    assert graded(T, ice(T, 5), sleeping) == (0, 2)


def test_partial_items_bound_the_score():
    loose = [item(T, name, points) for name, points in (("year", 1), ("month", 1), ("naming", 3))]
    assert graded(T, ALERT, *loose) == (0, 2)


def test_a_finding_of_another_code_system_is_no_finding():
    assert graded(T, ALERT, coded(T, "seizure", "shaking")) == (0, 3)
