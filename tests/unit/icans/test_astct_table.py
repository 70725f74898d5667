"""The ASTCT 2019 table for ICANS, cell by cell, from a second transcription of the published table.

Written down anew from Lee et al. 2019 (Biol Blood Marrow Transplant 25:625, Table 5 and its footnotes), not from
icans/grading.py, and read in through FHIR. Intervals are the strict ones: nothing is assumed that is not recorded.
"""

from __future__ import annotations

from datetime import datetime
from itertools import product

import pytest

from cds_service import evaluate_bundle
from tests.support.builders import (
    bundle,
    capd,
    consciousness,
    ice,
    icp_edema,
    infusion,
    motor,
    not_assessed,
    on_day,
    seizure,
)

WHEN = on_day(5)
LEVELS = (
    "alert",
    "depressed-awakens-spontaneously",
    "awakens-to-voice",
    "awakens-to-tactile",
    "unarousable",
    "not recorded",
)
#: Rows: ICE; columns: level of consciousness in the order of LEVELS.
TABLE = """
10    | 0   | 1   | 2   | 3 | 4 | 0-3
9     | 1   | 1   | 2   | 3 | 4 | 1-3
8     | 1   | 1   | 2   | 3 | 4 | 1-3
7     | 1   | 1   | 2   | 3 | 4 | 1-3
6     | 2   | 2   | 2   | 3 | 4 | 2-3
5     | 2   | 2   | 2   | 3 | 4 | 2-3
4     | 2   | 2   | 2   | 3 | 4 | 2-3
3     | 2   | 2   | 2   | 3 | 4 | 2-3
2     | 3   | 3   | 3   | 3 | 4 | 3
1     | 3   | 3   | 3   | 3 | 4 | 3
0     | 3   | 3   | 3   | 3 | 4 | 3-4
none  | 0-3 | 1-3 | 2-3 | 3 | 4 | 0-4
"""
#: Pairs that contradict each other: they are graded all the same, and reported.
IMPLAUSIBLE = {
    *((str(score), "unarousable") for score in range(1, 11)),
    *((str(score), "awakens-to-tactile") for score in range(7, 11)),
}
#: An event of each grade, and none.
EVENTS = {0: None, 3: ("seizure", "brief-or-resolving"), 4: ("motor", "deep-focal-weakness")}
SEIZURES = {
    "none": (0, 0),
    "brief-or-resolving": (3, 3),
    "nonconvulsive-resolving": (3, 3),
    "prolonged": (4, 4),
    "repetitive-without-recovery": (4, 4),
    "unspecified": (3, 4),
}
MOTORS = {"none": 0, "deep-focal-weakness": 4, "tremor": 0, "myoclonus": 0, "asterixis": 0, "gait-instability": 0}
PRESSURES = {
    "none": 0,
    "focal-edema": 3,
    "diffuse-edema": 4,
    "posturing": 4,
    "cranial-nerve-vi-palsy": 4,
    "papilledema": 4,
    "cushing-triad": 4,
    "intracranial-hemorrhage": 0,
}


def bounds(text: str) -> tuple[int, int]:
    low, _, high = text.partition("-")
    return int(low), int(high or low)


def cells():
    """ICE, level, event grade and the interval: 12 x 6 x 3 cells, of which the published 36 x 3 are the classes."""
    for line in TABLE.strip().splitlines():
        score, *row = (cell.strip() for cell in line.split("|"))
        for (level, text), event in product(zip(LEVELS, row, strict=True), EVENTS):
            low, high = bounds(text)
            yield score, level, event, (max(low, event), max(high, event))


def evaluated(*charted):
    return evaluate_bundle(bundle(infusion(on_day(0, "08:30")), *charted), as_of=datetime.fromisoformat(WHEN))


def strict(found):
    return found["grade"]["strictLow"], found["grade"]["strictHigh"]


CELLS = list(cells())


def test_no_cell_was_forgotten():
    classes = {"10": "10", "9": "7-9", "8": "7-9", "7": "7-9", "2": "1-2", "1": "1-2", "0": "0", "none": "none"}
    assert len({(classes.get(score, "3-6"), level, event) for score, level, event, _ in CELLS}) == 108


