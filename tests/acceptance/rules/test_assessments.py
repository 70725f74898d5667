"""Rules B1 to B14: what makes an assessment, and how its domains combine; each on both sides of its boundary."""

from __future__ import annotations

import pytest

from tests.support.builders import (
    capd,
    consciousness,
    documented,
    gcs_eye,
    ice,
    ice_items,
    icp_edema,
    item,
    motor,
    not_assessed,
    on_day,
    propofol,
    rass,
    seizure,
)
from tests.support.charts import alerts, changes, evaluated, graded, problems, replayed, strictly, types

T = on_day(5)
ALERT = consciousness(T, "alert")
CHILD = {"birth": "2017-01-01"}


def entries(played):
    """(clock time on its day, assessable) of every assessment of the timeline."""
    return [(entry["at"][11:16], entry["assessable"]) for entry in played["timeline"] if entry["kind"] == "assessment"]


def overdue_since(*charted, until=None):
    return [alert["facts"]["lastAssessment"] for alert in alerts(replayed(*charted, until=until), "assessment-overdue")]


@pytest.mark.parametrize(
    ("charted", "full"),
    [
        (ice(on_day(5, "16:00"), 5), True),
        (not_assessed(on_day(5, "16:00"), "ice-total", "sedated"), True),
        (not_assessed(on_day(5, "16:00"), "ice-total", "refused"), False),
        (documented(on_day(5, "16:00"), 2), True),
        (consciousness(on_day(5, "16:00"), "alert"), False),
        (gcs_eye(on_day(5, "16:00"), 4), False),
        (rass(on_day(5, "16:00"), 0), False),
    ],
)
def test_B1_only_full_rows_answer_the_call_for_an_assessment(charted, full):
    due = overdue_since(ALERT, ice(T, 5), charted, until=on_day(5, "23:00"))
    assert due == ([] if full else [T])


@pytest.mark.parametrize(("earlier", "full"), [("15:00", True), ("14:59", False)])
def test_B1_consciousness_within_60_minutes_of_an_ice_is_full(earlier, full):
    charted = ALERT, ice(T, 5), ice(on_day(5, earlier), 5), consciousness(on_day(5, "16:00"), "alert")
    found = evaluated(on_day(5, "16:00"), *charted)
    assert found["grade"]["asOf"] == on_day(5, "16:00" if full else earlier)


def test_B2_a_partial_row_creates_nothing_beside_a_fresh_full_one():
    played = replayed(ALERT, ice(T, 5), gcs_eye(on_day(5, "09:00"), 3), rass(on_day(5, "10:00"), -2))
    assert entries(played) == [("08:00", True)]


def test_B2_a_partial_row_that_can_raise_is_an_assessment():
    played = replayed(ALERT, ice(T, 5), gcs_eye(on_day(5, "10:00"), 1))
    assert entries(played) == [("08:00", True), ("10:00", True)]
    assert changes(played)[-1] == ("worsening", 2, 4)


@pytest.mark.parametrize(("clock", "count"), [("19:59", 1), ("20:01", 2)])
def test_B2_a_partial_row_counts_once_no_full_row_is_fresh(clock, count):
    played = replayed(ALERT, ice(T, 5), consciousness(on_day(5, clock), "alert"))
    assert len(entries(played)) == count


def test_B3_the_newest_value_of_the_hour_before_counts_and_never_a_later_one():
    levels = consciousness(on_day(5, "07:10"), "awakens-to-tactile"), consciousness(on_day(5, "07:50"), "alert")
    assert graded(T, *levels, ice(T, 9)) == (1, 1)
    assert graded(on_day(5, "08:00"), ice(T, 9), consciousness(on_day(5, "08:01"), "awakens-to-voice")) == (1, 1)


def test_B3_of_two_values_at_one_instant_the_worse_counts():
    found = evaluated(T, ALERT, ice(T, 9), ice(T, 4))
    assert (found["grade"]["low"], found["grade"]["high"]) == (2, 2)
    assert "conflicting-values" in problems(found)
    assert "duplicate" in problems(evaluated(T, ALERT, ice(T, 9), ice(T, 9)))


