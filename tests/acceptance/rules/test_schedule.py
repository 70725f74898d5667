"""Rules L24, L25 and L37: when an assessment is overdue or was not found, and what sedation does to that."""

from __future__ import annotations

import json

import pytest

from cds_service.command_line.main import main
from tests.support.builders import (
    PATIENT_ID,
    administration,
    consciousness,
    ice,
    ice_items,
    not_assessed,
    on_day,
    propofol,
    seizure,
    steroid,
)
from tests.support.charts import alerts, chart, evaluated, replayed, types

T = on_day(5)


def whole(when, score, level="alert"):
    """A full assessment: ICE and level of consciousness."""
    return ice(when, score), consciousness(when, level)


def spans(played, kind="assessment-overdue"):
    """(at, shown, until, reopened) of every alert of that type."""
    return [(a["at"], a["shownAt"], a["until"], a.get("reopenedAt", [])) for a in alerts(played, kind)]


def with_policy(tmp_path, capsys, policy, *charted, until):
    """What ``replay`` gives under a site's policy."""
    (tmp_path / "policy.toml").write_text(policy, encoding="utf-8")
    (tmp_path / "chart.json").write_text(json.dumps(chart(*charted)), encoding="utf-8")
    arguments = ["--policy", str(tmp_path / "policy.toml"), "--as-of", until, "--format", "json"]
    assert main(["replay", str(tmp_path / "chart.json"), "--patient", PATIENT_ID, *arguments]) == 0
    return json.loads(capsys.readouterr().out)[0]


# --- the schedule


@pytest.mark.parametrize(
    ("score", "due", "interval"),
    [(8, on_day(6), 12), (5, on_day(5, "20:00"), 8), (2, on_day(5, "20:00"), 8)],
)
def test_L24_an_assessment_is_overdue_24_hours_after_the_last_at_grade_1(score, due, interval):
    found = alerts(replayed(*whole(T, score), until=on_day(7)), "assessment-overdue")
    assert [(a["at"], a["facts"]["intervalHours"]) for a in found] == [(due, interval)]


@pytest.mark.parametrize(("when", "stale"), [(on_day(6, "07:59:59"), False), (on_day(6), True)])
def test_L24_the_grade_is_stale_from_then_on(when, stale):
    assert evaluated(when, *whole(T, 8))["grade"]["stale"] is stale


@pytest.mark.parametrize(("clock", "count"), [("07:59", 1), ("08:00", 2)])
def test_L24_a_partial_row_counts_from_then_on(clock, count):
    played = replayed(*whole(T, 8), consciousness(on_day(6, clock), "alert"))
    assert len([e for e in played["timeline"] if e["kind"] == "assessment"]) == count


def test_L24_the_daily_schedule_of_a_protocol_stays(tmp_path, capsys):
    played = with_policy(tmp_path, capsys, 'protocol_enrolled = "all"', *whole(T, 8), until=on_day(7))
    found = alerts(played, "assessment-overdue")[-1]
    assert (found["at"], found["facts"]["intervalHours"]) == (on_day(6, "20:00"), 24)


def test_L24_interval_and_grace_at_grade_1_are_policy(tmp_path, capsys):
    policy = "interval_grade_1 = 6\ngrace_grade_1 = 1"
    played = with_policy(tmp_path, capsys, policy, *whole(T, 8), until=on_day(7))
    found = alerts(played, "assessment-overdue")[0]
    assert (found["at"], found["facts"]["intervalHours"]) == (on_day(5, "15:00"), 6)


# --- while a sedative runs


@pytest.mark.parametrize(("score", "hours"), [(5, 12), (8, 24)])
def test_L24_what_falls_due_while_a_sedative_runs_counts_from_its_end(score, hours):
    running = propofol(on_day(5, "12:00"), on_day(6, "10:00"))
    due = {12: on_day(6, "22:00"), 24: on_day(7, "10:00")}[hours]
    assert spans(replayed(*whole(T, score), running, until=on_day(8))) == [(due, due, None, [])]


@pytest.mark.parametrize(
    ("start", "end", "moved"),
    [("20:00", "21:00", True), ("20:01", "21:00", False), ("12:00", "20:00", True), ("12:00", "19:59", False)],
)
def test_L24_only_where_it_runs_at_the_instant_at_which_it_falls_due(start, end, moved):
    running = propofol(on_day(5, start), on_day(5, end))
    at = spans(replayed(*whole(T, 5), running, until=on_day(6, "12:00")))[0][0]
    assert (at != on_day(5, "20:00")) is moved


