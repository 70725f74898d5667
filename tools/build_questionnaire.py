"""The FHIR R4 Questionnaire by which ICE, CAPD and the ASTCT domains can be charted where no flowsheet is built.

Each question's linkId is the icans-assessment code that it answers (with ``.reason`` for why a tool was not
used), and each is marked for extraction into Observations (HL7 Structured Data Capture, observationExtract).
Questions after Lee et al. 2019 (ASTCT consensus), Table 4 (ICE) and Table 5 (grading).
"""

from __future__ import annotations

from typing import Any

from fhir_mappings.terminology import systems as canonical
from icans import record

EXTRACT = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-observationExtract"
LOWEST = "http://hl7.org/fhir/StructureDefinition/minValue"
HIGHEST = "http://hl7.org/fhir/StructureDefinition/maxValue"
UNIT_OPTION = "http://hl7.org/fhir/StructureDefinition/questionnaire-unitOption"

ICE_QUESTIONS = {
    "year": "Orientation: which year is it?",
    "month": "Orientation: which month is it?",
    "city": "Orientation: which city is this?",
    "hospital": "Orientation: which hospital is this?",
    "naming": "Naming: how many of three shown objects were named?",
    "command": "Following commands: was a simple command followed?",
    "writing": "Writing: was a standard sentence written?",
    "attention": "Attention: was counted backwards from 100 by ten?",
}
#: What keeps one item from being done; the others concern the whole examination.
ITEM_REASONS = tuple(reason for reason in record.NOT_ASSESSED_REASONS if reason not in ("unarousable", "sedated"))
DOMAINS = {
    "consciousness": ("Level of consciousness: to what does the patient awaken?", record.CONSCIOUSNESS_LEVELS),
    "seizure": ("Seizures: the gravest since the last assessment", record.SEIZURE_FINDINGS),
    "motor": ("Motor findings: the gravest that applies", record.MOTOR_FINDINGS),
    "icp-edema": (
        "Raised intracranial pressure or cerebral edema: the gravest that applies",
        record.ICP_EDEMA_FINDINGS,
    ),
}

Item = dict[str, Any]


def questionnaire(version: str, date: str) -> dict[str, Any]:
    """The Questionnaire resource."""
    return {
        "resourceType": "Questionnaire",
        "id": "icans-assessment",
        "url": f"{canonical.BASE}/Questionnaire/icans-assessment",
        "version": version,
        "name": "IcansAssessment",
        "title": "ICANS assessment: ICE and ASTCT domains",
        "status": "active",
        "subjectType": ["Patient"],
        "date": date,
        "publisher": "icans-cds",
        "description": (
            "One bedside assessment. Leave a question without answer if it was not assessed; an unanswered question "
            "counts as missing, never as failed."
        ),
        "item": [
            group("ice", "ICE score, from 12 years on", [*map(ice_item, ICE_QUESTIONS), *ice_total()]),
            group("capd", "Cornell Assessment of Pediatric Delirium, under 12 years", capd()),
            group("domains", "Other domains", [*map(domain, DOMAINS), attribution()]),
            group("grades", "Grades given by the clinician", grades()),
        ],
    }


def group(link: str, text: str, items: list[Item]) -> Item:
    return {"linkId": link, "text": text, "type": "group", "item": items}


def question(code: str, text: str, kind: str, link: str = "", **more: Any) -> Item:
    extension = [{"url": EXTRACT, "valueBoolean": True}, *more.pop("extension", [])]
    return {
        "extension": extension,
        "linkId": link or code,
        "code": [{"system": canonical.ASSESSMENT, "code": code}],
        "text": text,
        "type": kind,
        **more,
    }


def options(*parts: tuple[str, tuple[str, ...]]) -> list[Item]:
    """The codes of some code systems as answers."""
    return [
        {"valueCoding": {"system": system, "code": code, "display": code.replace("-", " ")}}
        for system, codes in parts
        for code in codes
    ]


def ice_item(item: str) -> Item:
    points = tuple(str(number) for number in reversed(range(record.ICE_ITEM_POINTS[item] + 1)))
    answers = options((canonical.SCORE, points), (canonical.NOT_ASSESSED, ITEM_REASONS))
    for answer in answers[: len(points)]:
        coding = answer["valueCoding"]
        coding["display"] = f"{coding['code']} {'point' if coding['code'] == '1' else 'points'}"
    return question(f"ice-{item}", ICE_QUESTIONS[item], "choice", answerOption=answers)


def between(low: int, high: int) -> list[Item]:
    return [{"url": LOWEST, "valueInteger": low}, {"url": HIGHEST, "valueInteger": high}]


def reason(code: str, text: str) -> Item:
    answers = options((canonical.NOT_ASSESSED, record.NOT_ASSESSED_REASONS))
    return question(code, text, "choice", f"{code}.reason", answerOption=answers)


def ice_total() -> list[Item]:
    total = question(
        "ice-total", "ICE score, if the items are not charted", "integer", extension=between(0, record.ICE_MAXIMUM)
    )
    return [total, reason("ice-total", "Why ICE could not be done at all")]


def capd() -> list[Item]:
    total = question("capd-total", "CAPD score", "integer", extension=between(0, record.CAPD_MAXIMUM))
    return [total, reason("capd-total", "Why CAPD could not be done")]


def domain(code: str) -> Item:
    text, findings = DOMAINS[code]
    found = question(code, text, "choice", answerOption=options((canonical.FINDING, findings)))
    if code == "seizure":
        units = [{"url": UNIT_OPTION, "valueCoding": {"system": canonical.UCUM, "code": unit}} for unit in ("s", "min")]
        found["item"] = [question("seizure-duration", "How long it lasted", "quantity", extension=units)]
    return found


def attribution() -> Item:
    answers = options((canonical.FINDING, ("icans", "other-cause")))
    return question("attribution", "What these findings are attributed to", "choice", answerOption=answers)


def grades() -> list[Item]:
    icans = question("documented-icans-grade", "ICANS grade (ASTCT)", "integer", extension=between(0, 5))
    crs = question("documented-crs-grade", "CRS grade (ASTCT)", "integer", extension=between(0, 5))
    return [icans, crs]