def test_B3_a_rejected_value_alone_makes_no_assessment():
    assert entries(replayed(ALERT, ice(T, 9), ice(on_day(5, "12:00"), 11))) == [("08:00", True)]


ITEMS = (("year", 1), ("month", 1), ("city", 1), ("hospital", 1), ("naming", 3), ("command", 1), ("writing", 1))


@pytest.mark.parametrize(("last", "expected"), [("08:10:00", (0, 0)), ("08:10:01", (0, 1))])
def test_B4_loose_items_belong_together_within_10_minutes(last, expected):
    loose = [item(T, name, points) for name, points in ITEMS]
    late = on_day(5, last)
    found = evaluated(late, ALERT, *loose, item(late, "attention", 1))
    first = replayed(ALERT, *loose, item(late, "attention", 1))["timeline"][0]
    assert first["at"] == T
    assert (first["gradeLow"], first["gradeHigh"]) == expected
    assert found["grade"]["working"] == 0


def test_B4_orientation_is_used_where_its_four_items_are_not_all_there():
    rest = {"naming": 3, "command": 1, "writing": 1, "attention": 1}
    assert graded(T, ALERT, ice_items(T, {"orientation": 2, **rest})) == (1, 1)
    four = {"year": 1, "month": 1, "city": 1, "hospital": 1}
    found = evaluated(T, ALERT, ice_items(T, {"orientation": 2, **four, **rest}))
    assert (found["grade"]["low"], found["grade"]["high"]) == (0, 1)
    assert "items-total-mismatch" in problems(found)


def test_B4_a_range_bounds_the_total():
    assert graded(T, ALERT, ice(T, 6, 8)) == (1, 2)


@pytest.mark.parametrize(("clock", "drives"), [("07:00", False), ("06:59", True), ("09:00", False), ("09:01", True)])
def test_B5_a_documented_grade_drives_where_no_ice_stands_within_60_minutes(clock, drives):
    played = replayed(ALERT, ice(T, 9), documented(on_day(5, clock), 3), until=on_day(5, "10:00"))
    by_clinician = [a for a in alerts(played, "grade-change") if a["facts"]["decidingDomain"] == "documented"]
    assert bool([a for a in by_clinician if not a.get("withdrawn")]) is drives


def test_B5_an_ice_known_later_takes_over():
    late = ice(on_day(5, "08:30"), 9, issued=on_day(5, "10:00"))
    played = replayed(documented(T, 2), late, consciousness(on_day(5, "08:30"), "alert"))
    first = alerts(played, "grade-change")[0]
    assert (first["facts"]["decidingDomain"], first["withdrawn"], first["until"]) == (
        "documented",
        True,
        on_day(5, "10:00"),
    )


def test_B5_5_ends_monitoring_and_is_no_grade_change():
    found = evaluated(on_day(6), ALERT, ice(T, 5), documented(on_day(5, "20:00"), 5))
    assert (found["monitoring"], found["grade"]["documentedGrade"], found["findings"]) == ("ended", 5, [])
    assert changes(replayed(ALERT, ice(T, 5), documented(on_day(5, "20:00"), 5))) == [("onset", 0, 2)]


@pytest.mark.parametrize(
    ("charted", "working", "strict"),
    [(ice(T, 9), (1, 1), (1, 3)), (ice(T, 1), (3, 3), (3, 3)), (ice(T, 0), (3, 4), (3, 4))],
)
def test_B6_consciousness_not_recorded(charted, working, strict):
    assert (graded(T, charted), strictly(T, charted)) == (working, strict)


@pytest.mark.parametrize(
    ("eye", "consciousness_alone", "overall"),
    [(4, [0, 1], (0, 3)), (3, [0, 2], (0, 3)), (2, [3, 4], (3, 4)), (1, [4, 4], (4, 4))],
)
def test_B7_inferred_from_the_eye_response(eye, consciousness_alone, overall):
    found = evaluated(T, gcs_eye(T, eye))["grade"]
    assert found["domains"] == {"consciousness": consciousness_alone}
    assert (found["low"], found["high"]) == overall


