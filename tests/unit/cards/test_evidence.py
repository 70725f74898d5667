"""The table of evidence of a card."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from cards import CardContext, render
from cards.rendering import EXTENSION
from tests.support.evaluations import evaluation, every_type


@pytest.mark.parametrize(("held", "listed", "more"), [(7, 7, 0), (8, 8, 0), (9, 8, 1), (20, 8, 12)])
def test_eight_rows_of_evidence_are_listed_and_the_rest_is_counted(held: int, listed: int, more: int) -> None:
    sample = every_type()["grade-change"]
    evidence = tuple(sample.finding.evidence[0]._replace(reference=f"Observation/row-{n}") for n in range(held))
    sample.finding = replace(sample.finding, evidence=evidence)
    (card,) = render(evaluation(sample), context=CardContext())
    detail = card["detail"].replace("\\", "")
    assert re.findall(r"Observation/row-(\d+)", detail) == [str(n) for n in range(listed)]
    assert (f"and {more} more in the card's evidence." in detail) is (more > 0)
    assert len(card["extension"][EXTENSION]["evidence"]) == held
