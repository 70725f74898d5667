"""How real EHRs send administrations, one test a quirk: events, doses, units, periods, duplicates (1 to 10).

The numbers are those of docs/ehr-vendors.md; each shape is written anew after public evidence of it.
"""

from __future__ import annotations

import pytest

from tests.support.builders import UCUM, concept, ice, on_day
from tests.support.ehr_shapes import (
    DEXAMETHASONE,
    MG_10,
    evaluated,
    exposure,
    given,
    problem_codes,
    problems,
)

LOCAL_EVENTS = "http://fhir.hospital.example/CodeSystem/medication-method"
LOCAL_UNITS = "http://fhir.hospital.example/CodeSystem/units"
NOTHING = (0, 0, 0)
TEN = (10, 10, 0)


@pytest.mark.parametrize("event", ["Not Given", "Hold Dose", "Not Started", "Stopped", "Flushed", "Rate Change"])
def test_quirk_01_a_completed_row_of_an_event_that_gave_nothing_is_no_dose(event: str) -> None:
    assert exposure(given(method=concept(LOCAL_EVENTS, event))) == NOTHING
    assert exposure(given(method={"text": event})) == NOTHING


@pytest.mark.parametrize("event", ["Administered", "Partial Administered", "Delayed Administered", "Started"])
def test_quirk_01_a_listed_event_of_giving_is_a_dose(event: str) -> None:
    assert exposure(given(method=concept(LOCAL_EVENTS, event))) == TEN


def test_quirk_01_the_reason_of_the_status_may_say_it_too() -> None:
    assert exposure(given(statusReason=[{"text": "Not Given"}])) == NOTHING


def test_quirk_01_an_unlisted_event_that_says_no_is_only_an_upper_bound() -> None:
    row = given(method=concept(LOCAL_EVENTS, "Dose not taken by family member"))
    assert exposure(row) == (0, 10, 1)
    assert "status-not-usable" in problem_codes(row)


def test_quirk_02_a_dose_charted_as_text_is_a_dose_of_unknown_size() -> None:
    row = given(dose=None, text="dose_given: 10 mg")
    assert exposure(row) == (0, None, 1)
    assert ("dose-missing", "dosage.dose") in problems(row)


def test_quirk_02_an_administration_without_dosage_is_a_dose_of_unknown_size() -> None:
    row = given(dosage=None)
    assert exposure(row) == (0, None, 1)
    assert evaluated(row)["exposure"]["steroidDays"] == 1  # its route is not recorded either: it may have been systemic


def test_quirk_03_the_filler_text_1_is_no_dose() -> None:
    assert exposure(given(text="1")) == TEN
    assert exposure(given(text="1", dose=None)) == (0, None, 1)


@pytest.mark.parametrize("unit", ["mg", "MG", "Mg", "milligrams"])
def test_quirk_04_listed_spellings_of_a_local_unit_are_read(unit: str) -> None:
    assert exposure(given(dose={"value": 10, "unit": unit})) == TEN
    assert exposure(given(dose={"value": 10, "unit": unit, "system": LOCAL_UNITS, "code": unit})) == TEN


@pytest.mark.parametrize("unit", ["mgmg", "mg/0mg", "mg\\ 40mg", "TAB", "tab", "ea", "VIAL", "mL", "___"])
def test_quirk_04_any_other_local_unit_leaves_the_dose_unknown(unit: str) -> None:
    row = given(dose={"value": 10, "unit": unit, "system": LOCAL_UNITS, "code": unit})
    assert exposure(row) == (0, None, 1)
    assert "unit-unknown" in problem_codes(row)


def mixture(numerator: object, denominator: object) -> dict[str, object]:
    strength = {"numerator": numerator, "denominator": denominator}
    ingredient = {"itemCodeableConcept": DEXAMETHASONE, "strength": strength}
    saline = {"itemCodeableConcept": {"text": "sodium chloride 0.9%"}}
    return {"resourceType": "Medication", "id": "mixture", "ingredient": [ingredient, saline]}


def of_mixture(numerator: object, denominator: object, **more: object) -> dict[str, object]:
    return given(
        medicationCodeableConcept=None,
        medicationReference={"reference": "#mixture"},
        contained=[mixture(numerator, denominator)],
        dose={"value": 50, "unit": "mL", "system": UCUM, "code": "mL"},
        **more,
    )


def test_quirk_05_millilitres_of_a_contained_mixture_become_mg_by_its_strength() -> None:
    assert exposure(of_mixture(MG_10, {"value": 50, "unit": "mL"})) == TEN
    assert exposure(of_mixture({"value": 4, "unit": "mg"}, {"value": 1, "unit": "mL"})) == (200, 200, 0)


@pytest.mark.parametrize(
    "strength",
    [
        (None, {"value": 50, "unit": "mL"}),
        (MG_10, {"value": 1, "unit": "tab"}),
        ({"value": 10, "unit": "mL"}, {"value": 50, "unit": "mL"}),
        (MG_10, {"value": 0, "unit": "mL"}),
    ],
)
def test_quirk_05_without_a_strength_that_fits_the_dose_is_unknown(strength: tuple[object, object]) -> None:
    ingredient = {name: value for name, value in zip(("numerator", "denominator"), strength, strict=True) if value}
    row = of_mixture(*strength)
    row["contained"][0]["ingredient"][0]["strength"] = ingredient  # type: ignore[index]
    assert exposure(row) == (0, None, 1)


