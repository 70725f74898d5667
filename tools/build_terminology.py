"""Builds fhir_mappings/terminology/bundled/*.json (FHIR R4) from the tables in tools/terminology/,
and the Questionnaire.

Run ``python tools/build_terminology.py`` after changing a table; ``--check`` only says whether the files
are up to date. Each row names the public source that gives its code with its meaning; rows that have
none (verified = no) go to a ConceptMap of their own, which is read only on an explicit setting.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from fhir_mappings.terminology import systems as canonical  # noqa: E402
from icans import record  # noqa: E402
from tools.build_questionnaire import questionnaire  # noqa: E402

TABLES = ROOT / "tools" / "terminology"
OUTPUT = ROOT / "fhir_mappings" / "terminology" / "bundled"
VERSION = "1"
DATE = "2026-03-01"
LOINC_NOTICE = (
    "This material contains content from LOINC (http://loinc.org). LOINC is copyright 1995 Regenstrief "
    "Institute, Inc. and the LOINC Committee and is available at no cost under the license at "
    "http://loinc.org/license."
)
SNOMED_NOTICE = (
    "SNOMED CT concepts are only referred to by code. SNOMED CT is owned and distributed by SNOMED "
    "International; its use needs an affiliate licence where one applies."
)
SOURCES_NOTICE = (
    "RxNorm is a product of the U.S. National Library of Medicine. ATC is a product of the WHO "
    "Collaborating Centre for Drug Statistics Methodology."
)

ASSESSMENTS = {
    "ice-year": "ICE orientation: year, 0 or 1",
    "ice-month": "ICE orientation: month, 0 or 1",
    "ice-city": "ICE orientation: city, 0 or 1",
    "ice-hospital": "ICE orientation: hospital, 0 or 1",
    "ice-orientation": "ICE orientation, the four items together, 0 to 4",
    "ice-naming": "ICE naming: objects named, 0 to 3",
    "ice-command": "ICE following commands, 0 or 1",
    "ice-writing": "ICE writing a standard sentence, 0 or 1",
    "ice-attention": "ICE attention: counting backwards from 100 by 10, 0 or 1",
    "ice-total": "ICE score, 0 to 10",
    "capd-total": "Cornell Assessment of Pediatric Delirium, 0 to 32",
    "consciousness": "Level of consciousness",
    "seizure": "Seizure",
    "seizure-duration": "Seizure duration (component of a seizure)",
    "motor": "Motor finding",
    "icp-edema": "Raised intracranial pressure or cerebral edema",
    "documented-icans-grade": "ICANS grade charted by a clinician, 0 to 5",
    "documented-crs-grade": "CRS grade charted by a clinician, 0 to 5",
    "car-t-infusion": "Infusion of CAR-T cells",
    "attribution": "Attribution of an assessment (component): to ICANS or to another cause",
    "gcs-eye": "Glasgow coma scale, eye response, 1 to 4",
    "rass": "Richmond Agitation-Sedation Scale, -5 to +4",
}
FINDINGS = {
    "consciousness": record.CONSCIOUSNESS_LEVELS,
    "seizure": record.SEIZURE_FINDINGS,
    "motor": record.MOTOR_FINDINGS,
    "icp-edema": record.ICP_EDEMA_FINDINGS,
    "attribution": ("icans", "other-cause"),
}
CONDITIONS = {"developmental-delay": "Developmental delay"}
ROUTES = {
    "systemic": "Counts as systemic: into a vein, a muscle, bone or under the skin, by mouth or enteral tube",
    "intrathecal": "Into the cerebrospinal fluid: listed apart, never counted",
    "excluded": "Local: skin, eye, ear, nose, airways, rectum, joint, epidural; never counted",
}
EVENTS = {
    "given": "A dose was given",
    "not-given": "No dose was given",
    "stopped": "A running infusion was stopped",
    "rate-change": "The rate of a running infusion was changed or checked; no dose of its own",
}
VALUE_SETS = {
    "steroids": "Glucocorticoids and mineralocorticoids",
    "sedatives": "Sedatives whose running infusion makes consciousness not assessable",
    "paralytics": "Neuromuscular blocking agents",
    "car-t-products": "CAR-T and other engineered T-cell products",
    "escalations": "Second-line agents, annotated only",
    "intrathecal-escalations": "Agents annotated as second-line where given intrathecally",
    "other-drugs": "Drugs that are recognised and never counted, look-alike names among them",
}
ROLES = {
    "steroid": "steroids",
    "sedative": "sedatives",
    "paralytic": "paralytics",
    "car-t": "car-t-products",
    "escalation": "escalations",
    "intrathecal-escalation": "intrathecal-escalations",
    "other": "other-drugs",
}
WORD_SETS = {
    "looks-relevant-assessment": "Words by which an observation or a procedure looks relevant",
    "looks-relevant-medication": "Words by which a drug looks relevant",
    "form-words": "Words of a drug name that name no drug: form, container, filler",
    "local-form-words": "Words of a drug name that say it is not systemic",
    "not-given-words": "Words of an administration event that is not listed which make it doubtful",
    "depot-words": "Words of a drug name that name a depot suspension, systemic only by its route",
}


def table(name: str) -> list[dict[str, str]]:
    with (TABLES / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def resource(kind: str, name: str, title: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": kind,
        "id": name,
        "url": f"{canonical.BASE}/{kind}/{name}",
        "version": VERSION,
        "name": "".join(part.capitalize() for part in name.split("-")),
        "title": title,
        "status": "active",
        "date": DATE,
        "publisher": "icans-cds",
        **more,
    }


def code_system(name: str, title: str, concepts: Iterable[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return resource("CodeSystem", name, title, caseSensitive=True, **more, content="complete", concept=list(concepts))


def text_system(name: str, title: str) -> dict[str, Any]:
    """A system whose codes are texts as charted, in normalised words: any text is one, so that none are listed."""
    return resource("CodeSystem", name, title, caseSensitive=True, content="not-present")


def value_set(name: str, title: str, includes: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return resource("ValueSet", name, title, **more, compose={"include": includes})


def concepts(definitions: dict[str, str]) -> list[dict[str, Any]]:
    return [{"code": code, "display": display} for code, display in definitions.items()]


def finding_concepts() -> list[dict[str, Any]]:
    domains: dict[str, list[str]] = {}
    for domain, codes in FINDINGS.items():
        for code in codes:
            domains.setdefault(code, []).append(domain)
    return [
        {
            "code": code,
            "display": code.replace("-", " "),
            "property": [{"code": "domain", "valueCode": domain} for domain in found],
        }
        for code, found in domains.items()
    ]


def code_systems() -> list[dict[str, Any]]:
    domain = [{"code": "domain", "type": "code", "description": "icans-assessment code it answers"}]
    role = [{"code": "role", "type": "code", "description": "what the drug is read as"}]
    ingredients = [
        {
            "code": row["ingredient"],
            "display": row["ingredient"],
            "property": [{"code": "role", "valueCode": row["role"]}],
        }
        for row in table("ingredients.csv")
    ]
    scores = [{"code": str(score), "display": str(score)} for score in range(-5, record.CAPD_MAXIMUM + 1)]
    reasons = {code: code.replace("-", " ") for code in record.NOT_ASSESSED_REASONS}
    return [
        code_system("icans-assessment", "What is assessed for ICANS", concepts(ASSESSMENTS)),
        code_system("icans-finding", "Coded findings of an assessment", finding_concepts(), property=domain),
        code_system("icans-not-assessed", "Why a tool or an item was not assessed", concepts(reasons)),
        code_system("icans-score", "Points, as targets of coded answers", scores),
        code_system("ingredient", "Ingredients that are recognised", ingredients, property=role),
        code_system("administration-route", "How a route of administration counts", concepts(ROUTES)),
        code_system("administration-event", "What an administration row charts", concepts(EVENTS)),
        code_system("icans-condition", "Conditions that decide which tool is valid", concepts(CONDITIONS)),
        text_system("medication-name", "Drug names as charted"),
        text_system("route-name", "Routes as charted"),
        text_system("unit-name", "Units as charted"),
        text_system("event-name", "Administration events as charted"),
        text_system("answer-name", "Answers as charted"),
        text_system("word", "Single words of a text"),
    ]


def target(code: str, source: str, equivalence: str = "equivalent", **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"code": code, "equivalence": equivalence}
    if source:
        found["comment"] = source
    return found | more


def element(code: str, display: str, found: dict[str, Any]) -> dict[str, Any]:
    return {"code": code, "display": display, "target": [found]}


Group = dict[tuple[str, str], list[dict[str, Any]]]


def concept_map(name: str, title: str, groups: Group, **more: Any) -> dict[str, Any]:
    return resource(
        "ConceptMap",
        name,
        title,
        **more,
        group=[{"source": source, "target": to, "element": elements} for (source, to), elements in groups.items()],
    )


def add(groups: Group, source: str, to: str, found: dict[str, Any]) -> None:
    groups.setdefault((source, to), []).append(found)


def drug_target(row: dict[str, str], ingredient_level: bool) -> dict[str, Any]:
    properties = []
    if row["counts"] != "yes":
        properties.append({"property": canonical.COUNTS, "value": row["counts"]})
    if row.get("truncated"):
        properties.append({"property": canonical.TRUNCATED, "value": "yes"})
    more = {"product": properties} if properties else {}
    note = "; ".join(part for part in (row["source"], row.get("note", "")) if part)
    return target(row["ingredient"], note, "equivalent" if ingredient_level else "wider", **more)


def drug_maps() -> tuple[dict[str, Any], Group]:
    """The ConceptMap of verified drug codes, and the groups of the others."""
    verified: Group = {}
    others: Group = {}
    for row in table("drugs.csv"):
        found = element(row["code"], row["display"], drug_target(row, row["note"].startswith("IN")))
        add(verified if row["verified"] == "yes" else others, row["system"], canonical.INGREDIENT, found)
    notice = f"{SOURCES_NOTICE} {SNOMED_NOTICE}"
    return concept_map("drugs", "Drug codes to ingredients", verified, copyright=notice), others


def assessment_maps() -> tuple[dict[str, Any], Group]:
    verified: Group = {}
    others: Group = {}
    for row in table("assessments.csv"):
        found = element(row["code"], row["display"], target(row["assessment"], row["source"]))
        add(verified if row["verified"] == "yes" else others, row["system"], canonical.ASSESSMENT, found)
    notice = f"{LOINC_NOTICE} {SNOMED_NOTICE}"
    found = concept_map("assessments", "Standard codes to icans-assessment", verified, copyright=notice)
    return found, others


def answer_map() -> dict[str, Any]:
    groups: Group = {}
    for row in table("answers.csv"):
        depends = [{"property": canonical.ASSESSMENT, "value": row["assessment"]}]
        found = target(row["target_code"], row["source"], dependsOn=depends)
        to = f"{canonical.BASE}/CodeSystem/{row['target']}"
        add(groups, row["system"], to, element(row["code"], row["display"], found))
    notice = f"{LOINC_NOTICE} {SNOMED_NOTICE}"
    return concept_map("answers", "Coded answers to findings and points", groups, copyright=notice)


def name_map() -> dict[str, Any]:
    groups: Group = {}
    for row in table("names.csv"):
        found = element(row["name"], row["name"], drug_target(row, False))
        add(groups, canonical.MEDICATION_NAME, canonical.INGREDIENT, found)
    text = (
        "Names in lower case, words separated by one blank. A drug name is read word by word: numbers and "
        "form-words are skipped, every other word must belong to a name listed here, and all names must be "
        "of one ingredient."
    )
    return concept_map("drug-names", "Normalised drug names to ingredients", groups, description=text)


def route_map() -> dict[str, Any]:
    groups: Group = {}
    for row in table("routes.csv"):
        system = canonical.ROUTE_NAME if row["system"] == "name" else row["system"]
        more = {"product": [{"property": canonical.WAY, "value": row["way"]}]} if row["way"] else {}
        found = element(row["code"], row["display"], target(row["route"], "", "wider", **more))
        add(groups, system, canonical.ROUTE, found)
    return concept_map(
        "routes",
        "Routes of administration to how they count",
        groups,
        description=" | ".join(dict.fromkeys(row["source"] for row in table("routes.csv"))),
        copyright=SNOMED_NOTICE,
    )


def unit_map() -> dict[str, Any]:
    groups: Group = {}
    rows = table("units.csv")
    for row in rows:
        found = element(row["spelling"], row["spelling"], target(row["ucum"], ""))
        add(groups, canonical.UNIT_NAME, canonical.UCUM, found)
    return concept_map("units", "Local unit spellings to UCUM", groups, description=rows[0]["source"])


def event_map() -> dict[str, Any]:
    groups: Group = {}
    rows = table("events.csv")
    for row in rows:
        found = element(row["text"].casefold(), row["text"], target(row["event"], ""))
        add(groups, canonical.EVENT_NAME, canonical.EVENT, found)
    return concept_map("events", "Administration events", groups, description=rows[0]["source"])


def unverified_codes(name: str) -> dict[str, list[dict[str, str]]]:
    """Codes that are reported and not read, by system: their meaning was not verified."""
    found: dict[str, list[dict[str, str]]] = {}
    steroids = {row["ingredient"] for row in table("ingredients.csv") if row["role"] == "steroid"}
    rows = {
        "looks-relevant-assessment": table("assessments.csv"),
        "looks-relevant-medication": [row for row in table("drugs.csv") if row["ingredient"] in steroids],
    }
    for row in rows.get(name, ()):
        if row["verified"] != "yes" and row.get("counts") != "no":
            found.setdefault(row["system"], []).append({"code": row["code"], "display": row["display"]})
    return found


def value_sets() -> list[dict[str, Any]]:
    members: dict[str, list[dict[str, str]]] = {name: [] for name in VALUE_SETS}
    for row in table("ingredients.csv"):
        members[ROLES[row["role"]]].append({"code": row["ingredient"]})
    found = [
        value_set(name, title, [{"system": canonical.INGREDIENT, "concept": members[name]}])
        for name, title in VALUE_SETS.items()
    ]
    words: dict[str, list[dict[str, str]]] = {name: [] for name in WORD_SETS}
    for row in table("words.csv"):
        words[row["value_set"]].append({"code": row["words"]})
    for name, title in WORD_SETS.items():
        codes = [{"system": system, "concept": listed} for system, listed in unverified_codes(name).items()]
        found.append(value_set(name, title, [{"system": canonical.WORD, "concept": words[name]}, *codes]))
    procedures: dict[str, list[dict[str, str]]] = {canonical.ASSESSMENT: [{"code": "car-t-infusion"}]}
    for row in table("assessments.csv"):
        if row["assessment"] == "car-t-infusion" and row["verified"] == "yes":
            procedures.setdefault(row["system"], []).append({"code": row["code"], "display": row["display"]})
    found.append(
        value_set(
            "car-t-procedures",
            "Procedure codes of a CAR-T infusion",
            [{"system": system, "concept": codes} for system, codes in procedures.items()],
        )
    )
    found.append(
        value_set(
            "developmental-delay",
            "Conditions of developmental delay",
            [{"system": canonical.CONDITION, "concept": [{"code": code} for code in CONDITIONS]}],
            description=(
                "No standard code is bundled: none was verified in a public source. A site lists its own "
                "codes in a value set of this URL in its mappings folder."
            ),
        )
    )
    return found


def build() -> dict[str, str]:
    """File name -> text of every terminology resource."""
    drugs, unverified = drug_maps()
    assessments, more = assessment_maps()
    for key, elements in more.items():
        unverified.setdefault(key, []).extend(elements)
    loose = concept_map(
        "unverified",
        "Codes whose meaning was not verified",
        unverified,
        description="Read only where unverified codes are allowed by an explicit setting.",
        copyright=f"{LOINC_NOTICE} {SNOMED_NOTICE} {SOURCES_NOTICE}",
    )
    maps = [assessments, answer_map(), drugs, name_map(), route_map(), unit_map(), event_map(), loose]
    return {
        f"{found['resourceType']}-{found['id']}.json": json.dumps(found, indent=1, ensure_ascii=False) + "\n"
        for found in [*code_systems(), *maps, *value_sets(), questionnaire(VERSION, DATE)]
    }


def main() -> int:
    files = build()
    if "--check" in sys.argv[1:]:
        stale = [
            name
            for name, text in files.items()
            if not (OUTPUT / name).exists() or (OUTPUT / name).read_text(encoding="utf-8") != text
        ]
        print("\n".join(stale) or "up to date")
        return bool(stale)
    OUTPUT.mkdir(exist_ok=True)
    for name, text in files.items():
        (OUTPUT / name).write_text(text, encoding="utf-8")
    print(f"{len(files)} files written to {OUTPUT.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
