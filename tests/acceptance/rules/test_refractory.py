"""Rules D1 to D11: treatment lines and the 24 hours after treatment start, each on both sides of its boundary."""

from __future__ import annotations

import pytest

from tests.support.builders import (
    administration,
    consciousness,
    documented,
    gcs_eye,
    ice,
    not_assessed,
    on_day,
    propofol,
    seizure,
    steroid,
)
from tests.support.charts import alerts, evaluated, lines, replayed, types

ONSET = on_day(5)
T0 = on_day(5, "09:00")
END = on_day(9)


def whole(when, score, level="alert"):
    return ice(when, score), consciousness(when, level)


def dex(when, milligrams="10", route="IV", **more):
    return steroid(when, "dexamethasone", milligrams, route, **more)


GRADE_2 = whole(ONSET, 5)
DOSE = dex(T0)
NEXT_DOSE = dex(on_day(6, "09:00"))


def one_line(*charted, when=END):
    found = lines(when, *charted)
    assert len(found) == 1, found
    return found[0]


def refractory(*charted):
    """(reason, at, late) of every refractory finding."""
    found = alerts(replayed(*charted), "refractory")
    return [(a["facts"]["reason"], a["at"], a["facts"]["late"]) for a in found if not a.get("withdrawn")]


def indeterminate(*charted):
    return [a["facts"]["reason"] for a in alerts(replayed(*charted), "refractory-indeterminate")]


@pytest.mark.parametrize(("milligrams", "starts"), [("10", True), ("9.99", False)])
def test_D1_10_mg_within_24_hours(milligrams, starts):
    assert bool(lines(on_day(5, "12:00"), *GRADE_2, dex(T0, milligrams))) is starts


@pytest.mark.parametrize(("second", "starts"), [("08:59:59", T0), ("09:00:00", None)])
def test_D1_the_window_of_the_sum_is_24_hours_open_at_its_end(second, starts):
    found = lines(on_day(6, "12:00"), *GRADE_2, dex(T0, "6"), dex(on_day(6, second), "4"))
    assert [line["treatmentStart"] for line in found] == ([starts] if starts else [])


def test_D1_the_clock_runs_from_the_first_dose_of_the_sum():
    played = replayed(*GRADE_2, dex(T0, "6"), dex(on_day(5, "21:00"), "4"), *whole(on_day(6, "08:30"), 5))
    assert refractory(*GRADE_2, dex(T0, "6"), dex(on_day(5, "21:00"), "4"), *whole(on_day(6, "08:30"), 5)) == [
        ("no-improvement-24h", on_day(6, "09:00"), False)
    ]
    assert alerts(played, "refractory")[0]["facts"]["treatmentStart"] == T0


@pytest.mark.parametrize(
    ("drug", "starts"), [("methylprednisolone", True), ("prednisone", True), ("hydrocortisone", False)]
)
def test_D1_an_unknown_dose_of_a_treating_drug_starts_it(drug, starts):
    assert bool(lines(on_day(5, "12:00"), *GRADE_2, steroid(T0, drug, None))) is starts


def test_D1_hydrocortisone_premedication_starts_nothing():
    assert lines(on_day(5, "12:00"), *GRADE_2, steroid(T0, "hydrocortisone", "100")) == []


def test_D1_no_line_while_the_grade_is_0_nor_intrathecally():
    assert lines(END, *whole(ONSET, 10), dex(T0, "40")) == []
    assert lines(END, *GRADE_2, dex(T0, "40", "intrathecal")) == []
    assert len(lines(END, *GRADE_2, dex(T0, "40", None))) == 1


@pytest.mark.parametrize(("milligrams", "count"), [("20", 2), ("19.99", 1)])
def test_D1_twice_the_largest_dose_of_48_hours_is_a_new_line(milligrams, count):
    assert len(lines(END, *GRADE_2, DOSE, dex(on_day(5, "15:00"), milligrams))) == count


@pytest.mark.parametrize(("before", "count"), [("09:00:00", 1), ("08:59:59", 2)])
def test_D1_doubling_looks_back_48_hours(before, count):
    """15 mg at D5, 8 mg daily after it, 16 mg on D7 09:00: only a 15 mg within 48 h is against a new line."""
    doses = [dex(on_day(5, before), "15"), dex(on_day(6), "8"), dex(on_day(7, "09:00"), "16")]
    assert len(lines(END, *GRADE_2, *doses)) == count


