"""Nothing lost: what cannot be used of a resource, generated from kinds of fault (L1 to L12, L32, L33, L41)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from fhir_mappings import NotFhir, load_terminology
from fhir_mappings.intake.bundles import Source, contents
from icans.record import Record
from tests.support.resources import AT, PATIENT, Json, bundle, codes, data, observation, prefetched, reading, record

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
SNOMED = "http://snomed.info/sct"
NOON = datetime(2026, 3, 8, 14, tzinfo=UTC)
LATER = datetime(2026, 3, 8, 15, tzinfo=UTC)
DEXAMETHASONE: Json = {"coding": [{"system": RXNORM, "code": "3264"}], "text": "dexamethasone"}


def dose(**elements: Any) -> Json:
    """10 mg dexamethasone by vein; an element given as None is left out."""
    resource = {
        "resourceType": "MedicationAdministration",
        "id": "m",
        "status": "completed",
        "medicationCodeableConcept": DEXAMETHASONE,
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": AT,
        "dosage": {
            "route": {"coding": [{"system": SNOMED, "code": "47625008"}]},
            "dose": {"value": 10, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"},
        },
        **elements,
    }
    return {name: value for name, value in resource.items() if value is not None}


def costly(found: Record) -> list[str]:
    return [problem.code for problem in found.problems if problem.affects]


#: Faults of elements that are not read.
TRIFLES: dict[str, Any] = {
    "unknown element": {"foo": 1},
    "element of another type": {"birthDate": "x"},
    "empty note": {"note": [{"text": ""}]},
    "note that is a text": {"note": "given by the night shift"},
    "extension without url": {"extension": [{"valueString": "x"}]},
    "extension with two values": {"extension": [{"url": "u", "valueString": "x", "valueCode": "y"}]},
    "language": {"language": ""},
    "text": {"text": {"status": "x", "div": 5}},
    "performer null": {"performer": [None]},
    "performer without actor": {"performer": [{}]},
    "identifier": {"identifier": [{"value": ""}]},
    "meta.lastUpdated": {"meta": {"lastUpdated": "yesterday"}},
    "meta.profile": {"meta": {"profile": [5]}},
    "meta.versionId": {"meta": {"versionId": 4}},
    "id": {"id": "with_underscore"},
    "encounter": {"encounter": {"reference": ""}, "context": {"reference": ""}},
    "device": {"device": 7},
    "reasonCode": {"reasonCode": [{"coding": "x"}]},
    "derivedFrom": {"derivedFrom": [{"reference": 5}]},
}


@pytest.mark.parametrize("change", TRIFLES.values(), ids=list(TRIFLES))
@pytest.mark.parametrize("resource", [observation(valueInteger=5), dose()], ids=["Observation", "Administration"])
def test_L1_a_fault_of_what_is_not_read_costs_nothing(resource: Json, change: Json) -> None:
    found, plain = record({**resource, **change}), record(resource)
    assert costly(found) == [] and found.refused == ()
    assert {code for code, _, _ in codes(found)} <= {"invalid-resource"}
    assert [entry.at for entry in (*found.observed, *found.doses)] == [NOON]
    assert [d.lower_mg for d in found.doses] == [d.lower_mg for d in plain.doses]


#: The same inside elements that are read: names, and what only describes a code.
NAMES = {
    "empty display": {"coding": [{"system": RXNORM, "code": "3264", "display": ""}]},
    "display that is a number": {"coding": [{"system": RXNORM, "code": "3264", "display": 7}]},
    "empty text": {**DEXAMETHASONE, "text": ""},
    "version": {"coding": [{"system": RXNORM, "code": "3264", "version": 7}]},
    "userSelected": {"coding": [{"system": RXNORM, "code": "3264", "userSelected": "no"}]},
    "code with a blank": {"coding": [{"system": RXNORM, "code": "3264 "}]},
}


@pytest.mark.parametrize("drug", NAMES.values(), ids=list(NAMES))
def test_L1_of_a_coding_only_system_code_and_display_are_read(drug: Json) -> None:
    found = record(dose(medicationCodeableConcept=drug))
    assert [d.lower_mg for d in found.doses] == [10] and costly(found) == []


@pytest.mark.parametrize("element", ["birthDate", "deceasedDateTime", "identifier", "name", "gender", "link", "foo"])
def test_L1_a_faulty_element_of_a_patient_costs_only_itself(element: str) -> None:
    (found,) = reading(bundle({**PATIENT, element: {"x": 1}}, observation(valueInteger=5))).records.values()
    assert len(found.observed) == 1
    assert (found.birth is None) == (element == "birthDate")


#: Elements that decide, each with values by which a given dose cannot be used.
BROKEN = [
    ("status", None),
    ("status", 7),
    ("status", "Completed"),
    ("status", "unknown"),
    ("effectiveDateTime", None),
    ("effectiveDateTime", "2026-02-30"),
    ("effectiveDateTime", 1700000000),
    ("effectiveDateTime", "9999-12-31"),
    ("effectiveDateTime", "0001-01-01T00:00:00Z"),
    ("dosage", [{"dose": 5}]),
    ("dosage", {"dose": {"value": "ten"}}),
    ("modifierExtension", [{"url": "https://example.org/not", "valueBoolean": True}]),
    ("implicitRules", "https://example.org/rules"),
    ("subject", 7),
]


@pytest.mark.parametrize(("element", "value"), BROKEN)
def test_L2_L3_a_dose_that_is_refused_has_a_place_and_may_be_a_steroid(element: str, value: Any) -> None:
    meta = {"lastUpdated": "2026-03-08T15:00:00Z"}
    found = record(dose(**{element: value}, meta=meta), observation(valueInteger=5))
    (refused,) = found.refused
    assert (refused.reference, refused.may_be) == ("MedicationAdministration/m", ("dose",))
    assert refused.at == (LATER if element == "effectiveDateTime" else NOON)
    assert refused.drug and costly(found) and found.doses == ()
    assert all(problem.at == refused.at for problem in refused.problems)


@pytest.mark.parametrize("status", ["not-done", "entered-in-error"])
def test_L3_what_was_not_given_is_nothing_however_broken(status: str) -> None:
    found = record(dose(status=status, dosage=[{}]))
    assert (found.refused, costly(found)) == ((), [])


@pytest.mark.parametrize("element", ["notGiven", "wasNotGiven"])
def test_L41_older_releases_say_that_nothing_was_given(element: str) -> None:
    found = record(dose(**{element: True}))
    assert (found.doses, found.refused, costly(found)) == ((), (), [])


#: Drugs of which it is not known that they are no systemic steroid, and those of which it is.
UNKNOWN: dict[str, Json] = {
    "reference that leads nowhere": {"medicationReference": {"reference": "Medication/9"}},
    "reference by identifier": {"medicationReference": {"identifier": {"system": "urn:x", "value": "7"}}},
    "masked": {"medicationCodeableConcept": {"extension": [{"url": "u", "valueCode": "masked"}]}},
    "masked by a code": {
        "medicationCodeableConcept": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": "masked"}]
        }
    },
    "empty": {"medicationCodeableConcept": {}},
    "absent": {},
    "study drug": {"medicationCodeableConcept": {"text": "study drug dexamethasone or placebo"}},
    "kortikosteroid": {"medicationCodeableConcept": {"text": "Kortikosteroid Hausmischung"}},
}


@pytest.mark.parametrize("drug", UNKNOWN.values(), ids=list(UNKNOWN))
def test_L3_a_drug_that_may_be_a_steroid(drug: Json) -> None:
    found = record(dose(medicationCodeableConcept=None) | drug)
    assert ["dose" in refused.may_be for refused in found.refused] == [True]


@pytest.mark.parametrize("name", ["paracetamol", "levetiracetam", "Dexmedetomidine", "dexamethasone eye drops"])
def test_L3_a_drug_that_is_known_to_be_none(name: str) -> None:
    found = record(dose(medicationCodeableConcept={"text": name}, status="unknown", dosage={"text": "1"}))
    assert not [refused for refused in found.refused if "dose" in refused.may_be]


#: Every element that holds a time, by the resource that holds it.
TIMES = {
    "Observation": ["effectiveDateTime", "effectiveInstant", "effectivePeriod.start", "effectivePeriod.end", "issued"],
    "MedicationAdministration": ["effectiveDateTime", "effectivePeriod.start", "effectivePeriod.end"],
    "Procedure": ["performedDateTime", "performedPeriod.start", "performedPeriod.end"],
    "Patient": ["birthDate", "deceasedDateTime"],
    "all": ["meta.lastUpdated"],
}
IMPLAUSIBLE = [
    "0001-01-01", "0001-01-01T00:00:00Z", "1899-12-31T23:59:59Z", "1900-01-01", "2299-12-31", "2300-01-01T00:00:00Z",
    "9999-12-31", "9999-12-31T23:59:59+14:00", "9999-12-31T23:59:59-14:00", "0000-00-00", "2026", "2026-03", "",
]  # fmt: skip


def charted_at(kind: str, element: str, value: str) -> Json:
    base = {
        "Observation": observation(valueInteger=5, effectiveDateTime=AT if element == "issued" else None),
        "MedicationAdministration": dose(effectiveDateTime=None),
        "Procedure": {
            "resourceType": "Procedure", "id": "i", "status": "completed", "subject": {"reference": "Patient/p"},
            "code": {"coding": [{"system": "https://icans-cds.org/fhir/CodeSystem/icans-assessment",
                                 "code": "car-t-infusion"}]},
        },
        "Patient": dict(PATIENT),
        "all": observation(valueInteger=5),
    }[kind]  # fmt: skip
    name, _, inner = element.partition(".")
    return {**base, name: {inner: value} if inner else value}


@pytest.mark.parametrize(("kind", "element"), [(kind, name) for kind, names in TIMES.items() for name in names])
def test_L4_no_time_however_implausible_loses_anything_else(kind: str, element: str) -> None:
    good = observation(valueInteger=9, id="good")
    for value in IMPLAUSIBLE:
        odd = charted_at(kind, element, value)
        resources = [odd, good] if kind == "Patient" else [PATIENT, odd, good]
        for now in (None, datetime(2026, 3, 9, tzinfo=UTC)):
            (found,) = reading(bundle(*resources), now=now).records.values()
            assert "Observation/good" in [entry.reference for entry in found.observed], value
            used = [*found.observed, *found.doses, *found.infusions]
            assert all(1900 <= entry.at.year <= 2300 for entry in used)


def test_L4_a_steroid_given_for_weeks_has_no_end() -> None:
    found = record(dose(effectiveDateTime=None, effectivePeriod={"start": AT, "end": "2027-03-08T14:00:00Z"}))
    (given,) = found.doses
    assert (given.running, given.end, given.lower_mg, given.upper_mg) == (True, None, 0, 10)
    assert "time-implausible" in costly(found)


@pytest.mark.parametrize("death", ["2026-03-01", "2026-03-06T14:00:00Z"])
def test_L5_a_death_that_the_chart_contradicts_ends_nothing(death: str) -> None:
    (found,) = reading(bundle({**PATIENT, "deceasedDateTime": death}, observation(valueInteger=5))).records.values()
    assert found.death is not None and found.death.superseded is not None
    assert "conflicting-values" in costly(found)


LINKS = [
    ({"link": [{"other": {"reference": "Patient/q"}, "type": "replaces"}]}, {}),
    ({}, {"link": [{"other": {"reference": "Patient/p"}, "type": "replaced-by"}]}),
    (
        {"link": [{"other": {"reference": "Patient/q"}, "type": "replaces"}]},
        {"link": [{"other": {"reference": "Patient/p"}, "type": "replaces"}]},
    ),
]


@pytest.mark.parametrize(("mine", "theirs"), LINKS)
def test_L6_merged_patients_are_one(mine: Json, theirs: Json) -> None:
    resources = (
        {**PATIENT, **mine},
        {**PATIENT, "id": "q", **theirs},
        observation(valueInteger=5),
        observation(valueInteger=6, id="o2", subject={"reference": "Patient/q"}),
    )
    for patient in ("p", "q", None):
        (name, found), *others = reading(bundle(*resources), patient=patient).records.items()
        assert (name, others) == (f"Patient/{patient or 'p'}", [])
        assert len(found.observed) == 2


DELETIONS = ["Observation/o", "https://fhir.example/r4/Observation/o", "Observation/o/_history/2", "/Observation/o"]


@pytest.mark.parametrize("url", DELETIONS)
@pytest.mark.parametrize("timed", [True, False])
def test_L7_a_deletion_removes_by_type_and_id_however_it_is_written(url: str, timed: bool) -> None:
    document = bundle(PATIENT, observation(valueInteger=5))
    answer = {"response": {"status": "204", "lastModified": "2026-03-08T16:00:00Z"}} if timed else {}
    document["entry"].append({"request": {"method": "DELETE", "url": url}, **answer})
    (found,) = reading(document).records.values()
    assert [entry.superseded for entry in found.observed] == ([LATER.replace(hour=16)] if timed else [])


def test_L7_a_later_version_stands_after_a_deletion() -> None:
    versions = [observation(valueInteger=n, meta={"versionId": v}) for n, v in ((5, "1"), (6, "3"))]
    document = bundle(PATIENT, *versions)
    document["entry"].append({"request": {"method": "DELETE", "url": "Observation/o"}, "response": {"etag": 'W/"2"'}})
    (found,) = reading(document).records.values()
    assert [entry.shown for entry in found.observed if entry.superseded is None] == ["6"]


def test_L7_a_server_may_keep_what_was_deleted_and_say_so() -> None:
    mark = {"url": "http://azurehealthcareapis.com/data-extensions/deleted-state", "valueString": "soft-deleted"}
    found = record(observation(valueInteger=5, meta={"versionId": 4, "extension": [mark]}))
    assert (found.observed, found.refused) == ((), ())


def test_L8_parent_and_parts_are_one_dose() -> None:
    half = {"dose": {"value": 4, "unit": "mg"}, "route": dose()["dosage"]["route"]}
    part = {"partOf": [{"reference": "MedicationAdministration/m"}], "dosage": half}
    (given,) = record(dose(), dose(id="a", **part), dose(id="b", **part)).doses
    assert (given.lower_mg, given.upper_mg, given.contradicting) == (8, 10, True)


@pytest.mark.parametrize(("rate", "bounds"), [(10, (10, 10)), (Decimal("10.9"), (10, 10)), (12, (10, 12))])
def test_L8_amount_and_rate_over_time_are_bounds_where_they_differ(rate: Any, bounds: tuple[int, int]) -> None:
    dosage = {**dose()["dosage"], "rateQuantity": {"value": float(rate), "unit": "mg/h", "code": "mg/h"}}
    period = {"start": AT, "end": "2026-03-08T15:00:00Z"}
    (given,) = record(dose(dosage=dosage, effectiveDateTime=None, effectivePeriod=period)).doses
    assert (given.lower_mg, given.upper_mg) == bounds


NAMED = {
    "dexamethasone": "Dexamethason Dexaméthasone Dexametasona Desametasone Dexametason Deksametasoni Deksametazon "
    "Dexametazon Deksametason Fortecortin",
    "methylprednisolone": "Methylprednisolon Méthylprednisolone Metilprednisolona Metilprednisolone Metylprednisolon "
    "Metyyliprednisoloni Metyloprednizolon Urbason",
    "prednisolone": "Prednisolon Prednisolona Prednisoloni Prednizolon",
    "prednisone": "Prednison Prednisona Prednisoni Prednizon Decortin",
    "hydrocortisone": "Hydrocortison Hidrocortisona Idrocortisone Hydrokortison Hydrokortisoni Hydrokortyzon",
}


@pytest.mark.parametrize(("ingredient", "name"), [(i, name) for i, names in NAMED.items() for name in names.split()])
def test_L9_steroids_are_known_by_their_names_in_other_languages(ingredient: str, name: str) -> None:
    for text in (name, name.upper(), f"{name} 4 mg/ml Injektionslösung"):
        match = load_terminology().drug([], [text])
        assert match is not None and match.ingredient == ingredient, text


@pytest.mark.parametrize(
    "text",
    [
        "DEXAMETHASONE SOD PHOSPHATE 4 MG/ML IJ SOLN",
        "METHYLPREDNISOLONE SODIUM SUCC 125 MG IJ SOLR",
        "METHYLPRED SOD SUCC",
        "Dexamethasone 3.3mg/1ml solution for injection ampoules",
    ],
)
def test_L9_a_product_form_decides_nothing_about_the_drug(text: str) -> None:
    match = load_terminology().drug([], [text])
    assert match is not None and match.counts == "yes" and not match.local


@pytest.mark.parametrize("form", ["OPHT", "OTIC", "CREA", "OINT", "NASL", "INHL", "TOP"])
def test_L9_a_local_form_says_that_it_is_not_systemic(form: str) -> None:
    match = load_terminology().drug([], [f"DEXAMETHASONE 0.1 % {form}"])
    assert match is None or match.local or match.counts == "no"


@pytest.mark.parametrize(
    "system",
    [
        "http://www.whocc.no/atc",
        "http://fhir.de/CodeSystem/bfarm/atc",
        "http://fhir.de/CodeSystem/dimdi/atc",
        "urn:oid:2.16.840.1.113883.6.73",
    ],
)
def test_L9_ATC_under_every_system_name(system: str) -> None:
    (given,) = record(dose(medicationCodeableConcept={"coding": [{"system": system, "code": "H02AB02"}]})).doses
    assert given.drug == "dexamethasone"


@pytest.mark.parametrize("missing", ["status", "value"])
def test_L11_a_copy_without_what_decides_is_partial(missing: str) -> None:
    tagged = observation(meta={"tag": [{"code": "SUBSETTED"}]}, **({} if missing == "value" else {"valueInteger": 5}))
    found = record({name: value for name, value in tagged.items() if name != missing})
    assert "partial-data" in costly(found) and found.refused[0].may_be == ("assessment",)


def test_L12_a_foreign_match_makes_its_source_partial_and_an_included_one_does_not() -> None:
    theirs = observation(id="theirs", valueInteger=0, subject={"reference": "Patient/q"})
    answer = bundle(observation(valueInteger=5), theirs, kind="searchset")
    keys = {"patient": PATIENT, "medicationAdministrations": None, "procedures": None, "conditions": None}
    found = prefetched({**keys, "observations": answer}).records["Patient/p"]
    assert found.incomplete == {"observations"}
    assert "Patient/q" not in json.dumps([problem.message for problem in found.problems])
    answer["entry"][1]["search"] = {"mode": "include"}
    assert prefetched({**keys, "observations": answer}).records["Patient/p"].incomplete == frozenset()


def nested(levels: int) -> Json:
    """An extension so many levels deep, objects and lists counted."""
    extension: Json = {"url": "u", "valueString": "x"}
    for _ in range(levels // 2):
        extension = {"url": "u", "extension": [extension]}
    return extension


@pytest.mark.parametrize("levels", [100, 254, 500, 880])
def test_L33_nesting_up_to_900_levels_costs_nothing(levels: int) -> None:
    (found,) = reading(bundle(PATIENT, observation(valueInteger=5, extension=[nested(levels)]))).records.values()
    assert len(found.observed) == 1


@pytest.mark.parametrize("levels", [910, 1_200, 3_000])
def test_L33_a_deeper_document_is_refused_whole(levels: int) -> None:
    raw = b'{"resourceType":"Basic","x":' + b"[" * levels + b"]" * levels + b"}"
    with pytest.raises(NotFhir, match="nested"):
        contents(Source("deep.json", raw))


NUMBERS = ["1e400", "-1e400", "9" * 5_000, "1e99999999"]


def odd_numbers() -> Iterator[bytes]:
    for number in NUMBERS:
        for place in ('"valueInteger":%s', '"valueQuantity":{"value":%s}', '"valueInteger":5,"foo":%s',
                      '"code":{"coding":[{"system":%s,"code":"ice-total"}],"text":"ICE score"}',
                      '"code":%s'):  # fmt: skip
            base = data(observation(id="bad")).decode()
            if place.startswith('"code"'):
                base = base.replace('"code": {"coding"', '"was": {"coding"')
            yield (base[:-1] + "," + place % number + "}").encode()


def test_L33_numbers_out_of_range_are_a_problem_of_their_resource() -> None:
    good = data(observation(valueInteger=9, id="good"))
    for bad in odd_numbers():
        entries = b",".join(b'{"resource":' + raw + b"}" for raw in (data(PATIENT), bad, bad, good))
        (found,) = reading(b'{"resourceType":"Bundle","type":"collection","entry":[' + entries + b"]}").records.values()
        assert "Observation/good" in [entry.reference for entry in found.observed], bad[-80:]


@pytest.mark.parametrize("change", [{"total": 9}, {"total": 9, "link": [{"relation": "Next", "url": "x"}]}])
def test_L33_a_total_above_the_rows_or_a_next_link_makes_a_search_partial(change: Json) -> None:
    answer = bundle(observation(valueInteger=5), kind="searchset", **change)
    keys = {"patient": PATIENT, "medicationAdministrations": None, "procedures": None, "conditions": None}
    assert prefetched({**keys, "observations": answer}).records["Patient/p"].incomplete == {"observations"}
