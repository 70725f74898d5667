"""Rules E1 to E7: what was given, in dexamethasone-equivalents; each on both sides of its boundary."""

from __future__ import annotations

import json
import re
from datetime import datetime
from decimal import Decimal

import pytest

from cds_service import evaluate_bundle
from tests.support.builders import administration, bundle, consciousness, ice, infusion, on_day, steroid
from tests.support.charts import alerts, evaluated, problems, replayed
from tests.support.hook_calls import course

NOON = on_day(5, "12:00")


def dex(when, milligrams="10", route="IV", **more):
    return steroid(when, "dexamethasone", milligrams, route, **more)


def exposure(when, *charted, **who):
    return evaluated(when, *charted, **who)["exposure"]


def total(when, *charted):
    return exposure(when, *charted)["dexamethasoneEquivalentMg"]


DAY_LONG = administration(on_day(5, "00:00"), "methylprednisolone", "1600", "IV", on_day(6, "00:00"))


@pytest.mark.parametrize(
    ("when", "milligrams"), [(on_day(5, "06:00"), 75), (on_day(5, "12:00"), 150), (on_day(6, "01:00"), 300)]
)
def test_E1_a_dose_over_a_period_accrues_linearly(when, milligrams):
    assert total(when, DAY_LONG) == milligrams


def test_E1_the_crossing_of_a_tier_is_solved_to_the_second():
    """At 15:36; the bag runs on, and four hours later it is reported (L27)."""
    found = alerts(replayed(DAY_LONG), "cumulative-dose")[0]
    assert (found["at"], found["shownAt"]) == (on_day(5, "19:36"), on_day(5, "19:36"))


def test_E1_the_crossing_is_rounded_up():
    """350 mg over 24 h reaches 195 mg after 48137.14 s, and is reported four hours later."""
    slow = administration(on_day(5, "00:00"), "dexamethasone", "350", "IV", on_day(6, "00:00"))
    assert alerts(replayed(slow), "cumulative-dose")[0]["at"] == on_day(5, "17:22:18")


def test_E1_the_part_before_the_infusion_does_not_count():
    across = administration(on_day(0, "07:30"), "dexamethasone", "20", "IV", on_day(0, "09:30"))
    found = exposure(on_day(0, "10:00"), across)
    assert (found["dexamethasoneEquivalentMg"], found["beforeInfusionMg"]) == (10, 10)


def test_E1_in_progress_without_an_end_is_in_the_upper_bound_only():
    running = {**dex(NOON, "20"), "status": "in-progress"}
    running["effectivePeriod"] = {"start": running.pop("effectiveDateTime")}
    found = exposure(on_day(5, "13:00"), running)
    assert (found["dexamethasoneEquivalentMg"], found["upperBoundMg"], found["uncounted"]) == (0, 20, 1)


@pytest.mark.parametrize(
    ("milligrams", "crossed"), [("194.999", []), ("195", [195]), ("380", [195, 380]), ("499", [195, 380])]
)
def test_E2_tiers_are_crossed_by_the_lower_bound(milligrams, crossed):
    found = alerts(replayed(dex(NOON, milligrams)), "cumulative-dose")
    assert [mg for alert in found for mg in alert["facts"]["crossedMg"]] == crossed
    assert len(found) == bool(crossed)


def test_E2_one_finding_an_instant_and_one_a_tier():
    doses = [steroid(on_day(day, "09:00"), "methylprednisolone", "1000") for day in (5, 6, 7)]
    found = alerts(replayed(*doses), "cumulative-dose")
    assert [(alert["at"], alert["facts"]["thresholdMg"], alert["facts"]["crossedMg"]) for alert in found] == [
        (on_day(6, "09:00"), 195, [195]),
        (on_day(7, "09:00"), 532.5, [380, 532.5]),
    ]


def test_E2_a_correction_below_the_tier_withdraws_it():
    wrong = dex(NOON, "200", id="dose", version="1")
    right = dex(NOON, "20", id="dose", version="2", updated=on_day(5, "18:00"))
    found = alerts(replayed(wrong, right), "cumulative-dose")[0]
    assert (found["withdrawn"], found["until"], found["withdrawnBy"]) == (
        True,
        on_day(5, "18:00"),
        "MedicationAdministration/dose",
    )


@pytest.mark.parametrize(("second", "lower", "upper"), [("12:01:00", 10, 20), ("12:01:01", 20, 20)])
def test_E3_the_same_dose_within_60_seconds_is_one_in_the_lower_bound(second, lower, upper):
    found = evaluated(on_day(5, "13:00"), dex(NOON), dex(on_day(5, second)))
    sums = found["exposure"]
    assert (sums["dexamethasoneEquivalentMg"], sums["upperBoundMg"]) == (lower, upper)
    assert ("duplicate" in problems(found)) is (lower < upper)