@pytest.mark.parametrize(("score", "level", "event", "expected"), CELLS, ids=[f"{s}/{c}/{e}" for s, c, e, _ in CELLS])
def test_cell(score, level, event, expected):
    charted = [not_assessed(WHEN, "ice-total", "refused") if score == "none" else ice(WHEN, int(score))]
    if level != "not recorded":
        charted.append(consciousness(WHEN, level))
    if EVENTS[event]:
        domain, finding = EVENTS[event]
        charted.append(seizure(WHEN, finding) if domain == "seizure" else motor(WHEN, finding))
    found = evaluated(*charted)
    ungradable = (score, level, event) == ("none", "not recorded", 0)
    assert strict(found) == ((None, None) if ungradable else expected)
    said = "inconsistent-arousal" in {problem["code"] for problem in found["problems"]}
    assert said == ((score, level) in IMPLAUSIBLE)


@pytest.mark.parametrize(("fit", "pressure"), list(product(SEIZURES, PRESSURES)))
@pytest.mark.parametrize("movement", MOTORS)
def test_event_overlay(fit, movement, pressure):
    found = evaluated(
        ice(WHEN, 10),
        consciousness(WHEN, "alert"),
        seizure(WHEN, fit),
        motor(WHEN, movement),
        icp_edema(WHEN, pressure),
    )
    worst = max(MOTORS[movement], PRESSURES[pressure])
    low, high = SEIZURES[fit]
    assert strict(found) == (max(low, worst), max(high, worst))
    said = "hemorrhage-excluded" in {problem["code"] for problem in found["problems"]}
    assert said == (pressure == "intracranial-hemorrhage")


@pytest.mark.parametrize(
    ("error", "charted", "grade"),
    [
        ("hemiparesis as 3", [ice(WHEN, 10), consciousness(WHEN, "alert"), motor(WHEN, "deep-focal-weakness")], 4),
        ("any weakness as 4", [ice(WHEN, 10), consciousness(WHEN, "alert"), motor(WHEN, "weakness-unspecified")], 0),
        ("any edema as 4", [ice(WHEN, 10), consciousness(WHEN, "alert"), icp_edema(WHEN, "focal-edema")], 3),
        ("ICE 0 always 4", [ice(WHEN, 0), consciousness(WHEN, "alert")], 3),
        ("ICE 0 to voice as 4", [ice(WHEN, 0), consciousness(WHEN, "awakens-to-voice")], 3),
        ("tremor as 2", [ice(WHEN, 8), consciousness(WHEN, "alert"), motor(WHEN, "tremor")], 1),
        ("myoclonus as 2", [ice(WHEN, 10), consciousness(WHEN, "alert"), motor(WHEN, "myoclonus")], 0),
        ("ICE 10 clears a seizure", [ice(WHEN, 10), seizure(WHEN, "brief-or-resolving")], 3),
        ("five minutes as prolonged", [ice(WHEN, 10), seizure(WHEN, "unspecified", 300)], 3),
        (
            "hemorrhage as 4",
            [ice(WHEN, 10), consciousness(WHEN, "alert"), icp_edema(WHEN, "intracranial-hemorrhage")],
            0,
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_known_errors_of_other_graders_are_not_made_here(error, charted, grade):
    found = evaluated(*charted)["grade"]
    assert (found["low"], found["high"]) == (grade, grade), error


@pytest.mark.parametrize(
    ("points", "level", "expected"),
    [
        (8, "alert", (0, 1)),
        (9, "alert", (3, 3)),
        (8, "awakens-to-voice", (2, 2)),
        (9, "awakens-to-voice", (3, 3)),
        (8, "depressed-awakens-spontaneously", (1, 1)),
        (9, "unarousable", (4, 4)),
    ],
)
def test_capd_in_a_child(points, level, expected):
    chart = bundle(infusion(on_day(0, "08:30")), capd(WHEN, points), consciousness(WHEN, level), birth="2017-01-01")
    found = evaluate_bundle(chart, as_of=datetime.fromisoformat(WHEN))["grade"]
    assert (found["low"], found["high"]) == expected