def test_L24_a_bolus_never_moves_it_and_a_paralytic_does():
    bolus = propofol(on_day(5, "19:59"))
    assert spans(replayed(*whole(T, 5), bolus, until=on_day(6)))[0][0] == on_day(5, "20:00")
    paralytic = administration(on_day(5, "19:00"), "rocuronium", "100", "IV", on_day(5, "23:00"))
    assert spans(replayed(*whole(T, 5), paralytic, until=on_day(6, "12:00")))[0][0] == on_day(6, "11:00")


def test_L24_sedatives_that_follow_each_other_are_one_running_and_a_later_one_moves_it_again():
    first = propofol(on_day(5, "19:00"), on_day(6, "02:00"))
    on = propofol(on_day(6, "01:00"), on_day(6, "06:00"))
    assert spans(replayed(*whole(T, 5), first, on, until=on_day(7)))[0][0] == on_day(6, "18:00")
    again = propofol(on_day(6, "17:00"), on_day(6, "20:00"))
    assert spans(replayed(*whole(T, 5), first, on, again, until=on_day(8)))[0][0] == on_day(7)


def test_L24_one_that_holds_pauses_and_is_told_again():
    running = propofol(on_day(5, "22:00"), on_day(6, "02:00"))
    played = replayed(*whole(T, 5), running, *whole(on_day(6, "16:00"), 5), until=on_day(6, "17:00"))
    due = on_day(5, "20:00")
    assert spans(played) == [(due, due, on_day(6, "16:00"), [on_day(6, "14:00")])]
    assert "assessment-overdue" in types(evaluated(on_day(5, "21:59"), *whole(T, 5), running))
    for when in (on_day(5, "22:00"), on_day(6, "13:59")):
        assert "assessment-overdue" not in types(evaluated(when, *whole(T, 5), running))


def test_L24_a_full_row_under_sedation_ends_what_is_paused():
    running = propofol(on_day(5, "22:00"), on_day(6, "10:00"))
    sedated = not_assessed(on_day(6), "ice-total", "sedated")
    assert spans(replayed(*whole(T, 5), running, sedated, until=on_day(6, "19:59"))) == [
        (on_day(5, "20:00"), on_day(5, "20:00"), on_day(5, "22:00"), [])
    ]


def test_L24_the_grade_in_force_when_it_falls_due_decides():
    running = propofol(on_day(5, "12:00"), on_day(6, "10:00"))
    rise = seizure(on_day(5, "21:00"), "brief-or-resolving")
    assert spans(replayed(*whole(T, 8), running, rise, until=on_day(8)))[0][0] == on_day(6, "22:00")


def test_L24_stale_does_not_pause():
    running = propofol(on_day(5, "12:00"), on_day(6, "10:00"))
    assert evaluated(on_day(5, "20:00"), *whole(T, 5), running)["grade"]["stale"] is True


def test_L24_assessment_not_found_moves_and_pauses_too():
    running = propofol(on_day(1, "12:00"), on_day(2, "12:00"))
    assert spans(replayed(running, until=on_day(5)), "assessment-not-found")[0][0] == on_day(4, "00:00")
    running = propofol(on_day(2), on_day(2, "12:00"))
    assert spans(replayed(running, until=on_day(5)), "assessment-not-found") == [
        (on_day(1, "20:30"), on_day(1, "20:30"), None, [on_day(4, "00:00")])
    ]


def test_L24_reassessment_overdue_moves_pauses_and_leaves_the_state():
    dose = steroid(on_day(5, "09:00"), "dexamethasone", "20")
    running = propofol(on_day(6), on_day(6, "12:00"))
    chart_ = (*whole(T, 5), dose, running)
    moved = on_day(7, "00:00")
    assert spans(replayed(*chart_, until=on_day(8)), "reassessment-overdue") == [(moved, moved, None, [])]
    assert evaluated(on_day(6, "09:00"), *chart_)["refractory"]["state"] == "overdue"
    running = propofol(on_day(6, "12:00"), on_day(6, "14:00"))
    due = on_day(6, "09:00")
    found = replayed(*whole(T, 5), dose, running, until=on_day(8))
    assert spans(found, "reassessment-overdue") == [(due, due, None, [on_day(7, "02:00")])]
    assert evaluated(on_day(6, "13:00"), *whole(T, 5), dose, running)["refractory"]["state"] == "overdue"