@pytest.mark.parametrize("first", ["IV", "iv push", "Oral", "im", "ng tube", "subcut"])
@pytest.mark.parametrize("second", ["Intravenous route", "po", "intramuscular", "per peg tube", "sc"])
def test_E3_L39_the_same_route_however_it_is_charted_and_no_other_is_one_dose(first, second):
    same = ("IV", "Intravenous route"), ("iv push", "Intravenous route"), ("Oral", "po"), ("im", "intramuscular")
    one = (first, second) in (*same, ("ng tube", "per peg tube"), ("subcut", "sc"))
    rows = [dex(NOON, "20", None), dex(NOON, "20", None)]
    for row, name in zip(rows, (first, second), strict=True):
        row["dosage"]["route"] = {"text": name}
    found = evaluated(on_day(5, "13:00"), *rows)
    assert found["exposure"]["dexamethasoneEquivalentMg"] == (20 if one else 40)
    assert ("duplicate" in problems(found)) is one


def test_E3_L39_codes_alone_tell_routes_apart():
    assert total(on_day(5, "13:00"), dex(NOON, "20", "IV"), dex(NOON, "20", "PO")) == 40


def test_E3_another_amount_is_another_dose():
    assert total(on_day(5, "13:00"), dex(NOON), dex(NOON, "8")) == 18


def test_E3_the_same_identifier_is_one_dose_at_any_time():
    name = [{"system": "urn:pump", "value": "42"}]
    found = exposure(on_day(5, "20:00"), dex(NOON, identifier=name), dex(on_day(5, "18:00"), identifier=name))
    assert (found["dexamethasoneEquivalentMg"], found["upperBoundMg"]) == (10, 10)


@pytest.mark.parametrize(("clock", "on_steroids"), [("08:00:00", True), ("07:59:59", False)])
def test_E4_onset_on_steroids_is_within_24_hours_of_the_last_dose(clock, on_steroids):
    onset = ice(on_day(5), 5), consciousness(on_day(5), "alert")
    found = alerts(replayed(dex(on_day(4, clock)), *onset), "grade-change")[0]
    assert found["facts"]["onsetOnSteroids"] is on_steroids


def test_E4_prophylactic_is_what_was_given_before_the_first_onset():
    onset = ice(on_day(5), 5), consciousness(on_day(5), "alert")
    found = exposure(NOON, dex(on_day(0, "09:00")), dex(on_day(1, "09:00")), *onset, dex(on_day(5, "09:00")))
    assert (found["prophylacticMg"], found["sinceOnsetMg"], found["dexamethasoneEquivalentMg"]) == (20, 10, 30)
    assert exposure(NOON, dex(on_day(1, "09:00")))["prophylacticMg"] == 10


def test_E5_steroid_days_are_distinct_calendar_days():
    doses = [dex(on_day(day, clock), "1") for day in range(1, 10) for clock in ("09:00", "21:00")]
    assert exposure(on_day(9, "22:00"), *doses)["steroidDays"] == 9
    assert alerts(replayed(*doses), "steroid-days") == []
    tenth = dex(on_day(10, "09:00"), None)
    assert [alert["at"] for alert in alerts(replayed(*doses, tenth), "steroid-days")] == [on_day(10, "09:00")]


@pytest.mark.parametrize(
    ("until", "reported"),
    [("11:00", "11:00"), ("13:00", "13:00"), ("20:00", "15:00")],  # reached at 11:00
)
def test_L27_a_tier_is_reported_when_the_bag_ends_within_four_hours(until, reported):
    hours = int(until[:2]) - 9
    doses = [
        dex(on_day(1, "09:00"), "185"),
        steroid(on_day(2, "09:00"), "dexamethasone", str(5 * hours), end=on_day(2, until)),
    ]
    assert [alert["at"] for alert in alerts(replayed(*doses), "cumulative-dose")] == [on_day(2, reported)]


def test_L28_a_day_counts_from_one_mg_or_a_dose_of_unknown_size():
    small = [steroid(on_day(1, "09:00"), "hydrocortisone", "26"), dex(on_day(2, "09:00"), None)]
    assert exposure(NOON, *small)["steroidDays"] == 1  # 0.975 mg do not count, an unknown dose does
    assert exposure(NOON, *small, dex(on_day(1, "21:00"), "0.025"))["steroidDays"] == 2


def test_L28_the_dose_with_which_the_tenth_day_counts_is_reported():
    doses = [dex(on_day(day, "09:00"), "1") for day in range(1, 10)]
    halves = [dex(on_day(10, clock), "0.5") for clock in ("09:00", "15:00", "21:00")]
    assert [alert["at"] for alert in alerts(replayed(*doses, *halves), "steroid-days")] == [on_day(10, "15:00")]


