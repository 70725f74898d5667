"""The words on the cards: few, whole with every fact unknown, and none that only the program knows."""

from __future__ import annotations

import re
import statistics
from collections import defaultdict
from dataclasses import fields, replace
from datetime import UTC
from functools import cache
from types import NoneType
from typing import Any, get_args, get_type_hints

import pytest

from cards import CardContext, Times, line, render
from cards.markdown import SHORT
from cards.models import check_response
from cards.rendering import EXTENSION
from cds_service import replay_bundle
from icans.findings import FINDING_TYPES
from icans.policy.policy import Policy
from tests.spec.scenarios import SCENARIOS
from tests.spec.tables import collection
from tests.support.evaluations import INFUSION, alert, day, evaluation, every_type
from tests.support.hook_calls import course
from tools.docs_cards import EXAMPLES

MEDIAN, MOST = 120, 250
#: Codes of the record, names of profiles and words of the engine.
INTERNAL = re.compile(
    r"awakens-|-unspecified|deep-focal|brief-or-|nonconvulsive-|fridberg2026-|headline|line \d+ of episode|"
    r"\b0 not countable|\bNone\b|ice-total|documented-icans"
)


def words(text: str) -> int:
    """Words of a text without its tables: a word has a letter or a digit."""
    prose = "\n".join(row for row in text.splitlines() if not row.startswith("|"))
    return sum(any(sign.isalnum() for sign in word) for word in prose.split())


@cache
def shown() -> tuple[dict[str, Any], ...]:
    """Every card of the demonstration patients' courses, of the scenarios, and of the charts of the documents."""
    courses = [*(course(name) for name in ("s0", "s1", "s2")), *(collection(scenario) for scenario in SCENARIOS)]
    played = [card["card"] for record in courses for card in replay_bundle(record)[0]["cards"]]
    return (*played, *(example.card() for example in EXAMPLES))


def test_a_card_is_read_in_half_a_minute() -> None:
    counted: dict[str, list[int]] = defaultdict(list)
    for card in shown():
        counted[card["extension"][EXTENSION]["type"]].append(words(card["summary"]) + words(card["detail"]))
    for kind, numbers in sorted(counted.items()):
        print(f"{kind:26}{len(numbers):4} cards, median {statistics.median(numbers):4.0f}, most {max(numbers):4}")
    every = [number for numbers in counted.values() for number in numbers]
    assert statistics.median(every) <= MEDIAN
    assert max(every) <= MOST


def test_a_first_line_is_short_and_says_how_long_ago() -> None:
    for card in shown():
        summary, kind = card["summary"], card["extension"][EXTENSION]["type"]
        assert len(summary) <= SHORT, summary
        assert kind == "data-quality" or re.search(r"\bago\b|, now\b|\bfor \d+ h\b", summary), summary


def test_no_word_is_the_programs_own() -> None:
    for card in shown():
        for text in (card["summary"], card["detail"]):
            prose = "\n".join(row for row in text.splitlines() if not row.startswith("|"))
            found = INTERNAL.search(prose)
            assert found is None, prose


def nullable() -> list[tuple[str, str]]:
    """Every fact of every type that may be unknown, from the classes."""
    return [
        (name, member.name)
        for name, row in FINDING_TYPES.items()
        for member in fields(row.facts)
        if NoneType in get_args(get_type_hints(row.facts)[member.name]) and member.name != "course"
    ]


@pytest.mark.parametrize(("kind", "fact"), nullable(), ids=lambda part: part)
@pytest.mark.parametrize("bare", [False, True], ids=["with basis", "without basis"])
def test_each_type_reads_whole_with_a_fact_unknown(kind: str, fact: str, bare: bool, bundled: Policy) -> None:
    sample = every_type()[kind]
    basis = None if bare and sample.finding.module != "refractory" else sample.finding.basis
    unknown = alert(sample.finding.at, replace(sample.facts, **{fact: None}), basis=basis)
    (card,) = render(evaluation(unknown), context=CardContext(), hook_instance="call")
    check_response({"cards": [card]})
    short = line(unknown, Times(now=day(8), zone=UTC, infusion_day=INFUSION.date(), policy=bundled))
    for text in (card["summary"], card["detail"], short):
        assert "None" not in text and "null" not in text
    if fact == "lower_bound_mg":
        assert "0 mg" not in card["summary"] and "total is unknown" in card["summary"]


@pytest.fixture(scope="module")
def bundled() -> Policy:
    policy = evaluation().policy
    return policy


@pytest.mark.parametrize("kind", sorted(every_type()))
def test_a_line_is_short_and_leaves_its_own_time_to_its_place(kind: str, bundled: Policy) -> None:
    sample = every_type()[kind]
    at = sample.finding.at
    text = line(sample, Times(now=at, zone=UTC, infusion_day=INFUSION.date(), policy=bundled))
    assert 0 < len(text) <= SHORT
    assert "2026" not in text and "\n" not in text
    if kind != "icans-active":  # names when the grade was last assessed, which may be now
        assert f"{at:%H:%M}" not in text
