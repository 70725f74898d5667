"""Evaluations built by hand, with one alert of every finding type, for the tests of the cards."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from cds_service.site.policy import current_policy
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


def alert(kind: str, at: datetime, facts: dict[str, Any], **changes: Any) -> Alert:
    indicator = changes.pop("indicator", "info")
    shown_at = changes.pop("shown_at", at)
    revised = changes.pop("revised_facts", None)
    key = changes.pop("key", f"{kind}|{at}")
    finding = Finding(
        type=kind,
        id=finding_id(PATIENT, kind, key),
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


GRADE_FACTS: dict[str, Any] = {
    "previousGrade": 0,
    "grade": 2,
    "gradeLow": 2,
    "gradeHigh": 2,
    "direction": "onset",
    "decidingDomain": "ice",
    "iceScore": 5,
    "episode": 1,
    "onsetOnSteroids": False,
    "documentedGrade": None,
}
LINE_FACTS: dict[str, Any] = {
    "episode": 1,
    "line": 1,
    "treatmentStart": day(6, 9),
    "gradeAtTreatmentStart": 2,
}
REFRACTORY_FACTS: dict[str, Any] = {
    **LINE_FACTS,
    "reason": "no-improvement-24h",
    "grade": 2,
    "hoursSinceTreatmentStart": Decimal("24.00"),
    "late": False,
    "alsoMet": None,
    "definition": "fridberg2026-24h",
}
DOSE_FACTS: dict[str, Any] = {
    "dexamethasoneEquivalentMg": Decimal("562.5"),
    "thresholdMg": Decimal("532.5"),
    "crossedMg": [Decimal("380"), Decimal("532.5")],
    "window": "since-infusion",
    "sinceOnsetMg": Decimal("562.5"),
    "last24hMg": Decimal("187.5"),
    "administrations": 3,
    "uncounted": 0,
    "prophylacticMg": Decimal(0),
    "intrathecalMg": {},
    "steroidDays": 3,
}


def every_type() -> dict[str, Alert]:
    """One alert of each finding type, facts as published."""
    noon = day(7, 14)
    basis = line_basis(
        reference=ice_assessment(5, 2, day(6)),
        evaluation=ice_assessment(5, 2, noon),
        doses=(dose(day(6, 9), "dexamethasone", "20", "1"),),
        assumed=("route-not-recorded",),
    )
    made = {
        "grade-change": alert(
            "grade-change",
            noon,
            GRADE_FACTS,
            indicator="warning",
            evidence=(ice_evidence(5, noon),),
            basis=ice_assessment(5, 2, noon),
        ),
        "icans-active": alert(
            "icans-active",
            noon,
            {
                "grade": 2,
                "gradeLow": 2,
                "gradeHigh": 2,
                "since": noon,
                "episode": 1,
                "lastAssessment": noon,
                "stale": True,
                "refractoryLines": [1],
                "treatmentLine": 2,
            },
        ),
        "grade-possible-change": alert(
            "grade-possible-change",
            noon,
            {
                "previousGrade": 1,
                "gradeLow": 1,
                "gradeHigh": 2,
                "direction": "worsening",
                "missing": ["writing", "attention"],
            },
        ),
        "grade-discrepancy": alert(
            "grade-discrepancy",
            noon,
            {"documentedGrade": 2, "gradeLow": 1, "gradeHigh": 1, "strictLow": 1, "strictHigh": 1},
        ),
        "assessment-not-found": alert(
            "assessment-not-found",
            day(2, 20, 30),
            {"since": INFUSION, "lookedFor": ["ice", "capd", "consciousness", "documented-icans-grade"]},
        ),
        "assessment-overdue": alert(
            "assessment-overdue", day(7, 2), {"lastAssessment": day(6, 14), "intervalHours": 8, "grade": 2}
        ),
        "refractory": alert("refractory", day(7, 9), REFRACTORY_FACTS, indicator="warning", basis=basis),
        "reassessment-overdue": alert("reassessment-overdue", day(7, 9), LINE_FACTS, indicator="warning", basis=basis),
        "refractory-indeterminate": alert(
            "refractory-indeterminate",
            day(7, 9),
            {**LINE_FACTS, "reason": "ice-only", "needed": ["assessment"]},
            basis=basis,
        ),
        "re-worsening": alert(
            "re-worsening",
            noon,
            {
                "episode": 1,
                "line": 1,
                "previousGrade": 1,
                "grade": 2,
                "hoursSinceTreatmentStart": Decimal("29.25"),
            },
            indicator="warning",
            basis=basis,
        ),
        "cumulative-dose": alert("cumulative-dose", day(5, 9), DOSE_FACTS, indicator="warning"),
        "steroid-days": alert(
            "steroid-days", day(7, 9), {"steroidDays": 10, "dexamethasoneEquivalentMg": Decimal("682.5")}
        ),
        "dose-unknown": alert(
            "dose-unknown",
            day(7, 9),
            {"administrations": ["MedicationAdministration/9"], "lowerBoundMg": Decimal(40)},
        ),
        "data-quality": alert(
            "data-quality",
            day(7, 9),
            {
                "problems": [
                    {
                        "code": "unit-unknown",
                        "reference": "MedicationAdministration/9",
                        "element": "dosage.dose.unit",
                        "message": "The unit 'amp' is not understood.",
                    }
                ]
            },
        ),
    }
    return made
