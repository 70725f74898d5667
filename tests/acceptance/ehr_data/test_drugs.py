"""How real EHRs name what they gave, one test a quirk: names, look-alikes, forms, references (11 to 16).

The numbers are those of docs/ehr-vendors.md; each shape is written anew after public evidence of it.
"""

from __future__ import annotations

import json

import pytest

from cds_service import evaluate_bundle, replay_bundle
from cds_service.instants import instant
from tests.support.builders import SNOMED, Resource, bundle, concept, infusion, on_day
from tests.support.ehr_shapes import DEXAMETHASONE, NOW, evaluated, exposure, given, hooked, problem_codes, problems

LOCAL_NAMES = "http://fhir.hospital.example/CodeSystem/medication-name"
NOTHING = (0, 0, 0)


def named(name: str, **more: object) -> Resource:
    return given(medicationCodeableConcept={"coding": [{"system": LOCAL_NAMES, "code": name}]}, **more)


@pytest.mark.parametrize(
    ("name", "equivalent"),
    [
        ("Dexame", 10),
        ("Dexametha", 10),
        ("hydrocort", 0.375),
        ("MethylPRED", 1.875),
        ("MethylPREDNISolone Sodium Succ", 1.875),
    ],
)
def test_quirk_11_truncated_and_tall_man_names_are_read_and_flagged(name: str, equivalent: float) -> None:
    for row in (named(name), given(medicationCodeableConcept={"text": name})):
        assert exposure(row) == (equivalent, equivalent, 0)
        assert "code-unmapped" in problem_codes(row)


@pytest.mark.parametrize(
    "name", ["INV-Dexamethasone", "Hydrocortisone study drug", "Study Drug", "Blinded dexamethasone or placebo"]
)
def test_quirk_11_a_blinded_drug_is_not_counted_and_said(name: str) -> None:
    row = named(name)
    assert exposure(row)[0] == 0
    assert problem_codes(row) & {"drug-unmapped", "conflicting-values"}


@pytest.mark.parametrize(
    "name",
    ["lisdexamfetamine", "METH40", "GCSF", "Dexmedetomidine", "Dexmethylphenidate", "methotrexate", "Methadone 10 mg"],
)
def test_quirk_12_look_alikes_are_no_steroid(name: str) -> None:
    assert exposure(named(name)) == NOTHING
    assert exposure(given(medicationCodeableConcept={"text": name})) == NOTHING


@pytest.mark.parametrize(
    "name",
    [
        "Dexamethasone Ophthalmic Susp 0.1%",
        "Hydrocortisone Cream 1%",
        "Hydrocortisone Enema",
        "Lidocaine-Hydrocortisone",
        "Ciprofloxacin-Dexamethasone",
    ],
)
def test_quirk_13_local_forms_and_mixtures_are_not_systemic(name: str) -> None:
    assert exposure(named(name, route=None))[0] == 0


def test_quirk_13_a_local_route_excludes_a_systemic_drug() -> None:
    assert exposure(given(route=concept(SNOMED, "54485002"))) == NOTHING  # ophthalmic


def test_quirk_13_a_depot_counts_by_a_systemic_route_only() -> None:
    name = "methylPREDNISolone acetate depot"
    assert exposure(named(name, route={"text": "IM"})) == (1.875, 1.875, 0)
    assert exposure(named(name, route={"text": "intra-articular"})) == NOTHING


MEDICATION = {"resourceType": "Medication", "id": "dexa", "code": DEXAMETHASONE}


def referring(reference: Resource, **more: object) -> Resource:
    return given(medicationCodeableConcept=None, medicationReference=reference, **more)


def test_quirk_14_contained_relative_and_displayed_references_are_followed() -> None:
    contained = referring({"reference": "#dexa"}, contained=[MEDICATION])
    assert exposure(contained) == (10, 10, 0)
    assert exposure(referring({"reference": "Medication/dexa"}), MEDICATION) == (10, 10, 0)
    displayed = referring({"display": "dexamethasone 4 mg/mL injection"})
    assert exposure(displayed) == (10, 10, 0)
    assert "code-unmapped" in problem_codes(displayed)
    gone = referring({"reference": "Medication/gone", "display": "dexamethasone"})
    assert exposure(gone) == (10, 10, 0)
    assert "reference-unresolved" in problem_codes(gone)


