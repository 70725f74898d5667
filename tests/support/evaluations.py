"""Evaluations built by hand, with one alert of every finding type, for the tests of the cards."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from cards import CardContext, render
from cards.rendering import EXTENSION
from cds_service.site.policy import current_policy
from icans.facts import (
    AssessmentNotFound,
    AssessmentOverdue,
    CumulativeDose,
    DataQuality,
    DoseUnknown,
    Facts,
    GradeChange,
    GradeDiscrepancy,
    GradePossibleChange,
    IcansActive,
    ReassessmentOverdue,
    Refractory,
    RefractoryIndeterminate,
    ReWorsening,
    StatedProblem,
    SteroidDays,
)
from icans.findings import (
    Alert,
    CountedDose,
    Evaluation,
    Evidence,
    ExposureNow,
    Finding,
    GradeNow,
    LineNow,
    RefractoryBasis,
    RefractoryNow,
    finding_id,
)
from icans.grading.assessment import Assessment, DomainValue
from icans.grading.astct import GradeRange
from icans.record import Escalation

PATIENT = "Patient/seed"
INFUSION = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)


def day(number: int, hour: int = 8, minute: int = 0) -> datetime:
    return datetime(2026, 3, 1, hour, minute, tzinfo=UTC) + timedelta(days=number)


def dose(at: datetime, drug: str, mg: str, factor: str, number: int = 1) -> CountedDose:
    amount = Decimal(mg)
    return CountedDose(
        reference=f"MedicationAdministration/{number}",
        at=at,
        day=at.date(),
        end=None,
        drug=drug,
        amount_mg=amount,
        factor=Decimal(factor),
        equivalent_mg=amount * Decimal(factor),
        shown=f"{mg} mg",
    )


def exposure(*doses: CountedDose, **changes: Any) -> ExposureNow:
    total = sum((d.equivalent_mg for d in doses), Decimal())
    by_drug: dict[str, Decimal] = {}
    for given_dose in doses:
        by_drug[given_dose.drug] = by_drug.get(given_dose.drug, Decimal()) + given_dose.amount_mg
    base = ExposureNow(
        dexamethasone_equivalent_mg=total,
        upper_bound_mg=total,
        since_onset_mg=Decimal(0),
        last_24h_mg=Decimal(0),
        day_0_to_30_mg=total,
        before_infusion_mg=Decimal(0),
        prophylactic_mg=Decimal(0),
        steroid_days=len({d.at.date() for d in doses}),
        uncounted=0,
        intrathecal_mg={},
        by_drug_mg=by_drug,
        counted=doses,
    )
    return replace(base, **changes)


def ice_evidence(score: int, at: datetime, value: str | None = None) -> Evidence:
    return Evidence("Observation/ice-1", "valueInteger", value or str(score), at)


def ice_assessment(score: int, grade: int, at: datetime, **changes: Any) -> Assessment:
    shown = GradeRange(grade, grade)
    value = DomainValue(
        domain="ice",
        working=shown,
        strict=shown,
        shown=f"ICE {score}",
        time=at,
        evidence=(ice_evidence(score, at),),
    )
    base = Assessment(
        at=at,
        earliest=at,
        day=at.date(),
        references=("Observation/ice-1",),
        full=True,
        assessable=True,
        working=shown,
        strict=shown,
        domains=(value,),
        deciding_domain="ice" if grade else None,
        ice_low=score,
        ice_high=score,
        ice_maximum=10,
        ice_complete=True,
    )
    return base._replace(**changes)


def alert(at: datetime, facts: Facts, **changes: Any) -> Alert:
    indicator = changes.pop("indicator", "info")
    shown_at = changes.pop("shown_at", at)
    revised = changes.pop("revised_facts", None)
    key = changes.pop("key", f"{facts.type}|{at}")
    finding = Finding(
        id=finding_id(PATIENT, facts.type, key),
        at=at,
        indicator=indicator,
        facts=revised or facts,
        **changes,
    )
    return Alert(finding=finding, facts=facts, shown_at=shown_at, revised_facts=revised)


def evaluation(*alerts: Alert, **changes: Any) -> Evaluation:
    grade = GradeNow(
        working=2,
        low=2,
        high=2,
        strict_low=2,
        strict_high=2,
        episode=1,
        documented=None,
        as_of=day(7, 14),
        stale=False,
        ice_score=5,
        deciding_domain="ice",
        domains={"ice": (2, 2)},
        assessed=day(7, 14),
    )
    base = Evaluation(
        patient=PATIENT,
        as_of=day(7, 15),
        infusion=INFUSION,
        infusion_day=INFUSION.date(),
        infusions=(INFUSION,),
        policy=current_policy(),
        monitoring="active",
        grade=grade,
        refractory=RefractoryNow(state="untreated", line=None, treatment_start=None, lines=()),
        exposure=exposure(dose(day(3, 9), "dexamethasone", "10", "1")),
        findings=alerts,
        problems=(),
    )
    return replace(base, **changes)


def escalation(drug: str, at: datetime) -> Escalation:
    return Escalation(
        at=at, earliest=at, known=at, day=at.date(), reference=f"MedicationAdministration/{drug}", element="", shown="",
        drug=drug,
    )  # fmt: skip


def line_basis(**changes: Any) -> RefractoryBasis:
    """What a refractoriness card of line 1 rests on."""
    line = LineNow(
        episode=1, line=1, treatment_start=day(6, 9), reference_low=2, reference_high=2, met_b_at=None,
        verdict="met", verdict_at=day(7, 9), late=False,
    )  # fmt: skip
    return RefractoryBasis(**{"line": line, "reference": None, "evaluation": ice_assessment(5, 2, day(7)), **changes})


GRADE_FACTS = GradeChange(
    previous_grade=0,
    grade=2,
    grade_low=2,
    grade_high=2,
    direction="onset",
    deciding_domain="ice",
    ice_score=5,
    episode=1,
    onset_on_steroids=False,
    documented_grade=None,
)
REFRACTORY_FACTS = Refractory(
    reason="no-improvement-24h",
    episode=1,
    line=1,
    treatment_start=day(6, 9),
    grade_at_treatment_start=2,
    grade=2,
    hours_since_treatment_start=Decimal("24.00"),
    late=False,
    also_met=None,
    definition="fridberg2026-24h",
)
DOSE_FACTS = CumulativeDose(
    threshold_mg=Decimal("532.5"),
    crossed_mg=(Decimal("380"), Decimal("532.5")),
    dexamethasone_equivalent_mg=Decimal("562.5"),
    since_onset_mg=Decimal("562.5"),
    last_24h_mg=Decimal("187.5"),
    administrations=3,
    uncounted=0,
    prophylactic_mg=Decimal(0),
    intrathecal_mg={},
    steroid_days=3,
)
ACTIVE_FACTS = IcansActive(
    grade=2,
    grade_low=2,
    grade_high=2,
    since=day(7, 14),
    episode=1,
    last_assessment=day(7, 14),
    stale=True,
    refractory_lines=(1,),
    treatment_line=2,
)


def every_type() -> dict[str, Alert]:
    """One alert of each finding type, facts as published."""
    noon, morning = day(7, 14), day(7, 9)
    basis = line_basis(
        reference=ice_assessment(5, 2, day(6)),
        evaluation=ice_assessment(5, 2, noon),
        doses=(dose(day(6, 9), "dexamethasone", "20", "1"),),
        assumed=("route-not-recorded",),
    )
    line: dict[str, Any] = {
        "episode": 1,
        "line": 1,
        "treatment_start": day(6, 9),
        "grade_at_treatment_start": 2,
    }
    unit = StatedProblem(
        code="unit-unknown",
        reference="MedicationAdministration/9",
        element="dosage.dose.unit",
        message="The unit 'amp' is not understood.",
    )
    again = ReWorsening(episode=1, line=1, previous_grade=1, grade=2, hours_since_treatment_start=Decimal("29.25"))
    looked_for = ("ice", "capd", "consciousness", "documented-icans-grade")
    possible = GradePossibleChange(
        previous_grade=1, grade_low=1, grade_high=2, direction="worsening", missing=("ice-writing", "ice-attention")
    )
    made = (
        alert(
            noon,
            GRADE_FACTS,
            indicator="warning",
            evidence=(ice_evidence(5, noon),),
            basis=ice_assessment(5, 2, noon),
        ),
        alert(noon, ACTIVE_FACTS),
        alert(noon, possible),
        alert(noon, GradeDiscrepancy(documented_grade=2, grade_low=1, grade_high=1, strict_low=1, strict_high=1)),
        alert(day(2, 20, 30), AssessmentNotFound(since=INFUSION, looked_for=looked_for)),
        alert(day(7, 2), AssessmentOverdue(last_assessment=day(6, 14), interval_hours=8, grade=2)),
        alert(morning, REFRACTORY_FACTS, indicator="warning", basis=basis),
        alert(morning, ReassessmentOverdue(**line), indicator="warning", basis=basis),
        alert(morning, RefractoryIndeterminate(**line, reason="ice-only", needed=("assessment",)), basis=basis),
        alert(noon, again, indicator="warning", basis=basis),
        alert(day(5, 9), DOSE_FACTS, indicator="warning"),
        alert(morning, SteroidDays(steroid_days=10, dexamethasone_equivalent_mg=Decimal("682.5"))),
        alert(morning, DoseUnknown(administrations=("MedicationAdministration/9",), lower_bound_mg=Decimal(40))),
        alert(morning, DataQuality(problems=(unit,))),
    )
    return {sample.finding.type: sample for sample in made}


HOOK = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
CONTEXT = CardContext(about_url="https://icans.example.org/about", mappings="icans-mappings/1")


def only_card(*alerts: Alert, **changes: Any) -> dict[str, Any]:
    """The one card of these alerts."""
    (card,) = render(evaluation(*alerts, **changes), context=CONTEXT, hook_instance=HOOK)
    return card


def extension(card: dict[str, Any]) -> dict[str, Any]:
    """What a card carries for machines."""
    content: dict[str, Any] = card["extension"][EXTENSION]
    return content
