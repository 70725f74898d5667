"""Rules L14 to L16 and the open texts of L35: treatment start, what it is compared with, and when treatment counts."""

from __future__ import annotations

import pytest

from tests.support.builders import consciousness, gcs_eye, ice, on_day, propofol, seizure, steroid
from tests.support.charts import alerts, evaluated, lines, replayed

ONSET = on_day(5)
T0 = on_day(5, "09:00")


def whole(when, score, level="alert"):
    return ice(when, score), consciousness(when, level)


def dex(when, milligrams="10", route="IV", **more):
    return steroid(when, "dexamethasone", milligrams, route, **more)


GRADE_2 = whole(ONSET, 5)


def references(when, *charted):
    return [(line["referenceLow"], line["referenceHigh"]) for line in lines(when, *charted)]


def worsenings(*charted):
    found = alerts(replayed(*charted), "refractory")
    return [a["at"] for a in found if a["facts"]["reason"] == "worsening-under-treatment"]


# -- L14: the reference ----------------------------------------------------------------------------------


def test_L14_a_partial_row_that_set_the_grade_after_the_last_full_one_is_the_reference():
    """The consciousness of 14:00 took the grade to 3, and the pulse of 14:30 answers that."""
    chart = (
        *GRADE_2,
        dex(T0),
        consciousness(on_day(5, "14:00"), "awakens-to-tactile"),
        steroid(on_day(5, "14:30"), "methylprednisolone", "1000"),
        *whole(on_day(6, "14:00"), 5),
    )
    found = lines(on_day(6, "15:00"), *chart)
    assert [(line["referenceLow"], line["verdict"]) for line in found] == [(2, "met"), (3, "responded")]


def test_L14_a_full_row_after_the_one_that_set_the_grade_is_the_reference():
    """The range of 12:00 leaves the grade at 2 and is what stands at treatment start."""
    chart = *GRADE_2, ice(on_day(5, "12:00"), 2, 5), consciousness(on_day(5, "12:00"), "alert")
    assert references(on_day(5, "14:00"), *chart, dex(on_day(5, "13:00"))) == [(2, 3)]


def test_L14_a_partial_row_that_lowered_the_grade_is_the_reference_too():
    chart = consciousness(ONSET, "awakens-to-tactile"), consciousness(on_day(6), "awakens-to-voice")
    awake = ice(on_day(6, "07:30"), 6)
    assert references(on_day(6, "10:00"), *chart, awake, dex(on_day(6, "09:00"))) == [(2, 2)]


@pytest.mark.parametrize(("given", "reference"), [("14:00:00", (3, 3)), ("14:00:01", (None, None))])
def test_L14_only_a_row_of_the_last_24_hours_is_the_reference(given, reference):
    chart = *GRADE_2, consciousness(on_day(5, "14:00"), "awakens-to-tactile")
    assert references(on_day(6, "17:00"), *chart, dex(on_day(6, given))) == [reference]


def test_L14_an_event_that_the_reference_held_proves_no_worsening():
    """A seizure took the patient to grade 4 before the pulse: the assessment after it is no worsening on treatment."""
    chart = (
        *GRADE_2,
        dex(T0),
        seizure(on_day(5, "12:10"), "prolonged"),
        steroid(on_day(5, "13:00"), "methylprednisolone", "1000"),
        *whole(on_day(5, "15:00"), 5),
    )
    assert worsenings(*chart) == [on_day(5, "12:10")]
    assert [line["metBAt"] for line in lines(on_day(5, "16:00"), *chart)] == [on_day(5, "12:10"), None]


@pytest.mark.parametrize(("charted", "worse"), [("11:50", []), ("12:01", [on_day(5, "12:30")])])
def test_L14_a_value_charted_before_the_reference_proves_no_worsening(charted, worse):
    """Sedation voids "unarousable" until 12:10; the row of 12:30 counts it with its own hour."""
    chart = (
        *GRADE_2,
        propofol(on_day(5, "10:00"), on_day(5, "12:10")),
        consciousness(on_day(5, charted), "unarousable"),
        ice(on_day(5, "12:00"), 5),
        dex(on_day(5, "12:00:30")),
        ice(on_day(5, "12:30"), 5),
    )
    assert worsenings(*chart) == worse


