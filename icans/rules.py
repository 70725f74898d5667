"""Why is there a card, and why is there none: every rule at one instant, with the values it compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from icans.amounts import ZERO
from icans.findings import RuleNow
from icans.lines import hours_between

if TYPE_CHECKING:
    from icans.history import History

ASTCT = "Lee et al. 2019 (ASTCT)"
SCHEDULE = "assessment schedule of Fridberg et al. 2026, tolerance a project decision"
FRIDBERG = "Fridberg et al. 2026, Table 1 footnote; what it leaves open is a project decision"
PROJECT = "project decision"


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of a rule: whether it is met, and what would meet it."""

    met: bool
    unmet: str
    would_meet: str


def rules_now(at: datetime, history: History, fired: Mapping[str, int]) -> tuple[RuleNow, ...]:
    """Every rule at ``at``; ``fired`` counts the findings of each type that hold then."""
    explained = [*_course_rules(at, history), *_treatment_rules(at, history), *_dose_rules(at, history)]
    rules = []
    for rule_id, conditions, compared, source in explained:
        holds = fired.get(rule_id.partition(":")[0], 0) > 0 and all(c.met for c in conditions)
        unmet = tuple(c.unmet for c in conditions if not c.met)
        would = next(
            (c.would_meet for c in conditions if not c.met), "" if holds else "the finding has ended or expired"
        )
        rules.append(
            RuleNow(id=rule_id, fired=holds, compared=compared, unmet=unmet, would_change=would, source=source)
        )
    return tuple(sorted(rules, key=lambda r: (not r.fired, len(r.unmet), r.id)))


Explained = tuple[str, list[Condition], dict[str, Any], str]


def _monitored(history: History) -> Condition:
    course = history.state.course
    return Condition(
        course.monitored,
        "the patient is not monitored" if course.number == 0 else "monitoring has ended",
        "a CAR-T infusion, an ICE value or a documented grade" if course.number == 0 else "a new infusion",
    )


def _course_rules(at: datetime, history: History) -> list[Explained]:
    course, policy = history.state.course, history.policy
    monitored = _monitored(history)
    last = course.last
    low, high = (last.counts_as.low, last.counts_as.high) if last is not None else (None, None)
    grade: dict[str, Any] = {
        "headline": course.headline,
        "gradeLow": low,
        "gradeHigh": high,
        "assessment": last.at if last else None,
        "changedAt": course.headline_at,
    }
    assessed = Condition(
        last is not None, "no assessment is recorded", "an ICE, CAPD, consciousness or documented grade"
    )
    changed = Condition(
        course.headline_at is not None and at < course.headline_at + policy.shown_for,
        "the grade has not changed in the last 24 hours",
        f"an assessment surely above or below grade {course.headline}",
    )
    active = Condition(course.headline > 0, "the grade is 0", "an assessment of grade 1 or more")
    open_grade = Condition(
        last is not None and last.assessable and low != high and (high or 0) > 1,
        "the last assessment leaves no other grade possible",
        "an assessment with an item or domain missing",
    )
    documented = history.state.charted.documented_latest
    near = documented is not None and last is not None and last.documented is not None
    strict = last.strict if last is not None else None
    differs = near and strict is not None and not strict.low <= (last.documented if last else 0) <= strict.high  # type: ignore[operator]
    overdue = course.overdue_at(policy)
    not_found = course.not_found_at(policy)
    due = {"due": overdue, "lastAssessment": course.last_full_at, "headline": course.headline}
    return [
        ("grade-change", [monitored, assessed, changed], grade, ASTCT),
        ("icans-active", [monitored, active], grade, ASTCT),
        (
            "grade-possible-change",
            [monitored, assessed, open_grade],
            {**grade, "missing": list(last.missing) if last else []},
            PROJECT,
        ),
        (
            "grade-discrepancy",
            [
                monitored,
                Condition(
                    near, "no documented grade stands within 60 minutes of the last assessment", "a documented grade"
                ),
                Condition(
                    bool(differs),
                    "documented and computed grade agree",
                    "a documented grade outside the computed interval",
                ),
            ],
            {
                "documentedGrade": documented.grade if documented else None,
                "strictLow": strict.low if strict else None,
                "strictHigh": strict.high if strict else None,
            },
            PROJECT,
        ),
        (
            "assessment-overdue",
            [
                monitored,
                Condition(
                    overdue is not None, "no assessment is expected at grade 0", "an assessment of grade 1 or more"
                ),
                Condition(
                    overdue is not None and at >= overdue,
                    "the next assessment is not due yet",
                    "no assessment until it is due",
                ),
                Condition(
                    not history.state.treatment.reassessment_holds(history.journal),
                    "the 24-hour reassessment is already said to be missing",
                    "an assessment that gives the 24-hour verdict",
                ),
            ],
            due,
            SCHEDULE,
        ),
        (
            "assessment-not-found",
            [
                monitored,
                Condition(course.headline == 0, "the grade is above 0", "grade 0"),
                Condition(
                    not_found is not None and at >= not_found,
                    "an assessment is recent enough, or the first 30 days are over",
                    "no assessment for 36 hours",
                ),
            ],
            {"due": not_found, "since": course.not_found_since() if course.monitored and course.since else None},
            PROJECT,
        ),
    ]


