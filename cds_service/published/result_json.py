"""Findings as the published JSON of ``evaluate`` and ``replay`` (schemas ``evaluate`` and ``replay``).

Times are ISO 8601 in UTC, doses numbers of mg rounded half-even to three decimals. What cannot be known is null.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cards import alert_json, to_json

if TYPE_CHECKING:
    from icans import CourseSummary, Evaluation, ExposureNow, GradeNow, Problem, Replay, RuleNow, TimelineEntry
    from icans import RefractoryNow as Refractory


def evaluation_json(evaluation: Evaluation, cards: list[dict[str, Any]]) -> dict[str, Any]:
    """The whole assessment of one patient at one instant, with the cards that say it."""
    return {
        "patient": evaluation.patient,
        "asOf": to_json(evaluation.as_of),
        "infusion": to_json(evaluation.infusion),
        "policy": evaluation.policy.label,
        "grade": _grade(evaluation.grade),
        "monitoring": evaluation.monitoring,
        "infusions": to_json(evaluation.infusions),
        "refractory": _refractory(evaluation.refractory),
        "exposure": None if evaluation.exposure is None else _exposure(evaluation.exposure),
        "rules": rules_json(evaluation.rules),
        "findings": [alert_json(alert) for alert in evaluation.findings],
        "cards": cards,
        "problems": problems_json(evaluation.problems),
    }


def replay_json(replay: Replay, cards: Iterable[tuple[datetime, dict[str, Any]]]) -> dict[str, Any]:
    """A patient's whole course: timeline, alerts, cards with the time each was first shown, summaries."""
    courses = [_course(course) for course in replay.courses]
    return {
        "patient": replay.patient,
        "infusion": to_json(replay.infusion),
        "infusions": to_json(replay.infusions),
        "policy": replay.policy.label,
        "timeline": [_timeline_entry(entry) for entry in replay.timeline],
        "alerts": [alert_json(alert) for alert in replay.alerts],
        "cards": [{"shownAt": to_json(shown_at), "card": card} for shown_at, card in cards],
        "courses": courses,
        "summary": courses[-1] if courses else None,
        "problems": problems_json(replay.problems),
    }


def alert_lines(replay: Replay) -> list[dict[str, Any]]:
    """The alerts of one replay, each naming its patient: one line each of NDJSON."""
    return [alert_json(alert, replay.patient) for alert in replay.alerts]


def problems_json(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    """Data problems; ``affects`` says what each could change: grade, dose, treatment-start, infusion."""
    return [
        {
            "code": problem.code,
            "reference": problem.reference,
            "element": problem.element,
            "message": problem.message,
            "affects": list(problem.affects),
        }
        for problem in problems
    ]


def _grade(grade: GradeNow) -> dict[str, Any]:
    return {
        "working": grade.working,
        "low": grade.low,
        "high": grade.high,
        "strictLow": grade.strict_low,
        "strictHigh": grade.strict_high,
        "episode": grade.episode,
        "documentedGrade": grade.documented,
        "asOf": to_json(grade.as_of),
        "stale": grade.stale,
        "iceScore": grade.ice_score,
        "decidingDomain": grade.deciding_domain,
        "domains": {domain: list(bounds) for domain, bounds in grade.domains.items()},
    }


def _refractory(refractory: Refractory) -> dict[str, Any]:
    return {
        "state": refractory.state,
        "line": refractory.line,
        "treatmentStart": to_json(refractory.treatment_start),
        "lines": [
            {
                "episode": line.episode,
                "line": line.line,
                "treatmentStart": to_json(line.treatment_start),
                "referenceLow": line.reference_low,
                "referenceHigh": line.reference_high,
                "metBAt": to_json(line.met_b_at),
                "verdict": line.verdict,
                "verdictAt": to_json(line.verdict_at),
                "late": line.late,
            }
            for line in refractory.lines
        ],
    }


def _exposure(exposure: ExposureNow) -> dict[str, Any]:
    return {
        "dexamethasoneEquivalentMg": to_json(exposure.dexamethasone_equivalent_mg),
        "upperBoundMg": to_json(exposure.upper_bound_mg),
        "sinceOnsetMg": to_json(exposure.since_onset_mg),
        "last24hMg": to_json(exposure.last_24h_mg),
        "day0to30Mg": to_json(exposure.day_0_to_30_mg),
        "beforeInfusionMg": to_json(exposure.before_infusion_mg),
        "prophylacticMg": to_json(exposure.prophylactic_mg),
        "steroidDays": exposure.steroid_days,
        "uncounted": exposure.uncounted,
        "intrathecalMg": to_json(exposure.intrathecal_mg),
        "byDrugMg": to_json(exposure.by_drug_mg),
    }


def rules_json(rules: Iterable[RuleNow]) -> list[dict[str, Any]]:
    """Rules with what they compared, which conditions were not met and the datum that would change the first."""
    return [_rule(rule) for rule in rules]


def _rule(rule: RuleNow) -> dict[str, Any]:
    return {
        "id": rule.id,
        "fired": rule.fired,
        "compared": to_json(rule.compared),
        "unmet": list(rule.unmet),
        "wouldChange": rule.would_change,
        "source": rule.source,
    }


def _timeline_entry(entry: TimelineEntry) -> dict[str, Any]:
    return {
        "at": to_json(entry.at),
        "kind": entry.kind,
        "references": list(entry.references),
        "day": entry.day,
        "grade": entry.grade,
        "gradeLow": entry.grade_low,
        "gradeHigh": entry.grade_high,
        "assessable": entry.assessable,
        "iceScore": entry.ice_score,
        "decidingDomain": entry.deciding_domain,
        "reason": entry.reason,
        "dexamethasoneEquivalentMg": to_json(entry.dexamethasone_equivalent_mg),
    }


def _course(course: CourseSummary) -> dict[str, Any]:
    return {
        "infusion": to_json(course.infusion),
        "peakGrade": course.peak_grade,
        "onset": to_json(course.onset),
        "onsetDay": course.onset_day,
        "episodes": course.episodes,
        "icansHours": to_json(course.icans_hours),
        "refractory": course.refractory,
        "cumulativeDexamethasoneEquivalentMg": to_json(course.cumulative_dexamethasone_equivalent_mg),
        "steroidDays": course.steroid_days,
        "uncounted": course.uncounted,
        "intrathecalMg": to_json(course.intrathecal_mg),
    }