# -- L15: worsening needs treatment ----------------------------------------------------------------------


@pytest.mark.parametrize(("clock", "worse"), [("12:00", False), ("15:00:00", False), ("15:00:01", True)])
def test_L15_a_worsening_counts_after_the_dose_that_reaches_10_mg(clock, worse):
    when = on_day(5, clock)
    chart = *GRADE_2, dex(T0, "4"), dex(on_day(5, "15:00"), "6"), *whole(when, 2)
    assert [line["treatmentStart"] for line in lines(on_day(5, "16:00"), *chart)] == [T0]
    assert worsenings(*chart) == ([when] if worse else [])


@pytest.mark.parametrize(("clock", "worse"), [("12:00:00", False), ("12:00:01", True)])
def test_L15_or_after_an_unknown_dose_of_a_treating_drug(clock, worse):
    when = on_day(5, clock)
    chart = *GRADE_2, dex(T0, "6"), dex(on_day(5, "12:00"), None), dex(on_day(5, "15:00"), "4"), *whole(when, 2)
    assert lines(on_day(5, "16:00"), *chart)[0]["treatmentStart"] == T0
    assert worsenings(*chart) == ([when] if worse else [])


def test_L15_a_dose_over_a_period_counts_in_full_at_its_start():
    over_hours = dex(on_day(5, "15:00"), "6", effectivePeriod={"start": on_day(5, "15:00"), "end": on_day(5, "19:00")})
    del over_hours["effectiveDateTime"]
    when = on_day(5, "15:30")
    assert worsenings(*GRADE_2, dex(T0, "4"), over_hours, *whole(when, 2)) == [when]


def test_L15_a_later_assessment_still_counts_when_one_came_too_early():
    chart = *GRADE_2, dex(T0, "4"), *whole(on_day(5, "12:00"), 2), dex(on_day(5, "15:00"), "6")
    assert worsenings(*chart, *whole(on_day(5, "18:00"), 2)) == [on_day(5, "18:00")]


# -- L16: treated before it was charted ------------------------------------------------------------------


@pytest.mark.parametrize(("clock", "starts"), [("05:00:00", True), ("04:59:59", False)])
def test_L16_a_dose_up_to_3_hours_before_onset_starts_treatment(clock, starts):
    found = lines(on_day(5, "12:00"), *GRADE_2, dex(on_day(5, clock)))
    assert [line["treatmentStart"] for line in found] == ([on_day(5, clock)] if starts else [])


def exposed(*charted):
    found = evaluated(on_day(5, "12:00"), *charted)["exposure"]
    return found["prophylacticMg"], found["sinceOnsetMg"]


@pytest.mark.parametrize(("clock", "mg"), [("05:00:00", (4, 20)), ("04:59:59", (24, 0))])
def test_L16_a_dose_of_the_first_line_is_not_prophylactic(clock, mg):
    assert exposed(dex(on_day(4, "20:00"), "4"), dex(on_day(5, clock), "20"), *GRADE_2) == mg


def test_L16_every_dose_from_treatment_start_on_counts_since_onset():
    doses = dex(on_day(5, "04:00"), "2"), dex(on_day(5, "05:30"), "6"), dex(on_day(5, "07:00"), "4")
    assert exposed(*doses, *GRADE_2) == (2, 10)


def test_L16_a_dose_without_treatment_start_stays_prophylactic():
    assert exposed(dex(on_day(5, "05:30"), "6"), *GRADE_2) == (6, 0)


def test_L16_of_a_dose_that_runs_before_treatment_start_the_part_before_onset_is_prophylactic():
    running = dex(on_day(5, "04:00"), "8", effectivePeriod={"start": on_day(5, "04:00"), "end": on_day(5, "12:00")})
    del running["effectiveDateTime"]
    assert exposed(running, dex(on_day(5, "06:00"), "10"), *GRADE_2) == (4, 14)


