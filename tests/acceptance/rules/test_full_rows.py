"""Rules L13, L17, L29, L36 and L37: which rows answer the call for an assessment, and what they leave alone."""

from __future__ import annotations

import json

import pytest

from tests.support.builders import (
    PATIENT_ID,
    administration,
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
    steroid,
)
from tests.support.charts import alerts, changes, evaluated, graded, replayed, types

T = on_day(5)
LATER = on_day(5, "16:00")
ALERT = consciousness(T, "alert")
CHILD = {"birth": "2017-01-01"}
ALONE = ("unarousable", "sedated", "aphasia")
BESIDE = ("language", "vision", "hearing", "literacy", "motor", "not-valid-at-baseline")
NEVER = ("asleep", "refused")


def is_full(at, *charted, **who):
    """Whether the row at that instant answers the call for an assessment that counts from the ICE of 08:00."""
    first = (ALERT, capd(T, 12)) if who else (ALERT, ice(T, 5))
    played = replayed(*first, *charted, until=on_day(6, "20:30"), **who)
    since = [a["facts"]["lastAssessment"] for a in alerts(played, "assessment-overdue")]
    assert since in ([T], [at])
    return since == [at]


def row(played, at):
    return next(e for e in played["timeline"] if e["kind"] == "assessment" and e["at"] == at)


@pytest.mark.parametrize("tool", ["ice-total", "capd-total"])
@pytest.mark.parametrize("beside", [True, False])
@pytest.mark.parametrize("reason", [*ALONE, *BESIDE, *NEVER])
def test_L13_which_reasons_make_a_row_full(tool, beside, reason):
    level = (consciousness(LATER, "alert"),) if beside else ()
    who = CHILD if tool == "capd-total" else {}
    full = reason in ALONE or (beside and reason in BESIDE)
    assert is_full(LATER, not_assessed(LATER, tool, reason), *level, **who) is full


@pytest.mark.parametrize(
    ("beside", "full"),
    [
        (consciousness(on_day(5, "15:00"), "alert"), True),
        (consciousness(on_day(5, "14:59"), "alert"), False),
        (consciousness(LATER, "alert", other_cause=True), False),
        (gcs_eye(LATER, 4), False),
        (rass(LATER, 0), False),
        (seizure(on_day(5, "15:59"), "none"), False),
    ],
)
def test_L13_only_a_charted_level_of_the_same_60_minutes_makes_it_full(beside, full):
    assert is_full(LATER, not_assessed(LATER, "ice-total", "language"), beside) is full


def test_L13_a_charted_level_counts_though_an_inferred_one_is_newer():
    levels = consciousness(on_day(5, "15:30"), "alert"), rass(on_day(5, "15:40"), 0)
    assert is_full(LATER, not_assessed(LATER, "ice-total", "language"), *levels)


@pytest.mark.parametrize(("clock", "full"), [("17:00", True), ("17:01", False)])
@pytest.mark.parametrize("charted", [lambda at: consciousness(at, "alert"), lambda at: seizure(at, "none")])
def test_L13_what_is_charted_up_to_60_minutes_after_such_a_reason_makes_its_own_row_full(charted, clock, full):
    at = on_day(5, clock)
    assert is_full(at, not_assessed(LATER, "ice-total", "language"), charted(at)) is full


@pytest.mark.parametrize("reason", NEVER)
def test_L13_nothing_beside_or_after_asleep_or_refused_makes_a_full_row(reason):
    at = on_day(5, "16:30")
    assert not is_full(at, not_assessed(LATER, "ice-total", reason), consciousness(at, "alert"))


@pytest.mark.parametrize(
    ("items", "beside", "full"),
    [
        ({"year": "language", "naming": "vision"}, True, True),
        ({"year": "language", "naming": "vision"}, False, False),
        ({"year": "language", "naming": "asleep"}, True, False),
        ({"year": "sedated", "naming": "sedated"}, False, True),
        ({"year": "sedated", "naming": "motor"}, False, False),
        ({"year": 1, "naming": "asleep"}, False, True),
        ({"year": "aphasia", "naming": "asleep"}, False, True),
    ],
)
def test_L13_an_ice_by_items_has_the_weakest_of_their_reasons(items, beside, full):
    level = (consciousness(LATER, "alert"),) if beside else ()
    assert is_full(LATER, ice_items(LATER, items), *level) is full


def test_L13_a_documented_grade_makes_a_row_full_whatever_reason_stands_with_it():
    assert is_full(LATER, not_assessed(LATER, "ice-total", "refused"), documented(LATER, 2))


