"""``icans-cds mappings check``, the template it writes, and a site's folder laid over the bundled mappings."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cds_service.site.settings import load_settings
from cds_service.web.app import create_app
from fhir_mappings.terminology import systems as canonical
from fhir_mappings.terminology.lookup import BUNDLED
from tests.acceptance.command_line.test_commands import printed, refused, run
from tests.support.builders import (
    ASSESSMENT,
    FINDING,
    LOINC,
    NOT_ASSESSED,
    RXNORM,
    bundle,
    capd,
    concept,
    consciousness,
    documented,
    hook_request,
    ice,
    ice_items,
    infusion,
    motor,
    not_assessed,
    on_day,
    seizure,
    steroid,
)
from tests.support.ehr_shapes import SUBJECT, given, observed
from tests.support.hook_calls import course

Json = dict[str, Any]
FLOWSHEET = "urn:oid:1.2.840.114350.1.13.9999.7.2.707679"
PICKLIST = "urn:oid:1.2.840.114350.1.13.9999.7.4.1"
FORMULARY = "urn:oid:1.2.840.114350.1.13.9999.7.2.698288"
#: The made-up site's system for each of ours.
SITE = {ASSESSMENT: FLOWSHEET, FINDING: PICKLIST, NOT_ASSESSED: PICKLIST, RXNORM: FORMULARY}


def localised(document: Any) -> tuple[Any, dict[tuple[str, str], tuple[str, str]]]:
    """A document in made-up codes of a site, and what each of them means: (its system, our system) by number."""
    meanings: dict[tuple[str, str], tuple[str, str]] = {}
    numbers: dict[tuple[str, str], str] = {}

    def local(value: Any) -> Any:
        if isinstance(value, list):
            return [local(item) for item in value]
        if not isinstance(value, dict):
            return value
        system, code = value.get("system"), value.get("code")
        if system in SITE and isinstance(code, str):
            number = numbers.setdefault((system, code), str(4711 + len(numbers)))
            meanings[SITE[system], number] = (system, code)
            return {"system": SITE[system], "code": number, "display": f"Row {number}"}
        return {name: local(item) for name, item in value.items()}

    return local(document), meanings


def filled(template: Json, meanings: dict[tuple[str, str], tuple[str, str]]) -> Json:
    """The template with a target for every element whose group names the right code system."""
    ingredients = {"3264": "dexamethasone", "6902": "methylprednisolone"}
    for group in template["group"]:
        for element in group["element"]:
            system, code = meanings[group["source"], element["code"]]
            target = canonical.INGREDIENT if system == RXNORM else system
            if target == group["target"]:
                code = ingredients.get(code, code)
                element["target"] = [{"code": code, "equivalence": "equivalent"}]
    return template


def rich_course() -> Json:
    return bundle(
        infusion(on_day(0)),
        ice_items(on_day(4), {"orientation": 4, "naming": 3, "command": 1, "writing": "literacy", "attention": 1}),
        consciousness(on_day(5), "awakens-to-voice"),
        ice(on_day(5), 5),
        steroid(on_day(5, "09:00"), "dexamethasone", "10"),
        seizure(on_day(5, "15:00"), "prolonged", 600),
        motor(on_day(6), "tremor"),
        not_assessed(on_day(6), "ice-total", "unarousable"),
        steroid(on_day(6, "09:00"), "methylprednisolone", "1000"),
        documented(on_day(7), 2),
    )


def without_drug_names(document: Json) -> Json:
    for entry in document["entry"]:
        entry["resource"].get("medicationCodeableConcept", {}).pop("text", None)
    return document


def alerts(path: Path, *options: str) -> list[Json]:
    (replayed,) = json.loads(printed("replay", str(path), "--format", "json", *options))
    # Evidence quotes the chart in the words of the chart.
    return [{name: value for name, value in alert.items() if name != "evidence"} for alert in replayed["alerts"]]


@pytest.mark.parametrize("made", [rich_course, course], ids=["rich", "published"])
def test_a_filled_template_takes_local_codes_to_the_same_alerts(made: Callable[[], Json], tmp_path: Path) -> None:
    standard, site, folder = tmp_path / "standard.json", tmp_path / "site.json", tmp_path / "mappings"
    document = without_drug_names(made())
    standard.write_text(json.dumps(document))
    local, meanings = localised(document)
    site.write_text(json.dumps(local))
    folder.mkdir()
    template = folder / "ConceptMap-site.json"
    assert "looks relevant" in printed("mappings", "check", str(site), "--write-template", str(template)).lower()
    template.write_text(json.dumps(filled(json.loads(template.read_text()), meanings)))
    expected = alerts(standard)
    assert expected
    assert alerts(site, "--mappings", str(folder)) == expected
    report = json.loads(printed("mappings", "check", str(site), "--mappings", str(folder), "--format", "json"))
    assert not [line for line in report["looksRelevant"] if line["kind"] not in ("route", "value")]
    assert {line["kind"] for line in report["understood"]} >= {"observation", "drug"}


def test_the_template_is_a_valid_concept_map_that_changes_nothing_before_it_is_filled_in(tmp_path: Path) -> None:
    from fhir.resources.R4B.conceptmap import ConceptMap

    data, folder = tmp_path / "data.json", tmp_path / "mappings"
    local, _ = localised(rich_course())
    data.write_text(json.dumps(local))
    folder.mkdir()
    printed("mappings", "check", str(data), "--write-template", str(folder / "map.json"))
    template = json.loads((folder / "map.json").read_text())
    ConceptMap.model_validate(template)
    assert "ice-total" in template["description"] and "equivalence" in template["description"]
    assert (
        printed("mappings", "check", str(data), "--mappings", str(folder)).splitlines()[1:]
        == (printed("mappings", "check", str(data)).splitlines()[1:])
    )


def test_there_may_be_nothing_to_map(tmp_path: Path) -> None:
    from fhir.resources.R4B.conceptmap import ConceptMap

    data = tmp_path / "data.json"
    data.write_text(json.dumps(bundle(infusion(on_day(0)), ice(on_day(5), 5))))
    printed("mappings", "check", str(data), "--write-template", str(tmp_path / "map.json"))
    ConceptMap.model_validate(json.loads((tmp_path / "map.json").read_text()))


def lines_of(*resources: Json, tmp_path: Path) -> dict[str, list[Json]]:
    data = tmp_path / "data.json"
    data.write_text(json.dumps(bundle(*resources)))
    found: dict[str, list[Json]] = json.loads(printed("mappings", "check", str(data), "--format", "json"))
    return found


def test_each_line_says_how_often_when_where_what_is_lost_and_what_to_do(tmp_path: Path) -> None:
    flowsheet = {"coding": [{"system": FLOWSHEET, "code": "304080001", "display": "ICE score"}]}
    rows = [observed(flowsheet, on_day(day), valueInteger=5) for day in (5, 3, 4)]
    found = lines_of(*rows, tmp_path=tmp_path)
    (line,) = found["looksRelevant"]
    assert line == {
        "kind": "observation",
        "system": FLOWSHEET,
        "code": "304080001",
        "display": "ICE score",
        "meaning": "",
        "count": 3,
        "first": on_day(3),
        "last": on_day(5),
        "references": ["Observation/o1", "Observation/o2"],
        "lost": "the assessment is not read, no grade follows from it",
        "mapTo": "icans-assessment ice-total, if that is what it means",
    }


def test_units_routes_events_answers_and_reasons_are_checked_too(tmp_path: Path) -> None:
    consciousness_code = concept(ASSESSMENT, "consciousness")
    found = lines_of(
        given(dose={"value": 2, "unit": "VIAL"}),
        given(route={"text": "by pigeon"}),
        given(method={"text": "Dose not taken"}),
        observed(consciousness_code, valueCodeableConcept=concept(PICKLIST, "7", "Drowsy")),
        observed(concept(ASSESSMENT, "ice-total"), dataAbsentReason=concept(PICKLIST, "8", "Asleep")),
        observed(concept(ASSESSMENT, "ice-total"), valueQuantity={"value": 5, "unit": "minutes"}),
        observed(concept(ASSESSMENT, "ice-total"), valueString="Blank"),
        given(dosage=None),
        given(medicationCodeableConcept={"text": "Hydrocortisone study drug"}),
        {"resourceType": "Procedure", "status": "completed", "subject": SUBJECT, "code": {"text": "CAR-T infusion"}},
        tmp_path=tmp_path,
    )
    kinds = [line["kind"] for line in found["looksRelevant"]]
    assert {"unit", "route", "event", "answer", "reason", "value", "drug", "procedure"} == set(kinds)
    assert all(line["lost"] and line["mapTo"] for line in found["looksRelevant"])
    units = {line["code"] for line in found["looksRelevant"] if line["kind"] == "unit"}
    assert units == {"vial", "minutes"}


def test_what_is_irrelevant_is_listed_and_groupers_are(tmp_path: Path) -> None:
    pulse = {"coding": [{"system": LOINC, "code": "8716-3"}, {"system": LOINC, "code": "8867-4"}], "text": "Pulse"}
    found = lines_of(
        observed(pulse, valueQuantity={"value": 80, "unit": "/min"}),
        given(medicationCodeableConcept={"text": "paracetamol 1 g"}),
        capd(on_day(5), 9),
        tmp_path=tmp_path,
    )
    assert {line["kind"] for line in found["irrelevant"]} == {"observation", "unit", "drug"}
    assert [line["meaning"] for line in found["understood"]] == ["capd-total"]


def test_what_fhir_resources_refuses_is_listed_apart(tmp_path: Path) -> None:
    found = lines_of(ice(on_day(5), 5) | {"issued": "yesterday"}, tmp_path=tmp_path)
    (line,) = found["refused"]
    assert line["references"] == ["Observation/o1"] and "issued" in line["display"]


def test_bodies_of_captured_responses_and_ndjson_are_read(tmp_path: Path) -> None:
    (tmp_path / "captured.json").write_text(json.dumps({"_request": {}, "body": bundle(ice(on_day(5), 5))}))
    rows = [ice(on_day(5), 5) | {"id": str(number)} for number in range(3)]
    (tmp_path / "rows.ndjson").write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    (tmp_path / "notes.txt").write_text("no FHIR")
    done = run("mappings", "check", str(tmp_path), "--format", "json")
    assert done.returncode == 0
    assert b"passed over: 1" in done.stderr
    (line,) = json.loads(done.stdout)["understood"]
    assert (line["count"], line["meaning"]) == (4, "ice-total")


def test_refusals_of_the_check(tmp_path: Path) -> None:
    assert "does not exist" in refused(2, "mappings", "check", str(tmp_path / "none"))
    assert "not a FHIR resource" in refused(3, "mappings", "check", "-", given=b"{}")
    refused(2, "mappings", "check", "-", "--mappings", str(tmp_path / "none"), given=b"{}")
    (tmp_path / "good.json").write_text(json.dumps(ice(on_day(5), 5)))
    (tmp_path / "rows.ndjson").write_text(json.dumps(ice(on_day(5), 5)) + "\n[1]\n")
    done = run("mappings", "check", str(tmp_path))
    assert (done.returncode, b"rows.ndjson line 2" in done.stderr) == (3, True)
    assert done.stdout


def overlay(tmp_path: Path, **group: Any) -> Path:
    folder = tmp_path / "mappings"
    folder.mkdir()
    element = {"code": "1", "target": [{"code": "ice-total", "equivalence": "equivalent"}]}
    found = {"source": FLOWSHEET, "target": ASSESSMENT, "element": [element]} | group
    (folder / "map.json").write_text(json.dumps({"resourceType": "ConceptMap", "status": "active", "group": [found]}))
    return folder


@pytest.mark.parametrize(
    ("element", "place", "reason"),
    [
        (
            {"code": "1", "target": [{"code": "ice", "equivalence": "equivalent"}]},
            "target[0].code",
            "ice is not a code",
        ),
        ({"code": "1", "target": [{"code": "ice-total"}]}, "target[0].equivalence", "is missing"),
        ({"target": []}, "code", "is missing"),
        ({"code": 7}, "code", "is not a text"),
    ],
)
def test_a_bad_mapping_file_is_refused_with_file_element_and_reason(
    element: Json, place: str, reason: str, tmp_path: Path
) -> None:
    folder = overlay(tmp_path, element=[element])
    for command in (("evaluate", "-"), ("mappings", "check", "-"), ("serve", "--port", "0")):
        said = refused(2, *command, "--mappings", str(folder), given=json.dumps(bundle()).encode())
        assert f"map.json: group[0].element[0].{place}: " in said and reason in said


def test_check_digits_of_loinc_and_snomed_codes_are_verified(tmp_path: Path) -> None:
    for number, (system, code) in enumerate([(LOINC, "54632-4"), ("http://snomed.info/sct", "450740000")]):
        element = {"code": code, "target": [{"code": "ice-total", "equivalence": "equivalent"}]}
        (tmp_path / str(number)).mkdir()
        folder = overlay(tmp_path / str(number), source=system, element=[element])
        assert "check digit" in refused(2, "evaluate", "-", "--mappings", str(folder), given=b"{}")


def test_mappings_are_chosen_by_the_fhir_server_of_a_call(tmp_path: Path) -> None:
    folder = overlay(tmp_path)
    config = tmp_path / "site.toml"
    config.write_text(f'[mappings_by_server]\n"https://ehr.example/fhir" = "{folder}"\n')
    app = create_app(load_settings(config, {}, {})).test_client()
    local = observed({"coding": [{"system": FLOWSHEET, "code": "1"}]}, on_day(6), valueInteger=5)
    call = json.loads(hook_request(bundle(infusion(on_day(0)), local), on_day(6, "09:00")))
    published = app.get("/cds-services").json["services"][0]["prefetch"]  # type: ignore[index]
    assert FLOWSHEET in "".join(published.values())
    call["prefetch"] = dict.fromkeys(published) | call["prefetch"]  # nothing is left to fetch
    for server, expected in (
        ("https://ehr.example/fhir/", True),
        ("HTTPS://EHR.example:443/fhir", True),
        ("https://ehr.example/other", False),
        (None, False),
    ):
        call["fhirServer"] = server
        answer = app.post("/cds-services/icans-patient-view", json=call)
        assert answer.status_code == 200, answer.text
        assert ("grade-change" in answer.text) == expected, server


def test_a_bad_mapping_file_of_one_server_is_refused_at_start_up_too(tmp_path: Path) -> None:
    folder = overlay(tmp_path, target="http://elsewhere.example")
    config = tmp_path / "site.toml"
    config.write_text(f'[mappings_by_server]\n"https://ehr.example/fhir" = "{folder}"\n')
    assert "map.json: group[0].target" in refused(2, "serve", "--port", "0", "--config", str(config))
    config.write_text('mappings_by_server = "https://ehr.example/fhir"\n')
    assert "a table of base URLs" in refused(2, "serve", "--port", "0", "--config", str(config))


def test_words_without_a_code_are_mapped_as_words(tmp_path: Path) -> None:
    """Drug names, units, routes and events that an EHR sends as text are in the template as normalised words."""
    row = given(
        medicationCodeableConcept={"text": "Steroid-X 4 mg/mL"},
        route={"text": "By Pump"},
        method={"text": "Not as planned"},
        dose={"value": 10, "unit": "MGS."},
    )
    data, folder = tmp_path / "data.json", tmp_path / "mappings"
    data.write_text(json.dumps(bundle(infusion(on_day(0)), row)))
    folder.mkdir()
    meant = {
        canonical.INGREDIENT: "dexamethasone",
        canonical.UCUM: "mg",
        canonical.ROUTE: "systemic",
        canonical.EVENT: "given",
    }
    file = folder / "words.json"
    run("mappings", "check", str(data), "--write-template", str(file))
    template = json.loads(file.read_text())
    assert {group["target"] for group in template["group"]} == set(meant)
    for group in template["group"]:
        for element in group["element"]:
            element["target"] = [{"code": meant[group["target"]], "equivalence": "equivalent"}]
    file.write_text(json.dumps(template))
    found = printed("evaluate", str(data), "--as-of", on_day(6), "--format", "json", "--mappings", str(folder))
    assert json.loads(found)["exposure"]["dexamethasoneEquivalentMg"] == 10


DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize("name", ["icans-assessment", "icans-finding", "icans-not-assessed", "administration-event"])
def test_the_guide_names_every_code_to_map_to(name: str) -> None:
    guide = (DOCS / "mappings.md").read_text()
    concepts = json.loads((BUNDLED / f"CodeSystem-{name}.json").read_text())["concept"]
    assert not [concept["code"] for concept in concepts if f"`{concept['code']}`" not in guide]
    assert canonical.BASE + f"/CodeSystem/{name}" in guide


def test_every_quirk_has_a_test_and_a_line_of_the_vendors_page() -> None:
    page = (DOCS / "ehr-vendors.md").read_text()
    tested = "".join(path.read_text() for path in Path(__file__).parents[1].glob("ehr_data/test_*.py"))
    for number in [*range(1, 23), *range(24, 29), 34, 36, 37, 38]:
        assert f"def test_quirk_{number:02}_" in tested, number
        assert f"\n| {number} | " in page, number


def test_the_day_of_the_charting_guide_is_read_as_it_says(tmp_path: Path) -> None:
    rows = [
        ice(on_day(5, "06:00"), 10),
        ice(on_day(5, "10:00"), 5),
        consciousness(on_day(5, "10:00"), "awakens-spontaneously"),
        not_assessed(on_day(5, "14:00"), "ice-total", "sedated"),
        ice(on_day(5, "18:00"), 10),
    ]
    data = tmp_path / "day.json"
    data.write_text(json.dumps(bundle(infusion(on_day(0)), *rows)))
    (replayed,) = json.loads(printed("replay", str(data), "--format", "json"))
    entries = [entry for entry in replayed["timeline"] if entry["kind"] == "assessment"]
    assert [(entry["gradeLow"], entry["assessable"]) for entry in entries] == [
        (0, True),
        (2, True),
        (None, False),
        (0, True),
    ]


def test_what_is_charted_cannot_steer_the_terminal(tmp_path: Path) -> None:
    nasty = {"coding": [{"system": FLOWSHEET, "code": "1\x1b[2J", "display": "ICE \x1b]0;x\x07 \u202escore"}]}
    data = tmp_path / "data.json"
    data.write_text(json.dumps(bundle(observed(nasty, valueInteger=5))))
    said = printed("mappings", "check", str(data))
    assert "ICE" in said and not set(said) & {"\x1b", "\x07", "\u202e"}