@pytest.mark.parametrize(("clock", "count"), [("15:00:00", 1), ("15:00:01", 2)])
def test_D1_a_gap_of_more_than_30_hours_starts_a_new_line(clock, count):
    assert len(lines(END, *GRADE_2, DOSE, dex(on_day(6, clock)))) == count


def test_D2_a_dose_before_the_onset_it_answers_takes_the_onset_as_reference():
    early = dex(on_day(5, "07:30"))
    found = one_line(*whole(on_day(5, "01:00"), 10), *GRADE_2, early, *whole(on_day(5, "14:00"), 2))
    assert (found["referenceLow"], found["referenceHigh"]) == (2, 2)
    assert found["metBAt"] == on_day(5, "14:00")


@pytest.mark.parametrize(("given", "reference"), [(on_day(6, "08:00"), 2), (on_day(6, "08:00:01"), None)])
def test_D3_reference_within_24_hours_before(given, reference):
    found = one_line(*GRADE_2, dex(given))
    assert found["referenceLow"] == reference


@pytest.mark.parametrize(("clock", "verdict"), [("13:00:00", "pending"), ("13:00:01", "indeterminate:no-reference")])
def test_D3_else_the_first_within_2_hours_after(clock, verdict):
    late_dose = dex(on_day(6, "11:00"))
    found = one_line(*GRADE_2, late_dose, *whole(on_day(6, clock), 5), when=on_day(6, "14:00"))
    assert found["verdict"] == verdict


@pytest.mark.parametrize(("milligrams", "verdict"), [("1", "met"), ("0.99", "indeterminate:treatment-gap")])
def test_D4_only_1_mg_bridges_a_gap(milligrams, verdict):
    doses = DOSE, dex(on_day(6, "09:00"), milligrams)
    late = whole(on_day(6, "16:00"), 5)
    assert one_line(*GRADE_2, *doses, *late, when=on_day(6, "16:00"))["verdict"] == verdict


@pytest.mark.parametrize(("clock", "met"), [("09:00:00", True), ("09:00:01", False)])
def test_D5_worsening_counts_up_to_24_hours_inclusive(clock, met):
    found = one_line(*GRADE_2, DOSE, NEXT_DOSE, *whole(on_day(6, clock), 2), when=on_day(6, "10:00"))
    assert (found["metBAt"] is not None) is met


def test_D5_at_the_dose_itself_it_is_the_reference_not_a_worsening():
    found = one_line(*GRADE_2, *whole(T0, 2), DOSE, when=on_day(5, "12:00"))
    assert (found["referenceLow"], found["metBAt"]) == (3, None)


@pytest.mark.parametrize(("milligrams", "count"), [("10", 1), ("20", 2)])
def test_D5_the_window_ends_with_the_next_line(milligrams, count):
    found = lines(END, *GRADE_2, DOSE, dex(on_day(5, "12:00"), milligrams), *whole(on_day(5, "14:00"), 2))
    assert len(found) == count
    assert (found[0]["metBAt"] is not None) is (count == 1)


@pytest.mark.parametrize(("clock", "early"), [("01:00:00", True), ("00:59:59", False)])
def test_D6_an_assessment_from_the_16th_hour_on_is_the_24_hour_one(clock, early):
    chart = *GRADE_2, DOSE, NEXT_DOSE, *whole(on_day(6, clock), 5)
    assert refractory(*chart) == ([("no-improvement-24h", on_day(6, "09:00"), False)] if early else [])
    assert ("reassessment-overdue" in types(evaluated(on_day(6, "09:00"), *chart))) is not early


@pytest.mark.parametrize(
    ("scores", "verdict"),
    [(("5", 5), "met"), (("8", 8), "responded"), (("2", 2), "met"), (("10", 10), "responded")],
)
def test_D6_the_verdict_compares_with_the_reference(scores, verdict):
    found = one_line(*GRADE_2, DOSE, *whole(on_day(6), scores[1]), when=on_day(6, "10:00"))
    assert found["verdict"] == verdict


@pytest.mark.parametrize(("score", "overlap"), [((5, 5), "met"), ((5, 8), "indeterminate:interval-overlap")])
def test_D6_an_interval_that_reaches_below_the_reference_decides_nothing(score, overlap):
    chart = *GRADE_2, DOSE, ice(on_day(6), *score), consciousness(on_day(6), "alert")
    assert one_line(*chart, when=on_day(6, "10:00"))["verdict"] == overlap


