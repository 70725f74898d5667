"""Whose a resource is, and what belongs to nobody."""

from __future__ import annotations

import pytest

from tests.support.resources import PATIENT, Json, bundle, codes, observation, reading

MRN = {"system": "urn:mrn", "value": "17"}
OTHER: Json = {"resourceType": "Patient", "id": "q", "identifier": [{"system": "urn:mrn", "value": "18"}]}
KNOWN: Json = {**PATIENT, "identifier": [MRN]}


def with_subject(subject: Json | None, **elements: object) -> Json:
    return observation(valueInteger=5, subject=subject, **elements)


@pytest.mark.parametrize(
    "subject",
    [
        {"reference": "Patient/p"},
        {"reference": "Patient/p/_history/3"},
        {"reference": "https://ehr.example/fhir/R4/Patient/p"},
        {"identifier": MRN},
        {"reference": "Patient?identifier=urn:mrn|17"},
        None,
        {"display": "Somebody"},
    ],
)
def test_every_kind_of_reference_leads_to_the_patient(subject: Json | None) -> None:
    (record,) = reading(bundle(KNOWN, with_subject(subject))).records.values()
    assert record.patient == "Patient/p"
    assert len(record.observed) == 1


def test_a_transaction_names_its_patient_by_urn() -> None:
    urn = "urn:uuid:0a1b2c3d-0000-4000-8000-000000000001"
    document = bundle(dict(PATIENT), with_subject({"reference": urn}), kind="transaction")
    document["entry"][0]["fullUrl"] = urn
    assert len(reading(document).records["Patient/p"].observed) == 1
    del document["entry"][0]["resource"]["id"]
    found = reading(document)
    assert list(found.records) == ["Patient/0a1b2c3d-0000-4000-8000-000000000001"]
    assert len(next(iter(found.records.values())).observed) == 1


def test_a_contained_patient_is_told_by_its_identifiers() -> None:
    def contained(*identifiers: Json) -> Json:
        patient = {"resourceType": "Patient", "id": "me", "identifier": list(identifiers)}
        return with_subject({"reference": "#me"}, contained=[patient])

    (record,) = reading(bundle(KNOWN, contained(MRN))).records.values()
    assert len(record.observed) == 1
    (record,) = reading(bundle(KNOWN, contained())).records.values()
    assert len(record.observed) == 1
    (record,) = reading(bundle(KNOWN, contained({"system": "urn:mrn", "value": "99"}))).records.values()
    assert codes(record) == [("other-patient", "Observation/o", "subject")]


@pytest.mark.parametrize(
    ("subject", "code"),
    [
        ({"reference": "Device/d"}, "subject-missing"),
        ({"identifier": {"system": "urn:mrn", "value": "99"}}, "other-patient"),
        ({"reference": "urn:uuid:0a1b2c3d-0000-4000-8000-000000000009"}, "reference-unresolved"),
        ({"reference": "#gone"}, "reference-unresolved"),
    ],
)
def test_a_subject_that_leads_nowhere_is_not_used(subject: Json, code: str) -> None:
    (record,) = reading(bundle(KNOWN, with_subject(subject))).records.values()
    assert (record.observed, codes(record)) == ((), [(code, "Observation/o", "subject")])


@pytest.mark.parametrize(
    "subject",
    [None, {"display": "the patient"}, {"identifier": {"system": "urn:else", "value": "17"}}],
)
def test_L32_a_subject_that_names_nobody_is_the_only_patient_and_said(subject: Json | None) -> None:
    (record,) = reading(bundle(KNOWN, with_subject(subject))).records.values()
    assert len(record.observed) == 1
    assert codes(record) == [("subject-missing", "Observation/o", "subject")]
    assert record.problems[0].affects == ()


def test_several_patients_make_several_records() -> None:
    found = reading(bundle(KNOWN, OTHER, with_subject({"reference": "Patient/q"}), with_subject(None, id="nobody")))
    assert {key: len(record.observed) for key, record in found.records.items()} == {
        "Patient/p": 0,
        "Patient/q": 1,
    }
    assert codes(found) == [("subject-missing", "Observation/nobody", "subject")]
    assert found.problems[0].affects == ("grade",)


@pytest.mark.parametrize("name", ["p", "Patient/p"])
def test_one_of_several_patients_may_be_taken(name: str) -> None:
    resources = [
        with_subject({"reference": "Patient/q"}, id="theirs"),
        with_subject({"reference": "Patient/p"}, id="ours"),
    ]
    found = reading(bundle(KNOWN, OTHER, *resources), patient=name)
    assert list(found.records) == ["Patient/p"]
    record = found.records["Patient/p"]
    assert [entry.reference for entry in record.observed] == ["Observation/ours"]
    assert codes(record) == [("other-patient", "Observation/theirs", "subject")]
    assert record.problems[0].affects == ()
    assert "Patient/q" not in record.problems[0].message


def test_a_patient_who_is_not_there_has_no_record() -> None:
    assert reading(bundle(KNOWN, with_subject(None)), patient="z").records == {}


def test_an_input_that_names_no_patient_is_of_the_one_who_is_asked_for() -> None:
    (record,) = reading(with_subject(None), patient="z").records.values()
    assert (record.patient, len(record.observed)) == ("Patient/z", 1)
