"""Birth, death, developmental delay, and the infusion out of a Procedure."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from fhir_mappings import ReadSettings, Source, load_terminology, read
from fhir_mappings.terminology.systems import ASSESSMENT
from icans.record import Birth
from tests.support.resources import (
    AT,
    PATIENT,
    Json,
    bundle,
    codes,
    concept,
    data,
    observation,
    reading,
    record,
)

NOON = datetime(2026, 3, 8, 14, tzinfo=UTC)


def procedure(**elements: object) -> Json:
    resource = {
        "resourceType": "Procedure",
        "id": "x",
        "status": "completed",
        "code": concept("car-t-infusion"),
        "subject": {"reference": "Patient/p"},
        "performedDateTime": AT,
        **elements,
    }
    return {name: value for name, value in resource.items() if value is not None}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("1970-05-02", Birth(date(1970, 5, 2), date(1970, 5, 2))),
        ("2016-02", Birth(date(2016, 2, 1), date(2016, 2, 29))),
        ("1970", Birth(date(1970, 1, 1), date(1970, 12, 31))),
        (None, None),
    ],
)
def test_birth_as_precisely_as_recorded(written: str | None, expected: Birth | None) -> None:
    patient = {**PATIENT, "birthDate": written}
    if written is None:
        del patient["birthDate"]
    (found,) = reading(bundle(patient)).records.values()
    assert found.birth == expected


def test_death_at_its_time() -> None:
    (found,) = reading(bundle({**PATIENT, "deceasedDateTime": AT})).records.values()
    assert found.death is not None
    assert (found.death.at, found.death.reference, found.death.element) == (
        NOON,
        "Patient/p",
        "deceasedDateTime",
    )


@pytest.mark.parametrize("death", [{"deceasedBoolean": True}, {"deceasedDateTime": "2026"}])
def test_L5_death_without_a_time_is_a_day_after_what_was_last_charted(death: Json) -> None:
    late = observation(valueInteger=5, issued="2026-03-09T08:00:00Z")
    (found,) = reading(bundle({**PATIENT, **death}, late)).records.values()
    assert found.death is not None
    assert found.death.at == NOON + timedelta(hours=24)
    assert len(found.problems) == ("deceasedDateTime" in death)
    (alone,) = reading(bundle({**PATIENT, **death})).records.values()
    assert alone.death is None


def test_the_living_have_no_death() -> None:
    (found,) = reading(bundle({**PATIENT, "deceasedBoolean": False})).records.values()
    assert found.death is None


def test_of_two_versions_of_a_patient_the_later_counts() -> None:
    old = {**PATIENT, "meta": {"versionId": "1"}}
    new = {**PATIENT, "meta": {"versionId": "2"}, "birthDate": "1971-01-01"}
    for order in ((old, new), (new, old)):
        (found,) = reading(bundle(*order)).records.values()
        assert found.birth == Birth(date(1971, 1, 1), date(1971, 1, 1))


@pytest.mark.parametrize("status", ["completed", "in-progress"])
@pytest.mark.parametrize(
    "time",
    [
        {},
        {"performedDateTime": None, "performedPeriod": {"start": AT, "end": "2026-03-08T15:00:00Z"}},
        {"performedDateTime": None, "occurrenceDateTime": AT},
        {"performedDateTime": None, "occurrencePeriod": {"start": AT}},
    ],
)
def test_the_infusion_out_of_a_procedure(status: str, time: Json) -> None:
    (infusion,) = record(procedure(status=status, **time)).infusions
    assert (infusion.at, infusion.known, infusion.source, infusion.reference) == (
        NOON,
        NOON,
        "procedure",
        "Procedure/x",
    )


@pytest.mark.parametrize(
    ("change", "code", "element", "affects"),
    [
        ({"status": "not-done"}, "status-not-usable", "status", ()),
        ({"status": "stopped"}, "status-not-usable", "status", ("infusion",)),
        ({"status": "unknown"}, "status-not-usable", "status", ("infusion",)),
        ({"performedDateTime": None}, "time-missing", "performed[x]", ("infusion",)),
        ({"performedDateTime": "2026-03"}, "time-imprecise", "performedDateTime", ("infusion",)),
        ({"code": {"text": "CAR-T infusion"}}, "code-unmapped", "code", ("infusion",)),
        ({"status": 5}, "invalid-resource", "status", ("infusion",)),
        (
            {"modifierExtension": [{"url": "u", "valueCode": "x"}]},
            "unknown-modifier",
            "modifierExtension",
            ("infusion",),
        ),
    ],
)
def test_an_infusion_that_cannot_be_used_is_said(
    change: Json, code: str, element: str, affects: tuple[str, ...]
) -> None:
    found = record(procedure(**change))
    assert (found.infusions, codes(found)) == ((), [(code, "Procedure/x", element)])
    assert found.problems[0].affects == affects


def test_a_day_only_infusion() -> None:
    (infusion,) = record(procedure(performedDateTime="2026-03-08")).infusions
    assert (infusion.precise, infusion.day, infusion.at) == (
        False,
        date(2026, 3, 8),
        datetime(2026, 3, 9, tzinfo=UTC),
    )


def test_an_administration_of_a_car_t_product_and_a_medication_by_reference() -> None:
    product = {"resourceType": "Medication", "id": "m", "code": {"text": "axicabtagene ciloleucel"}}
    given = {
        "resourceType": "MedicationAdministration",
        "id": "g",
        "status": "completed",
        "medicationReference": {"reference": "Medication/m"},
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": AT,
    }
    (infusion,) = record(product, given).infusions
    assert (infusion.source, infusion.at) == ("administration", NOON)
    broken = {**product, "code": [7]}
    found = record(broken, given)
    assert found.infusions == ()
    assert {code for code, _, _ in codes(found)} >= {"reference-unresolved", "invalid-resource"}


def test_the_versions_of_an_administration() -> None:
    given = {
        "resourceType": "MedicationAdministration",
        "id": "g",
        "status": "completed",
        "medicationCodeableConcept": {"text": "dexamethasone"},
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": AT,
        "dosage": {"dose": {"value": 10, "unit": "mg"}, "route": {"text": "IV"}},
        "meta": {"versionId": "1"},
    }
    error = {
        **given,
        "status": "entered-in-error",
        "meta": {"versionId": "2", "lastUpdated": "2026-03-08T20:00:00Z"},
    }
    (dose,) = record(given, error).doses
    assert (dose.known, dose.superseded) == (NOON, datetime(2026, 3, 8, 20, tzinfo=UTC))
    assert "status-not-usable" not in {code for code, _, _ in codes(record(given, error))}


def test_a_developmental_delay_that_the_site_has_mapped(tmp_path: Path) -> None:
    value_set = {
        "resourceType": "ValueSet",
        "url": "https://icans-cds.org/fhir/ValueSet/developmental-delay",
        "status": "active",
        "compose": {"include": [{"system": "urn:site", "concept": [{"code": "delay"}]}]},
    }
    (tmp_path / "delay.json").write_text(json.dumps(value_set))
    settings = ReadSettings(load_terminology(tmp_path))

    def delayed(**elements: object) -> bool:
        condition = {
            "resourceType": "Condition",
            "id": "c",
            "code": concept("delay", "urn:site"),
            "subject": {"reference": "Patient/p"},
            **elements,
        }
        (found,) = read([Source("x", data(bundle(PATIENT, condition)))], settings).records.values()
        return found.developmental_delay

    status = "http://terminology.hl7.org/CodeSystem/condition-clinical"
    assert delayed()
    assert delayed(clinicalStatus=concept("active", status))
    assert not delayed(clinicalStatus=concept("resolved", status))
    assert not delayed(verificationStatus=concept("refuted", status))
    assert ASSESSMENT.startswith("https://icans-cds.org/")