def test_D6_not_assessable_at_24_hours():
    running = propofol(on_day(5, "20:00"), on_day(6, "12:00"))
    chart = *GRADE_2, DOSE, NEXT_DOSE, running, not_assessed(on_day(6), "ice-total", "sedated")
    assert indeterminate(*chart)[0] == "not-assessable"


@pytest.mark.parametrize(("clock", "verdict"), [("08:59:59", "superseded"), ("09:00:00", "pending")])
def test_D6_a_successor_before_24_hours_leaves_the_line_unjudged(clock, verdict):
    chart = *GRADE_2, DOSE, *whole(on_day(6), 5), dex(on_day(6, clock), "20")
    first = lines(on_day(6, "10:00"), *chart)[0]
    assert first["verdict"] == ("met" if verdict == "pending" else "superseded")


def test_D6_a_partial_row_that_is_decisive_stands_in():
    chart = *GRADE_2, DOSE, gcs_eye(on_day(6), 2)
    assert one_line(*chart, when=on_day(6, "10:00"))["verdict"] == "met"


def test_D6_after_an_indeterminate_verdict_the_next_assessment_is_judged():
    chart = *GRADE_2, DOSE, NEXT_DOSE, ice(on_day(6), 5, 8), consciousness(on_day(6), "alert")
    assert one_line(*chart, *whole(on_day(6, "14:00"), 8))["verdict"] == "responded"
    assert one_line(*chart, *whole(on_day(6, "14:00"), 5))["verdict"] == "met"


@pytest.mark.parametrize("score", [6, 5, 4])
def test_D7_an_ice_gain_of_less_than_2_is_no_improvement(score):
    chart = *GRADE_2, DOSE, *whole(on_day(6), score)
    assert indeterminate(*chart) == []
    assert len(refractory(*chart)) == 1


def test_D7_an_ice_gain_of_2_in_the_same_grade_is_open():
    assert indeterminate(*whole(ONSET, 3), DOSE, *whole(on_day(6), 5)) == ["ice-only"]
    assert indeterminate(*whole(ONSET, 4), DOSE, *whole(on_day(6), 5)) == []


def test_D7_a_grade_held_up_by_a_carried_seizure_is_open():
    chart = *whole(ONSET, 2), dex(on_day(5, "10:00")), seizure(on_day(5, "20:00"), "brief-or-resolving")
    assert indeterminate(*chart, *whole(on_day(6), 9)) == ["event-carry"]
    again = seizure(on_day(6), "brief-or-resolving")
    assert indeterminate(*chart, *whole(on_day(6), 9), again) == []


@pytest.mark.parametrize(("clock", "open_"), [("15:00:00", False), ("15:00:01", True)])
def test_D7_no_dose_for_more_than_30_hours_is_a_treatment_gap(clock, open_):
    chart = *GRADE_2, DOSE, *whole(on_day(6, clock), 5)
    assert indeterminate(*chart) == (["treatment-gap"] if open_ else [])


def test_D7_day_only_treatment_start_gives_a_verdict_only_if_both_ends_do():
    day_only = {**dex(T0), "effectiveDateTime": "2026-03-06"}
    late = lines(END, *GRADE_2, day_only, NEXT_DOSE, *whole(on_day(6, "18:00"), 5))
    assert [line["verdict"] for line in late] == ["indeterminate:time-imprecise"]


#: ICE 5 at 08:00 and 20:00, doses at 09:00: nothing ever changes, whatever the hour of a treatment start is.
STEADY = [row for number in range(5, 9) for clock in ("08:00", "20:00") for row in whole(on_day(number, clock), 5)]
DAILY = [dex(on_day(number, "09:00")) for number in range(7, 9)]


def test_F5_a_day_only_treatment_start_with_the_same_answer_at_both_ends_is_a_verdict():
    start = {**dex(T0), "effectiveDateTime": "2026-03-07"}
    found = lines(END, *STEADY, start, *DAILY)
    assert [(line["treatmentStart"], line["verdict"], line["verdictAt"]) for line in found] == [
        (on_day(7, "00:00"), "met", on_day(8, "00:00"))
    ]