def tablets(strength: bool) -> dict[str, object]:
    medication = {
        "resourceType": "Medication",
        "id": "tablet",
        "code": DEXAMETHASONE,
        "ingredient": [
            {
                "itemCodeableConcept": DEXAMETHASONE,
                "strength": {"numerator": {"value": 4, "unit": "mg"}, "denominator": {"value": 1, "unit": "tab"}},
            }
        ],
    }
    if not strength:
        del medication["ingredient"]
    return given(
        medicationCodeableConcept=None,
        medicationReference={"reference": "#tablet"},
        contained=[medication],
        dose={"value": 2, "unit": "tablet", "system": UCUM, "code": "{tbl}"},
        route=concept("http://snomed.info/sct", "26643006"),
    )


def test_quirk_06_tablets_become_mg_by_their_strength_only() -> None:
    assert exposure(tablets(strength=True)) == (8, 8, 0)
    assert exposure(tablets(strength=False)) == (0, None, 1)


def test_quirk_06_an_order_with_two_kinds_of_dose_is_no_administration() -> None:
    kinds = "http://epic.com/CodeSystem/dose-rate-type"
    doses = [
        {"type": concept(kinds, kind), "doseQuantity": {"value": 10, "unit": "mg"}}
        for kind in ("calculated", "admin-amount")
    ]
    order = {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": DEXAMETHASONE,
        "subject": {"reference": "Patient/p1"},
        "dosageInstruction": [{"doseAndRate": doses}],
    }
    assert exposure(order) == NOTHING
    assert exposure(order, given()) == TEN


def test_quirk_07_a_dose_without_unit_is_a_dose_of_unknown_size() -> None:
    row = given(dose={"value": 10})
    assert exposure(row) == (0, None, 1)
    assert ("unit-unknown", "dosage.dose.unit") in problems(row)


RATE = {"value": 2, "unit": "mg/h", "system": UCUM, "code": "mg/h"}


def test_quirk_08_a_rate_over_a_period_is_an_amount() -> None:
    period = {"start": on_day(5, "09:00"), "end": on_day(5, "14:00")}
    row = given(effectiveDateTime=None, effectivePeriod=period, dose=None, rateQuantity=RATE)
    assert exposure(row) == TEN


def test_quirk_08_a_rate_ratio_over_a_period_is_an_amount() -> None:
    period = {"start": on_day(5, "09:00"), "end": on_day(5, "14:00")}
    ratio = {
        "numerator": {"value": 2, "unit": "mg"},
        "denominator": {"value": 1, "unit": "h", "system": UCUM, "code": "h"},
    }
    row = given(effectiveDateTime=None, effectivePeriod=period, dose=None, rateRatio=ratio)
    assert exposure(row) == TEN


def test_quirk_08_a_rate_at_one_instant_is_of_unknown_size() -> None:
    row = given(dose=None, rateQuantity=RATE)
    assert exposure(row) == (0, None, 1)
    assert ("dose-missing", "dosage.rateQuantity") in problems(row)


def test_quirk_08_a_dose_at_one_instant_stands_at_that_instant() -> None:
    timeline = evaluated(ice(on_day(5), 2), given())
    (line,) = timeline["refractory"]["lines"]
    assert line["treatmentStart"] == on_day(5, "09:00")


def test_quirk_09_several_rows_of_one_dose_count_once_at_least_and_all_at_most() -> None:
    first, second = given(id="a"), given(id="b")
    assert exposure(first, second) == (10, 20, 0)
    assert "duplicate" in problem_codes(first, second)


def test_quirk_09_a_duplicate_by_interface_with_the_same_identifier_is_one_dose() -> None:
    identifier = [{"system": "urn:oid:1.2.3", "value": "77"}]
    assert exposure(given(id="a", identifier=identifier), given(id="b", identifier=identifier)) == TEN


def test_quirk_09_a_rate_change_is_no_dose_of_its_own() -> None:
    change = given(on_day(5, "10:00"), dose=None, rateQuantity=RATE, method={"text": "Rate Change"})
    assert exposure(given(), change) == TEN


def test_quirk_10_the_duration_in_an_unknown_extension_is_ignored() -> None:
    minutes = {
        "url": "https://fhir-ehr.cerner.com/r4/StructureDefinition/infuse-over-time",
        "valueQuantity": {"value": 30},
    }
    assert exposure(given(extension=[minutes])) == TEN


def test_quirk_10_an_unknown_modifier_extension_keeps_the_dose_from_being_used() -> None:
    doubt = [{"url": "https://hospital.example/cancelled", "valueBoolean": True}]
    for row in (given(modifierExtension=doubt), {**given(), "modifierExtension": doubt}):
        assert exposure(row)[0] == 0
        assert "unknown-modifier" in problem_codes(row)