@pytest.mark.parametrize(
    ("charted", "reason", "assessable"),
    [
        ((not_assessed(LATER, "ice-total", "asleep"),), "asleep", False),
        ((not_assessed(LATER, "ice-total", "asleep"), rass(LATER, -2)), "asleep", True),
        ((not_assessed(LATER, "ice-total", "sedated"),), "sedated", False),
        ((ice_items(LATER, {"year": "language", "naming": "asleep"}),), "asleep", False),
        ((ice(LATER, 5), consciousness(LATER, "alert")), None, True),
    ],
)
def test_L13_every_row_with_a_reason_is_in_the_timeline_with_it(charted, reason, assessable):
    found = row(replayed(ALERT, ice(T, 5), *charted), LATER)
    assert (found["reason"], found["assessable"]) == (reason, assessable)


def test_L13_a_row_that_is_not_full_ends_no_possible_change_unless_it_moves_the_grade():
    at = on_day(5, "23:00")
    first = ice(T, 0)
    without = replayed(first, rass(at, 0))
    assert alerts(without, "grade-possible-change")[0]["until"] == at
    beside = replayed(first, not_assessed(at, "ice-total", "refused"), rass(at, 0))
    assert alerts(beside, "grade-possible-change")[0]["until"] is None
    moved = replayed(first, not_assessed(at, "ice-total", "refused"), consciousness(at, "unarousable"))
    assert changes(moved)[-1] == ("worsening", 3, 4)
    assert alerts(moved, "grade-possible-change")[0]["until"] == at


def test_L13_a_row_that_is_not_full_leaves_an_assessment_not_found():
    at = on_day(2, "04:00")
    asleep = not_assessed(at, "ice-total", "asleep")
    assert alerts(replayed(rass(at, -2)), "assessment-not-found")[0]["until"] == at
    played = replayed(asleep, rass(at, -2), ice(on_day(3), 10), consciousness(on_day(3), "alert"))
    found = alerts(played, "assessment-not-found")[0]
    assert (found["facts"]["since"], found["until"]) == (on_day(0, "08:30"), on_day(3))


def test_L13_a_row_that_is_not_full_leaves_the_reassessment_overdue():
    at = on_day(6, "10:00")
    treated = ALERT, ice(T, 5), steroid(on_day(5, "09:00"), "dexamethasone", "20")
    level = consciousness(at, "awakens-to-voice")
    assert alerts(replayed(*treated, level), "reassessment-overdue")[0]["until"] == at
    refused = not_assessed(at, "ice-total", "refused")
    assert alerts(replayed(*treated, level, refused), "reassessment-overdue")[0]["until"] is None
    worse = consciousness(at, "unarousable")
    assert alerts(replayed(*treated, worse, refused), "reassessment-overdue")[0]["until"] == at


def test_L13_a_sleeping_patient_at_night_is_no_news():
    night = [rass(on_day(4, f"0{hour}:30"), -2) for hour in range(6)]
    asleep = not_assessed(on_day(4, "04:00"), "ice-total", "asleep"), gcs_eye(on_day(4, "04:00"), 3)
    played = replayed(
        ice(on_day(1), 10),
        consciousness(on_day(1), "alert"),
        ice(on_day(3, "20:00"), 10),
        *night,
        *asleep,
        ice(on_day(4), 10),
        until=on_day(4, "12:00"),
    )
    assert [a["type"] for a in played["alerts"] if a["shownAt"] > on_day(3, "20:00")] == []
    assert row(played, on_day(4, "04:00"))["reason"] == "asleep"


# --- other causes


def after(*charted):
    """Grade of an ICE of 10 points in an alert patient two hours after ``charted``."""
    later = on_day(5, "12:00")
    return graded(later, *charted, ice(later, 10), consciousness(later, "alert"))


@pytest.mark.parametrize(
    ("carried", "attributed", "left"),
    [
        (seizure(T, "prolonged"), seizure(LATER, "prolonged"), (0, 0)),
        (seizure(T, "brief-or-resolving", 600), seizure(LATER, "brief-or-resolving"), (0, 0)),
        (seizure(T, "brief-or-resolving"), seizure(LATER, "nonconvulsive-resolving"), (0, 0)),
        (seizure(T, "prolonged"), seizure(LATER, "brief-or-resolving"), (4, 4)),
        (seizure(T, "unspecified"), seizure(LATER, "brief-or-resolving"), (3, 4)),
        (seizure(T, "unspecified"), seizure(LATER, "prolonged"), (0, 0)),
        (seizure(T, "prolonged"), motor(LATER, "deep-focal-weakness"), (4, 4)),
        (motor(T, "deep-focal-weakness"), motor(LATER, "deep-focal-weakness"), (0, 0)),
        (motor(T, "deep-focal-weakness"), motor(LATER, "tremor"), (4, 4)),
        (icp_edema(T, "focal-edema"), icp_edema(LATER, "papilledema"), (0, 0)),
        (icp_edema(T, "papilledema"), icp_edema(LATER, "focal-edema"), (4, 4)),
        (icp_edema(T, "papilledema"), icp_edema(LATER, "none"), (4, 4)),
    ],
)
def test_L17_another_cause_ends_what_is_carried_with_the_same_code_or_no_higher_grade(carried, attributed, left):
    at = on_day(5, "10:00")
    cause = {**attributed, "effectiveDateTime": at}
    cause = {**cause, "component": [*cause.get("component", ()), *seizure(at, "none", other_cause=True)["component"]]}
    assert after(carried, cause) == left


