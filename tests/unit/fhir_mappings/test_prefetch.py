"""The prefetch of a hook call: absent, null, empty, failed and wrongly shaped values."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.support.resources import PATIENT, Json, bundle, codes, observation, prefetched

EMPTY: Json = {"resourceType": "Bundle", "type": "searchset", "total": 0}
ICE = observation(valueInteger=5)
FULL: dict[str, object] = {
    "patient": PATIENT,
    "observations": bundle(ICE, kind="searchset"),
    "medicationAdministrations": EMPTY,
    "procedures": EMPTY,
    "conditions": EMPTY,
}


def outcome(severity: str) -> Json:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": "suppressed"}]}


def without(*keys: str, **values: object) -> dict[str, object]:
    return {key: value for key, value in {**FULL, **values}.items() if key not in keys}


def test_a_whole_prefetch() -> None:
    found = prefetched(FULL)
    record = found.records["Patient/p"]
    assert len(record.observed) == 1
    assert (record.administrations_read, record.procedures_read, found.missing, record.problems) == (
        True,
        True,
        (),
        (),
    )
    assert found.prefetch_patient == "Patient/p"


def test_null_means_that_the_search_found_nothing() -> None:
    found = prefetched(without(observations=None, medicationAdministrations=None, procedures=None, conditions=None))
    record = found.records["Patient/p"]
    assert (record.observed, record.problems, found.missing) == ((), (), ())
    assert record.administrations_read


@pytest.mark.parametrize(
    ("key", "affects"),
    [
        ("observations", ("grade",)),
        ("medicationAdministrations", ("dose", "treatment-start")),
        ("procedures", ("infusion",)),
        ("conditions", ()),
        ("patient", ()),
    ],
)
@pytest.mark.parametrize(
    "value",
    [
        "absent",
        5,
        "text",
        [],
        {},
        {"resourceType": "Encounter"},
        outcome("error"),
        outcome("warning"),
        {"entry": []},
    ],
)
def test_what_cannot_be_read_is_missing_and_said(key: str, affects: tuple[str, ...], value: object) -> None:
    found = prefetched(without(key) if value == "absent" else without(**{key: value}))
    record = found.records["Patient/p"]
    assert found.missing == (key,)
    assert {(problem.code, problem.affects) for problem in record.problems} == {("partial-data", affects)}
    assert all(problem.element.startswith(f"prefetch.{key}") for problem in record.problems)
    assert record.administrations_read is (key != "medicationAdministrations")
    assert record.procedures_read is (key != "procedures")


def test_null_for_the_patient_means_that_it_is_to_be_fetched() -> None:
    found = prefetched(without(patient=None))
    assert found.missing == ("patient",)
    assert found.prefetch_patient is None


def test_a_failure_in_a_bundle_without_matches_is_a_failure() -> None:
    found = prefetched(without(observations=bundle(outcome("error"), kind="searchset")))
    assert found.missing == ("observations",)


@pytest.mark.parametrize("severity", ["error", "warning", "information"])
def test_an_outcome_beside_matches_is_partial_data(severity: str) -> None:
    found = prefetched(without(observations=bundle(ICE, outcome(severity), kind="searchset")))
    record = found.records["Patient/p"]
    assert len(record.observed) == 1
    assert found.missing == ()
    assert codes(record) == [("partial-data", "", "prefetch.observations.entry[1].resource")]


def test_a_page_that_was_not_followed_is_partial_data() -> None:
    link = [{"relation": "next", "url": "https://x.example/next"}]
    found = prefetched(without(observations=bundle(ICE, kind="searchset", link=link)))
    assert codes(found.records["Patient/p"]) == [("partial-data", "", "prefetch.observations.link")]


def test_split_keys_are_one_search() -> None:
    second = bundle(observation(id="o2", valueInteger=6))
    found = prefetched(without(observations2=second))
    assert len(found.records["Patient/p"].observed) == 2
    gap = prefetched(without("observations", observations2=second))
    assert gap.missing == ()
    assert codes(gap.records["Patient/p"]) == [("partial-data", "", "prefetch.observations")]
    broken = prefetched(without(observations2=5))
    assert broken.missing == ()
    assert codes(broken.records["Patient/p"]) == [("partial-data", "", "prefetch.observations2")]
    nothing = prefetched(without(observations=5, observations2=outcome("error")))
    assert nothing.missing == ("observations", "observations2")


def test_a_single_resource_is_accepted() -> None:
    assert len(prefetched(without(observations=ICE)).records["Patient/p"].observed) == 1


def test_medications_are_accepted_and_not_asked_for() -> None:
    medication = {"resourceType": "Medication", "id": "m", "code": {"text": "dexamethasone"}}
    given = {
        "resourceType": "MedicationAdministration",
        "id": "g",
        "status": "completed",
        "medicationReference": {"reference": "Medication/m"},
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": "2026-03-08T14:00:00Z",
        "dosage": {"dose": {"value": 10, "unit": "mg"}, "route": {"text": "IV"}},
    }
    found = prefetched(without(medicationAdministrations=bundle(given), medications=bundle(medication)))
    assert len(found.records["Patient/p"].doses) == 1


def test_keys_that_are_not_known_are_ignored() -> None:
    assert prefetched(without(weather=5, observationsOfMine=5)) == prefetched(FULL)


def test_another_patients_resources_are_never_used() -> None:
    theirs = observation(id="theirs", valueInteger=0, subject={"reference": "Patient/q"})
    found = prefetched(without(observations=bundle(ICE, theirs)))
    record = found.records["Patient/p"]
    assert [entry.reference for entry in record.observed] == ["Observation/o"]
    assert codes(record) == [("partial-data", "", ""), ("other-patient", "Observation/theirs", "subject")]
    assert record.incomplete == {"observations"}


def test_the_patient_that_the_prefetch_holds_is_told() -> None:
    assert prefetched(without(patient={**PATIENT, "id": "q"})).prefetch_patient == "Patient/q"


def test_places_are_those_of_the_request() -> None:
    entries = bundle(ICE)
    entries["entry"].append({"resource": 5})
    record = prefetched(without(observations=entries)).records["Patient/p"]
    assert codes(record) == [("invalid-resource", "", "prefetch.observations.entry[1].resource")]


def test_what_is_missing_in_a_live_call_is_known_now() -> None:
    now = datetime(2026, 3, 9, tzinfo=UTC)
    (problem,) = prefetched(without("procedures"), now=now).records["Patient/p"].problems
    assert problem.known == now
