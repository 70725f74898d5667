"""What docs/ and the README show of the program's own output is what it prints now."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from cards.rendering import WORDINGS
from cds_service.site.settings import Settings
from icans.findings import FINDING_TYPES
from tools.build_docs import CARDS, IMAGES, README, SETTINGS, cards_page, readme
from tools.docs_cards import EXAMPLES
from tools.docs_settings import meanings, settings_page

ROOT = README.parent
PAGES = (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")), ROOT / "tests" / "README.md")
#: Folders whose files a page may name.
NAMED = r"(?:icans|fhir_mappings|cards|cds_service|tests|tools|docs|benchmarks|examples)/"
HINT = "run `make docs` (after a look at what changed)"


def test_each_type_of_finding_has_its_card_in_the_docs():
    assert sorted(example.type for example in EXAMPLES) == sorted(FINDING_TYPES)


def test_the_cards_page_is_current():
    assert CARDS.read_text(encoding="utf-8") == cards_page(), HINT


def test_the_settings_page_is_current_and_explains_every_setting():
    assert set(meanings()) == {field.name for field in fields(Settings)}
    assert SETTINGS.read_text(encoding="utf-8") == settings_page(), HINT


def test_the_readme_shows_what_is_printed_now():
    text = README.read_text(encoding="utf-8")
    assert readme(text) == text, HINT


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.type)
def test_each_card_has_a_small_picture(example):
    assert 0 < (IMAGES / f"{example.type}.png").stat().st_size < 60_000


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.type)
def test_a_summary_is_one_short_line(example):
    summary = example.card()["summary"]
    assert len(summary) < 140
    assert "\n" not in summary
    assert not summary.endswith("…")


def listed_rules():
    page = (README.parent / "docs" / "rules.md").read_text(encoding="utf-8")
    return re.findall(r"^\| ([A-Z]+-?\d+) \| .+ \|$", page, re.MULTILINE)


def test_each_rule_is_listed_once_and_has_a_test_that_carries_its_id():
    rules = listed_rules()
    numbers = {"GRD-": 17, "A": 5, "B": 14, "C": 7, "D": 11, "E": 7}
    assert rules == [f"{kind}{n}" for kind, last in numbers.items() for n in range(1, last + 1)] + ["G6"]
    tests = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("rules/test_*.py"))
    named = {f"{kind}{number}" for kind, number in re.findall(r"def test_(GRD_|[A-E])(\d+)", tests)}
    assert {rule.replace("-", "_") for rule in rules if rule != "G6"} == named


def test_each_rule_that_a_card_names_is_listed():
    cited = {rule for wording in WORDINGS.values() for rule in re.findall(r"[A-Z]+-?\d+", wording.rule)}
    assert cited <= set(listed_rules())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_file_that_a_page_names_or_links_is_there(page):
    text = page.read_text(encoding="utf-8")
    links = {target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target}
    assert not [target for target in links if target and not (page.parent / target).exists()]
    named = set(re.findall(rf"`({NAMED}[\w./*-]*)`", text)) | set(re.findall(r"\bdocs/[\w-]+\.md\b", text))
    assert not [name for name in named if not list(ROOT.glob(name.rstrip("/")))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_heading_that_a_page_links_is_there(page):
    for target, heading in re.findall(r"\]\(([\w./-]*)#([^)\s]+)\)", page.read_text(encoding="utf-8")):
        text = (page.parent / target if target else page).read_text(encoding="utf-8")
        headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
        assert heading in {re.sub(r"[^\w -]", "", line).lower().replace(" ", "-") for line in headings}, heading
