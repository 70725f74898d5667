"""Cards about doses, treatment and corrections."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

import pytest

from cards import CardContext, alert_json, render
from cards.markdown import escape
from cards.rendering import WORDINGS
from icans.facts import DoseUnknown
from tests.support.evaluations import (
    DOSE_FACTS,
    GRADE_FACTS,
    HOOK,
    REFRACTORY_FACTS,
    alert,
    day,
    dose,
    escalation,
    evaluation,
    every_type,
    exposure,
    extension,
    line_basis,
    only_card,
)


def test_the_sum_can_be_redone_on_paper() -> None:
    doses = (
        *(dose(day(n, 9), "dexamethasone", "10", "1", n) for n in range(4)),
        *(dose(day(5, hour), "dexamethasone", "10", "1", 50 + hour) for hour in (3, 9, 15, 21)),
        *(dose(day(n, 9), "methylprednisolone", "1000", "0.1875", 100 + n) for n in (7, 8, 9)),
    )
    facts = replace(DOSE_FACTS, dexamethasone_equivalent_mg=Decimal("642.5"))
    given_doses = exposure(*doses, intrathecal_mg={"hydrocortisone": Decimal(20)}, prophylactic_mg=Decimal(30))
    card = only_card(
        alert(day(9, 9), facts, indicator="warning"),
        exposure=given_doses,
        as_of=day(9, 10),
    )
    lines = card["detail"].split("\n")
    assert "| day 0 to +3, 2026-03-01 to 2026-03-04 | dexamethasone | 4 days of 10 | 40 | 1 | 40 |" in lines
    assert "| day +5, 2026-03-06 | dexamethasone | 4 x 10 | 40 | 1 | 40 |" in lines
    days = "| day +7 to +9, 2026-03-08 to 2026-03-10 |"
    assert f"{days} methylprednisolone | 3 days of 1000 | 3000 | 0.1875 | 562.5 |" in lines
    assert "| Sum | 11 doses |  |  |  | **642.5** |" in lines
    assert "not converted and not in the sum: hydrocortisone 20 mg" in card["detail"]
    assert "Group medians are not thresholds of risk" in card["detail"]
    assert "532.5 mg was the lower quartile" in card["detail"]


def test_unknown_doses_make_it_at_least() -> None:
    unknown = exposure(
        dose(day(3, 9), "dexamethasone", "10", "1"),
        uncounted=2,
        upper_bound_mg=None,
        uncounted_references=("MedicationAdministration/8", "MedicationAdministration/9"),
    )
    card = only_card(every_type()["dose-unknown"], exposure=unknown)
    assert "at least 10 mg dexamethasone-equivalent since infusion, 2 not countable" in card["detail"]
    assert "no upper bound is known" in card["detail"]


def test_refractory_card_names_clause_definition_and_limits() -> None:
    facts = replace(
        REFRACTORY_FACTS,
        reason="worsening-under-treatment",
        grade_at_treatment_start=3,
        grade=4,
        hours_since_treatment_start=Decimal("1.00"),
    )
    card = only_card(alert(day(6, 10), facts, indicator="critical", basis=line_basis(early=True)))
    told = "Recorded data meet a definition of refractory ICANS: worse, 3 to 4 in 1 h on steroids"
    assert card["summary"].startswith(told)
    for sentence in (
        "this meets the 24 h definition of one trial (Fridberg et al. 2026)",
        "a higher grade within 24 h under treatment",
        "Only 1 h after the first dose",
        "no clinical improvement within 24 hours (hr) of treatment initiation and/or worsening",
        "Fridberg et al. 2026, doi",
        "No consensus definition exists",
        "does not replace bedside assessment",
    ):
        assert sentence in card["detail"]


def test_a_correction_is_said_and_the_latest_facts_are_worded() -> None:
    revised = replace(GRADE_FACTS, grade=3, grade_low=3, grade_high=3, ice_score=2)
    sample = alert(day(7, 14), GRADE_FACTS, indicator="critical", revised_facts=revised)
    card = only_card(sample)
    assert "ICANS grade 3" in card["summary"]
    assert "grade was 2, is 3" in card["detail"]
    assert extension(card)["facts"]["grade"] == 2 and extension(card)["revisedFacts"]["grade"] == 3


def test_alert_json_is_the_published_object() -> None:
    sample = every_type()["cumulative-dose"]
    printed = alert_json(sample, "Patient/1")
    assert list(printed)[0] == "patient"
    assert printed["facts"]["thresholdMg"] == 532.5 and printed["until"] is None
    assert "withdrawn" not in printed
    sample.withdrawn, sample.withdrawn_by, sample.until = True, "Observation/2", day(8)
    assert alert_json(sample)["withdrawnBy"] == "Observation/2"
    assert alert_json(sample)["until"] == "2026-03-09T08:00:00+00:00"


def test_refractory_cards_show_the_doses_of_the_line_and_second_line_agents() -> None:
    basis = line_basis(
        doses=(dose(day(6, 9), "dexamethasone", "20", "1"),),
        uncounted=("MedicationAdministration/2",),
        escalations=(escalation("anakinra", day(6, 12)), escalation("anakinra", day(6, 18))),
        assumed=("route-not-recorded", "day-only"),
    )
    for name in ("refractory", "reassessment-overdue", "refractory-indeterminate", "re-worsening"):
        sample = every_type()[name]
        sample.finding = replace(sample.finding, basis=basis)
        detail = only_card(sample)["detail"]
        assert "Steroid doses since this treatment start" in detail and "**20**" in detail
        assert "not in this sum (no usable amount, route or end): MedicationAdministration/2." in detail
        assert "anakinra, 2 times, first day +6 12:00, last day +6 18:00" in detail
        assert "Assumed: a dose without route is systemic; treatment started at the end of its day." in detail
    again = every_type()["re-worsening"]
    again.finding = replace(again.finding, basis=replace(basis, recent_mg=Decimal(30), recent_uncounted=1))
    said = "In the 24 h before it: at least 30 mg dexamethasone-equivalent (1 dose not countable)."
    assert said in only_card(again)["detail"]


@pytest.mark.parametrize("kind", sorted(every_type()))
def test_a_card_leads_to_its_source_and_recommends_nothing(kind: str) -> None:
    card = only_card(every_type()[kind])
    assert card["source"]["url"].startswith("https://")
    urls = [link["url"] for link in card["links"]]
    assert urls[-1] == "https://icans.example.org/about" and all(url.startswith("https://") for url in urls)
    assert all(suggestion["isRecommended"] is False for suggestion in card.get("suggestions", []))
    (bare,) = render(evaluation(every_type()[kind]), context=CardContext(), hook_instance=HOOK)
    assert ("url" in bare["source"]) is ("links" in bare) is (WORDINGS[kind].source.url != "")


@pytest.mark.parametrize(
    "charted", ["ask anna@ward.example", "mailto:a@b.c", "see https://e.example and www.e.example"]
)
def test_no_charted_text_becomes_a_link(charted: str) -> None:
    text = escape(charted)
    assert "@" not in text and not re.search(r"(?<!\\):\/\/|www(?<!\\)\.", text)


def test_L3_a_sum_with_unknown_doses_is_never_said_to_be_0_mg() -> None:
    unknown = exposure(uncounted=1, upper_bound_mg=None, dexamethasone_equivalent_mg=Decimal(0))
    facts = DoseUnknown(administrations=("MedicationAdministration/9",), lower_bound_mg=Decimal(0))
    card = only_card(alert(day(7, 9), facts), exposure=unknown)
    assert "0 mg" not in card["summary"] + card["detail"]
    assert "total is unknown" in card["summary"] and "steroid total since infusion unknown" in card["detail"]