def test_L24_the_state_line_says_since_when_nothing_can_be_assessed():
    running = propofol(on_day(5, "12:00"), on_day(6, "10:00"))
    found = evaluated(on_day(5, "20:30"), *whole(T, 5), running)
    assert any("not assessable since" in card["detail"] and "propofol" in card["detail"] for card in found["cards"])
    assert all("not assessable since" not in c["detail"] for c in evaluated(on_day(5, "11:00"), *whole(T, 5))["cards"])


def test_L24_explain_names_the_sedative_that_it_waits_for():
    running = propofol(on_day(5, "12:00"), on_day(6, "10:00"))
    rules = {r["id"]: r for r in evaluated(on_day(6), *whole(T, 5), running)["rules"]}
    rule = rules["assessment-overdue"]
    assert (rule["fired"], rule["compared"]["due"]) == (False, on_day(6, "22:00"))
    assert any("sedative" in unmet for unmet in rule["unmet"])


# --- until when nothing found is reported


@pytest.mark.parametrize(
    ("last", "due"),
    [(on_day(12, "20:30"), on_day(14, "08:30")), (on_day(12, "20:31"), None), (on_day(13), None)],
)
def test_L25_nothing_found_falls_due_in_the_first_14_days(last, due):
    seen = [found[0] for found in spans(replayed(*whole(last, 10), until=on_day(40)), "assessment-not-found")[1:]]
    assert seen == ([due] if due else [])


def test_L25_one_that_holds_ends_with_them():
    found = spans(replayed(*whole(on_day(10), 10), until=on_day(40)), "assessment-not-found")[-1]
    assert found == (on_day(11, "20:00"), on_day(11, "20:00"), on_day(14, "08:30"), [])


def test_L25_where_nothing_was_ever_found_it_is_30_days():
    assert spans(replayed(until=on_day(40)), "assessment-not-found") == [
        (on_day(1, "20:30"), on_day(1, "20:30"), on_day(30, "08:30"), [])
    ]
    asleep = not_assessed(on_day(3), "ice-total", "asleep"), consciousness(on_day(3), "alert")
    assert spans(replayed(*asleep, until=on_day(40)), "assessment-not-found")[0][2] == on_day(30, "08:30")


def test_L25_an_open_episode_makes_it_30_days():
    played = replayed(*whole(on_day(12), 8), *whole(on_day(13), 10), until=on_day(40))
    assert spans(played, "assessment-not-found")[-1][:3] == (
        on_day(14, "20:00"),
        on_day(14, "20:00"),
        on_day(30, "08:30"),
    )
    played = replayed(*whole(on_day(28), 8), *whole(on_day(29), 10), until=on_day(40))
    assert all(at < on_day(28) for at, *_ in spans(played, "assessment-not-found"))


def test_A5_no_card_after_the_first_14_days_at_grade_0():
    assert evaluated(on_day(20), *whole(on_day(12, "20:31"), 10))["cards"] == []


# --- from when it counts


def test_L37_without_a_full_row_since_the_infusion_it_counts_from_the_onset():
    baseline = whole(on_day(0, "08:00"), 10)
    onset = consciousness(on_day(0, "16:00"), "awakens-to-voice")
    found = alerts(replayed(*baseline, onset, until=on_day(2)), "assessment-overdue")
    assert [(a["at"], a["facts"]["lastAssessment"]) for a in found] == [(on_day(1, "04:00"), on_day(0, "16:00"))]


def test_L37_active_speaks_of_the_last_assessable_assessment():
    partial = ice_items(on_day(5, "12:00"), {"orientation": 4, "naming": 0, "command": 1})
    asleep = not_assessed(on_day(5, "14:00"), "ice-total", "asleep")
    found = evaluated(on_day(5, "15:00"), *whole(T, 2), partial, consciousness(on_day(5, "12:00"), "alert"), asleep)
    facts = next(f for f in found["findings"] if f["type"] == "icans-active")["facts"]
    assert (facts["lastAssessment"], facts["gradeLow"], facts["gradeHigh"]) == (on_day(5, "12:00"), 1, 2)
