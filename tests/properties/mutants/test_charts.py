"""Mutated charts in the test run; ``python -m tests.properties.mutants.charts`` draws as many as asked for."""

from __future__ import annotations

import random

import pytest

from tests.properties.mutants.charts import (
    CHART,
    DOORS,
    answer,
    changed,
    deciding_mutants,
    inert_mutants,
    silent,
    with_noise,
)

RNG = random.Random(1)
DECIDING = list(deciding_mutants())
INERT = [with_noise(found, RNG) for found in RNG.sample(list(inert_mutants()), 120)]


@pytest.mark.parametrize("door", DOORS)
def test_L1_a_fault_in_what_does_not_decide_changes_nothing_but_the_list_of_problems(door):
    wrong = {str(found): text for found in INERT if (text := changed(door, found))}
    assert not wrong


@pytest.mark.parametrize("door", DOORS)
def test_the_comparison_notices_a_lost_datum(door):
    lost = next(found for found in DECIDING if found.reference == "Observation/ice")
    without = type(lost)(tuple(each for each in CHART if each["id"] != "ice"), lost.reference)
    assert changed(door, without)
    assert silent(door, without) == "named nowhere"
    assert answer(door, CHART)
