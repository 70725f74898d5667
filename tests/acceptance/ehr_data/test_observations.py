"""How real EHRs chart observations, one test a quirk: values, units, codes, panels, times, gaps (17 to 28, 34 to 38).

The numbers are those of docs/ehr-vendors.md; each shape is written anew after public evidence of it.
"""

from __future__ import annotations

import json

import pytest

from cds_service import HookError, evaluate_bundle
from cds_service.instants import instant
from tests.support.builders import (
    ASSESSMENT,
    FINDING,
    LOINC,
    UCUM,
    Resource,
    bundle,
    concept,
    ice,
    ice_items,
    infusion,
    on_day,
    search_set,
    steroid,
)
from tests.support.ehr_shapes import (
    MG_10,
    NOW,
    evaluated,
    exposure,
    given,
    grade,
    hooked,
    observed,
    problem_codes,
    problems,
    types,
)

TOTAL = concept(ASSESSMENT, "ice-total")
NOT_GRADED = None


def charted(**value: object) -> Resource:
    return observed(TOTAL, **value)


@pytest.mark.parametrize("text", ["5", " 5 ", "5.0"])
def test_quirk_17_a_number_as_text_is_read_strictly(text: str) -> None:
    assert grade(charted(valueString=text)) == (2, 2, 2)


@pytest.mark.parametrize("text", ["15.0 gm/L", "5 points", "Blank", "5/10", "four", "<5", "4-5", "\u0665"])
def test_quirk_17_any_other_text_is_not_a_number_and_said(text: str) -> None:
    row = charted(valueString=text)
    assert grade(row)[0] == NOT_GRADED
    assert ("value-not-numeric", "valueString") in problems(row)


EYE = {
    "coding": [{"system": "http://mimic.example/chartevents-d-items", "code": "220739", "display": "GCS - Eye Opening"}]
}


def test_quirk_18_one_code_may_carry_a_number_here_and_a_text_there() -> None:
    number = charted(valueQuantity={"value": 5})
    text = observed(TOTAL, on_day(5, "16:00"), valueString="unable to assess")
    assert grade(number, text) == (2, 2, 2)
    assert ("value-not-numeric", "valueString") in problems(number, text)


def test_quirk_18_a_local_item_without_standard_code_is_not_read_as_one() -> None:
    assert grade(observed(EYE, valueString="To Speech"))[0] == NOT_GRADED


def test_quirk_19_a_bare_value_is_accepted_for_scores() -> None:
    assert grade(charted(valueQuantity={"value": 5})) == (2, 2, 2)
    assert grade(charted(valueQuantity={"value": 5, "unit": "{score}", "system": UCUM, "code": "{score}"})) == (2, 2, 2)


def test_quirk_19_a_bare_dose_is_not() -> None:
    assert exposure(given(dose={"value": 10})) == (0, None, 1)


@pytest.mark.parametrize("unit", ["minutes", "mg", "%", "/min"])
def test_quirk_20_a_score_in_a_unit_of_something_else_is_not_used(unit: str) -> None:
    no_code = {
        "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]
    }
    row = charted(valueQuantity={"value": 5, "unit": unit, "_code": no_code})
    assert grade(row)[0] == NOT_GRADED
    assert ("unit-unknown", "valueQuantity") in problems(row)


FLOWSHEET = "urn:oid:1.2.840.114350.1.13.9999.7.2.707679"


def test_quirk_21_every_coding_is_looked_at() -> None:
    codings = [
        {"system": FLOWSHEET, "code": "304080001", "display": "ICE total"},
        {"system": "http://open.epic.com/FHIR/StructureDefinition/observation-flowsheet-id", "code": "tXZ7"},
        {"system": ASSESSMENT, "code": "ice-total"},
    ]
    assert grade(observed({"coding": codings, "text": "ICE total"}, valueInteger=5)) == (2, 2, 2)


def test_quirk_21_a_local_code_that_looks_relevant_is_said() -> None:
    row = observed({"coding": [{"system": FLOWSHEET, "code": "304080001", "display": "ICE score"}]}, valueInteger=5)
    assert grade(row)[0] == NOT_GRADED
    assert ("code-unmapped", "code") in problems(row)


