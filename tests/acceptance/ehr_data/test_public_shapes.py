"""Shapes of which a datum used to vanish, by their kind: file, folder and hook (L1 to L12, L32, L39).

Each shape is written anew after public threads about FHIR servers, libraries and EHRs. A datum is used, or it is
named by a card at its own time and leaves a bound; it is never passed over in silence.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from cds_service import HookError, evaluate_bundle, handle_hook, replay_bundle
from cds_service.command_line.main import main
from cds_service.instants import instant
from tests.support.builders import UCUM, Resource, bundle, hook_request, ice, infusion, on_day
from tests.support.ehr_shapes import DEXAMETHASONE, MG_10, NOW, evaluated, given

SAME_DAY = on_day(5, "14:00")
ATC = "H02AB02"


def strength(milligrams: float, millilitres: float) -> Resource:
    return {
        "numerator": {"value": milligrams, "unit": "mg", "system": UCUM, "code": "mg"},
        "denominator": {"value": millilitres, "unit": "mL", "system": UCUM, "code": "mL"},
    }


def mixture(*ingredients: tuple[Resource, Resource | None], amount: Resource) -> Resource:
    """A dose of a contained mixture: ingredients with their strengths."""
    parts = [{"itemCodeableConcept": item, **({"strength": s} if s else {})} for item, s in ingredients]
    medication = {"resourceType": "Medication", "id": "mix", "ingredient": parts}
    return given(
        medicationCodeableConcept=None, medicationReference={"reference": "#mix"}, contained=[medication], dose=amount
    )


def millilitres(value: float) -> Resource:
    return {"value": value, "unit": "mL", "system": UCUM, "code": "mL"}


def of(system: str, code: str, **more: Any) -> Resource:
    return given(medicationCodeableConcept={"coding": [{"system": system, "code": code}]}, **more)


def without(name: str, **more: Any) -> Resource:
    return {key: value for key, value in given(**more).items() if key != name}


SALINE = ({"text": "Sodium chloride 0.9 %"}, strength(450, 50))
#: Shape, resources, and the sum at least and at most (None: no upper bound).
DOSES: dict[str, tuple[tuple[Resource, ...], float, float | None]] = {
    "a period with its end only": ((given(None, effectivePeriod={"end": on_day(5, "09:00")}),), 10, 10),
    "a period with its start only": ((given(None, effectivePeriod={"start": on_day(5, "09:00")}),), 10, 10),
    "a strength per total volume": ((mixture((DEXAMETHASONE, strength(8, 52)), amount=millilitres(52)),), 8, 8),
    "a strength per ampoule, a dose of the mixture": (
        (mixture((DEXAMETHASONE, strength(8, 2)), SALINE, amount=millilitres(52)),),
        8,
        208,
    ),
    "amount and rate times time that differ": (
        (
            given(
                None,
                effectivePeriod={"start": on_day(5, "09:00"), "end": on_day(5, "10:00")},
                rateQuantity={"value": 20, "unit": "mg/h", "system": UCUM, "code": "mg/h"},
            ),
        ),
        10,
        20,
    ),
    "two steroids in one bag": (
        (mixture((DEXAMETHASONE, None), ({"text": "prednisolone"}, None), amount=MG_10),),
        0,
        None,
    ),
    "a sum and its parts": (
        (
            given(id="whole"),
            given(id="a", dose={**MG_10, "value": 4}, partOf=[{"reference": "MedicationAdministration/whole"}]),
            given(
                on_day(5, "09:10"),
                id="b",
                dose={**MG_10, "value": 6},
                partOf=[{"reference": "MedicationAdministration/whole"}],
            ),
        ),
        10,
        10,
    ),
    "copied under another id, in another offset": ((given(id="a"), given("2026-03-06T04:00:00-05:00", id="b")), 10, 20),
    "an amount that is a null flavour": (
        (given(dose={"system": "http://terminology.hl7.org/CodeSystem/v3-NullFlavor", "code": "UNK"}),),
        0,
        None,
    ),
    "notGiven of an older release": ((given(notGiven=True),), 0, 0),
    "German ATC (bfarm)": ((of("http://fhir.de/CodeSystem/bfarm/atc", ATC),), 10, 10),
    "German ATC (dimdi)": ((of("http://fhir.de/CodeSystem/dimdi/atc", ATC),), 10, 10),
    "ATC by its OID": ((of("urn:oid:2.16.840.1.113883.6.73", ATC),), 10, 10),
}


@pytest.mark.parametrize(("resources", "low", "high"), DOSES.values(), ids=DOSES)
def test_a_dose_is_counted_or_bounded(resources: tuple[Resource, ...], low: float, high: float | None) -> None:
    exposure = evaluated(*resources)["exposure"]
    assert (exposure["dexamethasoneEquivalentMg"], exposure["upperBoundMg"]) == (low, high)


IMPLAUSIBLE = (
    "0001-01-01",
    "0001-01-01T00:00:00Z",
    "1899-12-31",
    "2300-01-01T00:00:00Z",
    "9999-12-31",
    "9999-12-31T23:59:59Z",
)
#: Each date element that is read, as a resource that carries a given value there.
DATES: dict[str, Any] = {
    "Observation.effectiveDateTime": lambda when: ice(when, 1, id="odd"),
    "Observation.effectivePeriod.start": lambda when: {
        **ice(NOW, 1, id="odd"),
        "effectiveDateTime": None,
        "effectivePeriod": {"start": when},
    },
    "Observation.issued": lambda when: ice(on_day(5, "07:00"), 5, id="odd", issued=when),
    "MedicationAdministration.effectiveDateTime": lambda when: given(when, id="odd"),
    "MedicationAdministration.effectivePeriod.start": lambda when: given(
        None, id="odd", effectivePeriod={"start": when, "end": on_day(5, "09:00")}
    ),
    "MedicationAdministration.effectivePeriod.end": lambda when: given(
        None, id="odd", effectivePeriod={"start": on_day(5, "09:00"), "end": when}
    ),
    "Procedure.performedDateTime": lambda when: infusion(when, id="odd"),
}


@pytest.mark.parametrize("when", IMPLAUSIBLE)
@pytest.mark.parametrize("element", DATES)
def test_L4_an_implausible_time_costs_its_own_datum_and_no_other(element: str, when: str) -> None:
    odd = {name: value for name, value in DATES[element](when).items() if value is not None}
    data = json.dumps(bundle(infusion(on_day(0, "08:30")), ice(on_day(5), 5), odd)).encode()
    found = evaluate_bundle(data, as_of=instant(SAME_DAY))
    assert found["grade"]["working"] == 2
    assert found["infusion"].startswith("2026-03-01")
    assert [p for p in found["problems"] if p["reference"].endswith("/odd")]
    assert replay_bundle(data)[0]["timeline"]


@pytest.mark.parametrize("when", [*IMPLAUSIBLE, on_day(-30)])
def test_L5_a_death_that_the_record_contradicts_ends_nothing_and_is_shown(when: str) -> None:
    data = bundle(infusion(on_day(0)), ice(on_day(5), 2), deceased=when)
    found = evaluate_bundle(json.dumps(data).encode(), as_of=instant(SAME_DAY))
    assert found["grade"]["working"] == 3
    assert found["cards"] and all("death" in card["detail"].lower() for card in found["cards"])


#: Names of ingredients and products in the languages of the bundled terminology, and shorthand of US and UK systems.
NAMES = (
    """
    dexamethasone|Dexamethason|dexaméthasone|dexametasona|desametasone|dexametasone|deksametason|deksametasoni|deksametazon
    Dexamethason-dihydrogenphosphat-Dinatrium|DEXAMETHASONE SOD PHOSPHATE 4 MG/ML IJ SOLN
    Dexamethasone 3.3mg/1ml solution for injection ampoules|Dexamethasone 2mg/5ml oral solution sugar free
    methylprednisolone|Methylprednisolon|méthylprednisolone|metilprednisolona|metilprednisolone|metylprednisolon
    METHYLPREDNISOLONE SODIUM SUCC 125 MG IJ SOLR|Solu-Medrol Act-O-Vial 40 mg|Urbason solubile forte 1000 mg
    prednisolone|Prednisolon|Prednisolone 5mg gastro-resistant tablets|prednisone|hydrocortisone|Hydrocortison
    Hydrocortisone 100mg powder for solution for injection vials|[CHEMO PREMED] dexamethasone 20 mg IVPB
