"""Which rows are one dose, and what many doses cost."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from cds_service.site.policy import current_policy
from icans import Record, evaluate, replay
from icans.record import Dose, IceTotal, Infusion

POLICY = current_policy()
INFUSION = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
FIRST = INFUSION + timedelta(days=5)


def stamp(at: datetime, reference: str) -> dict[str, object]:
    return {
        "at": at, "earliest": at, "known": at, "day": at.date(), "reference": reference, "element": "x", "shown": "x",
    }  # fmt: skip


def dose(at: datetime, number: int, amount: str | None = "4", **more: object) -> Dose:
    """An intravenous dose of dexamethasone in mg; None: of unknown size."""
    reference = f"MedicationAdministration/{number:05}"
    lower = Decimal(0) if amount is None else Decimal(amount)
    upper = None if amount is None else lower
    fields = {"drug": "dexamethasone", "route": "systemic", "way": "intravenous", **more}
    return Dose(**stamp(at, reference), lower_mg=lower, upper_mg=upper, **fields)


def record(*doses: Dose) -> Record:
    """A patient with an infusion, an ICE of 5 before the first dose, and these doses."""
    infusion = Infusion(**stamp(INFUSION, "Procedure/infusion"), source="procedure")
    ice = IceTotal(**stamp(FIRST - timedelta(hours=1), "Observation/ice"), low=5, high=5)
    return Record(patient="Patient/p", infusions=(infusion,), observed=(ice,), doses=doses)


def sums(*doses: Dose) -> tuple[Decimal | None, Decimal | None]:
    """Sum since infusion in mg of dexamethasone-equivalent: at least and at most."""
    exposure = evaluate(record(*doses), POLICY, FIRST + timedelta(days=1)).exposure
    assert exposure is not None
    return exposure.dexamethasone_equivalent_mg, exposure.upper_bound_mg


def test_E3_L39_the_same_route_is_the_same_and_not_only_systemic():
    assert sums(dose(FIRST, 1, "20"), dose(FIRST, 2, "20")) == (20, 40)
    assert sums(dose(FIRST, 1, "20"), dose(FIRST, 2, "20", way="oral")) == (40, 40)


@pytest.mark.parametrize(("apart", "counted"), [(60, 4), (61, 8)])
def test_E3_a_repetition_starts_within_60_seconds(apart: int, counted: int):
    assert sums(dose(FIRST, 1), dose(FIRST + timedelta(seconds=apart), 2))[0] == counted


def test_E3_a_dose_repeats_a_first_one_only_whenever_the_others_become_known():
    """Three doses 50 s apart are two; without the first one, or before it is known, they are one and a repetition."""
    first, second, third = (dose(FIRST + timedelta(seconds=50 * k), k) for k in range(3))
    assert sums(first, second, third)[0] == 8
    assert sums(second, third)[0] == 4
    assert sums(replace(first, known=FIRST + timedelta(hours=1)), second, third)[0] == 8
    assert sums(replace(first, superseded=FIRST + timedelta(hours=1)), second, third)[0] == 4


def at_one_instant(number: int) -> Record:
    return record(*(dose(FIRST, k, f"{k + 1}e-2") for k in range(number)))


def alike_at_one_instant(number: int) -> Record:
    return record(*(dose(FIRST, k, identifiers=frozenset({f"s|{k}"})) for k in range(number)))


def over_the_stay(number: int) -> Record:
    return record(*(dose(FIRST + k * timedelta(days=25) / number, k) for k in range(number)))


def of_unknown_size(number: int) -> Record:
    return record(*(dose(FIRST + k * timedelta(days=25) / number, k, None) for k in range(number)))


def over_periods(number: int) -> Record:
    step = timedelta(days=25) / number
    return record(*(dose(FIRST + k * step, k, end=FIRST + k * step + timedelta(minutes=30)) for k in range(number)))


def calls(work: Callable[[], object]) -> int:
    """How many functions are called: a measure of work that does not depend on the machine."""
    counted = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return counted


MANY = (at_one_instant, alike_at_one_instant, over_the_stay, over_periods)


@pytest.mark.parametrize("made", [*MANY, of_unknown_size], ids=lambda made: made.__name__)
def test_many_doses_cost_an_evaluation_in_proportion_to_their_number(made: Callable[[int], Record]):
    few, many, until = made(250), made(1000), FIRST + timedelta(days=40)
    assert calls(lambda: evaluate(many, POLICY, until)) <= 5 * calls(lambda: evaluate(few, POLICY, until))


@pytest.mark.parametrize("made", MANY, ids=lambda made: made.__name__)
def test_many_doses_cost_a_replay_in_proportion_to_their_number(made: Callable[[int], Record]):
    """Of unknown size each is a card that names what else holds: what comes out grows faster than what is read."""
    few, many = made(250), made(1000)
    assert calls(lambda: replay(many, POLICY)) <= 5 * calls(lambda: replay(few, POLICY))


def contradicting(at: datetime, lower: str, upper: str, number: int = 1) -> Dose:
    return replace(dose(at, number, lower), upper_mg=Decimal(upper), contradicting=True)


def test_L8_of_two_readings_the_lower_counts_in_the_sum_and_the_upper_starts_treatment():
    evaluation = evaluate(record(contradicting(FIRST, "0.5", "12")), POLICY, FIRST + timedelta(hours=1))
    exposure = evaluation.exposure
    assert exposure is not None
    assert (exposure.dexamethasone_equivalent_mg, exposure.upper_bound_mg) == (Decimal("0.5"), 12)
    assert (exposure.uncounted, exposure.steroid_days) == (0, 1)
    assert [line.treatment_start for line in evaluation.refractory.lines] == [FIRST]
    assert "dose-unknown" not in {alert.finding.type for alert in evaluation.findings}


def test_L8_tiers_are_reached_by_the_lower_reading():
    doses = (contradicting(FIRST + timedelta(hours=k), "100", "300", k) for k in range(2))
    played = replay(record(*doses), POLICY)
    crossed = [alert.finding.facts for alert in played.alerts if alert.finding.type == "cumulative-dose"]
    assert [facts.crossed_mg for facts in crossed] == [(195,)]


def test_L8_E7_an_implausible_reading_is_dropped_and_reported():
    assert sums(contradicting(FIRST, "8", "8000")) == (8, 8)
    evaluation = evaluate(record(contradicting(FIRST, "8", "8000")), POLICY, FIRST)
    assert "value-out-of-range" in {problem.code for problem in evaluation.problems}


@pytest.mark.parametrize(("amount", "upper"), [("501", None), ("0", 0), ("500", 500)])
def test_L41_a_dose_too_large_takes_the_upper_bound_away_and_one_not_above_0_does_not(amount: str, upper: int | None):
    assert sums(dose(FIRST, 1, amount)) == (500 if amount == "500" else 0, upper)
