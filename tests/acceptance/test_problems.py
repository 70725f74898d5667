"""docs/problems.md, row by row: each datum does to the result what the table says, and is said as it says."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cards.wording_data import SAID
from cds_service import handle_hook
from cds_service.evaluation import Answer, evaluate_record
from cds_service.hooks import read_request
from cds_service.services import SERVICES
from cds_service.site import bundled_site
from cds_service.terminal import plain
from fhir_mappings import read_prefetch
from tests.acceptance.problem_cases import CASES, PATIENT_ID, Case

ROOT = Path(__file__).parents[2]
SERVICE = "icans-patient-view"


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading of docs/problems.md, without its head."""
    page = (ROOT / "docs" / "problems.md").read_text(encoding="utf-8")
    section = page.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines[2:]]


MEANINGS = {row[0]: row for row in rows("What each code means")}
EXAMPLES = {(row[0], row[1]): row for row in rows("What each does")}


def answer(case: Case, *, with_bad: bool) -> Answer:
    """What the service knows after the hook call, through the parts that answer it."""
    request = read_request(SERVICES[SERVICE], case.request(with_bad=with_bad))
    now = None if request.as_of else __import__("datetime").datetime.now(__import__("datetime").UTC)
    site = bundled_site()
    record = read_prefetch(request.prefetch, PATIENT_ID, site.read_settings(now)).records[f"Patient/{PATIENT_ID}"]
    return evaluate_record(record, site, request.as_of or now)
