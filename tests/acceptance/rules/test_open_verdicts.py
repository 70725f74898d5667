"""Rules L13, L18, L22, L38 and L39: 24-hour answers that the record leaves open, and why."""

from __future__ import annotations

from tests.support.builders import capd, consciousness, ice, on_day, seizure, steroid
from tests.support.charts import alerts, evaluated, replayed

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


def child(before, after, *also):
    both = capd(ONSET, before), consciousness(ONSET, "alert"), *TREATED, capd(DAY_AFTER, after)
    return verdicts(*both, consciousness(DAY_AFTER, "alert"), *also, birth=CHILD)


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


def by_day(resource, day):
    return {**resource, "effectiveDateTime": day}
