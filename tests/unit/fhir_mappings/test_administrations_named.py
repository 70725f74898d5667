"""MedicationAdministrations whose drug, time or kind is charted in unusual ways."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_mappings.fhir_types.medication import ADMINISTRATION
from fhir_mappings.fhir_types.strict_medication import ADMINISTRATION as PLAIN
from fhir_mappings.fhir_types.strict_medication import accepts_administration
from fhir_mappings.medications.administration import AdministrationContext, read_administration
from fhir_mappings.terminology import systems as canonical
from icans.record import Dose, Escalation, Infusion, Sedative
from tests.support.administrations import (
    AT,
    DEXAMETHASONE,
    END,
    REFERENCE,
    SETTINGS,
    START,
    UNTIL,
    administration,
    by_reference,
    codes,
    dosage,
    nothing,
    one_dose,
    period,
    read,
    rxnorm,
    ucum,
)

# ---- drugs by name and by reference


def test_quirk_11_truncated_names_are_read_and_flagged() -> None:
    found = read(administration({"text": "Dexametha"}))
    assert [dose.drug for dose in found.entries if isinstance(dose, Dose)] == ["dexamethasone"]
    assert [(problem.code, problem.affects) for problem in found.problems] == [("code-unmapped", ())]


@pytest.mark.parametrize(
    "text", ["INV-Dexamethasone", "Hydrocortisone study drug", "OTL STUDY DRUG", "Cortisone (hydrocortisone)"]
)
def test_quirk_11_what_cannot_be_classified_is_said(text: str) -> None:
    for concept in ({"text": text}, {"coding": [{"system": "urn:local:names", "code": text}]}):
        found = read(administration(concept))
        assert found.entries == []
        assert codes(found) == ["drug-unmapped"]
        assert found.problems[0].affects == ("dose", "treatment-start")
        assert (found.problems[0].at, found.problems[0].known) == (AT, AT)
    assert nothing(read(administration({"text": text}, status="not-done")))


def test_quirk_14_references_contained_in_the_bundle_or_by_text_only() -> None:
    medications = {"Medication/1": {"resourceType": "Medication", "code": DEXAMETHASONE}}
    assert one_dose(by_reference("Medication/1"), medications=medications).lower_mg == 10
    shown = by_reference("Medication/9") | {
        "medicationReference": {"reference": "Medication/9", "display": "dexamethasone 4 mg tablet"}
    }
    found = read(shown)
    assert [(problem.code, problem.affects) for problem in found.problems] == [("reference-unresolved", ())]
    assert len(found.entries) == 1
    nowhere = read(by_reference("Medication/9"))
    assert nowhere.entries == []
    assert [(problem.code, problem.element) for problem in nowhere.problems] == [
        ("reference-unresolved", "medicationReference.reference")
    ]
    irrelevant = by_reference("#x") | {"medicationReference": {"reference": "#x", "display": "Vancomycin"}}
    assert nothing(read(irrelevant))


def test_the_form_of_a_medication_says_that_it_is_local() -> None:
    drops = {"resourceType": "Medication", "code": DEXAMETHASONE, "form": {"text": "Ophthalmic solution"}}
    resource = by_reference("Medication/1") | {"dosage": dosage(ucum(1, "mg"), route=None)}
    assert nothing(read(resource, medications={"Medication/1": drops}))


@pytest.mark.parametrize("place", ["resource", "dosage"])
def test_a_modifier_that_is_not_known_is_not_passed_over(place: str) -> None:
    modifier = [{"url": "urn:unknown", "valueBoolean": True}]
    resource = administration()
    (resource if place == "resource" else resource["dosage"])["modifierExtension"] = modifier
    found = read(resource)
    assert (found.entries, codes(found)) == ([], ["unknown-modifier"])


# ---- times


def test_quirk_16_a_planned_dose_of_a_live_call_is_not_counted() -> None:
    live = replace(SETTINGS, now=datetime(2026, 3, 5, 8, tzinfo=UTC))
    found = read(administration(), settings=live)
    assert (found.entries, codes(found)) == ([], ["time-in-future"])
    later = replace(SETTINGS, now=datetime(2026, 3, 5, 10, tzinfo=UTC))
    assert len(read(administration(), settings=later).entries) == 1


def test_when_it_is_known() -> None:
    meta = {"lastUpdated": "2026-03-06T12:00:00Z"}
    recorded = replace(SETTINGS, administration_known="recorded")
    assert one_dose(administration(meta=meta)).known == AT
    assert one_dose(administration(meta=meta), settings=recorded).known == datetime(2026, 3, 6, 12, tzinfo=UTC)
    assert one_dose(administration(), settings=recorded).known == AT
    r5 = administration(
        None, effectiveDateTime=None, occurenceDateTime=START, medication={"concept": DEXAMETHASONE},
        recorded="2026-03-05T11:00:00Z", meta=meta,
    )  # fmt: skip
    assert one_dose(r5, settings=recorded).known == datetime(2026, 3, 5, 11, tzinfo=UTC)


def test_day_only_and_zones() -> None:
    found = one_dose(administration(effectiveDateTime="2026-03-05"))
    assert (found.earliest, found.at) == (datetime(2026, 3, 5, tzinfo=UTC), datetime(2026, 3, 6, tzinfo=UTC))
    assert found.day == date(2026, 3, 5)
    assert not found.precise
    zoneless = administration(effectiveDateTime="2026-03-05T09:00:00")
    assert codes(read(zoneless)) == ["time-imprecise"]
    local = replace(SETTINGS, zone=ZoneInfo("Europe/Amsterdam"), zone_configured=True)
    assert one_dose(zoneless, settings=local).at == datetime(2026, 3, 5, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "code"), [(None, "time-missing"), ("2026-03", "time-imprecise"), ("soon", "time-missing")]
)
def test_unusable_times(value: str | None, code: str) -> None:
    found = read(administration(effectiveDateTime=value))
    assert (found.entries, codes(found)) == ([], [code])


def test_a_period_that_ends_before_it_starts() -> None:
    found = read(administration(**period(END, START)))
    (dose,) = found.entries
    assert isinstance(dose, Dose)
    assert (dose.at, dose.end, codes(found)) == (UNTIL, None, ["conflicting-values"])


def test_a_period_with_an_end_only() -> None:
    found = read(administration(**period(None, END)))
    (dose,) = found.entries
    assert isinstance(dose, Dose)
    assert (dose.at, dose.end, codes(found)) == (UNTIL, None, ["time-imprecise"])


# ---- sedatives, infusions, escalation

PROPOFOL = rxnorm("8782", "propofol")


def sedatives(resource: dict[str, Any]) -> list[tuple[str, datetime, datetime | None]]:
    entries = read(resource).entries
    assert all(isinstance(entry, Sedative) for entry in entries)
    return [(entry.kind, entry.at, entry.end) for entry in entries if isinstance(entry, Sedative)]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (period(), [("infusion", AT, UNTIL)]),
        (period(end=None) | {"status": "in-progress"}, [("infusion", AT, None)]),
        ({"status": "in-progress"}, [("infusion", AT, None)]),
        ({"dosage": dosage(rateQuantity=ucum(100, "mg/h"))}, [("infusion", AT, None)]),
        ({"dosage": dosage(rateQuantity=ucum(0, "mg/h"))}, [("stop", AT, None)]),
        ({"dosage": dosage(rateRatio={"numerator": ucum(0, "mg"), "denominator": ucum(1, "h")})}, [("stop", AT, None)]),
        ({"status": "stopped"}, [("stop", AT, None)]),
        (period() | {"status": "stopped"}, [("infusion", AT, UNTIL), ("stop", UNTIL, None)]),
        ({"dosage": dosage(ucum(50, "mg"), method={"text": "Stopped"})}, [("stop", AT, None)]),
        ({"dosage": dosage(ucum(50, "mg"), method={"text": "Not Given"})}, []),
        ({}, [("bolus", AT, None)]),
        ({"status": "not-done"}, []),
    ],
)
def test_sedatives(more: dict[str, Any], expected: list[tuple[str, datetime, datetime | None]]) -> None:
    assert sedatives(administration(PROPOFOL, **more)) == expected


def test_sedatives_by_name_are_flagged() -> None:
    found = read(administration({"text": "Midazolam 100mg/100mL 100mL Bag"}, **period()))
    assert [entry.drug for entry in found.entries if isinstance(entry, Sedative)] == ["midazolam"]
    assert [(problem.code, problem.affects) for problem in found.problems] == [("code-unmapped", ())]
    local = administration({"text": "fentanyl 100 mcg/hr patch"}, dosage=dosage(None, route={"text": "TD"}), **period())
    assert read(local).entries == []


def test_a_car_t_product_is_an_infusion() -> None:
    yescarta = {"coding": [{"system": canonical.NDC, "code": "71287-119-02"}]}
    (entry,) = read(administration(yescarta, dosage=None)).entries
    assert isinstance(entry, Infusion)
    assert (entry.at, entry.source) == (AT, "administration")
    assert [type(e) for e in read(administration({"text": "Kymriah"}, dosage=None)).entries] == [Infusion]
    assert read(administration(yescarta, status="not-done")).entries == []
    unmapped = read(administration({"text": "CAR-T cells, trial product"}))
    assert [(problem.code, problem.affects) for problem in unmapped.problems] == [("drug-unmapped", ("infusion",))]


def test_escalation_is_annotated() -> None:
    assert [type(e) for e in read(administration(rxnorm("72435", "anakinra"))).entries] == [Escalation]
    intrathecal = dosage(ucum(15, "mg"), route={"text": "intrathecal"})
    assert [type(e) for e in read(administration({"text": "methotrexate"}, dosage=intrathecal)).entries] == [Escalation]
    assert read(administration({"text": "methotrexate"})).entries == []


# ---- the plain twin agrees with fhir.resources


@pytest.mark.parametrize(
    "resource",
    [
        administration(),
        administration(**period()),
        by_reference("Medication/1"),
        administration(identifier=[{"system": "urn:s", "value": "7"}], note=[{"text": "given"}]),
    ],
)
def test_what_the_plain_twin_accepts_fhir_resources_accepts(resource: dict[str, Any]) -> None:
    from fhir.resources.R4B.medicationadministration import MedicationAdministration

    assert accepts_administration(PLAIN.decode(json.dumps(resource)))
    MedicationAdministration.model_validate(resource)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
JUNK = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=5,
)


@given(
    st.sampled_from(
        ["status", "dosage", "medicationCodeableConcept", "effectiveDateTime", "identifier", "meta", "contained"]
    ),
    JUNK,
)
def test_junk_is_refused_or_read_without_a_traceback(element: str, junk: Any) -> None:
    import msgspec

    try:
        shape = ADMINISTRATION.decode(json.dumps(administration() | {element: junk}))
    except (msgspec.MsgspecError, UnicodeEncodeError):
        return
    read_administration(shape, REFERENCE, AdministrationContext(SETTINGS))