def test_B7_an_inferred_2_beside_an_ice_point_proves_nothing():
    assert graded(T, ice(T, 10), gcs_eye(T, 3)) == (0, 0)
    assert strictly(T, ice(T, 10), gcs_eye(T, 3)) == (0, 2)
    assert graded(T, ice(T, 10), rass(T, -3)) == (0, 0)
    assert graded(T, ice(T, 10), rass(T, -4))[0] == 3


def test_B7_charted_before_inferred_at_one_instant():
    assert graded(T, ice(T, 10), rass(T, -5), consciousness(T, "awakens-to-voice")) == (2, 2)


@pytest.mark.parametrize(("end", "assessable"), [("08:00:01", False), ("07:59:59", True)])
def test_B8_a_sedative_runs_to_the_end_of_its_period(end, assessable):
    running = propofol(on_day(5, "06:00"), on_day(5, end))
    played = replayed(ice(T, 0), running)
    assert entries(played) == [("08:00", assessable)]


def test_B8_rass_alone_is_no_sedation():
    assert graded(T, rass(T, -5)) == (4, 4)
    assert "grade-change" in types(evaluated(T, rass(T, -5)))


@pytest.mark.parametrize(("given", "noted"), [("04:00", True), ("03:59", False)])
def test_B8_a_bolus_is_noted_for_4_hours_and_voids_nothing(given, noted):
    found = evaluated(T, consciousness(T, "awakens-to-voice"), ice(T, 9), propofol(on_day(5, given)))
    assert (found["grade"]["low"], found["grade"]["high"]) == (2, 2)
    assert ("sedation" in problems(found)) is noted


def test_B8_under_sedation_an_ice_point_ends_nothing():
    before = ice(on_day(5, "01:00"), 2), consciousness(on_day(5, "01:00"), "alert")
    running = propofol(on_day(5, "02:00"), on_day(5, "12:00"))
    assert graded(T, *before, running, ice(T, 10)) == (0, 3)
    assert changes(replayed(*before, running, ice(T, 10))) == [("onset", 0, 3)]


@pytest.mark.parametrize(("clock", "expected"), [("08:00:00", (3, 3)), ("08:00:01", (0, 0))])
def test_B9_a_seizure_is_carried_for_24_hours(clock, expected):
    later = on_day(6, clock)
    charted = seizure(T, "brief-or-resolving"), ice(later, 10), consciousness(later, "alert")
    assert graded(later, *charted) == expected


def test_B9_an_explicit_none_ends_it():
    later = on_day(5, "12:00")
    charted = ice(later, 10), consciousness(later, "alert"), seizure(later, "none")
    assert graded(later, seizure(T, "prolonged"), *charted) == (0, 0)


def test_B9_a_milder_seizure_does_not_replace_it():
    later = on_day(5, "12:00")
    charted = ice(later, 10), consciousness(later, "alert"), seizure(later, "brief-or-resolving")
    assert graded(later, seizure(T, "prolonged"), *charted) == (4, 4)


@pytest.mark.parametrize(("clock", "expected"), [("08:00:00", (4, 4)), ("08:00:01", (0, 4))])
def test_B9_weakness_stands_until_charted_again_and_after_a_day_only_may(clock, expected):
    later = on_day(6, clock)
    charted = motor(T, "deep-focal-weakness"), ice(later, 10), consciousness(later, "alert")
    assert graded(later, *charted) == expected
    assert graded(later, *charted, motor(later, "none")) == (0, 0)


def test_B9_edema_charted_with_hemorrhage_is_excluded_with_it():
    bleeding = icp_edema(T, "intracranial-hemorrhage")
    assert graded(T, ALERT, ice(T, 10), icp_edema(T, "diffuse-edema"), bleeding) == (0, 0)
    assert graded(T, ALERT, ice(T, 10), icp_edema(T, "posturing"), bleeding) == (4, 4)


