"""A site's terminology files, laid over the bundled ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fhir_mappings.terminology import systems as canonical
from fhir_mappings.terminology.lookup import Terminology, TerminologyError, load_terminology


def concept_map(source: str, target: str, *elements: dict[str, Any]) -> dict[str, Any]:
    group = {"source": source, "target": target, "element": list(elements)}
    return {"resourceType": "ConceptMap", "status": "active", "group": [group]}


def element(code: str, target: str, equivalence: str = "equivalent", **more: Any) -> dict[str, Any]:
    return {"code": code, "target": [{"code": target, "equivalence": equivalence, **more}]}


def laid_over(folder: Path, **files: Any) -> Terminology:
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / f"{name}.json").write_text(text, encoding="utf-8")
    load_terminology.cache_clear()
    return load_terminology(folder)


LOCAL = "urn:oid:1.2.840.114350.1.13.0.1.7.2.707679"


def test_a_site_maps_its_own_codes(tmp_path: Path) -> None:
    terminology = laid_over(
        tmp_path,
        flowsheet=concept_map(LOCAL, canonical.ASSESSMENT, element("301", "ice-total")),
        answers=concept_map(
            "urn:local:answers",
            canonical.FINDING,
            element("V", "awakens-to-voice", dependsOn=[{"property": canonical.ASSESSMENT, "value": "consciousness"}]),
        ),
        cpt=concept_map(canonical.CPT, canonical.ASSESSMENT, element("38228", "car-t-infusion")),
        drug=concept_map("urn:local:drugs", canonical.INGREDIENT, element("DEXA4I", "dexamethasone")),
        delay={
            "resourceType": "ValueSet",
            "status": "active",
            "url": f"{canonical.BASE}/ValueSet/developmental-delay",
            "compose": {"include": [{"system": "urn:local:problems", "concept": [{"code": "77"}]}]},
        },
    )
    assert terminology.assessment([(LOCAL, "301")]) == "ice-total"
    assert terminology.finding("consciousness", [("urn:local:answers", "V")]) == "awakens-to-voice"
    assert terminology.finding("seizure", [("urn:local:answers", "V")]) is None
    assert terminology.infusion_procedure([(canonical.CPT, "38228")])
    match = terminology.drug([("urn:local:drugs", "DEXA4I")], [])
    assert match is not None
    assert (match.ingredient, match.by) == ("dexamethasone", "code")
    assert terminology.developmental_delay([("urn:local:problems", "77")])
    assert terminology.label.startswith("icans-mappings/1+")
    assert load_terminology().label == "icans-mappings/1"


def test_a_site_unmaps_a_bundled_code(tmp_path: Path) -> None:
    unmapped = concept_map(canonical.LOINC, canonical.ASSESSMENT, element("9267-6", "gcs-eye", "unmatched"))
    assert laid_over(tmp_path, gcs=unmapped).assessment([(canonical.LOINC, "9267-6")]) is None


def test_a_template_that_is_not_filled_in_changes_nothing(tmp_path: Path) -> None:
    template = concept_map(LOCAL, canonical.ASSESSMENT, {"code": "301", "display": "ICE score"})
    assert laid_over(tmp_path, template=template).assessment([(LOCAL, "301")]) is None


@pytest.mark.parametrize(
    ("content", "place", "reason"),
    [
        ("{", "", "cannot be read as JSON"),
        ("[]", "", "no JSON object"),
        ({"resourceType": "Patient"}, "resourceType", "is not ConceptMap"),
        ({"resourceType": "ConceptMap", "group": {}}, "group", "is not a list"),
        ({"resourceType": "ConceptMap", "group": [1]}, "group[0]", "is not an object"),
        ({"resourceType": "ConceptMap", "group": [{"target": "x"}]}, "group[0].source", "is missing"),
        (concept_map(LOCAL, "http://loinc.org", element("1", "1")), "group[0].target", "is not a code system"),
        (
            concept_map(LOCAL, canonical.ASSESSMENT, element("1", "ice-totl")),
            "group[0].element[0].target[0].code",
            "ice-totl is not a code of",
        ),
        (
            concept_map(LOCAL, canonical.ASSESSMENT, {"code": "1", "target": [{"code": "ice-total"}]}),
            "group[0].element[0].target[0].equivalence",
            "is missing",
        ),
        (
            concept_map(canonical.LOINC, canonical.ASSESSMENT, element("9267-5", "gcs-eye")),
            "group[0].element[0].code",
            "check digit",
        ),
        (
            concept_map(canonical.SNOMED, canonical.ROUTE, element("47625007", "systemic")),
            "group[0].element[0].code",
            "check digit",
        ),
        (
            concept_map(LOCAL, canonical.ASSESSMENT, element("1", "ice-total"), element("1", "ice-year")),
            "group[0].element[1].target[0].code",
            "mapped twice",
        ),
        ({"resourceType": "ValueSet", "url": "http://elsewhere"}, "url", "is not a value set of this project"),
    ],
)
def test_a_bad_file_is_refused_with_file_element_and_reason(
    tmp_path: Path, content: Any, place: str, reason: str
) -> None:
    with pytest.raises(TerminologyError) as raised:
        laid_over(tmp_path, bad=content)
    assert (raised.value.file, raised.value.element) == ("bad.json", place)
    assert reason in raised.value.reason


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TerminologyError, match="is not a folder"):
        load_terminology(tmp_path / "nowhere")