""".strip()
    .replace("\n", "|")
    .split("|")
)


@pytest.mark.parametrize("name", [name.strip() for name in NAMES])
def test_L9_a_systemic_steroid_is_recognised_or_leaves_no_upper_bound(name: str) -> None:
    found = evaluated(given(medicationCodeableConcept={"text": name}))
    exposure = found["exposure"]
    assert exposure["dexamethasoneEquivalentMg"] > 0 or (exposure["upperBoundMg"] is None and found["problems"])


@pytest.mark.parametrize(
    "form", ["OPHT SOLN", "OTIC SUSP", "CREA", "OINT", "NASL SPRY", "INHL", "TOP LOTN", "eye drops"]
)
def test_L9_a_local_form_is_not_systemic(form: str) -> None:
    found = evaluated(given(medicationCodeableConcept={"text": f"DEXAMETHASONE 0.1 % {form}"}, route=None))
    assert found["exposure"]["dexamethasoneEquivalentMg"] == 0


SELF = ("Patient/p1", "Patient/p1/_history/2", "https://ehr.example/fhir/Patient/p1", "/Patient/p1")
OTHERS = ({"reference": "Group/g"}, {"reference": "Device/d"}, {"reference": "Patient/other"})


@pytest.mark.parametrize("reference", SELF)
def test_L32_the_patient_by_any_reference(reference: str) -> None:
    found = evaluated({**ice(on_day(5), 2), "subject": {"reference": reference}})
    assert found["grade"]["working"] == 3


@pytest.mark.parametrize("subject", OTHERS, ids=lambda subject: subject["reference"])
def test_L32_somebody_else_is_not_the_patient_and_is_reported(subject: Resource) -> None:
    data = bundle(infusion(on_day(0)), {**ice(on_day(5), 2, id="odd"), "subject": subject})
    found = evaluate_bundle(json.dumps(data).encode(), as_of=instant(NOW), patient="p1")
    assert found["grade"]["working"] is None
    assert [p for p in found["problems"] if p["reference"] == "Observation/odd"]


def test_L1_an_observation_with_a_focus_is_not_about_the_patient() -> None:
    found = evaluated({**ice(on_day(5), 2, id="odd"), "focus": [{"reference": "Patient/newborn"}]}, as_of=SAME_DAY)
    assert found["grade"]["working"] is None
    assert "Observation/odd" in json.dumps(found["findings"])


@pytest.mark.parametrize(
    "address", ["Observation/odd", "https://ehr.example/fhir/Observation/odd", "Observation/odd/_history/3"]
)
def test_L7_a_deletion_removes_its_resource(address: str) -> None:
    data = bundle(infusion(on_day(0)), ice(on_day(5), 2, id="odd"))
    deletion = {"request": {"method": "DELETE", "url": address}, "response": {"status": "204"}}
    data = {**data, "type": "history", "entry": [*data["entry"], deletion]}
    assert evaluate_bundle(json.dumps(data).encode(), as_of=instant(NOW))["grade"]["working"] is None


TAG = {"tag": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}]}


@pytest.mark.parametrize("missing", ["status", "effectiveDateTime", "valueInteger", "subject"])
def test_L11_a_subsetted_copy_without_what_decides_is_partial_data(missing: str) -> None:
    copy = {name: value for name, value in ice(on_day(5), 2, id="odd").items() if name != missing}
    found = evaluated({**copy, "meta": TAG}, as_of=SAME_DAY)
    assert [p for p in found["problems"] if p["code"] == "partial-data" and p["reference"] == "Observation/odd"]
    assert "data-quality" in {finding["type"] for finding in found["findings"]}


# --- files


def lines(*resources: Resource) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in resources)


def of_export(**elements: Any) -> tuple[Resource, ...]:
    """What a Bulk Data export of one patient holds: an infusion, an ICE of 5 and 10 mg of dexamethasone."""
    data = bundle(infusion(on_day(0)), ice(on_day(5), 5), given(**elements))
    return tuple(entry["resource"] for entry in data["entry"])


def evaluated_folder(
    folder: Path, capfdbinary: pytest.CaptureFixture[bytes], status: int = 0
) -> tuple[dict[str, Any], str]:
    assert main(["evaluate", str(folder), "--as-of", NOW, "--format", "json"]) == status
    out, err = capfdbinary.readouterr()
    return json.loads(out), err.decode()


WRITTEN = {
    "part.ndjson": lambda data: data,
    "part.jsonl": lambda data: data,
    "part.ndjson.gz": gzip.compress,
    "marked.ndjson": lambda data: b"\xef\xbb\xbf\n" + data.replace(b"\n", b"\r\n"),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_L10_each_way_to_write_an_export_is_read(
    name: str, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    (tmp_path / name).write_bytes(WRITTEN[name](lines(*of_export())))
    (tmp_path / "manifest.json").write_text(
        json.dumps({"transactionTime": NOW, "output": [{"type": "Patient", "url": "x"}]})
    )
    (tmp_path / "log.ndjson").write_text(json.dumps({"eventId": "kickoff", "exportId": "1"}) + "\n")
    found, said = evaluated_folder(tmp_path, capfdbinary)
    assert (found["grade"]["working"], found["exposure"]["upperBoundMg"]) == (2, 10)
    assert "manifest" not in said and "log.ndjson" not in said


def test_L7_a_deleted_folder_of_an_export_is_applied(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    (tmp_path / "all.ndjson").write_bytes(lines(*of_export(), ice(on_day(5, "10:00"), 1, id="gone") | {"id": "gone"}))
    (tmp_path / "deleted").mkdir()
    deleted = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [{"request": {"method": "DELETE", "url": "Observation/gone"}}],
    }
    (tmp_path / "deleted" / "Observation.ndjson").write_bytes(lines(deleted))
    found, _ = evaluated_folder(tmp_path, capfdbinary)
    assert found["grade"]["working"] == 2


# --- hook calls

CALL = json.loads(hook_request(bundle(infusion(on_day(0)), ice(on_day(5), 2), given()), SAME_DAY))
ROWS = [entry["resource"] for entry in CALL["prefetch"]["observations"]["entry"]]
REFUSED: dict[str, dict[str, Any]] = {
    "no context": {"context": None},
    "an empty context": {"context": {}},
    "another hook": {"hook": "patient-chart"},
    "no user": {"context": {"userId": None, "patientId": "p1"}},
    "observations as a bare array": {"prefetch": {**CALL["prefetch"], "observations": ROWS}},
    "observations wrapped in a response": {
        "prefetch": {
            **CALL["prefetch"],
            "observations": {"response": {"status": "200 OK"}, "resource": CALL["prefetch"]["observations"]},
        }
    },
    "an outcome for the observations": {
        "prefetch": {
            **CALL["prefetch"],
            "observations": {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]},
        }
    },
}


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED)
def test_a_call_of_the_wrong_shape_is_refused_with_its_reason(change: dict[str, Any]) -> None:
    with pytest.raises(HookError) as refused:
        handle_hook("icans-patient-view", json.dumps({**CALL, **change}).encode())
    outcome = json.loads(refused.value.body)["issue"][0]
    assert refused.value.status in (400, 412)
    assert len(outcome["diagnostics"]) > 20


def test_administrations_of_the_wrong_shape_are_not_0_mg() -> None:
    rows = [entry["resource"] for entry in CALL["prefetch"]["medicationAdministrations"]["entry"]]
    body = {**CALL, "prefetch": {**CALL["prefetch"], "medicationAdministrations": rows}}
    answered = json.dumps(json.loads(handle_hook("icans-patient-view", json.dumps(body).encode()))["cards"])
    assert "could not be read" in answered and " 0 mg dexamethasone-equivalent" not in answered
