"""The grade charted by a clinician next to the computed one, wherever an ICE or CAPD is near it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from icans.chart import MICROSECOND, Chart
from icans.course.course import Course
from icans.findings_log import FindingsLog
from icans.grading.assessment import Assessment
from icans.grading.domains import Domains, Surroundings
from icans.grading.in_force import InForce
from icans.grading.tool_for_age import Tools
from icans.policy.policy import Policy


def tool_at(assessment: Assessment) -> datetime | None:
    """When the ICE or CAPD of an assessment was charted, or that the patient was unarousable for it."""
    return max([v.time for v in assessment.domains if v.domain in ("ice", "capd")], default=None)


def tools_after(
    at: datetime, in_force: InForce, chart: Chart, tools_on: Callable[[InForce, date], Tools], policy: Policy
) -> tuple[datetime | None, datetime | None]:
    """The first ICE or CAPD charted in the window after ``at``: with a value, and with one or "unarousable".

    What the patient's age, sedation or an earlier group of items voids is none, as when its own row is graded.
    """
    ahead, value_at = in_force.copy(), None
    comparable_at: datetime | None = None
    for then, instant in chart.between(at + MICROSECOND, at + policy.combination_window + MICROSECOND):
        for sedative in instant.sedatives:
            ahead.sedation = ahead.sedation.given(sedative, policy)
        if not instant.observed:
            continue
        ahead.absorb(then, instant.observed, chart.items_from, policy)
        tools = tools_on(ahead, instant.observed[0].day)
        row = Domains(then, ahead, instant.observed, Surroundings(0, False, tools, True, policy))
        row.choose_tool()
        value, unarousable = row.tool_charted()
        if comparable_at is None and (value or unarousable):
            comparable_at = then
        if value:
            value_at = then
            break
    return value_at, comparable_at


def compare_documented(
    assessment: Assessment,
    following: datetime | None,
    in_force: InForce,
    course: Course,
    policy: Policy,
    log: FindingsLog,
) -> None:
    """Compare the newest documented grade with the computed interval of the ICE or CAPD nearest to it.

    The earlier one on a tie; ``following`` is the first after a grade documented at this instant. Nothing is
    compared where the documented grade itself drives.
    """
    if not in_force.documented or assessment.working is None:
        return
    near, window, at = tool_at(assessment), policy.combination_window, assessment.at
    if near is None or any(v.domain == "documented" for v in assessment.domains):
        return
    documented_at = in_force.documented[0].at
    if course.since is not None and documented_at < course.since:
        return  # charted before this course began
    worst = max(in_force.documented, key=lambda d: d.grade)
    if documented_at == at:
        if following is None or following - at >= at - near:
            course.compare_documented(worst, assessment, at, log)
    elif near == at and at - documented_at <= window:
        before = [row for row in in_force.tool_rows if documented_at - window <= row < at]
        first = not any(row > documented_at for row in before)
        if first and all(documented_at - row > at - documented_at for row in before):
            course.compare_documented(worst, assessment, at, log)
