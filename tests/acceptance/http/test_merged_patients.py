"""A patient with several ids: what is filed under each is fetched."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from tests.acceptance.http.test_fetching import by_prefetch, call, resources, what_is_said
from tests.support.fhir_server import serving
from tests.support.hook_calls import course, prefetch_of, search_result


def _merged(half: str = "Observation") -> list[dict[str, Any]]:
    """The course of a patient of which one type of resource is filed under an id that her own replaces."""
    found = deepcopy(resources())
    for resource in found:
        if resource["resourceType"] == half:
            resource["subject"] = {"reference": "Patient/older"}
        if resource["resourceType"] == "Patient":
            resource["link"] = [{"other": {"reference": "Patient/old"}, "type": "replaces"}]
    links = [{"other": {"reference": "Patient/older"}, "type": "replaces"}]
    return [*found, {"resourceType": "Patient", "id": "old", "link": links}]


@pytest.mark.parametrize("half", ["Observation", "MedicationAdministration", "Procedure"])
def test_L6_what_is_filed_under_a_linked_id_is_fetched_over_any_number_of_links(half: str) -> None:
    with serving(resources=_merged(half)) as fhir:
        response = call(fhir)
        assert any("patient=older" in path for path in fhir.asked_for(half))
    assert response.get_json() == by_prefetch()


def test_L6_a_whole_prefetch_of_a_merged_patient_is_completed() -> None:
    patient = next(resource for resource in _merged() if resource["resourceType"] == "Patient")
    prefetch = prefetch_of(course()) | {"patient": patient, "observations": search_result([])}
    with serving(resources=_merged()) as fhir:
        response = call(fhir, prefetch=prefetch)
    assert response.get_json() == by_prefetch()


def test_L6_L12_a_linked_id_that_cannot_be_asked_for_is_said() -> None:
    patient = next(resource for resource in _merged() if resource["resourceType"] == "Patient")
    with serving(
        resources=_merged(), faults={"Observation": lambda handler: handler.outcome(500, "exception")}
    ) as fhir:
        response = call(fhir, prefetch=prefetch_of(course()) | {"patient": patient})
    assert "linked record of the patient" in what_is_said(response)
