"""Terminology: the bundled files, look-ups, check digits, what is remembered."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fhir_mappings.fhir_types import elements as lean
from fhir_mappings.intake.relevance import Selector
from fhir_mappings.terminology import systems as canonical
from fhir_mappings.terminology.check_digits import loinc_is_valid, snomed_is_valid
from fhir_mappings.terminology.lookup import (
    BUNDLED,
    LONGEST_REMEMBERED,
    ConflictingCodings,
    Terminology,
    load_terminology,
)

ROOT = Path(__file__).resolve().parents[3]
TABLES = ROOT / "tools" / "terminology"


def table(name: str) -> list[dict[str, str]]:
    with (TABLES / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def terminology() -> Terminology:
    return load_terminology()


def test_files_are_those_of_the_tables() -> None:
    check = [sys.executable, str(ROOT / "tools" / "build_terminology.py"), "--check"]
    assert subprocess.run(check, check=False, capture_output=True, text=True).stdout == "up to date\n"


@pytest.mark.parametrize("path", sorted(BUNDLED.glob("*.json")), ids=lambda path: path.name)
def test_files_are_valid_fhir(path: Path) -> None:
    from fhir.resources.R4B import get_fhir_model_class

    resource = json.loads(path.read_text(encoding="utf-8"))
    get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    assert resource["url"] == f"{canonical.BASE}/{resource['resourceType']}/{resource['id']}"


def test_nothing_of_cpt_is_bundled() -> None:
    assert not any(canonical.CPT in path.read_text(encoding="utf-8") for path in BUNDLED.glob("*.json"))


@pytest.mark.parametrize("row", table("drugs.csv"), ids=lambda row: f"{row['system'][-6:]}-{row['code']}")
def test_each_drug_row_is_classified_as_its_columns_say(terminology: Terminology, row: dict[str, str]) -> None:
    match = terminology.drug([(row["system"], row["code"])], [])
    if row["verified"] == "no":
        assert match is None
        match = load_terminology(unverified=True).drug([(row["system"], row["code"])], [])
    assert match is not None
    assert (match.ingredient, match.by, match.conflicting) == (row["ingredient"], "code", ())
    if match.role == "steroid":
        assert match.counts == row["counts"]


@pytest.mark.parametrize("row", table("assessments.csv"), ids=lambda row: row["code"])
def test_each_assessment_row(terminology: Terminology, row: dict[str, str]) -> None:
    coding = [(row["system"], row["code"])]
    assert terminology.assessment(coding) == (row["assessment"] if row["verified"] == "yes" else None)
    assert load_terminology(unverified=True).assessment(coding) == row["assessment"]


@pytest.mark.parametrize("row", table("answers.csv"), ids=lambda row: row["code"])
def test_each_answer_row_answers_its_assessment_only(terminology: Terminology, row: dict[str, str]) -> None:
    coding = [(row["system"], row["code"])]
    if row["target"] == "icans-score":
        assert terminology.score(row["assessment"], coding) == int(row["target_code"])
        assert terminology.score("ice-total", coding) is None
    else:
        assert terminology.finding(row["assessment"], coding) == row["target_code"]
        assert terminology.finding("attribution", coding) is None


@pytest.mark.parametrize(
    ("code", "ingredient"),
    [
        ("0641-0367-25", "dexamethasone"),
        ("00641-0367-25", "dexamethasone"),
        ("00641036725", "dexamethasone"),
        ("0641036725", "dexamethasone"),
        ("0641-0367-21", "dexamethasone"),
        ("70121-1450-5", "dexamethasone"),
        ("70121145005", "dexamethasone"),
        ("67457-421-30", "dexamethasone"),
        ("67457042130", "dexamethasone"),
        ("0054-4184-25", "dexamethasone"),
        ("0009-0047-22", "methylprednisolone"),
        ("0206-8862-02", None),
        ("1234567890", None),
        ("not an ndc", None),
    ],
)
def test_national_drug_codes_in_their_forms(terminology: Terminology, code: str, ingredient: str | None) -> None:
    match = terminology.drug([(canonical.NDC, code)], [])
    assert (match.ingredient if match else None) == ingredient


@pytest.mark.parametrize(
    ("text", "ingredient", "counts"),
    [
        ("dexamethasone", "dexamethasone", "yes"),
        ("DEXAMETHASONE SODIUM PHOSPHATE 4 MG/ML", "dexamethasone", "yes"),
        ("Dexamethasone 10mg/1mL 1mL VIAL", "dexamethasone", "yes"),
        ("1 ML dexamethasone phosphate 4 MG/ML Injection", "dexamethasone", "yes"),
        ("Dexame", "dexamethasone", "yes"),
        ("dexamethas", "dexamethasone", "yes"),
        ("MethylPRED", "methylprednisolone", "yes"),
        ("MethylPREDNISolone Sodium Succ", "methylprednisolone", "yes"),
        ("methylPREDNISolone acetate", "methylprednisolone", "by-route"),
        ("Solu-Medrol 40 mg/mL", "methylprednisolone", "yes"),
        ("Predni", "prednisone", "yes"),
        ("predniSONE 20mg", "prednisone", "yes"),
        ("hydrocort", "hydrocortisone", "yes"),
        ("Hydrocortisone Cream 1%", "hydrocortisone", "no"),
        ("Dexamethasone Ophthalmic Susp 0.1%", "dexamethasone", "no"),
        ("ciprofloxacin-dexamethasone", "dexamethasone", "no"),
        ("Dexmedetomidine", "dexmedetomidine", "yes"),
        ("Lorazepam (Ativan)", "lorazepam", "yes"),
        ("axicabtagene ciloleucel (Yescarta) suspension for IV infusion", "axicabtagene ciloleucel", None),
        ("INV-Dexamethasone", None, None),
        ("Hydrocortisone study drug", None, None),
        ("Cortisone (hydrocortisone)", None, None),
        (
            "methylPREDNISolone sodium succinate (SOLU-Medrol) 1,000 mg in sodium chloride 0.9 % 100 mL IVPB",
            "methylprednisolone",
            "yes",
        ),
        ("hydrocortisone sod succinate (PF) (Solu-CORTEF) injection 50 mg", "hydrocortisone", "yes"),
        ("dexmedeTOMidine (PRECEDEX) 400 mcg in 100 mL premix", "dexmedetomidine", "yes"),
        ("PredniSONE (Self Med)", "prednisone", "yes"),
        ("dex", None, None),
        ("METH40", None, None),
        ("dexamethasonex", None, None),
        ("", None, None),
    ],
)
def test_names_match_whole_and_normalised(
    terminology: Terminology, text: str, ingredient: str | None, counts: str | None
) -> None:
    match = terminology.drug([], [text])
    assert (match.ingredient if match else None) == ingredient
    if match is not None and counts is not None:
        assert (match.counts, match.by) == (counts, "name")


@pytest.mark.parametrize(
    "text",
    ["dexmedetomidine", "Dexmedeto", "dexmethylphenidate", "Focalin (dexmethylphenidate)", "lisdexamfetamine",
     "Dextrose 5%", "dexlansoprazole", "Dexrazoxane", "hydrochlorothiazide", "HYDROcodone", "GCSF"],
)  # fmt: skip
def test_look_alikes_are_no_steroids(terminology: Terminology, text: str) -> None:
    match = terminology.drug([], [text])
    assert match is None or match.role != "steroid"
    assert not terminology.looks_relevant([text], "medication")


def test_rxnorm_4850_is_glucose(terminology: Terminology) -> None:
    match = terminology.drug([(canonical.RXNORM, "4850")], [])
    assert match is not None
    assert match.role == "other"


def test_disagreeing_codings_are_said_and_the_steroid_wins(terminology: Terminology) -> None:
    codings = [(canonical.RXNORM, "8782"), (canonical.NDC, "0641-0367-25")]
    match = terminology.drug(codings, [])
    assert match is not None
    assert (match.ingredient, match.role, match.conflicting) == ("dexamethasone", "steroid", ("propofol",))
    by_text = terminology.drug([(canonical.RXNORM, "3264")], ["dexmedetomidine"])
    assert by_text is not None
    assert by_text.conflicting == ("dexmedetomidine",)
    cut_short = terminology.drug([(canonical.RXNORM, "8638")], ["predni"])
    assert cut_short is not None
    assert (cut_short.ingredient, cut_short.conflicting) == ("prednisolone", ())


def test_many_codings_of_one_drug_agree(terminology: Terminology) -> None:
    codes = ("3264", "1116927", "48933")
    match = terminology.drug([(canonical.RXNORM, code) for code in codes], ["DEXAMETHASONE 4 MG/ML"])
    assert match is not None
    assert (match.ingredient, match.counts, match.by, match.conflicting) == ("dexamethasone", "yes", "code", ())


@pytest.mark.parametrize(
    ("coding", "text", "route"),
    [
        ((canonical.SNOMED, "47625008"), None, "systemic"),
        ((canonical.SNOMED, "72607000"), None, "intrathecal"),
        ((canonical.SNOMED, "6064005"), None, "excluded"),
        ((canonical.SNOMED, "12130007"), None, "excluded"),
        (("urn:oid:2.16.840.1.113883.6.96", "26643006"), None, "systemic"),
        (("http://local", "PO/NG"), None, "systemic"),
        ((None, None), "Intravenous route (qualifier value)", "systemic"),
        ((None, None), "IT", "intrathecal"),
        ((None, None), "Both Eyes", "excluded"),
        ((None, None), "per rectum", "excluded"),
        ((None, None), "somewhere", None),
        ((None, None), "IA", None),
    ],
)
def test_routes(
    terminology: Terminology, coding: tuple[str | None, str | None], text: str | None, route: str | None
) -> None:
    assert terminology.route([coding], [text]) == route


@pytest.mark.parametrize(
    ("coding", "text", "way"),
    [
        ((canonical.SNOMED, "47625008"), None, "intravenous"),
        ((canonical.SNOMED, "47625008"), "whatever", "intravenous"),
        (("urn:site", "17"), "IV Push", "intravenous"),
        (("urn:site", "17"), None, "17"),
        (("urn:site", "17"), "Via  pump", "via pump"),
        ((None, None), None, ""),
    ],
)
def test_E3_the_way_of_a_route(
    terminology: Terminology, coding: tuple[str | None, str | None], text: str | None, way: str
) -> None:
    assert terminology.way([coding], [text]) == way


def test_E3_every_bundled_route_that_makes_a_dose_has_a_way(terminology: Terminology) -> None:
    routes = terminology.tables.maps[canonical.ROUTE].items()
    without = [
        key
        for key, found in routes
        for each in found
        if each.code != "excluded" and canonical.WAY not in each.properties
    ]
    assert without == []


def test_L9_codes_whose_meaning_was_not_verified_look_relevant(terminology: Terminology) -> None:
    steroids = {name for name, role in terminology.roles.items() if role == "steroid"}
    rows = [
        *(("assessment", row) for row in table("assessments.csv")),
        *(("medication", row) for row in table("drugs.csv") if row["ingredient"] in steroids and row["counts"] != "no"),
    ]
    unverified = {(about, row["system"], row["code"]) for about, row in rows if row["verified"] != "yes"}
    assert ("assessment", canonical.LOINC, "80288-4") in unverified
    assert [key for key in unverified if not terminology.looks_relevant((), key[0], [key[1:]])] == []
    assert not terminology.looks_relevant((), None, [(canonical.LOINC, "8867-4")])


@pytest.mark.parametrize(
    "name",
    [
        "デカドロン注射液6.6mg",
        "ソル・メドロール静注用1000mg",
        "メチルプレドニゾロンコハク酸エステルNa注射用",
        "プレドニン錠5mg",
        "地塞米松磷酸钠注射液",
        "注射用甲泼尼龙琥珀酸钠",
        "醋酸泼尼松龙片",
    ],
)
def test_L9_japanese_and_chinese_names_of_steroids_look_relevant(terminology: Terminology, name: str) -> None:
    assert terminology.drug_matters([], [name])
    assert not terminology.drug_matters([], ["アセトアミノフェン錠", "对乙酰氨基酚片"])


def test_routes_that_disagree_are_unknown(terminology: Terminology) -> None:
    assert terminology.route([(canonical.SNOMED, "47625008"), (canonical.SNOMED, "72607000")]) is None


def test_assessments_findings_and_reasons_of_its_own(terminology: Terminology) -> None:
    assert terminology.assessment([("urn:oid:1.2.3", "7"), (canonical.ASSESSMENT, "ice-total")]) == "ice-total"
    assert terminology.assessment([(canonical.ASSESSMENT, "ice")]) is None
    assert terminology.finding("seizure", [(canonical.FINDING, "prolonged")]) == "prolonged"
    assert terminology.finding("motor", [(canonical.FINDING, "prolonged")]) is None
    assert terminology.finding("motor", [(canonical.FINDING, "none")]) == "none"
    assert terminology.not_assessed([(canonical.NOT_ASSESSED, "sedated")]) == "sedated"
    assert terminology.absent([(canonical.DATA_ABSENT, "not-performed")])
    assert not terminology.developmental_delay([("http://hl7.org/fhir/sid/icd-10-cm", "F84.0")])


@pytest.mark.parametrize("code", ["9269-2", "35088-4", "8716-3", "54632-5", "9270-0", "9268-4", "85354-9"])
def test_panels_and_other_tests_mean_nothing(terminology: Terminology, code: str) -> None:
    assert terminology.assessment([(canonical.LOINC, code)]) is None


def test_codings_that_mean_two_things_are_not_chosen_from(terminology: Terminology) -> None:
    with pytest.raises(ConflictingCodings) as raised:
        terminology.assessment([(canonical.LOINC, "9267-6"), (canonical.ASSESSMENT, "ice-total")])
    assert raised.value.codes == ("gcs-eye", "ice-total")


def test_words_look_relevant_only_whole(terminology: Terminology) -> None:
    assert terminology.looks_relevant(["ICE score (flowsheet)"], "assessment")
    assert terminology.looks_relevant(["Hydrocortisone study drug"], "medication")
    assert terminology.looks_relevant(["CAR-T infusion"])
    assert not terminology.looks_relevant(["Police report", "Service", "Heart rate", None, ""])
    assert not terminology.looks_relevant(["Dexamethasone suppression test"], "assessment")


def test_drugs_that_are_read(terminology: Terminology) -> None:
    assert terminology.drug_matters([("urn:local:names", "INV-Dexamethasone")], [])
    assert terminology.drug_matters([(canonical.RXNORM, "3264")], [])
    assert not terminology.drug_matters([(canonical.RXNORM, "4850")], ["glucose"])
    assert not terminology.drug_matters([("urn:local:names", "Vancomycin")], [])


def test_check_digits() -> None:
    assert loinc_is_valid("9267-6")
    assert loinc_is_valid("3150-0")
    assert not loinc_is_valid("3150-6")
    assert not loinc_is_valid("99844-5")
    assert snomed_is_valid("47625008")
    assert not snomed_is_valid("450740000")
    assert not snomed_is_valid("47625007")


def test_search_tokens(terminology: Terminology) -> None:
    tokens = terminology.relevant_codes("Observation")
    assert f"{canonical.ASSESSMENT}|ice-total" in tokens
    assert f"{canonical.LOINC}|9269-2" in tokens
    assert not any(canonical.ICD_10_PCS in token for token in tokens)
    assert f"{canonical.ICD_10_PCS}|XW033H7" in terminology.relevant_codes("Procedure")


def test_each_code_system_of_the_project_that_a_bundled_file_names_is_defined() -> None:
    files = {path.name: path.read_text(encoding="utf-8") for path in BUNDLED.glob("*.json")}
    named = set(re.findall(rf'"({re.escape(canonical.BASE)}/CodeSystem/[^"]+)"', "".join(files.values())))
    defined = {json.loads(text)["url"] for name, text in files.items() if name.startswith("CodeSystem-")}
    assert named == defined


def test_long_texts_and_codes_are_not_remembered() -> None:
    terminology = load_terminology()
    selector = Selector(terminology)
    before = len(terminology._drugs)
    for number in range(20):
        long = f"{number} " + "x" * LONGEST_REMEMBERED
        assert terminology.drug([], [long]) is terminology.drug([("urn:x", long)], []) is None
        selector.verdict(lean.CodeableConcept(text=long))
        selector.verdict(lean.CodeableConcept(coding=(lean.Coding(system="urn:x", code=long),)))
    assert len(terminology._drugs) == before and not selector._concepts
    selector.verdict(lean.CodeableConcept(text="short"))
    assert len(selector._concepts) == 1
