"""What ``icans-cds mappings check`` proposes, answers in words, and mappings as a CSV file."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from fhir_mappings.mapping_check.proposals import Proposals
from fhir_mappings.terminology import systems as canonical
from fhir_mappings.terminology.lookup import TerminologyError, load_terminology
from tests.acceptance.command_line.test_commands import printed
from tests.acceptance.command_line.test_mappings import FLOWSHEET, lines_of, overlay
from tests.support.builders import ASSESSMENT, FINDING, NOT_ASSESSED, bundle, concept, infusion, on_day
from tests.support.ehr_shapes import SUBJECT, given, observed

Json = dict[str, Any]


WORDED = [
    ("consciousness", {"valueString": "Awakens  to Voice"}, canonical.FINDING, "awakens-to-voice"),
    ("consciousness", {"valueCodeableConcept": {"text": "Awakens to voice"}}, canonical.FINDING, "awakens-to-voice"),
    ("consciousness", {"valueCodeableConcept": {"coding": [{"display": "To voice"}]}}, canonical.FINDING, "alert"),
    ("consciousness", {"valueString": "3"}, canonical.FINDING, "unarousable"),
    ("seizure", {"valueString": "None seen"}, canonical.FINDING, "none"),
    ("documented-icans-grade", {"valueString": "Grade 3"}, canonical.SCORE, "3"),
    ("rass", {"valueString": "-2 light sedation"}, canonical.SCORE, "-2"),
    ("ice-total", {"valueCodeableConcept": {"text": "seven of ten"}}, canonical.SCORE, "7"),
    ("ice-total", {"valueString": "unable - sedated"}, canonical.NOT_ASSESSED, "sedated"),
    ("ice-total", {"dataAbsentReason": {"text": "Pt sedated"}}, canonical.NOT_ASSESSED, "sedated"),
]


@pytest.mark.parametrize(("question", "value", "target", "meaning"), WORDED)
def test_answers_in_words_are_quoted_and_can_be_mapped(
    question: str, value: Json, target: str, meaning: str, tmp_path: Path
) -> None:
    data, folder = tmp_path / "data.json", tmp_path / "mappings"
    data.write_text(
        json.dumps(bundle(infusion(on_day(0)), observed(concept(ASSESSMENT, question), on_day(5), **value)))
    )
    file = folder / "words.json"
    before = json.loads(printed("mappings", "check", str(data), "--write-template", str(file), "--format", "json"))
    (line,) = before["looksRelevant"]
    assert (line["system"], line["kind"] in ("answer", "reason")) == (canonical.ANSWER_NAME, True)
    template = json.loads(file.read_text())
    (group,) = [group for group in template["group"] if group["target"] == target]
    (element,) = group["element"]
    assert group["source"] == canonical.ANSWER_NAME and element["code"] == canonical.answer_name(line["display"])
    element["target"] = [{"code": meaning, "equivalence": "equivalent"}]
    file.write_text(json.dumps(template))
    after = json.loads(printed("mappings", "check", str(data), "--mappings", str(folder), "--format", "json"))
    assert not after["looksRelevant"]
    at = ("--as-of", on_day(5), "--format", "json")
    evaluated = json.loads(printed("evaluate", str(data), *at, "--mappings", str(folder)))
    assert evaluated["problems"] == [] != json.loads(printed("evaluate", str(data), *at))["problems"]


def test_an_answer_in_words_is_compared_whole_with_its_sign_and_after_its_codes(tmp_path: Path) -> None:
    folder = overlay(
        tmp_path,
        source=canonical.ANSWER_NAME,
        target=canonical.SCORE,
        element=[{"code": "-2", "target": [{"code": "-2", "equivalence": "equivalent"}]}],
    )
    terminology = load_terminology(folder)
    assert terminology.score("rass", [], ["-2"]) == terminology.score("rass", [], [" \uff0d2 "]) == -2
    assert [terminology.score("rass", [], [text]) for text in ("2", "+2", "-2 to -1", "a -2")] == [None] * 4
    assert terminology.score("rass", [(canonical.SCORE, "1")], ["-2"]) == 1


def test_a_note_is_no_answer_to_map(tmp_path: Path) -> None:
    note = "Patient of bed 4 was found asleep, roused by her daughter and then spoke in full sentences for a while."
    found = lines_of(observed(concept(ASSESSMENT, "consciousness"), valueString=note), tmp_path=tmp_path)
    (line,) = found["looksRelevant"]
    assert (line["code"], line["display"]) == ("", "text") and "note" in line["mapTo"]


def drug_row(**more: Any) -> Json:
    return given(effectiveDateTime=on_day(5), dose={"value": 10, "unit": "mg"}, **more)


def proposed(*resources: Json, tmp_path: Path) -> dict[str, list[str]]:
    """Cells of the written CSV by the text of its row: list, proposal."""
    data, file = tmp_path / "data.json", tmp_path / "site.csv"
    data.write_text(json.dumps(bundle(*resources)))
    printed("mappings", "check", str(data), "--write-csv", str(file))
    with file.open(encoding="utf-8-sig", newline="") as opened:
        return {row["text"]: row["proposal"] for row in csv.DictReader(opened)}


def local(code: str, display: str) -> Json:
    return {"coding": [{"system": FLOWSHEET, "code": code, "display": display}]}


def test_names_that_are_near_get_a_proposal_and_others_none(tmp_path: Path) -> None:
    drugs = {
        "METHYLPRED SOD SUCC OWNSUPPLY": "ingredient|methylprednisolone",
        "INV AXI-CEL": "ingredient|axicabtagene ciloleucel",
        "Dexamethazone syringe x": "ingredient|dexamethasone",
        "CLONAZEPAM x": "",
        "METHYLPHENIDATE x": "",
        "HYDROCODONE x": "",
    }
    rows = {
        "LOC": "icans-assessment|consciousness",
        "ICANS LOC": "icans-assessment|consciousness",
        "ICANS": "icans-assessment|documented-icans-grade",
        "ICANS handwriting sample": "",
        "AXI-CEL infusion": "icans-assessment|car-t-infusion",
        "AXI-CEL level": "",
        "Bristol stool": "",
    }
    found = proposed(
        *(drug_row(medicationCodeableConcept=local(f"d{n}", name)) for n, name in enumerate(drugs)),
        *(observed(local(f"o{n}", name), on_day(5), valueInteger=1) for n, name in enumerate(rows)),
        *(
            {"resourceType": "Procedure", "status": "completed", "subject": SUBJECT, "code": local(name, name)}
            for name in ("Appendectomy", "Yescarta given")
        ),
        tmp_path=tmp_path,
    )
    expected = drugs | rows | {"Appendectomy": "", "Yescarta given": "icans-assessment|car-t-infusion"}
    assert {name: found.get(name, "") for name in expected} == expected


@pytest.mark.parametrize(
    ("text", "assessment", "expected"),
    [
        ("Awakens to voice", "consciousness", "icans-finding|awakens-to-voice"),
        ("Awakens to voice", "seizure", ""),
        ("No tremor", "motor", ""),
        ("Tremor", "motor", "icans-finding|tremor"),
        ("Grade 3", "documented-icans-grade", "icans-score|3"),
        ("-2 light sedation", "rass", "icans-score|-2"),
        ("3-4", "documented-icans-grade", ""),
        ("1/10", "ice-total", ""),
        ("<5", "ice-total", ""),
        ("Pt sedated", "ice-total", "icans-not-assessed|sedated"),
        ("not sedated", "ice-total", ""),
    ],
)
def test_answers_get_a_proposal_that_their_words_say(text: str, assessment: str, expected: str) -> None:
    coded = assessment in ("consciousness", "seizure", "motor")
    targets = (FINDING if coded else canonical.SCORE, NOT_ASSESSED)
    assert Proposals(load_terminology()).answer(text, assessment, targets) == expected


def test_a_csv_with_ticked_rows_is_read_as_mappings(tmp_path: Path) -> None:
    data, folder = tmp_path / "data.json", tmp_path / "mappings"
    codes = ["0012", "=1+1", "1-2", "12345678901234567", "'x", "MAR 1", 'a,b;"c"']
    rows = [observed(local(code, "ICE score"), on_day(5), valueInteger=5) for code in codes]
    data.write_text(json.dumps(bundle(infusion(on_day(0)), *rows)))
    file = folder / "site.csv"
    printed("mappings", "check", str(data), "--write-csv", str(file))
    assert printed("mappings", "check", str(data), "--mappings", str(folder), "--format", "json")  # nothing is ticked
    text = file.read_text(encoding="utf-8-sig")
    written = list(csv.DictReader(io.StringIO(text, newline="")))
    assert {row["proposal"] for row in written} == {"icans-assessment|ice-total"}
    assert not [row["code"] for row in written if row["code"][0] in "=+-@"]
    for number, delimiter in enumerate(",;\t"):
        file = tmp_path / str(number) / "site.csv"  # a folder is read once in a process
        file.parent.mkdir()
        place = file if number else file.parent
        with file.open("w", encoding="utf-8-sig", newline="") as opened:
            writer = csv.DictWriter(opened, written[0], delimiter=delimiter)
            writer.writeheader()
            writer.writerows(row | {"accept": "X"} for row in written)
        found = json.loads(printed("mappings", "check", str(data), "--mappings", str(place), "--format", "json"))
        assert {line["code"] for line in found["understood"] if line["system"] == FLOWSHEET} == set(codes), delimiter


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("x,icans-assessment|ice,,urn:x,1", "row 2: group[0].element[0].target[0].code: ice is not a code"),
        ("x,,,urn:x,1", "row 2: proposal: is ticked"),
        ("x,elsewhere|1,,urn:x,1", "row 2: proposal: is ticked"),
        ("perhaps,icans-assessment|ice-total,,urn:x,1", "row 2: accept: 'perhaps' is no tick"),
        ("x,icans-assessment|ice-total,,urn:x,", "row 2: group[0].element[0].code: is not a text"),
        ("x,icans-finding|none,seizures,urn:x,1", "seizures is not a code"),
    ],
)
def test_a_bad_csv_is_refused_with_row_column_and_reason(row: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "site.csv"
    file.write_text(f"accept,proposal,question,system,code\n{row}\n")
    with pytest.raises(TerminologyError, match=re.escape(said)):
        load_terminology(tmp_path)
    file.write_text('x,"icans')
    with pytest.raises(TerminologyError, match=r"site\.csv: is no CSV"):
        load_terminology(tmp_path)
    file.write_text("code,system\n1,urn:x\n")
    with pytest.raises(TerminologyError, match=r"site\.csv: .*is a column that is missing"):
        load_terminology(tmp_path)


def test_problems_of_one_kind_are_one_line_that_names_the_check(tmp_path: Path) -> None:
    rows = [observed(local("1", "ICE score"), on_day(5), valueInteger=5) for _ in range(7)]
    other = observed(concept(ASSESSMENT, "ice-total"), on_day(5), valueInteger=11)
    data = tmp_path / "data.json"
    data.write_text(json.dumps(bundle(infusion(on_day(0)), *rows, other)))
    said = " ".join(printed("replay", str(data)).split())
    places = ", ".join(f"Observation/o{number}" for number in range(2, 7))
    assert "Data problems (8)" in said
    assert f"code-unmapped 7 times: {places} and 2 more code: Its code is not mapped" in said
    assert "icans-cds mappings check PATH lists what is not understood" in said
    data.write_text(json.dumps(bundle(infusion(on_day(0)), other)))
    assert "mappings check" not in printed("replay", str(data))


def test_one_csv_row_for_each_question_of_an_answer(tmp_path: Path) -> None:
    (tmp_path / "site.csv").write_text(
        "accept,proposal,question,system,code\n"
        "x,icans-finding|none,seizure,urn:x,N\nx,icans-finding|alert,consciousness,urn:x,N\n"
        ",icans-finding|tremor,motor,urn:x,N\n"
    )
    terminology = load_terminology(tmp_path)
    found = [terminology.finding(question, [("urn:x", "N")]) for question in ("seizure", "consciousness", "motor")]
    assert found == ["none", "alert", None]