def test_quirk_21_loinc_under_its_oid_is_loinc_and_under_another_it_is_not() -> None:
    asleep = observed(concept("urn:oid:2.16.840.1.113883.6.1", "9267-6"), valueInteger=1)
    assert grade(asleep) == (4, 4, 4)
    assert grade(observed(concept("urn:oid:1.2.246.537.6.96", "9267-6"), valueInteger=1))[0] == NOT_GRADED


@pytest.mark.parametrize("panel", ["8716-3", "85353-1", "9269-2", "35088-4"])
def test_quirk_22_the_code_of_a_group_names_nothing(panel: str) -> None:
    assert grade(observed(concept(LOINC, panel, "Vital signs"), valueInteger=5))[0] == NOT_GRADED
    several = {"coding": [{"system": LOINC, "code": panel}, {"system": ASSESSMENT, "code": "ice-total"}]}
    assert grade(observed(several, valueInteger=5)) == (2, 2, 2)


def test_quirk_24_items_in_components_in_members_and_in_rows_of_their_own_are_the_same() -> None:
    points = {"orientation": 4, "naming": 1, "command": 0, "writing": 0, "attention": 0}
    together = ice_items(on_day(5), dict(points))
    loose = [
        observed(concept(ASSESSMENT, f"ice-{item}"), id=f"i-{item}", valueInteger=value)
        for item, value in points.items()
    ]
    panel = observed(TOTAL, id="panel", hasMember=[{"reference": f"Observation/i-{item}"} for item in points])
    for rows in ([together], loose, [panel, *loose]):
        found = evaluated(*rows)["grade"]
        assert (found["working"], found["iceScore"]) == (2, 5)


def test_quirk_24_a_total_is_not_made_of_some_items() -> None:
    found = evaluated(ice_items(on_day(5), {"orientation": 4, "naming": 1}))["grade"]
    assert found["iceScore"] is None
    assert (found["low"], found["high"]) == (1, 2)


def test_quirk_24_a_score_among_other_components_is_found() -> None:
    def component(code: str, value: int) -> Resource:
        return {"code": concept(LOINC, code), "valueQuantity": {"value": value, "unit": "{score}"}}

    scale = observed(concept(LOINC, "9269-2"), component=[component("9267-6", 1), component("9268-4", 4)])
    assert grade(scale) == (4, 4, 4)


@pytest.mark.parametrize("reason", ["not-performed", "not-applicable", "error", "unknown"])
def test_quirk_25_an_absent_value_is_missing_not_zero(reason: str) -> None:
    absent = concept("http://terminology.hl7.org/CodeSystem/data-absent-reason", reason)
    row = charted(dataAbsentReason=absent)
    assert grade(row)[0] == NOT_GRADED
    assert not evaluated(row)["problems"]


def test_quirk_26_a_status_with_a_blank_is_its_status() -> None:
    row = charted(valueInteger=0, status="entered-in-error ")
    assert grade(row)[0] == NOT_GRADED
    assert "invalid-resource" not in problem_codes(row)
    assert grade(charted(valueInteger=5, status="final ")) == (2, 2, 2)


def test_quirk_26_a_corrected_version_supersedes() -> None:
    wrong = charted(id="same", valueInteger=0, meta={"versionId": "1", "lastUpdated": on_day(5, "08:00")})
    right = charted(
        id="same", status="corrected", valueInteger=5, meta={"versionId": "2", "lastUpdated": on_day(5, "09:00")}
    )
    assert grade(right, wrong) == (2, 2, 2)
    gone = right | {"status": "entered-in-error"}
    assert grade(wrong, gone)[0] == NOT_GRADED


def test_quirk_27_zone_and_offset_are_one_instant() -> None:
    for when in ("2026-03-06T08:00:00Z", "2026-03-06T03:00:00-05:00", "2026-03-06T08:00:00.000+00:00"):
        assert evaluated(observed(TOTAL, when, valueInteger=5))["grade"]["asOf"] == "2026-03-06T08:00:00+00:00"


