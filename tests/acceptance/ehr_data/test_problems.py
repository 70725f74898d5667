"""docs/problems.md, row by row: each datum does to the result what the table says, and is reported as it says."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from cards.json_values import number_text
from cards.wording.data_quality import SAID, worded
from cds_service.evaluation import Answer, evaluate_record
from cds_service.hooks.request import read_request
from cds_service.hooks.services import SERVICES
from cds_service.output.text import plain
from cds_service.site.site import bundled_site
from fhir_mappings import read_prefetch
from tests.acceptance.ehr_data.problem_cases import CASES, Case
from tests.support.builders import PATIENT_ID

ROOT = Path(__file__).parents[3]
EFFECTS = {"excluded", "widened", "upper bound only", "none"}


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading of docs/problems.md, without its head."""
    page = (ROOT / "docs" / "problems.md").read_text(encoding="utf-8")
    section = page.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines[2:]]


MEANINGS = rows("What each code means")
EXAMPLES = {(row[0], row[1]): row for row in rows("What each does, by example")}


def answer(case: Case, *, with_bad: bool) -> Answer:
    """What is known after the hook call, through the parts that answer it."""
    request = read_request(SERVICES["icans-patient-view"], case.request(with_bad=with_bad))
    now = datetime.now(UTC)
    site = bundled_site()
    settings = site.read_settings(now if case.live else None)
    record = read_prefetch(request.prefetch, PATIENT_ID, settings).records[f"Patient/{PATIENT_ID}"]
    return evaluate_record(record, site, request.as_of or now)


def result(given: Answer) -> str:
    """Grade and sum in a few words, as the table gives them."""
    grade, exposure = given.evaluation.grade, given.evaluation.exposure
    if grade.low is None:
        said = "no grade"
    else:
        said = f"grade {grade.low}" if grade.low == grade.high else f"grade {grade.low}-{grade.high}"
    if exposure is None:
        return f"{said}; sum not known"
    if exposure.dexamethasone_equivalent_mg is None:
        return f"{said}; no sum since infusion"
    return f"{said}; {_sum(exposure.dexamethasone_equivalent_mg, exposure.upper_bound_mg)}"


def _sum(low: Decimal, high: Decimal | None) -> str:
    if high is None:
        return f"at least {number_text(low)} mg"
    return f"{number_text(low)} mg" if low == high else f"{number_text(low)} to {number_text(high)} mg"


def strings(folder: str) -> Iterator[str]:
    """Every string constant in the modules of a package."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def test_every_code_has_one_row_and_one_example_at_least():
    codes = [row[0] for row in MEANINGS]
    assert len(codes) == len(set(codes))
    assert set(codes) == set(SAID) == {code for code, _ in EXAMPLES}
    assert set(codes) <= {*strings("icans"), *strings("fhir_mappings")}


@pytest.mark.parametrize("row", MEANINGS, ids=[row[0] for row in MEANINGS])
def test_each_row_names_its_effect(row):
    _, meaning, effect, shown = row
    assert meaning and shown
    assert {part.partition(" (")[0] for part in effect.split("; ")} <= EFFECTS


def test_each_example_of_the_page_is_a_case_and_the_other_way_round():
    assert set(EXAMPLES) == set(CASES)


@pytest.mark.parametrize("key", CASES, ids=[f"{code}: {datum}" for code, datum in CASES])
def test_the_datum_does_what_the_page_says(key):
    case, (code, _, without, with_it, sentence) = CASES[key], EXAMPLES[key]
    good, bad = answer(case, with_bad=False), answer(case, with_bad=True)
    assert (result(good), result(bad)) == (without, with_it)
    assert code not in {problem.code for problem in good.evaluation.problems}
    assert code in {problem.code for problem in bad.evaluation.problems}
    said = "\n".join(plain(text) for card in bad.cards for text in (card["summary"], card["detail"]))
    if sentence == "(not on a card)":
        messages = [problem.message for problem in bad.evaluation.problems if problem.code == code]
        assert not [message for message in messages if message in said]
    else:
        sentence = worded(sentence)
        assert sentence in said
        assert sentence not in "\n".join(plain(card["detail"]) for card in good.cards)