def test_E6_the_lower_bound_is_a_number_and_the_upper_may_be_unknown():
    found = exposure(NOON, dex(on_day(5, "09:00"), None))
    assert (found["dexamethasoneEquivalentMg"], found["upperBoundMg"], found["uncounted"], found["steroidDays"]) == (
        0,
        None,
        1,
        1,
    )


def test_E6_intrathecal_doses_stand_apart_as_given():
    found = exposure(
        NOON,
        dex(on_day(5, "09:00"), "4", "intrathecal"),
        steroid(on_day(5, "09:00"), "hydrocortisone", "20", "intrathecal"),
    )
    assert found["intrathecalMg"] == {"dexamethasone": 4, "hydrocortisone": 20}
    assert (found["dexamethasoneEquivalentMg"], found["upperBoundMg"], found["uncounted"]) == (0, 0, 0)


@pytest.mark.parametrize(
    ("drug", "milligrams", "equivalent"),
    [
        ("dexamethasone", "10", 10),
        ("methylprednisolone", "1000", 187.5),
        ("prednisone", "50", 7.5),
        ("hydrocortisone", "100", 3.75),
    ],
)
def test_E6_equivalents(drug, milligrams, equivalent):
    assert total(NOON, steroid(on_day(5, "09:00"), drug, milligrams)) == equivalent


@pytest.mark.parametrize(("milligrams", "counted"), [("500", 500), ("500.01", 0)])
def test_E7_an_absurd_dose_is_named_and_not_counted(milligrams, counted):
    found = evaluated(NOON, dex(on_day(5, "09:00"), milligrams))
    assert found["exposure"]["dexamethasoneEquivalentMg"] == counted
    assert ("value-out-of-range" in problems(found)) is (counted == 0)


def test_E7_it_starts_no_treatment():
    onset = ice(on_day(5), 5), consciousness(on_day(5), "alert")
    found = evaluated(NOON, *onset, dex(on_day(5, "09:00"), "5000"))
    assert found["refractory"]["state"] == "untreated"


@pytest.mark.parametrize("milligrams", ["0", "-4"])
def test_E7_not_above_0_is_no_dose(milligrams):
    found = evaluated(NOON, dex(on_day(5, "09:00"), milligrams))
    assert found["exposure"]["dexamethasoneEquivalentMg"] == 0
    assert "value-out-of-range" in problems(found)


def test_the_sum_of_a_course_can_be_redone_from_its_card_alone():
    """Day 9 of the course of van Nijendaal et al.: each line of the card's table, with nothing but the card."""
    found = evaluate_bundle(course("s1"), as_of=datetime.fromisoformat(on_day(9, "10:00")))
    card = next(c for c in found["cards"] if c["extension"]["org.icans-cds.alert"]["module"] == "steroids")
    rows = [
        [cell.strip(" *") for cell in line.strip("|").split("|")]
        for line in card["detail"].splitlines()
        if line.startswith("| ")
    ]
    *doses, total = [row for row in rows if row[0] not in ("Day", "---")]
    redone = Decimal(0)
    for _, drug, given, together, factor, equivalent in doses:
        number, single = re.fullmatch(r"(?:(\d+) (?:x|days of) )?([\d.]+)", given).groups()
        assert drug in ("dexamethasone", "methylprednisolone")
        assert int(number or 1) * Decimal(single) == Decimal(together)
        assert Decimal(together) * Decimal(factor) == Decimal(equivalent)
        redone += Decimal(equivalent)
    assert Decimal(total[5]) == redone == Decimal("642.5")


def test_E1_a_card_names_every_dose_it_rests_on():
    doses = [dex(on_day(day, "09:00"), "40") for day in range(1, 7)]
    (found,) = alerts(replayed(*doses, until=on_day(7)), "cumulative-dose")
    held = [(item["value"], item["time"]) for item in found["evidence"]]
    assert held == [("40 mg", on_day(day, "09:00")) for day in range(1, 6)] and found["at"] == on_day(5, "09:00")


def test_E5_days_count_from_the_day_of_an_infusion_known_by_its_day():
    found = evaluate_bundle(
        json.dumps(bundle(infusion("2026-03-01"), ice(on_day(5), 5), dex("2026-03-06", "200"))).encode(),
        as_of=datetime.fromisoformat(on_day(6)),
    )
    said = " ".join(card["detail"] for card in found["cards"])
    assert "2026-03-06 08:00 UTC (day +5)" in said and "| day +5, 2026-03-06 | dexamethasone |" in said