def test_quirk_27_a_day_without_time_stands_for_its_whole_day() -> None:
    found = evaluated(observed(TOTAL, "2026-03-06", valueInteger=5))["grade"]
    assert (found["working"], found["asOf"]) == (2, "2026-03-07T00:00:00+00:00")


def test_quirk_27_without_a_day_a_value_is_not_usable_and_said() -> None:
    for when, code in (("2026-03", "time-imprecise"), (None, "time-missing")):
        row = observed(TOTAL, effectiveDateTime=when, valueInteger=0)  # type: ignore[arg-type]
        assert grade(row)[0] == NOT_GRADED
        assert code in problem_codes(row)


SUPPRESSED = {
    "resource": {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "warning",
                "code": "suppressed",
                "details": {"coding": [{"system": "urn:oid:1.2.840.114350.1.13.0.1.7.2.657369", "code": "59204"}]},
                "diagnostics": "The authenticated client's search request applies to a sub-resource that the client "
                "is not authorized for. Results of this sub-type will not be returned.",
            }
        ],
    },
    "search": {"mode": "outcome"},
}


def test_quirk_28_matches_beside_a_warning_of_the_server_are_partial_data() -> None:
    matches = search_set([ice(on_day(6), 5) | {"id": "o1"}])
    matches["entry"].append(SUPPRESSED)
    cards = hooked(observations=matches)
    assert "grade-change" in types(cards)
    data = [alert for card in cards for alert in alerts(card) if alert["type"] == "data-quality"]
    assert [problem["code"] for alert in data for problem in alert["facts"]["problems"]] == ["partial-data"]


def test_quirk_28_a_warning_alone_is_no_empty_answer() -> None:
    with pytest.raises(HookError) as refused:
        hooked(observations=SUPPRESSED["resource"])
    assert refused.value.status == 412


def alerts(card: Resource) -> list[Resource]:
    lead = card["extension"]["org.icans-cds.alert"]
    return [lead, *lead.get("alsoHolds", [])]


def test_quirk_34_without_administrations_the_exposure_is_unknown_not_zero() -> None:
    cards = hooked(ice(on_day(6), 5), medicationAdministrations=...)
    assert "grade-change" in types(cards)
    assert not {"cumulative-dose", "steroid-days"} & types(cards)
    assert all("0 mg" not in card["detail"] for card in cards)
    assert all("not read" in card["detail"] or "could not" in card["detail"] for card in cards)


def test_quirk_34_an_order_is_no_administration() -> None:
    order = {
        "resourceType": "MedicationRequest",
        "id": "order",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"text": "dexamethasone 10 mg"},
        "subject": {"reference": "Patient/p1"},
    }
    cards = hooked(ice(on_day(6), 5), medicationAdministrations=search_set([order]))
    assert all("10 mg" not in card["detail"] for card in cards)


def test_quirk_36_a_dose_is_the_decimal_as_charted() -> None:
    """Nine tenths and a tenth reach 10 mg exactly; a binary float would miss it or overshoot."""
    parts = [given(on_day(5, f"{hour:02}:00"), dose=MG_10 | {"value": 0.1}) for hour in range(3)]
    assert exposure(*parts) == (0.3, 0.3, 0)
    data = json.dumps(bundle(infusion(on_day(0)), ice(on_day(5), 5), given(dose=MG_10 | {"value": 987654321})))
    for value, lines in (("10.0", 1), ("9.9999999999999999999", 0), ("10.000000000000000000001", 1)):
        found = evaluate_bundle(data.replace("987654321", value).encode(), as_of=instant(NOW))
        assert len(found["refractory"]["lines"]) == lines, value


def test_quirk_36_a_score_just_beside_an_integer_is_not_rounded() -> None:
    data = json.dumps(bundle(infusion(on_day(0)), ice(on_day(5), 987654321))).replace("valueInteger", "valueQuantity")
    for value, expected in (("5.000", 2), ("5.0000000000000000001", None), ("4.9999999999999999999", None)):
        text = data.replace("987654321", f'{{"value": {value}}}')
        assert evaluate_bundle(text.encode(), as_of=instant(NOW))["grade"]["working"] == expected, value


