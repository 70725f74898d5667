"""The bundled Questionnaire, and responses to it as input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fhir_mappings.terminology import systems as canonical
from fhir_mappings.terminology.lookup import BUNDLED
from tests.acceptance.command_line.test_commands import printed
from tests.support.builders import UCUM, bundle, ice_items, infusion, on_day, search_set
from tests.support.ehr_shapes import SUBJECT, evaluated, hooked, problems

Json = dict[str, Any]
FORM: Json = json.loads((BUNDLED / "Questionnaire-icans-assessment.json").read_text())
POINTS = {"year": 1, "month": 1, "city": 1, "hospital": 1, "naming": 1, "command": 0, "writing": 0, "attention": 0}


def questions(items: list[Json] = FORM["item"]) -> list[Json]:
    return [found for item in items for found in ([item] if item["type"] != "group" else []) + nested(item)]


def nested(item: Json) -> list[Json]:
    return questions(item.get("item", []))


def coded(system: str, code: str) -> Json:
    return {"valueCoding": {"system": f"{canonical.BASE}/CodeSystem/{system}", "code": code}}


def response(*answers: tuple[str, Json], **elements: Any) -> Json:
    """A response with these answers in one group."""
    items = [{"linkId": link, "answer": [answer]} for link, answer in answers]
    found: Json = {
        "resourceType": "QuestionnaireResponse",
        "id": "form",
        "questionnaire": f"{FORM['url']}|{FORM['version']}",
        "status": "completed",
        "subject": SUBJECT,
        "authored": on_day(5),
        "item": [{"linkId": "ice", "item": items}],
    }
    return {name: value for name, value in (found | elements).items() if value is not None}


def graded(*resources: Json) -> Json:
    found: Json = evaluated(*resources)["grade"]
    return found


def test_the_questionnaire_is_valid_r4_and_extractable() -> None:
    from fhir.resources.R4B.questionnaire import Questionnaire

    Questionnaire.model_validate(FORM)
    codes = json.loads((BUNDLED / "CodeSystem-icans-assessment.json").read_text())["concept"]
    known = {concept["code"] for concept in codes}
    links = [question["linkId"] for question in questions()]
    assert len(links) == len(set(links))
    assert {link.split(".")[0] for link in links} == known - {"car-t-infusion", "gcs-eye", "rass", "ice-orientation"}
    for question in questions():
        (code,) = question["code"]
        assert (code["system"], code["code"]) == (canonical.ASSESSMENT, question["linkId"].split(".")[0])
        extract = [e["valueBoolean"] for e in question["extension"] if e["url"].endswith("observationExtract")]
        assert extract == [True]


def test_every_answer_of_the_questionnaire_is_understood(tmp_path: Path) -> None:
    data = tmp_path / "data.json"
    answers = [
        response((question["linkId"], option), id=f"f{number}")
        for number, (question, option) in enumerate(
            (question, option) for question in questions() for option in question.get("answerOption", [])
        )
    ]
    data.write_text(json.dumps(bundle(*answers)))
    report = json.loads(printed("mappings", "check", str(data), "--format", "json"))
    assert not report["looksRelevant"] and not report["refused"]
    assert sum(line["count"] for line in report["understood"] if line["kind"] == "answer") == len(answers)


def test_a_response_is_what_the_observation_would_be() -> None:
    as_codes = response(*((f"ice-{item}", coded("icans-score", str(points))) for item, points in POINTS.items()))
    as_integers = response(*((f"ice-{item}", {"valueInteger": points}) for item, points in POINTS.items()))
    observation = ice_items(on_day(5), dict(POINTS), issued=on_day(5))
    expected = graded(observation)
    assert (expected["working"], expected["iceScore"], expected["asOf"]) == (2, 5, on_day(5))
    assert graded(as_codes) == graded(as_integers) == expected


def test_items_nested_in_answers_and_definitions_are_read() -> None:
    item = {"linkId": "1.2", "definition": f"{canonical.ASSESSMENT}#ice-total", "answer": [{"valueDecimal": 5.0}]}
    outer = {"linkId": "1", "answer": [{"valueBoolean": True, "item": [item]}]}
    assert graded(response(item=[outer]))["iceScore"] == 5


def test_a_seizure_keeps_its_duration() -> None:
    minutes = {"valueQuantity": {"value": 6, "unit": "min", "system": UCUM, "code": "min"}}
    seizure = {
        "linkId": "seizure",
        "answer": [
            coded("icans-finding", "unspecified") | {"item": [{"linkId": "seizure-duration", "answer": [minutes]}]}
        ],
    }
    assert graded(response(item=[seizure]))["low"] == 4
    assert graded(response(("seizure", coded("icans-finding", "brief-or-resolving"))))["low"] == 3


def test_reasons_and_attribution_are_read() -> None:
    unarousable = response(("ice-total.reason", coded("icans-not-assessed", "unarousable")))
    assert graded(unarousable)["low"] == 4
    other = response(("motor", coded("icans-finding", "deep-focal-weakness")), ("ice-total", {"valueInteger": 10}))
    assert graded(other)["low"] == 4
    excluded = response(
        ("motor", coded("icans-finding", "deep-focal-weakness")),
        ("ice-total", {"valueInteger": 10}),
        ("attribution", coded("icans-finding", "other-cause")),
    )
    assert graded(excluded)["low"] is None


@pytest.mark.parametrize("status", ["in-progress", "stopped", "entered-in-error"])
def test_an_unfinished_response_is_not_used(status: str) -> None:
    row = response(("ice-total", {"valueInteger": 0}), status=status)
    assert graded(row)["working"] is None
    assert ("status-not-usable", "status") in problems(row)


def test_an_amended_response_replaces() -> None:
    first = response(("ice-total", {"valueInteger": 0}), meta={"versionId": "1", "lastUpdated": on_day(5)})
    meta = {"versionId": "2", "lastUpdated": on_day(5, "09:00")}
    second = response(("ice-total", {"valueInteger": 5}), status="amended", meta=meta)
    assert graded(second, first)["iceScore"] == 5


def test_what_cannot_be_used_is_said_at_its_item() -> None:
    row = response(("ice-total", {"valueInteger": 11}))
    assert graded(row)["working"] is None
    assert ("value-out-of-range", "item.where(linkId='ice-total').answer.valueInteger") in problems(row)
    timeless = response(("ice-total", {"valueInteger": 5}), authored=None)
    assert ("time-missing", "authored") in problems(timeless)
    broken = response(("ice-total", {"valueInteger": True}))
    assert [code for code, _ in problems(broken)] == ["invalid-resource"]


def test_a_response_about_something_else_is_no_matter() -> None:
    other = response(("phq-9", {"valueInteger": 11}))
    assert not problems(other)
    assert not problems({**other, "item": 5})


def test_evidence_names_the_item() -> None:
    row = response(("ice-total", {"valueInteger": 5}), authored=on_day(6))
    (card,) = [card for card in hooked(observations=search_set([row])) if "grade" in card["summary"].lower()]
    (evidence,) = card["extension"]["org.icans-cds.alert"]["evidence"]
    assert evidence["reference"] == "QuestionnaireResponse/form"
    assert evidence["element"] == "item.where(linkId='ice-total').answer.valueInteger"


def test_the_items_of_a_form_of_a_site_are_mapped_by_their_link(tmp_path: Path) -> None:
    form = "https://hospital.example/fhir/Questionnaire/neuro-check"
    level = {"valueCoding": {"system": "urn:oid:1.2.3", "code": "V"}}
    row = response(("q7", {"valueInteger": 5}), ("q8", level), questionnaire=f"{form}|3")
    folder = tmp_path / "maps"
    folder.mkdir()
    (tmp_path / "data.json").write_text(json.dumps(bundle(infusion(on_day(0)), row)))
    printed("mappings", "check", str(tmp_path / "data.json"), "--write-template", str(folder / "form.json"))
    template = json.loads((folder / "form.json").read_text())
    meant = {"q7": "ice-total", "q8": "consciousness", "V": "awakens-to-voice"}
    for group in template["group"]:
        for element in group["element"]:
            if (element["code"] == "V") == (group["target"] == f"{canonical.BASE}/CodeSystem/icans-finding"):
                element["target"] = [{"code": meant[element["code"]], "equivalence": "equivalent"}]
    (folder / "form.json").write_text(json.dumps(template))
    found = printed(
        "evaluate", str(tmp_path / "data.json"), "--as-of", on_day(5, "09:00"), "--format", "json",
        "--mappings", str(folder),
    )  # fmt: skip
    grade = json.loads(found)["grade"]
    assert (grade["iceScore"], grade["domains"]["consciousness"]) == (5, [2, 2])
