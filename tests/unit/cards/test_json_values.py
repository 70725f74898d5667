"""Values, escaping and the CDS Hooks models: nothing charted becomes markup, nothing invalid leaves."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from pydantic import ValidationError

from cards import CardContext, render, to_json
from cards.markdown import escape, plain
from cards.models import check_response
from cds_service.site.policy import current_policy
from icans.facts import DataQuality, DoseUnknown, StatedProblem
from icans.record import Evidence, Problem
from tests.support.evaluations import (
    GRADE_FACTS,
    REFRACTORY_FACTS,
    alert,
    day,
    dose,
    escalation,
    evaluation,
    every_type,
    exposure,
    ice_assessment,
    line_basis,
)

HOOK = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
CONTEXT = CardContext(about_url="https://icans.example.org/about", mappings="icans-mappings/1")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Decimal("40.0"), 40),
        (Decimal("187.5"), 187.5),
        (Decimal("0.0005"), 0),
        (Decimal("0.0015"), 0.002),
        (datetime(2026, 3, 8, 15, 0, tzinfo=ZoneInfo("Europe/Berlin")), "2026-03-08T14:00:00+00:00"),
        (datetime(2026, 3, 8, 14, 0, 0, 500000, tzinfo=UTC), "2026-03-08T14:00:00.500000+00:00"),
        (date(2026, 3, 8), "2026-03-08"),
        ({"a": (Decimal(1), None)}, {"a": [1, None]}),
        (True, True),
    ],
)
def test_to_json(value: object, expected: object) -> None:
    assert to_json(value) == expected
    assert type(to_json(value)) is type(expected)


@pytest.mark.parametrize("value", [datetime(2026, 3, 8), Decimal("NaN"), float("inf"), object()])  # noqa: DTZ001
def test_to_json_refuses_what_json_cannot_say(value: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        to_json(value)


@pytest.mark.parametrize(
    "change",
    [
        {"summary": "x" * 140},
        {"summary": "two\nlines"},
        {"indicator": "hard-stop"},
        {"source": "ASTCT"},
        {"detail": ""},
        {"links": []},
        {"selectionBehavior": "any", "suggestions": None},
        {"uuid": "urn:uuid:1"},
        {"other": 1},
    ],
)
def test_the_models_refuse_what_cds_hooks_refuses(change: dict[str, Any]) -> None:
    (valid,) = render(evaluation(every_type()["grade-change"]), context=CONTEXT, hook_instance=HOOK)
    card = {**valid, **change}
    with pytest.raises((ValidationError, ValueError)):
        check_response({"cards": [card]})


OWN_MARKUP = {
    *(f"{part}_{edge}" for part in ("table", "thead", "tbody", "tr", "th", "td") for edge in ("open", "close")),
    *("bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close"),
    *("strong_open", "strong_close"),
}
NASTY = st.text(max_size=300) | st.sampled_from(
    [
        "<script>alert(1)</script>",
        "</td>| a | b |\n\n# head",
        "[x](javascript:alert(1)) ![y](http://e.example/p.png)",
        "`code` **bold** ~~x~~ &lt; www.example.com \u202egnp.exe",
        "a" * 500,
    ]
)


def markup(text: str) -> set[str]:
    """The kinds of Markdown elements in a text next to plain paragraphs, HTML switched on as some EHRs do."""
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    kinds = {token.type for token in parser.parse(text)}
    for token in parser.parse(text):
        kinds |= {child.type for child in token.children or ()}
    return kinds - {"paragraph_open", "paragraph_close", "inline", "text", "text_special"}


@settings(max_examples=150, deadline=None)
@given(NASTY)
def test_charted_text_becomes_nothing_but_text(text: str) -> None:
    for line in (escape(text), plain(text)):
        assert "<" not in line and ">" not in line and "\n" not in line and "\u202e" not in line
    assert markup(f"Recorded: {escape(text)}.") == set()
    assert not re.search(r"www\.|(?<!\\):(?=//)", escape(text))


@settings(max_examples=60, deadline=None)
@given(NASTY)
def test_nasty_text_in_every_place_leaves_cards_valid(text: str) -> None:
    value = text or "-"
    graded = ice_assessment(5, 2, day(7), references=(value,), missing=(value,), notes=(value,))
    domain = graded.domains[0]._replace(domain="seizure", shown=value)
    graded = graded._replace(domains=(domain,), excluded=(domain._replace(status="excluded", reason=value),))
    bad = Problem("unit-unknown", value, value, value, affects=("grade", "dose", "treatment-start"))
    evidence = (Evidence(value, value, value, None),)
    facts = replace(GRADE_FACTS, deciding_domain="seizure", ice_score=None)
    line = replace(REFRACTORY_FACTS, definition=value)
    alerts = (
        alert(day(7), facts, indicator="warning", evidence=evidence, basis=graded),
        alert(
            day(7),
            line,
            indicator="warning",
            evidence=evidence,
            basis=line_basis(
                evaluation=graded,
                doses=(dose(day(6), value, "20", "1"),),
                uncounted=(value,),
                escalations=(escalation(value, day(6)),),
            ),
        ),
        alert(day(7), DoseUnknown(administrations=(value,), lower_bound_mg=Decimal(0))),
        alert(
            day(7),
            DataQuality(problems=(StatedProblem(code=value, reference=value, element=value, message=value),)),
        ),
    )
    given_doses = exposure(dose(day(6), value, "20", "1"), uncounted=1, uncounted_references=(value,))
    found = evaluation(*alerts, problems=(bad,), exposure=given_doses, policy=replace(current_policy(), label=value))
    cards = render(found, context=CONTEXT, hook_instance=HOOK)
    check_response({"cards": cards})
    for card in cards:
        assert "<" not in card["detail"] and "<" not in card["summary"]
        assert markup(card["detail"]) <= OWN_MARKUP
