"""What docs/ and the README show of the program's own output is what it prints now."""

from __future__ import annotations

import pytest

from icans.findings import MODULE_OF
from tools.build_docs import CARDS, IMAGES, README, cards_page, readme
from tools.card_examples import EXAMPLES

HINT = "run `make docs` (after a look at what changed)"


def test_each_type_of_finding_has_its_card_in_the_docs():
    assert sorted(example.type for example in EXAMPLES) == sorted(MODULE_OF)


def test_the_cards_page_is_current():
    assert CARDS.read_text(encoding="utf-8") == cards_page(), HINT


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
