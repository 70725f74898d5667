"""How fresh the grade is: which rows are assessments, what is stale, overdue or not found, when monitoring ends."""

from __future__ import annotations

from datetime import datetime, timedelta

from icans.course.course import Course
from icans.facts import AssessmentNotFound, AssessmentOverdue
from icans.findings import Finding, key_time
from icans.findings_log import FindingsLog
from icans.grading.assessment import Assessment
from icans.policy.policy import Policy


def stale_after(headline: int, policy: Policy) -> timedelta:
    """How old a full assessment may be: schedule of Fridberg et al. 2026 plus tolerance."""
    if headline >= 2:
        return policy.interval_severe + policy.grace_severe
    return policy.interval_mild + policy.grace_mild


def is_stale(course: Course, at: datetime, policy: Policy) -> bool:
    return course.last_full is None or at >= course.last_full.at + stale_after(course.headline, policy)


def admits(course: Course, assessment: Assessment, policy: Policy) -> bool:
    """Whether a row is an assessment: a partial one if it can raise the headline or nothing fuller is fresh."""
    if assessment.full:
        return True
    if assessment.working is not None and assessment.counts_as.low > course.headline:
        return True
    return course.last_full_at is None or assessment.at - course.last_full_at >= stale_after(course.headline, policy)


def overdue_at(course: Course, policy: Policy) -> datetime | None:
    """When the next full assessment is overdue, None if none is expected."""
    enrolled = policy.protocol_enrolled == "all"
    if not course.monitored or (course.headline == 0 and not enrolled):
        return None
    last = course.last_full_at
    if last is None:
        last = course.onset
    if last is None:
        return None
    due = last + stale_after(course.headline, policy)
    return max(due, course.rose_at) if course.rose_at is not None and course.headline else due


def not_found_at(course: Course, policy: Policy) -> datetime | None:
    """When it is said that no assessment was found (grade 0, the first days only)."""
    if not course.monitored or course.since is None or course.headline:
        return None
    since = not_found_since(course)
    due = since + policy.not_found_after
    return due if due <= course.since + policy.not_found_until else None


def not_found_since(course: Course) -> datetime:
    assert course.since is not None
    return max(course.since, course.last_found_at) if course.last_found_at is not None else course.since


def monitoring_end(course: Course, policy: Policy) -> datetime | None:
    """When monitoring ends by itself; an open episode extends it."""
    if not course.monitored or course.since is None:
        return None
    end = course.since + policy.monitoring
    if course.open and course.last is not None:
        return max(end, course.last.at + policy.monitoring_extension)
    return end


def next_due(course: Course, at: datetime) -> datetime | None:
    """The next instant after ``at`` at which something of this course falls due by time alone."""
    return min([due for due in course.upcoming if due > at], default=None)


def settle(
    course: Course, at: datetime, dies: bool, reassessment_holds: bool, policy: Policy, log: FindingsLog
) -> bool:
    """Open and close what depends on time only; returns whether monitoring ends at ``at``.

    It ends with a death and when its time is over; no assessment is overdue from then on.
    """
    due, last = overdue_at(course, policy), _last_row(course)
    end, not_found = monitoring_end(course, policy), not_found_at(course, policy)
    over = course.since + policy.not_found_until if course.since is not None else None
    ending = dies or (end is not None and at >= end)
    if due is None or (course.fell_due is not None and course.fell_due[0] != last):
        course.fell_due = None
        log.close(at, course.overdue_id)
    if course.fell_due is None and due is not None and last is not None and at >= due:
        course.fell_due = (last, due, course.headline)
    if course.fell_due is not None:
        if reassessment_holds:
            log.close(at, course.overdue_id)
        elif not log.holds(course.overdue_id) and not ending:
            course.overdue_id = log.open(at, _overdue(course, policy, *course.fell_due))
    if not_found is None or (over is not None and at >= over):
        log.close(at, course.not_found_id)
    elif at >= not_found and not log.holds(course.not_found_id):
        course.not_found_id = log.open(at, _not_found(course, not_found))
    course.upcoming = tuple([instant for instant in (end, due, not_found, over) if instant is not None])
    return ending


def _overdue(course: Course, policy: Policy, last: datetime, due: datetime, grade: int) -> Finding:
    """Told once a full row; a headline that falls later does not take it back."""
    interval = policy.interval_severe if grade >= 2 else policy.interval_mild
    hours = int(interval.total_seconds() // 3600)
    facts = AssessmentOverdue(last_assessment=last, interval_hours=hours, grade=grade)
    full = course.last_full
    evidence = full.evidence if full is not None and full.at == last else ()
    return course.finding(key_time(last), due, "info", facts, evidence, course.last)


def _last_row(course: Course) -> datetime | None:
    if course.last_full_at is not None:
        return course.last_full_at
    return course.onset


def _not_found(course: Course, due: datetime) -> Finding:
    since = not_found_since(course)
    facts = AssessmentNotFound(since=since, looked_for=("ice", "capd", "consciousness", "documented-icans-grade"))
    return course.finding(key_time(since), due, "info", facts, (), course.last)
