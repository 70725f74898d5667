"""How fresh the grade is: which rows are assessments, what is stale, overdue or not found, when monitoring ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from icans.course.course import Course
from icans.course.due import Due
from icans.facts import AssessmentNotFound, AssessmentOverdue
from icans.findings import Finding, key_time
from icans.findings_log import FindingsLog
from icans.grading.assessment import Assessment
from icans.policy.policy import Policy


def schedule(headline: int, policy: Policy) -> tuple[timedelta, timedelta]:
    """Interval between full assessments, and what may be missing on it: Fridberg et al. 2026 from grade 2 on and for
    enrolled patients, ASCO 2021 at grade 1."""
    if headline >= 2:
        return policy.interval_severe, policy.grace_severe
    if headline == 1 and policy.protocol_enrolled == "none":
        return policy.interval_grade_1, policy.grace_grade_1
    return policy.interval_mild, policy.grace_mild


def stale_after(headline: int, policy: Policy) -> timedelta:
    """How old a full assessment may be."""
    interval, grace = schedule(headline, policy)
    return interval + grace


def is_stale(course: Course, at: datetime, policy: Policy) -> bool:
    return course.last_full is None or at >= course.last_full.at + stale_after(course.headline, policy)


def admits(course: Course, assessment: Assessment, policy: Policy) -> bool:
    """Whether a row is an assessment: a partial one if it can raise the headline or nothing fuller is fresh."""
    if assessment.full:
        return True
    if assessment.working is not None and assessment.counts_as.low > course.headline:
        return True
    return course.last_full_at is None or assessment.at - course.last_full_at >= stale_after(course.headline, policy)


def counts_from(course: Course, policy: Policy) -> datetime | None:
    """The last full row since the infusion, else the onset, from which the next one is expected; None if none is."""
    if not course.monitored or (course.headline == 0 and policy.protocol_enrolled == "none"):
        return None
    last, since = course.last_full_at, course.since
    return last if last is not None and since is not None and last >= since else course.onset


def not_found_since(course: Course) -> datetime | None:
    """The infusion or the last assessable row, from which the next one is looked for at grade 0; None above it."""
    if not course.monitored or course.since is None or course.headline:
        return None
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
    course: Course,
    at: datetime,
    dies: bool,
    reassessment_holds: bool,
    sedated_until: datetime | None,
    policy: Policy,
    log: FindingsLog,
) -> bool:
    """Open and close what depends on time only; returns whether monitoring ends at ``at``.

    It ends with a death and when its time is over; no assessment is overdue from then on. sedated_until: the end of the
    sedatives that run at ``at``, None if none does.
    """
    end = monitoring_end(course, policy)
    ending = dies or (end is not None and at >= end)
    course.overdue = overdue_at(course, at, sedated_until, policy)
    if course.overdue is None or not course.overdue.holds or reassessment_holds:
        log.close(at, course.overdue_id)
    elif not log.holds(course.overdue_id) and not ending:
        course.overdue_id = log.open(at, _overdue(course, course.overdue, policy))
    course.not_found = not_found_at(course, at, sedated_until, policy)
    _say_not_found(course, at, log)
    instants = [end]
    for due in (course.overdue, course.not_found):
        instants += [due.waits, due.until] if due is not None else []
    course.upcoming = tuple([instant for instant in instants if instant is not None])
    return ending


def overdue_at(course: Course, at: datetime, sedated_until: datetime | None, policy: Policy) -> Due | None:
    since = counts_from(course, policy)
    if since is None:
        return None
    due = course.overdue if course.overdue is not None and course.overdue.since == since else Due(since=since)
    limit, rose_at = stale_after(course.headline, policy), course.rose_at if course.headline else None
    first = max(since + limit, rose_at or since)
    return due.looked_at(at, first, limit, sedated_until, course.headline, rose_at)


def _overdue(course: Course, due: Due, policy: Policy) -> Finding:
    """Told once a full row; a headline that falls later does not take it back."""
    interval, _ = schedule(due.grade, policy)
    hours = int(interval.total_seconds() // 3600)
    facts = AssessmentOverdue(last_assessment=due.since, interval_hours=hours, grade=due.grade)
    full = course.last_full
    evidence = full.evidence if full is not None and full.at == due.since else ()
    assert due.fell is not None
    return course.finding(key_time(due.since), due.fell, "info", facts, evidence, course.last)


def not_found_at(course: Course, at: datetime, sedated_until: datetime | None, policy: Policy) -> Due | None:
    """Its last day is fixed when it falls due: later where an episode is open or nothing was ever found."""
    since = not_found_since(course)
    if since is None or course.since is None:
        return None
    due = course.not_found if course.not_found is not None and course.not_found.since == since else Due(since=since)
    if due.until is not None and at >= due.until:
        return due
    after = policy.not_found_after
    due = due.looked_at(at, since + after, after, sedated_until, course.headline)
    if due.fell is not None and due.until is None:
        unseen = course.open or course.last_found_at is None
        last = policy.not_found_unseen_until if unseen else policy.not_found_until
        due = replace(due, until=course.since + last)
    return due


def _say_not_found(course: Course, at: datetime, log: FindingsLog) -> None:
    due = course.not_found
    if due is None or not due.holds or due.fell is None or due.until is None or due.fell > due.until:
        log.close(at, course.not_found_id)
        return
    if not log.holds(course.not_found_id) and (at < due.until or at == due.fell):
        looked_for = ("ice", "capd", "consciousness", "documented-icans-grade")
        facts = AssessmentNotFound(since=due.since, looked_for=looked_for)
        found = course.finding(key_time(due.since), due.fell, "info", facts, (), course.last)
        course.not_found_id = log.open(at, found)
    if at >= due.until:
        log.close(at, course.not_found_id)
