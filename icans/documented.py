"""The grade charted by a clinician beside the computed one, wherever an ICE or CAPD stands near it."""

from __future__ import annotations

from datetime import timedelta

from icans.chart import Chart
from icans.charted import Charted
from icans.course import Course
from icans.grading import Assessment
from icans.journal import Journal
from icans.policy import Policy

STEP = timedelta(microseconds=1)


def compare_documented(
    assessment: Assessment, chart: Chart, charted: Charted, course: Course, policy: Policy, journal: Journal
) -> None:
    """Compare the newest documented grade with the computed interval of the ICE or CAPD nearest to it.

    The earlier one on a tie. Nothing is compared where the documented grade itself drives.
    """
    tool_at = max((v.time for v in assessment.domains if v.domain in ("ice", "capd")), default=None)
    driven = any(v.domain == "documented" for v in assessment.domains)
    if not charted.documented or assessment.working is None or tool_at is None or driven:
        return
    window, at = policy.combination_window, assessment.at
    documented_at = charted.documented[0].at
    if course.since is not None and documented_at < course.since:
        return  # charted before this course began
    grade = max(d.grade for d in charted.documented)
    if documented_at == at:
        later = [e.at for e in chart.tool_values(at, at + window, charted.grouped_until)]
        following = min(later, default=None)
        if following is None or following - at >= at - tool_at:
            course.compare_documented(documented_at, grade, assessment, at, journal)
    elif tool_at == at and at - documented_at <= window:
        earlier = max((e.at for e in chart.tool_values(documented_at - window - STEP, documented_at)), default=None)
        first = not any(e.at < at for e in chart.tool_values(documented_at, at))
        if first and (earlier is None or documented_at - earlier > at - documented_at):
            course.compare_documented(documented_at, grade, assessment, at, journal)
