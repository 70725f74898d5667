"""Rules L19 to L21: how urgent a standing alert is, and what a replay shows of its facts."""

from __future__ import annotations

import pytest

from tests.support.builders import consciousness, ice, on_day, steroid
from tests.support.charts import alerts, evaluated, replayed

ONSET = on_day(5)
T0 = on_day(5, "09:00")


def whole(when, score, level="alert", **more):
    return ice(when, score, **more), consciousness(when, level, **more)


def dex(when, milligrams="10"):
    return steroid(when, "dexamethasone", milligrams, "IV")


DAILY = [dex(on_day(day, "09:00")) for day in range(5, 12)]


def unchanged(score):
    """Treated at 09:00, the same ICE the next morning: refractory at 09:00."""
    return *whole(ONSET, score), *DAILY, *whole(on_day(6), score)


def standing(when, *charted):
    (found,) = [f for f in evaluated(when, *charted)["findings"] if f["type"] == "refractory"]
    return found


@pytest.mark.parametrize(("score", "indicator"), [(8, "info"), (5, "warning"), (2, "critical")])
def test_L19_the_grade_decides_how_urgent_no_improvement_is(score, indicator):
    assert standing(on_day(6, "09:00"), *unchanged(score))["indicator"] == indicator


# -- L20: standing criticals -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("score", "first", "then"), [(2, "critical", "warning"), (5, "warning", "info"), (8, "info", "info")]
)
def test_L20_after_24_hours_it_is_one_step_less_urgent_and_stays_so(score, first, then):
    chart = unchanged(score)
    shown = [standing(when, *chart)["indicator"] for when in (on_day(7, "08:59:59"), on_day(7, "09:00"), on_day(10))]
    assert shown == [first, then, then]


def test_L20_its_card_follows_and_says_since_when():
    chart = unchanged(2)
    card = next(c for c in evaluated(on_day(7, "10:00"), *chart)["cards"] if "refractory" in c["summary"])
    assert card["indicator"] == "warning"
    assert "nchanged since" in card["summary"] + card["detail"]
    fresh = next(c for c in evaluated(on_day(6, "10:00"), *chart)["cards"] if "refractory" in c["summary"])
    assert "nchanged since" not in fresh["summary"] + fresh["detail"]


def test_L20_alerts_keep_the_first():
    (found,) = alerts(replayed(*unchanged(2), until=on_day(9)), "refractory")
    assert found["indicator"] == "critical"


@pytest.mark.parametrize(("when", "indicator"), [(on_day(7, "08:59:59"), "critical"), (on_day(7, "09:00"), "warning")])
def test_L20_the_other_clause_makes_it_news_again(when, indicator):
    """Worse at 14:00; no improvement, the other clause, at 09:00 next day."""
    chart = *whole(ONSET, 5), *DAILY, *whole(on_day(5, "14:00"), 2), *whole(on_day(6), 2)
    found = standing(when, *chart)
    assert (found["facts"]["reason"], found["facts"]["alsoMet"]) == ("worsening-under-treatment", "no-improvement-24h")
    assert found["indicator"] == indicator


def corrected(score):
    """ICE of the next morning, corrected to 8 at 12:00 and back at 20:00."""
    versions = [(score, "1", on_day(6)), (8, "2", on_day(6, "12:00")), (score, "3", on_day(6, "20:00"))]
    morning = [
        ice(
            on_day(6),
            points,
            id="morning",
            version=version,
            updated=at,
            status="final" if version == "1" else "amended",
        )
        for points, version, at in versions
    ]
    return *whole(ONSET, score), *DAILY, *morning, consciousness(on_day(6), "alert")


@pytest.mark.parametrize(("when", "indicator"), [(on_day(7, "19:59:59"), "critical"), (on_day(7, "20:00"), "warning")])
def test_L20_a_reopening_makes_it_news_again(when, indicator):
    chart = corrected(2)
    assert standing(when, *chart)["indicator"] == indicator
    (found,) = alerts(replayed(*chart, until=when), "refractory")
    assert found["reopenedAt"] == [on_day(6, "20:00")]