def test_L17_of_several_carried_findings_only_those_end():
    cause = seizure(on_day(5, "10:00"), "brief-or-resolving", other_cause=True)
    assert after(seizure(T, "brief-or-resolving"), seizure(on_day(5, "09:00"), "prolonged"), cause) == (4, 4)


def test_L17_what_was_charted_after_it_counts():
    cause = seizure(on_day(5, "10:00"), "prolonged", other_cause=True)
    assert after(seizure(T, "prolonged"), cause, seizure(on_day(5, "11:00"), "brief-or-resolving")) == (3, 3)


def test_L17_it_is_no_row_and_the_card_of_the_change_says_it():
    cause = seizure(on_day(5, "10:00"), "prolonged", other_cause=True)
    later = on_day(5, "12:00")
    played = replayed(seizure(T, "prolonged"), cause, ice(later, 10), consciousness(later, "alert"))
    assert [e["at"] for e in played["timeline"]] == [T, later]
    assert changes(played) == [("onset", 0, 4), ("resolution", 4, 0)]
    card = next(c["card"] for c in played["cards"] if c["shownAt"] == later)
    assert "attributed to another cause" in card["detail"]
    assert "08:00" in next(line for line in card["detail"].splitlines() if "attributed to another cause" in line)


# --- what makes no row and does not stand


@pytest.mark.parametrize(
    "charted",
    [
        (icp_edema(LATER, "intracranial-hemorrhage"), icp_edema(LATER, "diffuse-edema")),
        (motor(LATER, "deep-focal-weakness", other_cause=True),),
        (icp_edema(LATER, "diffuse-edema", other_cause=True),),
        (ice(LATER, 2, other_cause=True),),
        (consciousness(LATER, "unarousable", other_cause=True),),
    ],
)
def test_L36_an_excluded_value_makes_no_row_and_replaces_nothing(charted):
    before = motor(on_day(5, "15:30"), "none"), ice(on_day(5, "15:30"), 5), consciousness(on_day(5, "15:30"), "alert")
    played = replayed(ALERT, ice(T, 5), *before, *charted)
    assert [e["at"] for e in played["timeline"]] == [T, on_day(5, "15:30")]
    again = on_day(5, "16:10")
    assert graded(again, *before, *charted, consciousness(again, "alert")) == (2, 2)


@pytest.mark.parametrize(("points", "drives"), [(0, True), (5, False)])
def test_L36_an_ice_that_sedation_voids_does_not_stand_beside_a_documented_grade(points, drives):
    at = on_day(6)
    running = propofol(on_day(5, "11:00"), on_day(6, "11:00"))
    played = replayed(ALERT, ice(T, 5), running, ice(at, points), documented(at, 4))
    assert (changes(played)[-1] == ("worsening", 2, 4)) is drives
    before = on_day(6, "07:30")
    played = replayed(ALERT, ice(T, 5), running, ice(before, points), documented(at, 4))
    assert (changes(played)[-1] == ("worsening", 2, 4)) is drives


# --- what would settle the grade, and an item never charted


@pytest.mark.parametrize(
    ("charted", "missing"),
    [
        ((ice(T, 0),), ["consciousness"]),
        ((seizure(T, "unspecified"), ice(T, 2), ALERT), ["seizure-duration"]),
        ((seizure(T, "unspecified"),), ["ice", "consciousness", "seizure-duration"]),
        ((seizure(T, "brief-or-resolving"),), ["ice", "consciousness"]),
        ((seizure(T, "brief-or-resolving"), ALERT), []),
        ((consciousness(T, "awakens-to-voice"),), ["ice"]),
        ((ALERT, ice_items(T, {"orientation": 4, "naming": 0, "command": 1})), ["ice-writing", "ice-attention"]),
        ((gcs_eye(T, 2),), ["ice", "consciousness"]),
    ],
)
def test_L37_missing_is_what_may_lie_above_the_lower_bound_of_all(charted, missing):
    found = [a["facts"]["missing"] for a in alerts(replayed(*charted, until=T), "grade-possible-change")]
    assert found == ([missing] if missing else [])


