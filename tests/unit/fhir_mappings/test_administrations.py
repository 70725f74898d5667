"""MedicationAdministration to doses, R4 and R5, by the quirks of real data."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_mappings.terminology import systems as canonical
from icans.record import Dose
from tests.support.administrations import (
    AT,
    DEXAMETHASONE,
    END,
    REFERENCE,
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

# ---- a plain dose


def test_a_plain_dose() -> None:
    found = read(administration(identifier=[{"system": "urn:s", "value": "7"}, {"value": "8"}]))
    assert found.problems == []
    assert found.known == AT
    assert found.entries == [
        Dose(
            at=AT,
            earliest=AT,
            known=AT,
            day=date(2026, 3, 5),
            reference=REFERENCE,
            element="dosage.dose",
            shown="10 mg",
            drug="dexamethasone",
            lower_mg=Decimal(10),
            upper_mg=Decimal(10),
            route="systemic",
            way="intravenous",
            identifiers=frozenset({"urn:s|7", "|8"}),
        )
    ]


def test_r5_says_the_same_in_other_elements() -> None:
    r4 = read(administration())
    r5 = read(
        administration(
            None,
            effectiveDateTime=None,
            occurenceDateTime=START,
            medication={"concept": DEXAMETHASONE},
            category=[{"text": "Inpatient"}],
        )
    )
    assert [replace(entry, element="") for entry in r5.entries] == [replace(entry, element="") for entry in r4.entries]
    assert r5.problems == []
    by_period = administration(
        None,
        effectiveDateTime=None,
        occurencePeriod={"start": START, "end": END},
        medication={"concept": DEXAMETHASONE},
    )
    assert one_dose(by_period).end == UNTIL
    timing = administration(
        None, effectiveDateTime=None, occurenceTiming={"event": [START]}, medication={"concept": DEXAMETHASONE}
    )
    assert one_dose(timing).at == AT


def test_r5_medication_by_reference() -> None:
    medication = {
        "resourceType": "Medication",
        "code": {"text": "local mixture"},
        "ingredient": [
            {
                "item": {"concept": DEXAMETHASONE},
                "strengthRatio": {"numerator": ucum(20, "mg"), "denominator": ucum(5, "mL")},
            }
        ],
    }
    resource = administration(
        None,
        effectiveDateTime=None,
        occurenceDateTime=START,
        medication={"reference": {"reference": "Medication/1"}},
        dosage=dosage(ucum(2.5, "mL")),
    )
    found = one_dose(resource, medications={"Medication/1": medication})
    assert (found.drug, found.lower_mg, found.upper_mg) == ("dexamethasone", 10, 10)


# ---- drugs that are not counted


@pytest.mark.parametrize(
    "concept",
    [
        rxnorm("4850", "glucose"),
        rxnorm("4452", "fludrocortisone"),
        {"text": "dexmedetomidine 4 mcg/mL"} | {"coding": []},
        {"text": "Vancomycin"},
        {"text": "lisdexamfetamine"},
        {"text": "Hydrocortisone Cream 1%"},
        {"text": "Ciprofloxacin-Dexamethasone 0.3-0.1%"},
    ],
)
def test_drugs_that_never_count(concept: dict[str, Any]) -> None:
    resource = administration(concept, dosage=dosage(ucum(10, "mg"), route=None))
    found = read(resource)
    assert not any(isinstance(entry, Dose) for entry in found.entries)
    assert all(not problem.affects for problem in found.problems)


@pytest.mark.parametrize(
    "text", ["Ophthalmic", "OTIC", "Topical route", "inhalation", "Intra-articular", "rectal", "epidural", "IH"]
)
def test_routes_that_do_not_count_leave_nothing(text: str) -> None:
    assert nothing(read(administration(dosage=dosage(ucum(10, "mg"), route={"text": text}))))


def test_intrathecal_stands_apart() -> None:
    route = {"coding": [{"system": canonical.SNOMED, "code": "72607000"}]}
    found = one_dose(administration(dosage=dosage(ucum(4, "mg"), route=route)))
    assert (found.route, found.lower_mg, found.problems) == ("intrathecal", 4, ())


def test_a_depot_counts_by_a_systemic_route() -> None:
    depot = rxnorm("1358610", "methylprednisolone acetate 40 MG/ML Injectable Suspension")
    found = one_dose(administration(depot, dosage=dosage(ucum(40, "mg"), route={"text": "IM"})))
    assert (found.route, found.lower_mg) == ("systemic", 40)
    assert nothing(read(administration(depot, dosage=dosage(ucum(40, "mg"), route={"text": "intra-articular"}))))
    assert one_dose(administration(depot, dosage=dosage(ucum(40, "mg"), route=None))).route == "unknown"


@pytest.mark.parametrize("route", [None, {"text": "XYZ"}, {"coding": [{"system": "urn:local", "code": "901"}]}])
def test_without_a_known_route(route: Any) -> None:
    found = read(administration(dosage=dosage(ucum(10, "mg"), route=route)))
    assert codes(found) == ["route-missing"]
    assert found.problems[0].affects == ("dose", "treatment-start")
    (dose,) = found.entries
    assert isinstance(dose, Dose)
    assert (dose.route, dose.lower_mg, dose.upper_mg, dose.problems) == ("unknown", 10, 10, ("route-missing",))


def test_a_form_that_is_not_systemic_by_a_route_that_is() -> None:
    found = read(administration({"text": "Hydrocortisone Cream 1%"}))
    assert [dose.route for dose in found.entries if isinstance(dose, Dose)] == ["unknown"]
    assert "conflicting-values" in codes(found)


def test_disagreeing_codings_are_an_unknown_dose() -> None:
    found = read(administration({"coding": [*DEXAMETHASONE["coding"], {"system": canonical.RXNORM, "code": "8782"}]}))
    assert codes(found) == ["conflicting-values"]
    (dose,) = found.entries
    assert isinstance(dose, Dose)
    assert (dose.drug, dose.lower_mg, dose.upper_mg) == ("dexamethasone", 0, None)


# ---- status and events


def test_quirk_1_completed_rows_that_were_not_given() -> None:
    for event in ("Not Given", "Hold Dose", "Not Started", "Flushed", "Rate Change", "Stopped"):
        method = {
            "coding": [{"system": "http://mimic.mit.edu/fhir/mimic/CodeSystem/mimic-medication-method", "code": event}]
        }
        found = read(administration(dosage=dosage(ucum(10, "mg"), method=method)))
        assert found.entries == [], event
        assert codes(found) == ["status-not-usable"], event
        assert found.problems[0].affects == ()
    for event in ("Administered", "Partial Administered", "Delayed Administered", "Started", "Restarted"):
        assert one_dose(administration(dosage=dosage(ucum(10, "mg"), method={"text": event}))).lower_mg == 10
    assert read(administration(statusReason=[{"text": "Hold Dose"}])).entries == []
    reason = {"coding": [{"system": canonical.REASON_NOT_GIVEN, "code": "b"}]}
    assert read(administration(statusReason=[reason])).entries == []


def test_a_method_is_no_event() -> None:
    assert one_dose(administration(dosage=dosage(ucum(10, "mg"), method={"text": "IV Push"}))).lower_mg == 10


def test_an_unlisted_event_that_says_no_leaves_it_open() -> None:
    found = read(administration(dosage=dosage(ucum(10, "mg"), method={"text": "Withheld by provider"})))
    (dose,) = found.entries
    assert isinstance(dose, Dose)
    assert (dose.lower_mg, dose.upper_mg, codes(found)) == (0, 10, ["status-not-usable"])


@pytest.mark.parametrize(
    ("status", "affects"),
    [
        ("not-done", ()),
        ("entered-in-error", ()),
        ("entered-in-error ", ()),
        ("on-hold", ("dose", "treatment-start")),
        ("unknown", ("dose", "treatment-start")),
        ("nonsense", ("dose", "treatment-start")),
    ],
)
def test_statuses_that_are_no_dose(status: str, affects: tuple[str, ...]) -> None:
    found = read(administration(status=status))
    assert found.entries == []
    assert codes(found) == ["status-not-usable"]
    assert found.problems[0].affects == affects


def test_stopped_counts_what_was_given() -> None:
    assert one_dose(administration(status="stopped")).lower_mg == 10
    assert codes(read(administration(status="stopped", dosage=dosage()))) == ["dose-missing"]


def test_in_progress_without_an_end_is_an_upper_bound() -> None:
    found = read(administration(status="in-progress", **period(end=None)))
    (dose,) = found.entries
    assert isinstance(dose, Dose)
    assert (dose.running, dose.lower_mg, dose.upper_mg, dose.end) == (True, 0, 10, None)
    assert [(problem.code, problem.element) for problem in found.problems] == [("time-missing", "effectivePeriod.end")]


def test_in_progress_with_an_end_accrues() -> None:
    found = one_dose(administration(status="in-progress", **period()))
    assert (found.running, found.lower_mg, found.end) == (False, 10, UNTIL)


def test_quirk_15_not_done_without_any_medication() -> None:
    resource = administration(None, status="not-done", dosage=None, medicationCodeableConcept=None)
    assert nothing(read(resource))
    assert nothing(read(administration({"extension": [{"url": "urn:x"}]}, status="not-done")))


# ---- amounts


@pytest.mark.parametrize(
    ("dose", "milligrams"),
    [
        (ucum(1, "g"), "1000"),
        (ucum(500, "ug"), "0.5"),
        ({"value": 10, "unit": "MG"}, "10"),
        ({"value": 10, "unit": "mg", "system": "urn:local", "code": "mg"}, "10"),
        ({"value": 0.10000000894, "unit": "mg"}, "0.10000000894"),
    ],
)
def test_masses(dose: dict[str, Any], milligrams: str) -> None:
    assert one_dose(administration(dosage=dosage(dose))).lower_mg == Decimal(milligrams)


@pytest.mark.parametrize(
    ("dose", "code"),
    [
        (ucum(10, "MG"), "unit-unknown"),
        (ucum(1, "mg/kg"), "unit-unknown"),
        (ucum(10, "mg/m2"), "unit-unknown"),
        ({"value": 10}, "unit-unknown"),
        ({"value": 10, "unit": "mgmg"}, "unit-unknown"),
        ({"value": 10, "unit": "___"}, "unit-unknown"),
        (ucum(1, "mL"), "unit-unknown"),
        ({"value": 2, "system": canonical.DRUG_FORM, "code": "TAB"}, "unit-unknown"),
        ({"unit": "mg"}, "dose-missing"),
        ({"value": 10, "comparator": "<", "unit": "mg"}, "value-not-numeric"),
        ({"value": 1e300, "unit": "mg"}, "value-out-of-range"),
        (None, "dose-missing"),
    ],
)
def test_quirks_2_and_4_unusable_amounts_are_unknown_never_0(dose: dict[str, Any] | None, code: str) -> None:
    found = read(administration(dosage=dosage(dose)))
    (entry,) = found.entries
    assert isinstance(entry, Dose)
    assert (entry.lower_mg, entry.upper_mg, entry.problems) == (0, None, (code,))
    assert codes(found) == [code]
    assert found.problems[0].affects == ("dose", "treatment-start")


def test_quirk_3_dosage_text_is_never_a_dose() -> None:
    assert codes(read(administration(dosage=dosage(text="1")))) == ["dose-missing"]
    assert codes(read(administration(dosage=dosage(text="dose_given: 10 mg")))) == ["dose-missing"]
    assert one_dose(administration(dosage=dosage(ucum(10, "mg"), text="1"))).lower_mg == 10


def test_quirk_7_no_dosage_at_all() -> None:
    assert sorted(codes(read(administration(dosage=None)))) == ["dose-missing", "route-missing"]


MIXTURE = {
    "resourceType": "Medication",
    "id": "m",
    "code": {"text": "dexamethasone in sodium chloride 0.9%"},
    "ingredient": [
        {
            "itemCodeableConcept": DEXAMETHASONE,
            "strength": {"numerator": ucum(10, "mg"), "denominator": ucum(50, "mL")},
        },
        {
            "itemCodeableConcept": {"text": "sodium chloride"},
            "strength": {"numerator": ucum(50, "mL"), "denominator": ucum(50, "mL")},
        },
    ],
}
TABLET = {
    "resourceType": "Medication",
    "id": "t",
    "code": rxnorm("197582"),
    "ingredient": [
        {
            "itemCodeableConcept": {"text": "?"},
            "strength": {"numerator": ucum(4, "mg"), "denominator": ucum(1, "{tbl}")},
        }
    ],
}


def test_quirk_5_millilitres_of_a_contained_mixture() -> None:
    resource = by_reference("#m", ucum(25, "mL"), contained=[MIXTURE])
    assert one_dose(resource).lower_mg == 5
    assert one_dose(by_reference("Medication/m", ucum(25, "mL")), medications={"Medication/m": MIXTURE}).lower_mg == 5


def test_quirk_6_tablets_by_their_strength() -> None:
    tablets = {"value": 2, "unit": "tab"}
    assert one_dose(by_reference("urn:uuid:t", tablets), medications={"urn:uuid:t": TABLET}).lower_mg == 8
    dimension_that_does_not_match = by_reference("urn:uuid:t", ucum(2, "mL"))
    assert one_dose(dimension_that_does_not_match, medications={"urn:uuid:t": TABLET}).upper_mg is None


def test_a_mixture_whose_own_code_is_only_the_fluid() -> None:
    fluid = MIXTURE | {"code": rxnorm("4850", "glucose")}
    assert one_dose(by_reference("Medication/m"), medications={"Medication/m": fluid}).drug == "dexamethasone"


def test_quirk_8_rates_over_a_period() -> None:
    rate = dosage(rateQuantity=ucum(2, "mg/h"))
    assert one_dose(administration(dosage=rate, **period())).lower_mg == 24
    ratio = dosage(rateRatio={"numerator": ucum(12, "mg"), "denominator": ucum(6, "h")})
    assert one_dose(administration(dosage=ratio, **period())).lower_mg == 24
    fluid = dosage(rateRatio={"numerator": ucum(10, "mL"), "denominator": ucum(1, "h")})
    resource = by_reference("#m", contained=[MIXTURE], **period()) | {"dosage": fluid}
    assert one_dose(resource).lower_mg == 24
    for unusable in (administration(dosage=rate), administration(dosage=rate, **period(end=None))):
        found = one_dose(unusable)
        assert (found.upper_mg, found.problems) == (None, ("dose-missing",))
    by_weight = one_dose(administration(dosage=dosage(rateQuantity=ucum(1, "mg/kg/h")), **period()))
    assert by_weight.problems == ("unit-unknown",)


def test_a_rate_of_0_gives_nothing() -> None:
    assert one_dose(administration(dosage=dosage(rateQuantity=ucum(0, "mg/h")))).upper_mg == 0


@given(st.integers(1, 10**6), st.integers(1, 10**5), st.integers(1, 10**5))
def test_a_rate_is_exact_however_its_period_is_split(rate: int, first: int, second: int) -> None:
    def given_over(start: int, seconds: int) -> Decimal:
        begin, finish = (datetime.fromtimestamp(1772700000 + t, UTC) for t in (start, start + seconds))
        resource = administration(
            dosage=dosage(rateQuantity=ucum(rate, "mg/d")),
            **period(begin.strftime("%Y-%m-%dT%H:%M:%SZ"), finish.strftime("%Y-%m-%dT%H:%M:%SZ")),
        )
        return one_dose(resource).lower_mg

    whole = given_over(0, first + second)
    assert abs(whole - given_over(0, first) - given_over(first, second)) < Decimal("1e-15")