def test_quirk_14_a_reference_that_leads_nowhere_is_said() -> None:
    row = referring({"reference": "Medication/gone"})
    assert exposure(row)[0] == 0
    assert ("reference-unresolved", "medicationReference.reference") in problems(row)


def test_quirk_14_medications_may_stand_in_a_prefetch_of_their_own() -> None:
    row = referring({"reference": "https://ehr.example/fhir/Medication/dexa"}, id="m1")
    medications = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": MEDICATION}]}
    for found, expected in ((medications, "10 mg"), (..., "infusion unknown")):
        cards = hooked(*STARTED, row, medications=found)
        assert cards
        assert any(expected in card["detail"] for card in cards), [card["detail"] for card in cards]


STARTED = (
    {
        "resourceType": "Observation",
        "id": "onset",
        "status": "final",
        "code": concept("https://icans-cds.org/fhir/CodeSystem/icans-assessment", "ice-total"),
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": on_day(6, "08:00"),
        "valueInteger": 5,
    },
)
#: A drug that is meant by the name of a value set, as US QI Core says that a kind of drug was not given.
NEGATED = {
    "extension": [
        {
            "url": "http://hl7.org/fhir/us/qicore/StructureDefinition/qicore-notDoneValueSet",
            "valueCanonical": "http://example.org/fhir/ValueSet/steroids",
        }
    ]
}


def test_quirk_15_a_row_of_a_drug_that_was_not_given_needs_no_drug_code() -> None:
    row = given(status="not-done", medicationCodeableConcept=NEGATED, dosage=None, statusReason=[{"text": "Not given"}])
    assert exposure(row) == NOTHING
    assert "invalid-resource" not in problem_codes(row)


def test_quirk_16_a_row_not_done_for_a_reason_in_words_is_no_dose() -> None:
    reason = [{"text": "Not Done: Change in Patient Status"}]
    assert exposure(given(status="not-done", statusReason=reason)) == NOTHING
    assert exposure(given(statusReason=reason))[0] == 0


def test_quirk_16_a_planned_time_in_the_future_is_not_counted() -> None:
    planned = given(on_day(9, "09:00"), id="planned")
    assert evaluated(planned)["exposure"]["dexamethasoneEquivalentMg"] == 0
    data = json.dumps(bundle(infusion(on_day(0)), planned)).encode()
    assert evaluate_bundle(data, as_of=instant(on_day(9, "10:00")))["exposure"]["dexamethasoneEquivalentMg"] == 10
    (replayed,) = replay_bundle(data, as_of=instant(NOW))
    assert replayed["summary"]["cumulativeDexamethasoneEquivalentMg"] == 0


def test_quirk_16_a_planned_time_of_a_live_call_is_said() -> None:
    from fhir_mappings import ReadSettings, Source, load_terminology, read

    settings = ReadSettings(load_terminology(), now=instant(NOW))
    data = json.dumps(bundle(infusion(on_day(0)), given(on_day(9, "09:00")))).encode()
    (record,) = read([Source("data", data)], settings).records.values()
    assert not record.doses
    assert [problem.code for problem in record.problems] == ["time-in-future"]


def test_L9_a_name_that_is_kept_as_an_identifier_of_the_medication_looks_relevant() -> None:
    code = {"coding": [{"system": LOCAL_NAMES, "code": "DEXA4I"}]}
    row = given(medicationCodeableConcept=None, medicationReference={"reference": "Medication/m"})
    medication: Resource = {"resourceType": "Medication", "id": "m", "code": code}
    assert "drug-unmapped" not in problem_codes(row, medication)
    named = {**medication, "identifier": [{"system": LOCAL_NAMES, "value": "Dexamethasone"}]}
    assert ("drug-unmapped", "medicationReference") in problems(row, named)