def test_B10_every_valid_item_obtained_is_clear():
    items = {"orientation": 4, "naming": 3, "command": 1, "writing": "literacy", "attention": 1}
    one_lost = {**items, "attention": 0}
    assert alerts(replayed(ALERT, ice_items(T, items)), "grade-possible-change") == []
    assert changes(replayed(ALERT, ice_items(T, one_lost))) == [("onset", 0, 1)]


def test_B10_at_baseline_is_clear_and_below_it_is_not():
    baseline = ice(on_day(0, "08:00"), 8), consciousness(on_day(0, "08:00"), "alert")
    assert changes(replayed(*baseline, ALERT, ice(T, 8))) == []
    found = evaluated(T, *baseline, ALERT, ice(T, 8))
    assert (found["grade"]["low"], found["grade"]["high"], found["grade"]["working"]) == (0, 1, 0)
    assert changes(replayed(*baseline, ALERT, ice(T, 7))) == [("onset", 0, 1)]


def test_B10_capd_below_9_in_an_alert_child_is_clear():
    assert changes(replayed(ALERT, capd(T, 8), **CHILD)) == []
    assert changes(replayed(ALERT, capd(T, 9), **CHILD)) == [("onset", 0, 3)]


@pytest.mark.parametrize(("birth", "capd_counts"), [("2014-03-07", True), ("2014-03-06", False)])
def test_B11_capd_under_12_years(birth, capd_counts):
    found = evaluated(T, ALERT, capd(T, 12), birth=birth)
    assert ("capd" in found["grade"]["domains"]) is capd_counts
    assert ("wrong-tool-for-age" in problems(found)) is not capd_counts


def test_B11_an_ice_in_a_young_child_is_ignored_and_said():
    found = evaluated(T, ALERT, ice(T, 2), capd(T, 4), **CHILD)
    assert found["grade"]["low"] == 0
    assert "wrong-tool-for-age" in problems(found)


def test_B11_birth_date_not_known_takes_ice_and_says_so():
    found = evaluated(T, ALERT, ice(T, 9), capd(T, 12), birth=None)
    assert (found["grade"]["low"], found["grade"]["high"]) == (1, 1)
    assert "wrong-tool-for-age" in problems(found)


def test_B12_aphasia_is_tried_and_failed_other_reasons_are_missing():
    rest = {"orientation": 4, "naming": 3, "command": 1, "attention": 1}
    assert graded(T, ALERT, ice_items(T, {**rest, "writing": "aphasia"})) == (1, 1)
    assert graded(T, ALERT, ice_items(T, {**rest, "writing": "vision"})) == (0, 1)


def test_B13_an_event_alone_makes_it_assessable_and_a_reason_alone_does_not():
    assert entries(replayed(seizure(T, "brief-or-resolving"))) == [("08:00", True)]
    assert entries(replayed(not_assessed(T, "ice-total", "refused"))) == [("08:00", False)]
    clear = ice(on_day(6), 10), consciousness(on_day(6), "alert")
    again = ice(on_day(7), 10), consciousness(on_day(7), "alert")
    between = not_assessed(on_day(6, "20:00"), "ice-total", "asleep")
    summary = replayed(ALERT, ice(T, 8), *clear, between, *again)
    assert evaluated(on_day(7), ALERT, ice(T, 8), *clear, between, *again)["refractory"]["state"] == "resolved"
    assert summary["summary"]["icansHours"] == 24


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("alert", (0, 3)),
        ("depressed-awakens-spontaneously", (1, 3)),
        ("awakens-to-voice", (2, 3)),
        ("awakens-to-tactile", (3, 3)),
        ("unarousable", (4, 4)),
    ],
)
def test_B14_without_ice_an_arousable_patient_is_at_most_3(level, expected):
    assert graded(T, consciousness(T, level)) == expected
    assert graded(T, not_assessed(T, "ice-total", "refused"), consciousness(T, level)) == expected


def test_B14_an_inferred_value_that_may_be_4_leaves_4_open():
    assert graded(T, gcs_eye(T, 2)) == (3, 4)
    assert graded(T, rass(T, -4)) == (3, 4)