def test_F5_a_day_only_start_on_the_day_of_the_onset_may_have_come_before_it():
    start = {**dex(T0), "effectiveDateTime": "2026-03-06"}
    found = lines(END, *STEADY, start, dex(on_day(6, "09:00")), *DAILY)
    assert [line["verdict"] for line in found] == ["indeterminate:time-imprecise"]


def test_F5_a_later_assessment_is_asked_at_both_ends_too():
    start = {**dex(T0), "effectiveDateTime": "2026-03-06"}
    found = lines(END, *GRADE_2, start, dex(on_day(6, "09:00")), *whole(on_day(6, "20:00"), 5), *whole(on_day(7), 10))
    assert [line["verdict"] for line in found] == ["indeterminate:time-imprecise"]


@pytest.mark.parametrize("start", ["23:00", "23:59"])
def test_F5_a_day_does_not_fit_into_the_24_hours_so_a_worsening_known_by_its_day_is_not_clause_B(start):
    worse = {**documented(on_day(6), 3), "effectiveDateTime": "2026-03-07"}
    chart = *GRADE_2, dex(on_day(5, start)), dex(on_day(6, "12:00"))
    assert refractory(*chart, worse) == []
    assert refractory(*chart, documented(on_day(6), 3)) == [("worsening-under-treatment", on_day(6), False)]


def test_the_card_shows_the_doses_of_the_line_and_second_line_agents_as_events():
    anakinra = administration(on_day(5, "18:00"), "anakinra", "100", None)
    called = evaluated(on_day(6, "10:00"), *GRADE_2, DOSE, anakinra, *whole(on_day(6), 5))
    card = next(c for c in called["cards"] if "refractory" in c["summary"])
    assert "| day +5, 2026-03-06 | dexamethasone | 10 | 10 | 1 | 10 |" in card["detail"]
    assert "Second-line agents since onset, no part of the definition: anakinra, 1 time" in card["detail"]
    assert [line["line"] for line in called["refractory"]["lines"]] == [1]


def test_D8_both_clauses_are_one_finding_while_the_first_holds():
    chart = *GRADE_2, DOSE, *whole(on_day(5, "14:00"), 2), *whole(on_day(6), 2)
    found = alerts(replayed(*chart, until=on_day(6, "10:00")), "refractory")
    assert [a["facts"]["reason"] for a in found] == ["worsening-under-treatment"]
    now = next(f for f in evaluated(on_day(6, "10:00"), *chart)["findings"] if f["type"] == "refractory")
    assert now["facts"]["alsoMet"] == "no-improvement-24h"


@pytest.mark.parametrize(("score", "ended"), [(8, True), (5, False)])
def test_D8_ends_at_the_first_assessment_below_the_reference(score, ended):
    chart = *GRADE_2, DOSE, NEXT_DOSE, *whole(on_day(6), 5), *whole(on_day(6, "20:00"), score)
    found = alerts(replayed(*chart), "refractory")[0]
    assert (found["until"] == on_day(6, "20:00")) is ended


@pytest.mark.parametrize(
    ("state", "chart", "when"),
    [
        ("no-icans", whole(ONSET, 10), ONSET),
        ("untreated", GRADE_2, ONSET),
        ("watch", (*GRADE_2, DOSE), on_day(5, "12:00")),
        ("overdue", (*GRADE_2, DOSE), on_day(6, "09:00")),
        ("met", (*GRADE_2, DOSE, *whole(on_day(6), 5)), on_day(6, "09:00")),
        ("responded", (*GRADE_2, DOSE, *whole(on_day(6), 8)), on_day(6, "09:00")),
        ("indeterminate", (*whole(ONSET, 3), DOSE, *whole(on_day(6), 5)), on_day(6, "09:00")),
        ("resolved", (*GRADE_2, DOSE, *whole(on_day(6), 10), *whole(on_day(7), 10)), on_day(7)),
    ],
)
def test_D9_state(state, chart, when):
    assert evaluated(when, *chart)["refractory"]["state"] == state


@pytest.mark.parametrize(("when", "said"), [(on_day(6, "08:59:59"), False), (on_day(6, "09:00"), True)])
def test_D9_reassessment_overdue_at_24_hours(when, said):
    assert ("reassessment-overdue" in types(evaluated(when, *GRADE_2, DOSE))) is said


