"""Laws of the steroid sum, whatever was given: order, splitting, bounds, look-alikes, and that nothing is lost."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.evaluation import evaluate_record, one_record, read_data
from cds_service.site.site import bundled_site
from tests.support.builders import DAY_0, Resource, administration, bundle, concept, infusion, on_day, steroid

AS_OF = datetime(2026, 3, 20, tzinfo=UTC)
FEW = settings(max_examples=60, deadline=None)
DRUGS = ("dexamethasone", "methylprednisolone", "prednisone", "hydrocortisone")
MINUTES = st.integers(min_value=600, max_value=15 * 1440)
MILLIGRAMS = st.integers(min_value=1, max_value=1000).map(str)
DAMAGES = ("none", "amount", "unit", "route")


def exposure(doses: list[Resource], as_of: datetime = AS_OF) -> Any:
    chart = json.dumps(bundle(infusion(on_day(0, "08:30"), id="infusion"), *doses)).encode()
    site = bundled_site()
    answer = evaluate_record(one_record(read_data(chart, site, None), None), site, as_of)
    return answer.evaluation


def at(minutes: int) -> str:
    return (DAY_0 + timedelta(minutes=minutes)).isoformat()


@st.composite
def doses(draw: st.DrawFn, damaged: bool = False) -> list[Resource]:
    """Administrations of systemic steroids, each with an id of its own; some without amount, unit or route."""
    given_doses = []
    for number, minutes in enumerate(draw(st.lists(MINUTES, min_size=1, max_size=8))):
        dose = steroid(at(minutes), draw(st.sampled_from(DRUGS)), draw(MILLIGRAMS), id=f"dose{number}")
        damage = draw(st.sampled_from(DAMAGES)) if damaged else "none"
        if damage == "amount":
            del dose["dosage"]["dose"]
        elif damage == "unit":
            dose["dosage"]["dose"] = {"value": 1, "unit": "vial"}
        elif damage == "route":
            del dose["dosage"]["route"]
        given_doses.append(dose)
    return given_doses


def numbers(evaluation: Any) -> tuple[Any, ...]:
    sums = evaluation.exposure
    return (
        sums.dexamethasone_equivalent_mg,
        sums.upper_bound_mg,
        sums.last_24h_mg,
        sums.steroid_days,
        sums.uncounted,
        sums.by_drug_mg,
    )


@FEW
@given(doses(damaged=True), st.randoms(use_true_random=False))
def test_the_sum_does_not_depend_on_order(charted: list[Resource], chance: Any) -> None:
    shuffled = list(charted)
    chance.shuffle(shuffled)
    assert numbers(exposure(shuffled)) == numbers(exposure(charted))


@FEW
@given(st.integers(2, 48), st.lists(st.integers(2, 600), min_size=1, max_size=5), st.integers(0, 60))
def test_the_sum_does_not_depend_on_how_a_period_is_split(rate: int, parts: list[int], later: int) -> None:
    start = 2 * 1440
    end = start + sum(parts)
    whole = administration(at(start), "dexamethasone", str(rate * sum(parts) / Decimal(600)), "IV", at(end), id="whole")
    pieces = []
    begun = start
    for number, minutes in enumerate(parts):
        amount = str(rate * minutes / Decimal(600))
        pieces.append(administration(at(begun), "dexamethasone", amount, "IV", at(begun + minutes), id=f"part{number}"))
        begun += minutes
    for as_of in (DAY_0 + timedelta(minutes=start + later), DAY_0 + timedelta(minutes=end), AS_OF):
        once, split = exposure([whole], as_of).exposure, exposure(pieces, as_of).exposure
        assert abs(once.dexamethasone_equivalent_mg - split.dexamethasone_equivalent_mg) < Decimal("0.000001")


@FEW
@given(doses(damaged=True))
def test_the_lower_bound_never_exceeds_the_upper(charted: list[Resource]) -> None:
    sums = exposure(charted).exposure
    assert sums.upper_bound_mg is None or sums.dexamethasone_equivalent_mg <= sums.upper_bound_mg


def excluded(minutes: int, kind: str) -> Resource:
    """A row that is no systemic glucocorticoid given: by status, by route, or a look-alike by name."""
    dose = steroid(at(minutes), "dexamethasone", "40", id="excluded")
    if kind in ("not-done", "entered-in-error"):
        return {**dose, "status": kind}
    if kind in ("ophthalmic", "topical"):
        code = {"ophthalmic": "54485002", "topical": "6064005"}[kind]
        dose["dosage"]["route"] = concept("http://snomed.info/sct", code)
        return dose
    return {**dose, "medicationCodeableConcept": {"text": kind}}


@FEW
@given(
    doses(),
    MINUTES,
    st.sampled_from(
        ["not-done", "entered-in-error", "ophthalmic", "topical", "dexmedetomidine", "lisdexamfetamine", "glucose 5 %"]
    ),
)
def test_an_excluded_dose_changes_nothing(charted: list[Resource], minutes: int, kind: str) -> None:
    assert numbers(exposure([*charted, excluded(minutes, kind)])) == numbers(exposure(charted))


@FEW
@given(doses(damaged=True))
def test_every_administration_is_counted_or_named_and_numbered(charted: list[Resource]) -> None:
    evaluation = exposure(charted)
    counted = {dose.reference for dose in evaluation.exposure.counted}
    uncounted = set(evaluation.exposure.uncounted_references)
    named = {problem.reference for problem in evaluation.problems}
    everything = {f"MedicationAdministration/{dose['id']}" for dose in charted}
    assert counted | named == everything
    assert uncounted == everything - counted - {p.reference for p in evaluation.problems if p.code == "duplicate"}
    assert evaluation.exposure.uncounted == len(uncounted)
