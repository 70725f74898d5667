"""The demonstration courses: what ships is what the script builds from the papers' tables."""

from __future__ import annotations

import importlib
import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "cds_service" / "examples"
NAMES = ("s0", "s1", "s2")


def script(folder: str, name: str) -> ModuleType:
    """A script as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / folder / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def builder() -> ModuleType:
    return script("tools", "build_courses")


def resources(name: str) -> list[dict]:
    bundle = json.loads((SHIPPED / f"{name}.json").read_text(encoding="utf-8"))
    return [entry["resource"] for entry in bundle["entry"]]


def test_nothing_else_ships_as_an_example(builder):
    assert {path.stem for path in SHIPPED.glob("*.json")} == set(builder.COURSES) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_what_ships_is_what_the_script_builds(builder, tmp_path, name):
    builder.main([str(tmp_path)])
    assert (tmp_path / f"{name}.json").read_bytes() == (SHIPPED / f"{name}.json").read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_every_resource_is_valid_fhir_r4_of_the_one_patient(name):
    patient, *others = resources(name)
    assert patient["resourceType"] == "Patient"
    assert len({(one["resourceType"], one["id"]) for one in others}) == len(others)
    for one in (patient, *others):
        kind = one["resourceType"]
        model = getattr(importlib.import_module(f"fhir.resources.R4B.{kind.lower()}"), kind)
        model.model_validate(one)
    assert {one["subject"]["reference"] for one in others} == {f"Patient/{patient['id']}"}


def given_mg(name: str, drug: str, route: str) -> list[float | None]:
    """Milligrams of each administration of ``drug`` by ``route`` (a SNOMED CT code), None where unknown."""
    rows = [one for one in resources(name) if one["resourceType"] == "MedicationAdministration"]
    return [
        one["dosage"]["dose"].get("value")
        for one in rows
        if one["medicationCodeableConcept"]["text"] == drug and one["dosage"]["route"]["coding"][0]["code"] == route
    ]


def test_the_doses_add_up_to_what_the_papers_print():
    intravenous, intrathecal = "47625008", "72607000"
    assert sum(given_mg("s2", "dexamethasone", intravenous)) == 96
    assert given_mg("s2", "dexamethasone", intrathecal) == [4]
    assert given_mg("s1", "methylprednisolone", intravenous) == [1000] * 6
    assert given_mg("s1", "hydrocortisone", intrathecal) == [20, 20]
    assert given_mg("s0", "methylprednisolone", intravenous) == [None] * 6
    assert given_mg("s0", "hydrocortisone", intrathecal) == [50]


def test_the_request_shown_in_the_readme_is_what_the_script_builds():
    shown = json.loads((ROOT / "examples" / "patient-view-s2.json").read_text(encoding="utf-8"))
    assert shown == script("examples", "hook_request").request("s2", "2026-03-15T12:30:00Z")