NINE = {"year": 1, "month": 1, "city": 1, "hospital": 1, "naming": 3, "command": 1, "attention": 1}


def not_charted(played):
    """The findings that an item is never charted, and the items each names."""
    return [
        (a["at"], [p["element"] for p in (a.get("revisedFacts") or a["facts"])["problems"]])
        for a in alerts(played, "data-quality")
        if a["facts"]["problems"][0]["code"] == "item-not-charted"
    ]


def by_items(*results, day=2):
    return [ice_items(on_day(day + i // 2, f"{8 + 12 * (i % 2):02}:00"), result) for i, result in enumerate(results)]


def test_L29_an_item_missing_from_three_ice_in_a_row_is_said_once_a_course():
    played = replayed(*by_items(*[NINE] * 6))
    assert not_charted(played) == [(on_day(3), ["ice-writing"])]
    assert not_charted(replayed(*by_items(NINE, NINE))) == []


def test_L29_a_reason_or_points_end_the_count_and_a_total_does_not():
    reason = {**NINE, "writing": "vision"}
    assert not_charted(replayed(*by_items(NINE, NINE, reason, NINE, NINE))) == []
    assert not_charted(replayed(*by_items(NINE, NINE, {**NINE, "writing": 1}, NINE, NINE))) == []
    between = ice(on_day(2, "12:00"), 10)
    assert not_charted(replayed(*by_items(NINE, NINE, NINE), between)) == [(on_day(3), ["ice-writing"])]


def test_L29_the_finding_lists_every_such_item():
    eight = {k: v for k, v in NINE.items() if k != "attention"}
    played = replayed(*by_items(NINE, NINE, eight, eight, eight))
    assert not_charted(played) == [(on_day(3), ["ice-writing", "ice-attention"])]


def test_L29_orientation_together_is_charted_and_an_item_not_valid_is_not_asked():
    rest = {"orientation": 4, "naming": 3, "command": 1, "writing": 1, "attention": 1}
    assert not_charted(replayed(*by_items(rest, rest, rest))) == []
    invalid = ice_items(on_day(-1), {**NINE, "writing": "not-valid-at-baseline"})
    assert not_charted(replayed(invalid, *by_items(NINE, NINE, NINE))) == []


def test_L36_an_item_absent_for_a_standard_code_is_not_charted():
    standard = {
        "coding": [{"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": "not-performed"}]
    }
    early = {**item(on_day(5, "07:55"), "writing", 0), "dataAbsentReason": standard}
    del early["valueInteger"]
    loose = [item(on_day(5, "08:06"), name, points) for name, points in NINE.items()]
    played = replayed(early, *loose)
    assert [e["at"] for e in played["timeline"]] == [on_day(5, "08:06")]
    repeated = item(on_day(5, "08:07"), "writing", 1)
    assert graded(on_day(5, "08:10"), ALERT, {**early, "effectiveDateTime": on_day(5, "08:06")}, *loose, repeated) == (
        0,
        0,
    )


# --- in the timeline


def events(*charted):
    return [(e["at"], e["references"]) for e in replayed(*charted)["timeline"] if e["kind"] == "event"]


def test_L30_intrathecal_steroids_and_documented_crs_grades_are_events():
    intrathecal = administration(T, "dexamethasone", "4", "intrathecal", id="it")
    crs = {**documented(on_day(3), 2, id="crs")}
    crs["code"] = {"coding": [{**crs["code"]["coding"][0], "code": "documented-crs-grade"}]}
    assert events(crs, intrathecal) == [(on_day(3), ["Observation/crs"]), (T, ["MedicationAdministration/it"])]
    assert types(evaluated(on_day(3, "09:00"), crs)) == {"assessment-not-found"}


def test_L30_intrathecal_therapy_before_the_first_onset_is_given_and_no_escalation(tmp_path, capsys):
    from cds_service.command_line.main import main
    from tests.support.charts import chart

    def told(*charted):
        path = tmp_path / "chart.json"
        path.write_text(json.dumps(chart(*charted)), encoding="utf-8")
        assert main(["replay", str(path), "--patient", PATIENT_ID]) == 0
        return capsys.readouterr().out

    therapy = administration(on_day(4), "methotrexate", "12", "intrathecal")
    text = told(therapy, ALERT, ice(T, 5))
    assert "methotrexate" in text and "escalation" not in text
    assert "escalation" in told(
        ALERT, ice(T, 5), administration(on_day(5, "12:00"), "methotrexate", "12", "intrathecal")
    )