def test_L16_a_treatment_start_that_becomes_known_later_revises_the_facts():
    """The dose of 10:00 completes 10 mg from 07:00 on; the tier of 08:30 was reported before."""
    doses = (dex(on_day(5, clock), mg) for clock, mg in (("07:00", "3"), ("08:30", "3"), ("10:00", "4")))
    (tier,) = alerts(replayed(dex(on_day(2), "190"), *GRADE_2, *doses, until=on_day(5, "12:00")), "cumulative-dose")
    shown = [(facts["prophylacticMg"], facts["sinceOnsetMg"]) for facts in (tier["facts"], tier["revisedFacts"])]
    assert shown == [(193, 3), (190, 6)]


def test_L16_an_onset_that_becomes_known_later_revises_the_facts_of_a_tier_before_it():
    """195 mg are reached at 06:00; at 08:00 it is known that the dose of then began treatment."""
    played = replayed(dex(on_day(2), "185"), dex(on_day(5, "06:00")), *GRADE_2, until=on_day(5, "12:00"))
    (tier,) = alerts(played, "cumulative-dose")
    assert (tier["at"], tier.get("reopenedAt", [])) == (on_day(5, "06:00"), [])
    assert (tier["facts"]["prophylacticMg"], tier["facts"]["sinceOnsetMg"]) == (195, 0)
    assert tier["revisedFacts"] == {"prophylacticMg": 185, "sinceOnsetMg": 10}


# -- L35: texts that were open ---------------------------------------------------------------------------


def test_L35_a_reference_is_never_older_than_the_last_rise_from_0():
    """Grade 0 at 16:00, touch only at 17:10, dexamethasone at 18:00: the grade treated is 3, not 0."""
    chart = *whole(on_day(4, "16:00"), 10), consciousness(on_day(4, "17:10"), "awakens-to-tactile")
    assert references(on_day(4, "20:00"), *chart, dex(on_day(4, "18:00"), "20")) == [(3, 3)]


def test_L35_a_small_first_dose_counts_for_its_own_line_at_its_own_instant():
    """Hydrocortisone 20 mg opens the sum of the line of 05:00 although it bridges no gap."""
    chart = (
        *GRADE_2,
        dex(on_day(5, "12:00"), "20"),
        *whole(on_day(7, "04:00"), 5),
        steroid(on_day(7, "05:00"), "hydrocortisone", "20", "PO"),
        dex(on_day(7, "11:00"), "20"),
        *whole(on_day(8, "04:00"), 5),
    )
    found = lines(on_day(8, "06:00"), *chart)
    assert [(line["treatmentStart"], line["verdict"]) for line in found][1:] == [(on_day(7, "05:00"), "met")]


def test_L35_a_line_with_a_gap_is_followed_by_a_new_one_at_the_next_dose_that_qualifies():
    """8 mg after two days do not qualify; the unknown dose of the day after does, though nothing was missed since."""
    chart = *GRADE_2, dex(T0), dex(on_day(7, "09:00"), "8"), dex(on_day(8, "09:00"), None)
    assert [line["treatmentStart"] for line in lines(on_day(8, "10:00"), *chart)] == [T0, on_day(8, "09:00")]


def test_L35_a_rise_with_another_open_verdict_is_re_worsening():
    """Reference 1-3; the verdict is open at 09:00 and again at 16:00, where the grade surely rises to 2."""
    chart = (
        ice(ONSET, 2, 8),
        consciousness(ONSET, "alert"),
        dex(T0),
        dex(on_day(6, "09:00")),
        ice(on_day(6), 4, 8),
        consciousness(on_day(6), "alert"),
        *whole(on_day(6, "16:00"), 5),
    )
    played = replayed(*chart)
    assert [a["at"] for a in alerts(played, "re-worsening")] == [on_day(6, "16:00")]
    assert [a["facts"]["reason"] for a in alerts(played, "refractory-indeterminate")] == ["interval-overlap"]


def test_L35_a_rise_that_gives_a_decisive_verdict_is_not():
    chart = (
        *whole(ONSET, 3),
        dex(T0),
        dex(on_day(6, "09:00")),
        *whole(on_day(6), 5),
        ice(on_day(6, "16:00"), 2),
        gcs_eye(on_day(6, "16:00"), 4),
    )
    assert alerts(replayed(*chart), "re-worsening") == []