def test_quirk_37_of_similar_rows_the_configured_one_is_read_and_of_two_the_worse_counts() -> None:
    similar = [
        observed({"coding": [{"system": FLOWSHEET, "code": str(code), "display": "ICE score"}]}, valueInteger=0)
        for code in range(5)
    ]
    assert grade(*similar, charted(valueInteger=5)) == (2, 2, 2)
    twice = charted(valueInteger=5), charted(valueInteger=2)
    assert grade(*twice) == (3, 3, 3)
    assert "conflicting-values" in problem_codes(*twice)


@pytest.mark.parametrize("micro", ["\u00b5g", "\u03bcg", "ug"])
def test_quirk_38_both_micro_signs_are_one(micro: str) -> None:
    assert exposure(given(dose={"value": 10000, "unit": micro})) == (10, 10, 0)


def test_quirk_38_a_unit_beyond_ascii_does_no_harm() -> None:
    count = observed(concept(LOINC, "26453-1"), valueQuantity={"value": 4.2, "unit": "10*6/\u00b5L"})
    assert grade(charted(valueInteger=5), count) == (2, 2, 2)


def test_r4_and_r5_administrations_are_read_alike() -> None:
    r4 = steroid(on_day(5, "09:00"), "dexamethasone", "10")
    r5 = {name: value for name, value in r4.items() if name not in ("medicationCodeableConcept", "effectiveDateTime")}
    r5 |= {"medication": {"concept": r4["medicationCodeableConcept"]}, "occurenceDateTime": r4["effectiveDateTime"]}
    assert exposure(r4) == exposure(r5) == (10, 10, 0)


def test_r4_and_r5_coded_findings_are_read_alike() -> None:
    coma = observed(concept(ASSESSMENT, "consciousness"), valueCodeableConcept=concept(FINDING, "unarousable"))
    since = {"instantiatesCanonical": "https://hospital.example/form", "effectiveDateTime": on_day(5)}
    assert grade(coma) == grade(coma | since) == (4, 4, 4)


def test_r4_and_r5_infusions_are_read_alike() -> None:
    r4 = infusion(on_day(0))
    r5 = {name: value for name, value in r4.items() if name != "performedDateTime"}
    r5 |= {"occurrencePeriod": {"start": on_day(0), "end": on_day(0, "09:00")}}
    found = [evaluate_bundle(json.dumps(bundle(row)).encode(), as_of=instant(NOW))["infusion"] for row in (r4, r5)]
    assert found == [on_day(0), on_day(0)]


def test_r4_and_r5_medications_are_read_alike() -> None:
    strength = {"numerator": {"value": 4, "unit": "mg"}, "denominator": {"value": 1, "unit": "mL"}}
    code = concept("http://www.nlm.nih.gov/research/umls/rxnorm", "3264")
    r4 = {"ingredient": [{"itemCodeableConcept": code, "strength": strength}], "form": {"text": "injection"}}
    r5 = {"ingredient": [{"item": {"concept": code}, "strengthRatio": strength}], "doseForm": {"text": "injection"}}
    millilitres = {"value": 2.5, "unit": "mL", "system": UCUM, "code": "mL"}
    for parts in (r4, r5):
        medication = {"resourceType": "Medication", "id": "vial", "code": code, **parts}
        reference = {"reference": "Medication/vial"}
        by_r4 = given(medicationCodeableConcept=None, medicationReference=reference, dose=millilitres)
        assert exposure(by_r4, medication) == (10, 10, 0)
        by_r5 = {
            name: value for name, value in by_r4.items() if name not in ("medicationReference", "effectiveDateTime")
        }
        by_r5 |= {"medication": {"reference": reference}, "occurenceDateTime": on_day(5, "09:00")}
        assert exposure(by_r5, medication) == (10, 10, 0)
