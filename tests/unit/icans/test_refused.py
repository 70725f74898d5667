"""What could not be used has a place, and what may have been a steroid takes the upper bound away (L2, L3, L34)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from cds_service.site.policy import current_policy
from icans import Evaluation, Record, evaluate, replay
from icans.record import Dose, IceTotal, Infusion, Problem, Refused

POLICY = current_policy()
INFUSION = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
ONSET = INFUSION + timedelta(days=5)
HOUR = timedelta(hours=1)


def stamp(at: datetime, reference: str) -> dict[str, Any]:
    known = {"at": at, "earliest": at, "known": at, "day": at.date()}
    return {**known, "reference": reference, "element": "x", "shown": "x"}


def refused(at: datetime | None, reference: str, *may_be: str, **more: Any) -> Refused:
    affects = ("dose",) if "dose" in may_be else ("grade",)
    problem = Problem("invalid-resource", reference, "x", "It is broken.", at, at, affects)
    placed = {"at": at, "known": at, "day": at.date()} if at else {}
    return Refused(reference=reference, may_be=may_be, problems=(problem,), **placed, **more)


def record(*lost: Refused, infused: bool = True, **more: Any) -> Record:
    infusion = Infusion(**stamp(INFUSION, "Procedure/infusion"), source="procedure")
    problems = tuple(problem for one in lost for problem in one.problems)
    return Record(
        patient="Patient/p", infusions=(infusion,) if infused else (), refused=lost, problems=problems, **more
    )


ICE_5 = IceTotal(**stamp(ONSET, "Observation/ice"), low=5, high=5)
DEXAMETHASONE = Dose(
    **stamp(ONSET + HOUR, "MedicationAdministration/dex"),
    drug="dexamethasone",
    lower_mg=Decimal(10),
    upper_mg=Decimal(10),
    route="systemic",
)


def keys(evaluation: Evaluation) -> dict[str, list[Any]]:
    """Type -> what the findings of that type state."""
    found: dict[str, list[Any]] = {}
    for alert in evaluation.findings:
        found.setdefault(alert.finding.type, []).append(alert.finding)
    return found


def test_L2_a_refused_datum_is_reported_for_24_hours_from_its_own_instant():
    lost = record(refused(ONSET, "Observation/x", "assessment"))
    for hours, holds in ((0, True), (23, True), (24, False)):
        assert ("data-quality" in keys(evaluate(lost, POLICY, ONSET + hours * HOUR))) is holds


def test_L2_a_refused_datum_without_an_instant_stands_at_the_call_and_in_a_replay_at_the_last_instant_known():
    lost = record(refused(None, "Observation/x", "assessment"), observed=(ICE_5,))
    for days in (6, 20, 60):
        found = keys(evaluate(lost, POLICY, INFUSION + timedelta(days=days)))["data-quality"]
        assert [finding.at for finding in found] == [INFUSION + timedelta(days=days)]
    played = [alert.finding.at for alert in replay(lost, POLICY).alerts if alert.finding.type == "data-quality"]
    assert played == [ONSET]


@pytest.mark.parametrize(
    ("lost_at", "named"), [(ONSET + 13 * HOUR, True), (ONSET - 4 * HOUR, False), (None, True)], ids=str
)
def test_L2_an_overdue_assessment_names_the_one_that_could_not_be_used(lost_at: datetime | None, named: bool):
    lost = record(refused(lost_at, "Observation/x", "assessment"), observed=(ICE_5,))
    (overdue,) = keys(evaluate(lost, POLICY, ONSET + 14 * HOUR))["assessment-overdue"]
    assert [problem.reference for problem in overdue.unusable] == (["Observation/x"] if named else [])


def test_L2_no_assessment_found_and_no_reassessment_name_the_one_that_could_not_be_used():
    lost = record(refused(INFUSION + 2 * HOUR, "Observation/x", "assessment"))
    (missing,) = keys(evaluate(lost, POLICY, INFUSION + 40 * HOUR))["assessment-not-found"]
    assert [problem.reference for problem in missing.unusable] == ["Observation/x"]
    treated = record(
        refused(ONSET + 20 * HOUR, "Observation/x", "assessment"), observed=(ICE_5,), doses=(DEXAMETHASONE,)
    )
    (missing,) = keys(evaluate(treated, POLICY, ONSET + 26 * HOUR))["reassessment-overdue"]
    assert [problem.reference for problem in missing.unusable] == ["Observation/x"]


def test_L2_what_a_later_version_replaced_is_no_longer_named():
    gone = refused(ONSET, "Observation/x", "assessment", superseded=ONSET + HOUR)
    gone = replace(gone, problems=tuple(replace(p, superseded=ONSET + HOUR) for p in gone.problems))
    assert "data-quality" not in keys(evaluate(record(gone), POLICY, ONSET + 2 * HOUR))


def test_L3_a_dose_that_may_have_been_a_steroid_is_uncounted_without_upper_bound_and_nothing_else():
    lost = record(refused(ONSET + HOUR, "MedicationAdministration/x", "dose"), observed=(ICE_5,))
    before, after = (evaluate(lost, POLICY, ONSET + hours * HOUR) for hours in (0, 1))
    assert before.exposure and (before.exposure.uncounted, before.exposure.upper_bound_mg) == (0, 0)
    assert after.exposure and (after.exposure.uncounted, after.exposure.upper_bound_mg) == (1, None)
    assert (after.exposure.dexamethasone_equivalent_mg, after.exposure.steroid_days) == (0, 0)
    assert (after.refractory.state, after.refractory.lines) == ("untreated", ())
    assert set(keys(after)) == {"grade-change", "icans-active", "data-quality"}


def test_L3_before_the_infusion_it_does_not_count():
    early = evaluate(record(refused(INFUSION - HOUR, "MedicationAdministration/x", "dose")), POLICY, ONSET)
    assert early.exposure and (early.exposure.uncounted, early.exposure.upper_bound_mg) == (0, 0)


def test_L3_one_finding_names_five_and_counts_the_rest_for_24_hours_after_the_last():
    lost = [refused(ONSET + k * HOUR, f"MedicationAdministration/{k}", "dose") for k in range(7)]
    (found,) = keys(evaluate(record(*lost), POLICY, ONSET + 29 * HOUR))["data-quality"]
    assert (len(found.facts.problems), found.facts.administrations) == (5, 7)
    assert "data-quality" not in keys(evaluate(record(*lost), POLICY, ONSET + 30 * HOUR))
    again = refused(ONSET + 50 * HOUR, "MedicationAdministration/8", "dose")
    (found,) = keys(evaluate(record(*lost, again), POLICY, ONSET + 51 * HOUR))["data-quality"]
    assert found.facts.administrations == 8


def test_L3_a_page_of_administrations_that_was_not_read_takes_the_upper_bound_only():
    unread = evaluate(record(doses=(DEXAMETHASONE,), incomplete=frozenset({"administrations"})), POLICY, ONSET + HOUR)
    assert unread.exposure and unread.exposure.dexamethasone_equivalent_mg == 10
    assert (unread.exposure.upper_bound_mg, unread.exposure.uncounted) == (None, 0)


@pytest.mark.parametrize("may_be", ["infusion", "assessment"])
def test_L34_what_could_have_started_monitoring_and_could_not_be_used_is_one_card(may_be: str):
    lost = record(refused(ONSET, "Procedure/x", may_be), infused=False)
    (found,) = keys(evaluate(lost, POLICY, ONSET + HOUR))["data-quality"]
    assert [problem.reference for problem in found.facts.problems] == ["Procedure/x"]


@pytest.mark.parametrize("source", ["observations", "procedures", "administrations"])
def test_L34_nothing_holds_only_where_all_sources_were_read_in_full(source: str):
    partial = Problem("partial-data", "", "", f"Not all {source} were read.", affects=("dose",))
    unread = Record(patient="Patient/p", incomplete=frozenset({source}), problems=(partial,))
    assert "data-quality" in keys(evaluate(unread, POLICY, ONSET))
    assert not evaluate(Record(patient="Patient/p"), POLICY, ONSET).findings


def test_L26_a_resource_that_a_dose_unknown_names_makes_no_data_quality():
    unknown = replace(DEXAMETHASONE, upper_mg=None, lower_mg=Decimal(0))
    missing = Problem("dose-missing", unknown.reference, "dosage", "No dose.", unknown.at, unknown.at, ("dose",))
    huge = replace(
        DEXAMETHASONE, reference="MedicationAdministration/huge", lower_mg=Decimal(900), upper_mg=Decimal(900)
    )
    noted = evaluate(replace(record(doses=(unknown, huge)), problems=(missing,)), POLICY, ONSET + HOUR)
    assert len(keys(noted)["dose-unknown"]) == 2
    assert "data-quality" not in keys(noted)
    assert {problem.code for problem in noted.problems} == {"dose-missing", "value-out-of-range"}