def test_L20_what_it_hid_leads_when_it_steps_down():
    """Worse again at 20:00 is a warning behind the critical card; it leads when that becomes a warning."""
    chart = *unchanged(2), *whole(on_day(6, "20:00"), 0, "unarousable")
    played = replayed(*chart, until=on_day(7, "12:00"))
    shown = [(entry["shownAt"], entry["card"]["extension"]["org.icans-cds.alert"]) for entry in played["cards"]]
    led = [(at, alert["type"]) for at, alert in shown if alert["module"] == "refractory"]
    assert led == [(on_day(6, "09:00"), "refractory"), (on_day(7, "09:00"), "re-worsening")]


# -- L21: running facts in a replay ----------------------------------------------------------------------

BOTH_CLAUSES = *whole(ONSET, 8), dex(T0, "20"), *whole(on_day(6), 5)
LATE = *whole(ONSET, 8), dex(T0, "20"), *whole(on_day(6), 5, issued=on_day(6, "10:00"))
LEAD = dex(on_day(5, "07:00"), "20"), *whole(ONSET, 5), dex(on_day(6, "07:00")), *whole(on_day(6, "06:00"), 4)


@pytest.mark.parametrize("chart", [BOTH_CLAUSES, LATE, LEAD, unchanged(2), corrected(5)])
def test_L21_facts_are_those_of_a_call_at_the_instant(chart):
    for alert in replayed(*chart, until=on_day(9))["alerts"]:
        now = [f for f in evaluated(alert["shownAt"], *chart)["findings"] if f["findingId"] == alert["findingId"]]
        assert [f["facts"] for f in now] in ([alert["facts"]], [])


def test_L21_the_other_clause_met_at_the_first_showing_is_in_the_facts():
    (found,) = alerts(replayed(*LATE, until=on_day(7)), "refractory")
    assert (found["shownAt"], found["facts"]["alsoMet"]) == (on_day(6, "10:00"), "no-improvement-24h")


def test_L21_the_other_clause_met_later_is_in_the_revised_facts():
    (found,) = alerts(replayed(*BOTH_CLAUSES, until=on_day(7)), "refractory")
    assert (found["shownAt"], found["facts"]["alsoMet"]) == (on_day(6), None)
    assert found["revisedFacts"] == {"alsoMet": "no-improvement-24h"}


def test_L21_a_line_started_before_the_onset_is_in_the_facts_of_the_grade():
    (active, *_) = alerts(replayed(*LEAD, until=on_day(5, "12:00")), "icans-active")
    assert active["facts"]["treatmentLine"] == 1


def test_L21_revised_facts_are_the_last_ones_while_it_held_without_staleness():
    """Treated at 09:00, refractory next day; the grade changes at 20:00, after which nothing of it is revised."""
    chart = *unchanged(2), *whole(on_day(6, "20:00"), 5)
    first = alerts(replayed(*chart, until=on_day(8)), "icans-active")[0]
    assert first["until"] == on_day(6, "20:00")
    assert first["revisedFacts"] == {
        "lastAssessment": on_day(6),
        "refractoryLines": [1],
        "treatmentLine": 1,
    }


def test_L21_nothing_is_revised_where_nothing_differs():
    (found,) = alerts(replayed(*unchanged(2), until=on_day(7)), "refractory")
    assert found.get("revisedFacts") is None


def test_the_card_says_that_icans_began_on_steroids():
    """Dexamethasone every 6 hours for CRS from day 3 on; the first dose near the onset is the treatment start."""
    for_crs = [dex(on_day(day, clock)) for day in (3, 4) for clock in ("02:00", "08:00", "14:00", "20:00")]
    card = next(
        card
        for card in evaluated(on_day(6, "10:00"), *for_crs, *unchanged(5))["cards"]
        if "refractory" in card["summary"]
    )
    assert "ICANS began on steroids: 8 doses, 80 mg dexamethasone-equivalent since day +3 02:00" in card["detail"]
    later = next(c for c in evaluated(on_day(6, "10:00"), *unchanged(5))["cards"] if "refractory" in c["summary"])
    assert "began on steroids" not in later["detail"]
