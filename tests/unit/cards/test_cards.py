"""Cards from evaluations built by hand: one of every finding type, and what every card has to hold."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cards import CardContext, render
from cards.models import check_response
from cards.rendering import EXTENSION, WORDINGS
from cards.wording.assessment import domain_text, ice_text
from icans.engine.alerts import rank_of
from icans.findings import FINDING_TYPES, MODULES, NAMESPACE, Alert, Bedside, Finding
from icans.grading.assessment import DomainValue
from icans.grading.astct import GradeRange
from icans.record import Dose, Problem
from tests.support.evaluations import (
    CONTEXT,
    GRADE_FACTS,
    HOOK,
    PATIENT,
    REFRACTORY_FACTS,
    alert,
    day,
    evaluation,
    every_type,
    exposure,
    extension,
    ice_assessment,
    ice_evidence,
    line_basis,
    only_card,
)

FORBIDDEN = re.compile(
    r"\b(must|should|unsafe|safe|refractory patient|no neurotoxicity|stop|reduce|increase|escalate)\b", re.I
)


def test_every_finding_type_has_wording_and_a_sample() -> None:
    assert set(WORDINGS) == set(FINDING_TYPES) == set(every_type())


@pytest.mark.parametrize("kind", sorted(every_type()))
@pytest.mark.parametrize("read", [True, False], ids=["read", "administrations not read"])
@pytest.mark.parametrize("bare", [False, True], ids=["with basis", "without basis"])
def test_every_card_is_valid_and_plainly_worded(kind: str, read: bool, bare: bool) -> None:
    sample = every_type()[kind]
    if bare:
        kept = sample.finding.basis if sample.finding.module == "refractory" else None
        sample.finding = replace(sample.finding, basis=kept, evidence=())
    card = only_card(sample, **({} if read else {"exposure": None}))
    check_response({"cards": [card]})
    json.dumps(card, allow_nan=False)
    assert len(card["summary"]) < 140 and "\n" not in card["summary"]
    assert not FORBIDDEN.search(card["summary"] + card["detail"])
    assert "<" not in card["detail"] and ">" not in card["detail"]
    assert "Absence of a card does not mean absence of ICANS" in card["detail"]
    assert ("could not be read" in card["detail"]) is not read
    last = card["detail"].rsplit("\n", 1)[-1]
    assert last.endswith("data as of 2026-03-08 15:00 UTC.") is (kind != "data-quality")
    if kind != "data-quality":
        assert ("steroid doses not read" in last) is not read
    assert ("overrideReasons" in card) is (card["indicator"] != "info")


def test_grade_card_reads_in_ten_seconds() -> None:
    card = only_card(every_type()["grade-change"])
    lines = card["detail"].split("\n")
    assert card["summary"] == "Recorded findings meet ICANS grade 2 (onset): ICE 5 of 10, 14:00, 1 h ago"
    assert lines[0] == "**Now**" and "**Why**" in lines
    assert "Grade 2, up from 0 (ASTCT 2019: ICE 3-6), 14:00: onset." in lines
    assert "- Computed: ICE 5 gives 2." in lines
    assert "| 5 | 2026-03-08 14:00 UTC | Observation/ice-1 | valueInteger |" in lines
    assert lines[-1] == (
        "Grade 2, 14:00; 10 mg dexamethasone-equivalent since infusion, all counted; steroid days 1; "
        "data as of 2026-03-08 15:00 UTC."
    )


def test_the_first_block_says_how_the_patient_is_now() -> None:
    given = Dose(
        at=day(7, 9), earliest=day(7, 9), known=day(7, 9), day=day(7).date(), reference="MedicationAdministration/1",
        element="", shown="", drug="dexamethasone", lower_mg=Decimal(10), upper_mg=Decimal(10), route="systemic",
    )  # fmt: skip
    awake = DomainValue(
        domain="consciousness",
        working=GradeRange(2, 2),
        strict=GradeRange(2, 2),
        shown="awakens-to-voice",
        time=day(7, 12),
    )
    now = Bedside(
        since=day(7, 14),
        ice=ice_assessment(5, 2, day(7, 14), baseline_ice=9),
        ice_before=ice_assessment(8, 1, day(6)),
        consciousness=awake,
        last_dose=given,
        overdue_from=day(8, 2),
        reassessment_at=day(8, 9),
    )
    detail = only_card(every_type()["grade-change"], bedside=now)["detail"]
    assert detail.split("\n\n")[1].split("\n") == [
        "- Grade 2 since 14:00, 1 h ago.",
        "- ICE 5/10 (14:00): -3 since day +6 08:00, -4 from baseline.",
        "- Consciousness: awakens to voice (12:00).",
        "- Last steroid: dexamethasone 10 mg, 6 h ago.",
        "- Due: 24-hour reassessment day +8 09:00; full assessment by day +8 02:00.",
    ]


def test_a_grade_that_an_event_holds_says_which_and_until_when() -> None:
    seizure = DomainValue(
        domain="seizure",
        working=GradeRange(3, 3),
        strict=GradeRange(3, 3),
        shown="seizure: brief-or-resolving",
        time=day(7, 2),
        status="carried",
    )
    held = ice_assessment(
        10, 3, day(7, 14), domains=(seizure,), deciding_domain="seizure", without_carried=GradeRange(0, 0)
    )
    found = evaluation(every_type()["grade-change"])
    grade = replace(found.grade, working=3, low=3, high=3, assessment=held)
    detail = only_card(every_type()["grade-change"], grade=grade)["detail"]
    assert "- Grade 3; held by the seizure of 02:00 until day +8 02:00." in detail


def test_L31_citation_and_disclaimer_are_on_the_first_card_of_an_answer() -> None:
    found = evaluation(*sorted(every_type().values(), key=rank_of))
    first, *others = render(found, context=CONTEXT)
    assert "Absence of a card" in first["detail"] and "doi 10." in first["detail"] and "**Now**" in first["detail"]
    for card in others:
        assert "Absence of a card" not in card["detail"] and "**Now**" not in card["detail"]
        assert ("data as of" in card["detail"]) is (extension(card)["module"] != "data")
    assert all(card["source"]["label"] for card in others)
    whole_answer = replace(found, leading=("refractory", "icans", "steroids", "data"))
    (later,) = render(whole_answer, context=CONTEXT, modules={"icans"})
    assert "Absence of a card" not in later["detail"]


@pytest.mark.parametrize(
    ("domain", "shown", "said"),
    [
        ("ice", "ICE 5", "ICE 5"),
        ("ice", "3", "ICE: 3"),
        ("consciousness", "consciousness awakens-to-voice", "level of consciousness: awakens to voice"),
        ("consciousness", "consciousness inferred from 3", "level of consciousness: inferred from 3"),
        ("seizure", "seizure: brief-or-resolving", "seizure: brief or resolving"),
        ("consciousness", "consciousness inferred from RASS -4", "level of consciousness: inferred from RASS -4"),
        ("icp-edema", "icp-edema: posturing", "raised ICP or cerebral edema: posturing"),
        ("documented", "grade 2 charted by a clinician", "grade 2 charted by a clinician"),
    ],
)
def test_each_domain_is_named_once(domain: str, shown: str, said: str) -> None:
    grade = GradeRange(2, 2)
    value = DomainValue(domain=domain, working=grade, strict=grade, shown=shown, time=day(7))
    assert domain_text(value) == said


def test_items_not_valid_for_the_patient_shrink_the_maximum() -> None:
    noted = ice_assessment(9, 0, day(7), ice_high=10, ice_maximum=9)
    facts = replace(GRADE_FACTS, ice_score=None, ice_low=9, ice_high=10)
    assert ice_text(noted, facts) == "ICE 9/9 assessable"
    assert ice_text(None, replace(GRADE_FACTS, ice_score=None, ice_low=5, ice_high=8)) == "ICE 5-8 of 10"


def test_what_is_missing_excluded_inferred_and_carried_is_said() -> None:
    grade = GradeRange(2, 2)
    values = (
        DomainValue(
            domain="consciousness",
            working=grade,
            strict=GradeRange(0, 2),
            shown="consciousness inferred from GCS eye 3",
            time=day(7),
            status="inferred",
        ),
        DomainValue(
            domain="seizure",
            working=grade,
            strict=grade,
            shown="seizure: brief",
            time=day(6),
            status="carried",
        ),
    )
    gone = DomainValue(
        domain="ice",
        working=grade,
        strict=grade,
        shown="0",
        time=day(7),
        status="not-assessable",
        reason="sedation",
    )
    noted = ice_assessment(
        5,
        2,
        day(7),
        domains=values,
        excluded=(gone,),
        missing=("ice-writing", "seizure-duration"),
        not_documented=("motor",),
        baseline_ice=8,
        notes=("below-baseline", "recent-bolus"),
    )
    detail = only_card(alert(day(7), GRADE_FACTS, indicator="warning", basis=noted))["detail"]
    for sentence in (
        "inferred from GCS eye 3 gives 2 (inferred)",
        "seizure: brief gives 2 (carried from 2026-03-07 08:00 UTC)",
        "Missing, would settle the grade: ICE writing, duration of the seizure and return to baseline.",
        "Not charted: weakness.",
        "Recorded, not assessable: ICE: 0 (a sedative was running).",
        "A sedative bolus was given",
    ):
        assert sentence in detail


def test_times_are_the_sites_own_with_its_abbreviation() -> None:
    (card,) = render(evaluation(every_type()["grade-change"]), context=CardContext(zone=ZoneInfo("Europe/Berlin")))
    assert "| 5 | 2026-03-08 15:00 CET |" in card["detail"]
    assert card["extension"][EXTENSION]["at"] == "2026-03-08T14:00:00+00:00"


def test_without_an_infusion_no_day_is_named() -> None:
    unknown = exposure(dexamethasone_equivalent_mg=None, steroid_days=None, upper_bound_mg=None)
    card = only_card(every_type()["grade-change"], infusion=None, infusion_day=None, infusions=(), exposure=unknown)
    assert "day +" not in card["detail"]
    assert "cumulative dose not known (no infusion on record)" in card["detail"]


def test_a_documented_grade_is_charted_by_a_clinician() -> None:
    facts = replace(GRADE_FACTS, deciding_domain="documented", ice_score=None, documented_grade=2)
    card = only_card(alert(day(7, 14), facts, indicator="warning"))
    assert "charted by a clinician" in card["summary"]
    assert "\n\nGrade 2 charted by a clinician at " in card["detail"]
    assert "suggestions" not in card


def test_open_intervals_are_said_at_least_and_at_most() -> None:
    up = replace(GRADE_FACTS, grade=3, grade_low=3, grade_high=4, ice_score=0)
    assert "at least grade 3" in only_card(alert(day(7), up, indicator="critical"))["summary"]
    down = replace(GRADE_FACTS, previous_grade=3, grade=1, grade_low=0, direction="improvement")
    assert "at most grade 1, down from 3" in only_card(alert(day(7), down))["summary"]
    noted = ice_assessment(9, 1, day(7), strict=GradeRange(1, 3), notes=("consciousness-not-recorded",), documented=2)
    facts = replace(GRADE_FACTS, grade=1, grade_low=1, grade_high=1, ice_score=9, documented_grade=2)
    card = only_card(alert(day(7), facts, basis=noted))
    assert "at least grade 1" in card["summary"]
    assert "grade 2 (compatible with the recorded items)" in card["detail"]
    assert "Consciousness not recorded: grade 1-3 possible." in card["detail"]


@pytest.mark.parametrize(
    "facts",
    [
        replace(GRADE_FACTS, deciding_domain="consciousness", ice_score=None),
        replace(GRADE_FACTS, grade=3, grade_low=3, grade_high=4, ice_score=0),
    ],
    ids=["consciousness", "ICE 0"],
)
def test_unchecked_sedation_is_in_the_first_line(facts: dict[str, Any]) -> None:
    sample = alert(day(7), facts, indicator="critical")
    card = only_card(sample, exposure=None)
    assert card["summary"].endswith("; sedation not checked")
    assert "Sedation could not be checked" in card["detail"]
    assert "Sedation could not be checked" not in only_card(sample)["detail"]


def test_severe_grades_offer_drafts_and_point_to_the_bedside() -> None:
    facts = replace(GRADE_FACTS, grade=3, grade_low=3, grade_high=3, ice_score=2)
    sample = alert(day(7), facts, indicator="critical", evidence=(ice_evidence(2, day(7)),) * 2)
    card = only_card(sample)
    assert "does not replace bedside assessment" in card["detail"]
    assert card["selectionBehavior"] == "any"
    labels = [suggestion["label"] for suggestion in card["suggestions"]]
    assert labels == ["Document the grade", "Draft an EEG order", "Draft an imaging order"]
    observation = card["suggestions"][0]["actions"][0]["resource"]
    assert observation["status"] == "preliminary" and observation["valueInteger"] == 3
    assert observation["method"]["text"] == "computed from recorded items"
    assert observation["derivedFrom"] == [{"reference": "Observation/ice-1"}]
    assert len({suggestion["uuid"] for suggestion in card["suggestions"]}) == 3


def test_drafts_are_valid_r4_resources() -> None:
    observation_of = pytest.importorskip("fhir.resources.R4B.observation").Observation
    request_of = pytest.importorskip("fhir.resources.R4B.servicerequest").ServiceRequest
    for sample in every_type().values():
        for suggestion in only_card(sample).get("suggestions", []):
            for action in suggestion["actions"]:
                kind = observation_of if action["resource"]["resourceType"] == "Observation" else request_of
                kind.model_validate(action["resource"])
                assert action["resource"]["subject"] == {"reference": PATIENT}
                assert action["resource"]["status"] in ("draft", "preliminary")


def test_card_uuid_derives_from_finding_and_call() -> None:
    sample = every_type()["grade-change"]
    first, again = only_card(sample), only_card(sample)
    (other,) = render(evaluation(sample), context=CONTEXT, hook_instance="another")
    (replayed,) = render(evaluation(sample), context=CONTEXT)
    assert first == again
    assert len({first["uuid"], other["uuid"], replayed["uuid"]}) == 3
    assert replayed["uuid"] == sample.finding.id == extension(replayed)["findingId"]
    assert NAMESPACE.version == 5


def test_hook_cards_hold_no_empty_member_and_replayed_ones_keep_their_nulls() -> None:
    facts = replace(GRADE_FACTS, ice_score=None, ice_low=3, ice_high=6)
    sample = alert(day(7), facts, indicator="warning")
    assert "iceScore" not in extension(only_card(sample))["facts"]
    assert "alsoHolds" not in extension(only_card(sample))
    (replayed,) = render(evaluation(sample), context=CONTEXT)
    assert extension(replayed)["facts"]["iceScore"] is None
    assert extension(replayed)["alsoHolds"] == []


def test_one_card_a_module_led_by_indicator_then_latest() -> None:
    found = evaluation(*sorted(every_type().values(), key=rank_of))
    cards = render(found, context=CONTEXT, hook_instance=HOOK)
    assert [extension(card)["type"] for card in cards] == [
        "grade-change",
        "re-worsening",
        "cumulative-dose",
        "data-quality",
    ]
    icans = extension(cards[0])
    assert [also["type"] for also in icans["alsoHolds"]] == [
        "grade-discrepancy",
        "grade-possible-change",
        "assessment-overdue",
        "assessment-not-found",
        "icans-active",
    ]
    assert set(icans["alsoHolds"][0]) == {"findingId", "type", "at", "indicator", "facts"}
    assert render(found, context=CONTEXT, modules=()) == []
    (steroids,) = render(found, context=CONTEXT, modules={"steroids"})
    assert extension(steroids)["module"] == "steroids"
    assert list(MODULES).index("icans") == 0


def test_the_standing_grade_ranks_last_within_its_indicator() -> None:
    active = every_type()["icans-active"]
    earlier = every_type()["assessment-not-found"]
    assert sorted([active, earlier], key=rank_of) == [earlier, active]
    severe = replace(active.finding, indicator="warning")
    assert min(earlier, replace_alert(active, severe), key=rank_of).finding is severe


def replace_alert(old: Alert, finding: Finding) -> Alert:
    return Alert(finding=finding, facts=old.facts, shown_at=old.shown_at)


def test_critical_cards_come_first() -> None:
    severe = alert(day(7), replace(REFRACTORY_FACTS, grade=3), indicator="critical", basis=line_basis())
    cards = render(evaluation(every_type()["grade-change"], severe), context=CONTEXT)
    assert [card["indicator"] for card in cards] == ["critical", "warning"]


def test_two_further_findings_and_problems_are_named_and_the_rest_counted() -> None:
    lead = every_type()["grade-change"]
    others = [alert(day(6, hour), every_type()["grade-discrepancy"].facts, key=str(hour)) for hour in range(4)]
    problems = tuple(
        Problem("value-out-of-range", f"Observation/{n}", "valueInteger", "ICE 11.", day(6), affects=("grade",))
        for n in range(4)
    )
    card = only_card(lead, *others, problems=problems)
    also = card["detail"].split("Also:\n\n")[1].split("\n\n")[0].split("\n")
    assert len(also) == 3 and also[-1] == "- and 6 more, listed in the evaluation"
    assert len(extension(card)["alsoHolds"]) == 4
