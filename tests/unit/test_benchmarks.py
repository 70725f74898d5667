"""The bodies the benchmark measures on: the same at every run, valid FHIR, of the size the bars speak of."""

from __future__ import annotations

import importlib
import json
from datetime import timedelta

import pytest

from benchmarks import bodies


def resources(body: bytes) -> list[dict]:
    values = json.loads(body)["prefetch"].values()
    return [entry["resource"] for value in values for entry in value.get("entry", [])]


def test_bodies_are_the_same_at_every_run():
    assert bodies.prefetch_body(200, 0.09) == bodies.prefetch_body(200, 0.09)


def test_the_large_body_is_as_large_as_a_chart():
    body = bodies.prefetch_body(2000, 0.09)
    assert 3e6 < len(body) < 4e6
    assert len(resources(body)) == 2001


@pytest.mark.parametrize(("count", "relevant"), [(2000, 0.09), (500, 0.97), (200, 0.09)])
def test_the_share_of_decisive_resources_is_as_named(count, relevant):
    rows = resources(bodies.prefetch_body(count, relevant))
    marks = ("ice-total", "9267-6", "1345050000", "dexamethasone", "methylprednisolone")
    decisive = [row for row in rows if any(mark in str(row) for mark in marks)]
    assert len(decisive) == pytest.approx(count * relevant, abs=1)


def test_every_kind_of_resource_is_valid_fhir():
    body = bodies.prefetch_body(200, 0.3)
    course = json.loads(bodies.course_bundle(40, spacing=timedelta(hours=6), filing="12-hour batches"))
    for row in (*resources(body), *(entry["resource"] for entry in course["entry"])):
        kind = row["resourceType"]
        getattr(importlib.import_module(f"fhir.resources.R4B.{kind.lower()}"), kind).model_validate(row)
