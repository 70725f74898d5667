"""The conditions of the rules of the course, asked of the same functions that open and close its findings."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from icans.course.course import Course, outside, possible_direction
from icans.course.due import Due
from icans.findings import ASTCT, PROJECT, SCHEDULE, Condition, Rule
from icans.policy.policy import Policy, in_words
from icans.record import DocumentedGrade


def monitored(course: Course) -> Condition:
    """Whether the patient is monitored at all."""
    if course.number == 0:
        return Condition(False, "the patient is not monitored", "a CAR-T infusion, an ICE value or a documented grade")
    return Condition(course.monitored, "monitoring has ended", "a new infusion")


def course_rules(
    at: datetime,
    course: Course,
    documented: DocumentedGrade | None,
    reassessment_holds: bool,
    policy: Policy,
) -> list[Rule]:
    """Every rule of the course. documented: the latest grade charted by a clinician."""
    return [
        *_grade_rules(at, course, policy),
        _discrepancy(course, documented, policy),
        _overdue(course, reassessment_holds),
        _not_found(at, course, policy),
    ]


def _grade_rules(at: datetime, course: Course, policy: Policy) -> list[Rule]:
    last = course.last
    low, high = (last.counts_as.low, last.counts_as.high) if last is not None else (None, None)
    compared: dict[str, Any] = {
        "headline": course.headline,
        "gradeLow": low,
        "gradeHigh": high,
        "assessment": last.at if last else None,
        "changedAt": course.headline_at,
    }
    asked = monitored(course)
    assessed = Condition(
        last is not None, "no assessment is recorded", "an ICE, CAPD, consciousness or documented grade"
    )
    changed = Condition(
        course.headline_at is not None and at < course.headline_at + policy.shown_for,
        f"the grade has not changed in the last {in_words(policy.shown_for)}",
        f"an assessment surely above or below grade {course.headline}",
    )
    active = Condition(
        course.headline > 0,
        "the grade is 0" if last is not None else "no grade is on record",
        "an assessment of grade 1 or more",
    )
    near_0 = low != high and (high or 0) <= 1
    settled = "the last assessment leaves no other grade possible"
    possible = Condition(
        last is not None and bool(possible_direction(last, course.headline)),
        f"grade {low} to {high} is too close to 0 to ask for more" if near_0 else settled,
        "an assessment with an item or domain missing",
    )
    missing = {**compared, "missing": list(last.missing) if last else []}
    return [
        Rule("grade-change", (asked, assessed, changed), compared, ASTCT),
        Rule("icans-active", (asked, active), compared, ASTCT),
        Rule("grade-possible-change", (asked, assessed, possible), missing, PROJECT),
    ]


def _discrepancy(course: Course, documented: DocumentedGrade | None, policy: Policy) -> Rule:
    last = course.last
    grade = last.documented if last is not None else None
    strict = last.strict if last is not None else None
    near = Condition(
        documented is not None and grade is not None,
        f"no documented grade was charted within {in_words(policy.combination_window)} of the last assessment",
        "a documented grade",
    )
    differs = Condition(
        last is not None and grade is not None and outside(grade, last),
        "documented and computed grade agree",
        "a documented grade outside the computed interval",
    )
    compared = {
        "documentedGrade": documented.grade if documented else None,
        "strictLow": strict.low if strict else None,
        "strictHigh": strict.high if strict else None,
    }
    return Rule("grade-discrepancy", (monitored(course), near, differs), compared, PROJECT)


def _overdue(course: Course, reassessment_holds: bool) -> Rule:
    due = course.overdue
    expected = Condition(due is not None, "no assessment is expected at grade 0", "an assessment of grade 1 or more")
    other = Condition(
        not reassessment_holds,
        "the 24-hour reassessment is already reported as missing",
        "an assessment that gives the 24-hour verdict",
    )
    compared = {
        "due": due.when if due else None,
        "lastAssessment": due.since if due else None,
        "headline": course.headline,
    }
    fallen = _fallen(due, "the next assessment is not due yet", "no assessment until it is due")
    conditions = (monitored(course), expected, fallen, _unsedated(due), other)
    return Rule("assessment-overdue", conditions, compared, SCHEDULE)


def _not_found(at: datetime, course: Course, policy: Policy) -> Rule:
    due = course.not_found
    grade_0 = Condition(course.headline == 0, "the grade is above 0", "grade 0")
    late = f"no assessment for {in_words(policy.not_found_after)}"
    in_time = Condition(
        due is None or due.until is None or at < due.until,
        f"the first {in_words(policy.not_found_until)} are over, or the first "
        f"{in_words(policy.not_found_unseen_until)} where an episode is open or nothing was ever found",
        "a new infusion",
    )
    conditions = (monitored(course), grade_0, _fallen(due, "an assessment is recent enough", late), _unsedated(due))
    compared = {"due": due.when if due else None, "since": due.since if due else None}
    return Rule("assessment-not-found", (*conditions, in_time), compared, PROJECT)


def _fallen(due: Due | None, unmet: str, would_meet: str) -> Condition:
    return Condition(due is not None and (due.holds or due.base is not None), unmet, would_meet)


def _unsedated(due: Due | None) -> Condition:
    base = due.base if due is not None else None
    until = f" until {base:%Y-%m-%d %H:%M} UTC" if base is not None else ""
    return Condition(base is None, f"a sedative or paralytic runs or ran{until}: it counts from its end", "its end")