def _treatment_rules(at: datetime, history: History) -> list[Explained]:
    course, treatment, policy = history.state.course, history.state.treatment, history.policy
    monitored = _monitored(history)
    line = treatment.current(course.episode)
    episode = Condition(course.open, "no ICANS episode is open", "an assessment of grade 1 or more")
    read = Condition(
        history.record.administrations_read, "administrations could not be read", "access to MedicationAdministration"
    )
    treated = Condition(
        line is not None,
        f"no qualifying steroid dose ({policy.qualifying_dose} mg dexamethasone-equivalent in 24 hours) since onset",
        "a systemic steroid dose at or after onset",
    )
    if line is None:
        common = [monitored, episode, read, treated]
        return [
            (rule, common, {"treatmentStart": None, "headline": course.headline}, FRIDBERG)
            for rule in (
                "refractory:worsening-under-treatment",
                "refractory:no-improvement-24h",
                "reassessment-overdue",
                "refractory-indeterminate",
                "re-worsening",
            )
        ]
    common = [monitored, episode, read]
    reference = line.reference
    last = course.last
    now: dict[str, Any] = {
        "line": line.number,
        "treatmentStart": line.start,
        "hoursSinceTreatmentStart": hours_between(at, line.start),
        "referenceLow": reference.counts_as.low if reference else None,
        "referenceHigh": reference.counts_as.high if reference else None,
        "gradeLow": last.counts_as.low if last else None,
        "gradeHigh": last.counts_as.high if last else None,
        "activeTreatment": treatment.active(line, at, policy),
    }
    due = line.start + policy.evaluation_due
    has_reference = Condition(
        reference is not None, "no assessment at treatment start", "an assessment near treatment start"
    )
    worse = Condition(
        line.met_b is not None,
        "no assessment within 24 hours of treatment start is surely above the grade at treatment start",
        "an assessment above it within 24 hours, under active treatment",
    )
    verdict = line.verdict
    return [
        ("refractory:worsening-under-treatment", [*common, has_reference, worse], now, FRIDBERG),
        (
            "refractory:no-improvement-24h",
            [
                *common,
                has_reference,
                Condition(at >= due, "24 hours since treatment start have not passed", f"the time {due.isoformat()}"),
                Condition(
                    line.met_a,
                    f"the 24-hour verdict is {verdict.label if verdict else 'not given yet'}",
                    "an assessment no better than at treatment start, under active treatment",
                ),
            ],
            now,
            FRIDBERG,
        ),
        (
            "reassessment-overdue",
            [
                *common,
                Condition(at >= due, "24 hours since treatment start have not passed", f"the time {due.isoformat()}"),
                Condition(
                    verdict is None,
                    "the 24-hour assessment was found",
                    "no assessment 16 to 24 hours after treatment start",
                ),
            ],
            {**now, "due": due},
            FRIDBERG,
        ),
        (
            "refractory-indeterminate",
            [
                *common,
                Condition(
                    verdict is not None and verdict.kind == "indeterminate",
                    f"the verdict is {verdict.label if verdict else 'not given yet'}",
                    "an evaluation that the record leaves open",
                ),
            ],
            now,
            FRIDBERG,
        ),
        (
            "re-worsening",
            [
                *common,
                Condition(verdict is not None, "the 24-hour verdict is not given yet", "the verdict"),
                Condition(
                    bool(line.re_worsening_ids),
                    "the grade has not risen since the verdict",
                    "an assessment above the headline",
                ),
            ],
            now,
            PROJECT,
        ),
    ]


def _dose_rules(at: datetime, history: History) -> list[Explained]:
    course, exposure, policy = history.state.course, history.state.exposure, history.policy
    infused = Condition(course.infusion is not None, "the infusion is not known", "an infusion record")
    read = Condition(
        history.record.administrations_read, "administrations could not be read", "access to MedicationAdministration"
    )
    total = exposure.total_at(at) if course.infusion is not None else ZERO
    rules: list[Explained] = []
    for tier in policy.tiers:
        reached = Condition(
            total >= tier, f"{total} mg is below {tier} mg", f"{tier - total} mg more, dexamethasone-equivalent"
        )
        compared = {"dexamethasoneEquivalentMg": total, "thresholdMg": tier, "uncounted": exposure.uncounted}
        rules.append(
            (
                f"cumulative-dose:{tier}",
                [infused, read, reached],
                compared,
                "Fridberg et al. 2026; ASCO 2020 abstract 8011",
            )
        )
    days = Condition(
        exposure.day_count >= policy.steroid_days,
        f"{exposure.day_count} days with a systemic steroid are fewer than {policy.steroid_days}",
        f"{policy.steroid_days - exposure.day_count} more days",
    )
    compared_days = {"steroidDays": exposure.day_count, "threshold": policy.steroid_days}
    rules.append(("steroid-days", [infused, read, days], compared_days, "Cevering et al. 2026; Strati et al. 2021"))
    unknown = Condition(
        exposure.uncounted > 0, "every administration has a usable dose", "an administration without one"
    )
    rules.append(("dose-unknown", [read, unknown], {"uncounted": exposure.uncounted}, PROJECT))
    return rules