def test_D9_met_stays_after_improvement():
    chart = *GRADE_2, DOSE, NEXT_DOSE, *whole(on_day(6), 5), *whole(on_day(6, "20:00"), 8)
    assert evaluated(on_day(6, "21:00"), *chart)["refractory"]["state"] == "met"


def test_D8_its_card_names_each_value_that_its_evidence_holds_as_charted():
    (card,) = [
        card
        for card in evaluated(on_day(6, "10:00"), *GRADE_2, DOSE, *whole(on_day(6), 5))["cards"]
        if "refractory" in card["summary"]
    ]
    assert "| ICE score: 5 |" in card["detail"] and "| dexamethasone: 10 mg |" in card["detail"]
    values = [item["value"] for item in card["extension"]["org.icans-cds.alert"]["evidence"]]
    assert values == ["5", "alert", "10 mg", "5", "alert"]


def test_D10_a_rise_after_the_verdict_on_active_treatment_is_re_worsening():
    chart = *GRADE_2, DOSE, NEXT_DOSE, *whole(on_day(6), 8), *whole(on_day(6, "20:00"), 5)
    found = alerts(replayed(*chart), "re-worsening")
    assert [(a["at"], a["facts"]["previousGrade"], a["facts"]["grade"]) for a in found] == [(on_day(6, "20:00"), 1, 2)]


def test_D10_its_card_says_what_was_given_in_the_day_before_it():
    chart = *GRADE_2, DOSE, NEXT_DOSE, *whole(on_day(6), 8), *whole(on_day(6, "20:00"), 5)
    (shown,) = [
        card
        for card in evaluated(on_day(6, "21:00"), *chart)["cards"]
        if "rose again on steroids, 1 to 2" in card["summary"]
    ]
    assert "In the 24 h before it: 10 mg dexamethasone-equivalent." in shown["detail"]
    assert "| dexamethasone: 10 mg | 2026-03-07 09:00 UTC |" in shown["detail"]


def test_D10_the_assessment_that_gives_the_verdict_never_is():
    chart = *GRADE_2, DOSE, NEXT_DOSE, *whole(on_day(6, "10:00"), 2)
    assert alerts(replayed(*chart), "re-worsening") == []
    without_treatment = *GRADE_2, DOSE, *whole(on_day(6), 8), *whole(on_day(7), 5)
    assert alerts(replayed(*without_treatment), "re-worsening") == []


@pytest.mark.parametrize(("clock", "late"), [("15:00:00", False), ("15:00:01", True)])
def test_D11_late_is_after_30_hours(clock, late):
    chart = *GRADE_2, DOSE, NEXT_DOSE, *whole(on_day(6, clock), 5)
    assert refractory(*chart) == [("no-improvement-24h", on_day(6, clock), late)]


def test_D11_hours_and_indicator_follow_the_evaluation():
    found = alerts(replayed(*GRADE_2, DOSE, *whole(on_day(5, "13:20"), 2)), "refractory")[0]
    assert (found["facts"]["hoursSinceTreatmentStart"], found["facts"]["grade"], found["indicator"]) == (
        4.33,
        3,
        "critical",
    )
    found = alerts(replayed(*GRADE_2, DOSE, *whole(on_day(6), 5)), "refractory")[0]
    assert (found["facts"]["hoursSinceTreatmentStart"], found["indicator"]) == (24, "warning")


def test_a_late_filed_dose_moves_treatment_start_back():
    earlier = dex(on_day(5, "08:30"), id="earlier")
    found = lines(END, *GRADE_2, DOSE, earlier)
    assert [line["treatmentStart"] for line in found] == [on_day(5, "08:30")]


def test_a_charted_grade_is_judged_like_any_other():
    chart = documented(ONSET, 2), DOSE, documented(on_day(6), 2)
    assert refractory(*chart) == [("no-improvement-24h", on_day(6, "09:00"), False)]


def test_F5_a_card_names_the_day_where_no_time_is_charted():
    chart = *GRADE_2, dex("2026-03-06"), *whole(on_day(7), 5)
    (card,) = [c for c in evaluated(on_day(7, "09:00"), *chart)["cards"] if "steroid" in c["summary"].lower()]
    assert "2026-03-07 00:00" not in card["summary"] + card["detail"]
    assert "2026-03-06 (day +5, no time charted)" in card["detail"]
    assert "| dexamethasone: 10 mg | 2026-03-06, no time charted |" in card["detail"]
