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
