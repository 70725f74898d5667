"""Why is there a card, and why is there none: every rule at one instant, with the values it compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from icans.course.due import Due
from icans.course.freshness import counts_from
from icans.engine.history import History
from icans.facts import CumulativeDose, Refractory
from icans.findings import Alert, RuleNow
from icans.policy.policy import in_words
from icans.refractory.lines import hours_between
from icans.refractory.worsening import treated as treated_enough
from icans.steroids.equivalents import ZERO, number

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


#: Said of a rule whose conditions are met although its finding no longer holds.
ENDED = Condition(False, "it was shown and has ended", "news of the same kind")


def rules_now(at: datetime, history: History, holding: Sequence[Alert]) -> tuple[RuleNow, ...]:
    """Every rule at ``at``, those that fired first, then those with the fewest unmet conditions.

    holding: the alerts that hold then. A rule fired if its finding holds; otherwise ``unmet`` says what was not met
    and ``would_change`` which datum would have changed the first of it.
    """
    fired = {rule for alert in holding for rule in rules_of(alert)}
    explained = [
        *_course_rules(at, history),
        *_treatment_rules(at, history),
        *_dose_rules(at, history),
        _data_rule(history),
    ]
    rules = []
    for rule_id, conditions, compared, source in explained:
        holds = rule_id in fired
        unmet = [] if holds else [c for c in conditions if not c.met] or [ENDED]
        rules.append(
            RuleNow(
                id=rule_id,
                fired=holds,
                compared=compared,
                unmet=tuple(c.unmet for c in unmet),
                would_change=unmet[0].would_meet if unmet else "",
                source=source,
            )
        )
    return tuple(sorted(rules, key=lambda r: (not r.fired, len(r.unmet), r.unmet == (ENDED.unmet,))))


def rules_of(alert: Alert) -> list[str]:
    """The rules a finding stands for: its type, with the clause or the tiers where one type has several."""
    latest, as_of_now = alert.finding.facts, alert.facts
    if isinstance(latest, Refractory) and isinstance(as_of_now, Refractory):
        return [f"{latest.type}:{reason}" for reason in (latest.reason, as_of_now.also_met) if reason]
    if isinstance(latest, CumulativeDose):
        return [f"{latest.type}:{number(tier)}" for tier in latest.crossed_mg]
    return [latest.type]


Explained = tuple[str, list[Condition], dict[str, Any], str]


def _monitored(history: History) -> Condition:
    course = history.state.course
    return Condition(
        course.monitored,
        "the patient is not monitored" if course.number == 0 else "monitoring has ended",
        "a CAR-T infusion, an ICE value or a documented grade" if course.number == 0 else "a new infusion",
    )


def _unsedated(due: Due | None) -> Condition:
    waits = due is not None and due.base is not None
    until = f" until {due.base:%Y-%m-%d %H:%M} UTC" if due is not None and due.base is not None else ""
    return Condition(not waits, f"a sedative or paralytic runs or ran{until}: it counts from its end", "its end")


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
        f"the grade has not changed in the last {in_words(policy.shown_for)}",
        f"an assessment surely above or below grade {course.headline}",
    )
    no_grade = "the grade is 0" if last is not None else "no grade is on record"
    active = Condition(course.headline > 0, no_grade, "an assessment of grade 1 or more")
    small = low != high and (high or 0) <= 1
    open_grade = Condition(
        last is not None and last.assessable and low != high and not small,
        f"grade {low} to {high} is too close to 0 to ask for more"
        if small
        else "the last assessment leaves no other grade possible",
        "an assessment with an item or domain missing",
    )
    documented = history.state.in_force.documented_latest
    near = documented is not None and last is not None and last.documented is not None
    strict = last.strict if last is not None else None
    window = in_words(policy.combination_window)
    differs = near and strict is not None and not strict.low <= (last.documented if last else 0) <= strict.high  # type: ignore[operator]
    overdue, not_found = course.overdue, course.not_found
    due = {
        "due": overdue.when if overdue else None,
        "lastAssessment": counts_from(course, policy),
        "headline": course.headline,
    }
    searched_until = not_found.until if not_found and not_found.until else None
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
                    near,
                    f"no documented grade was charted within {window} of the last assessment",
                    "a documented grade",
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
                    overdue is not None and (overdue.holds or overdue.base is not None),
                    "the next assessment is not due yet",
                    "no assessment until it is due",
                ),
                _unsedated(overdue),
                Condition(
                    not history.state.treatment.reassessment_holds(history.log),
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
                    not_found is not None and (not_found.holds or not_found.base is not None),
                    "an assessment is recent enough",
                    f"no assessment for {in_words(policy.not_found_after)}",
                ),
                _unsedated(not_found),
                Condition(
                    searched_until is None or (not_found is not None and at < searched_until),
                    f"the first {in_words(policy.not_found_until)} are over, or the first "
                    f"{in_words(policy.not_found_unseen_until)} where an episode is open or nothing was ever found",
                    "a new infusion",
                ),
            ],
            {"due": not_found.when if not_found else None, "since": not_found.since if not_found else None},
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
    least = f"{number(policy.qualifying_dose)} mg dexamethasone-equivalent in {in_words(policy.qualifying_window)}"
    treated = Condition(
        line is not None,
        f"no qualifying steroid dose ({least}) around or since onset",
        "a systemic steroid dose near onset or after it",
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
        "reference": reference.at if reference else None,
        "referenceLow": reference.counts_as.low if reference else None,
        "referenceHigh": reference.counts_as.high if reference else None,
        "gradeLow": last.counts_as.low if last else None,
        "gradeHigh": last.counts_as.high if last else None,
        "activeTreatment": treatment.active(line, at, policy),
    }
    due, span = line.start + policy.evaluation_due, in_words(policy.evaluation_due)
    passed = Condition(
        at >= due,
        f"{span} since treatment start have not passed",
        f"the time {due:%Y-%m-%d %H:%M} UTC",
    )
    has_reference = Condition(
        reference is not None, "no assessment at treatment start", "an assessment near treatment start"
    )
    given = history.doses.clocked_between(line.start, last.at) if last is not None else ()
    enough = Condition(
        treated_enough(given, policy),
        f"the doses from treatment start to the last assessment do not reach {number(policy.qualifying_dose)} mg",
        "an assessment after they do",
    )
    worse = Condition(
        line.met_b is not None,
        f"no value charted within {span} of treatment start, after the reference, is surely above it",
        f"an assessment above it within {span}, under active treatment",
    )
    verdict = line.verdict
    return [
        ("refractory:worsening-under-treatment", [*common, has_reference, enough, worse], now, FRIDBERG),
        (
            "refractory:no-improvement-24h",
            [
                *common,
                has_reference,
                passed,
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
                passed,
                Condition(
                    verdict is None,
                    "the 24-hour assessment was found",
                    f"no assessment {in_words(policy.evaluation_from)} to {span} after treatment start",
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
            total >= tier,
            f"{number(total)} mg is below {number(tier)} mg",
            f"{number(tier - total)} mg more, dexamethasone-equivalent",
        )
        compared = {"dexamethasoneEquivalentMg": total, "thresholdMg": tier, "uncounted": exposure.uncounted}
        rules.append(
            (
                f"cumulative-dose:{number(tier)}",
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


def _data_rule(history: History) -> Explained:
    affecting = [problem for problem in history.log.problems if problem.affects]
    doubtful = Condition(
        bool(affecting), "every relevant datum could be used as charted", "a datum that cannot be used as charted"
    )
    compared = {"problems": len(affecting)}
    return "data-quality", [_monitored(history), doubtful], compared, PROJECT
