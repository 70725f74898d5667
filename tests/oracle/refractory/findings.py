"""What lines of treatment say: refractory, not known, overdue, worse again (D8, D10)."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from icans.findings import key_time
from icans.policy.policy import Policy
from icans.record import Record
from tests.oracle.assessments import Graded
from tests.oracle.course import Course, Episode, Held, Running
from tests.oracle.memory import by
from tests.oracle.refractory.lines import limit_of
from tests.oracle.refractory.treatment import Line, dose_points, is_active

WORSENING = "worsening-under-treatment"
NO_IMPROVEMENT = "no-improvement-24h"


def hours(since: datetime, until: datetime) -> Decimal:
    return (Decimal((until - since) // timedelta(microseconds=1)) / Decimal(3_600_000_000)).quantize(Decimal("0.01"))


def findings(
    record: Record, policy: Policy, course: Course, lines_by_episode: list[tuple[Episode, list[Line]]]
) -> list[Held]:
    found: list[Held] = []
    for episode, lines in lines_by_episode:
        for line in lines:
            found += refractory(policy, course, line) + indeterminate(course, line) + overdue(course, line)
        found += re_worsening(record, policy, course, episode, lines)
    return found


def improvement(course: Course, line: Line, since: datetime) -> datetime | None:
    """D8: the first assessment after that is definitely better than the reference."""
    ref = line.reference
    assert ref is not None
    better = (g.at for g in course.admitted if g.at > since and g.assessable and g.counts[1] <= ref.counts[0] - 1)
    return next(better, None)


def refractory(policy: Policy, course: Course, line: Line) -> list[Held]:
    found: list[Held] = []
    met = next((v for v in line.verdicts if v.outcome == "met"), None)
    events: list[tuple[datetime, str, Graded]] = []
    if line.met_b is not None:
        events.append((line.met_b.at, WORSENING, line.met_b))
    if met is not None and met.graded is not None:
        events.append((met.at, NO_IMPROVEMENT, met.graded))
    for at, reason, g in events:
        if at > course.end:
            continue
        if found and (found[0].spans[0][0] <= at < found[0].spans[0][1] or found[0].at == at):
            found[0].also = (at, reason)
            continue
        ends = [limit_of(course, line), improvement(course, line, at)]
        grade = g.counts[0]
        facts: dict[str, Any] = {
            "reason": reason,
            "episode": line.episode.number,
            "line": line.number,
            "treatmentStart": line.start,
            "gradeAtTreatmentStart": line.headline,
            "grade": grade,
            "hoursSinceTreatmentStart": hours(line.start, at),
            "late": reason == NO_IMPROVEMENT and g.at > line.start + policy.evaluation_late,
            "definition": policy.definition,
        }
        indicator = "critical" if reason == WORSENING or grade >= 3 else "warning"
        indicator = "info" if by("L19", grade == 1) else indicator
        key = f"{line.episode.number}|{line.number}|{reason}"
        span = (at, min(e for e in ends if e is not None))
        held = Held("refractory", key, at, indicator, facts, [span])
        held.running = {"alsoMet": partial(also_met, held)}
        found.append(held)
    return found


def also_met(held: Held, at: datetime) -> str | None:
    """The other clause, from the instant at which it was met."""
    return held.also[1] if held.also is not None and held.also[0] <= at else None


def indeterminate(course: Course, line: Line) -> list[Held]:
    found: dict[str, Held] = {}
    settled = next((v.at for v in line.verdicts if v.outcome in ("met", "responded")), None)
    for v in line.verdicts:
        if v.outcome in ("met", "responded") or v.outcome in found or v.at > course.end:
            continue
        ends = [limit_of(course, line), settled]
        facts = {
            "episode": line.episode.number,
            "line": line.number,
            "treatmentStart": line.start,
            "gradeAtTreatmentStart": line.headline,
            "reason": v.outcome,
        }
        key = f"{line.episode.number}|{line.number}|{v.outcome}"
        span = (v.at, min(e for e in ends if e is not None))
        found[v.outcome] = Held("refractory-indeterminate", key, v.at, "info", facts, [span])
    return list(found.values())


def overdue(course: Course, line: Line) -> list[Held]:
    if not line.overdue or line.overdue[0][0] > course.end:
        return []
    facts = {
        "episode": line.episode.number,
        "line": line.number,
        "treatmentStart": line.start,
        "gradeAtTreatmentStart": line.headline,
    }
    key = f"{line.episode.number}|{line.number}"
    return [Held("reassessment-overdue", key, line.overdue[0][0], "warning", facts, line.overdue)]


def re_worsening(record: Record, policy: Policy, course: Course, episode: Episode, lines: list[Line]) -> list[Held]:
    """D10: a rise after the verdict, on active treatment."""
    found: list[Held] = []
    points = dose_points(record, policy)
    for c in course.changes:
        if c.episode is not episode or c.after < c.before:
            continue
        begun = [line for line in lines if line.start < c.at]
        if not begun:
            continue
        line = begun[-1]
        given = [v.at for v in line.verdicts]
        gives = any(v.at == c.at and v.outcome in ("met", "responded") for v in line.verdicts) or given[:1] == [c.at]
        if not given or given[0] >= c.at or gives or not is_active(points, line.start, c.at, policy):
            continue
        facts = {
            "episode": episode.number,
            "line": line.number,
            "previousGrade": c.before,
            "grade": c.after,
            "hoursSinceTreatmentStart": hours(line.start, c.at),
        }
        key = f"{episode.number}|{line.number}|{key_time(c.at)}"
        found.append(Held("re-worsening", key, c.at, "warning", facts, [(c.at, limit_of(course, line))]))
    return found


def running(lines: list[Line]) -> Running:
    """What icans-active says of the lines of its episode at an instant."""

    def refractory_lines(at: datetime) -> list[int]:
        return [
            line.number
            for line in lines
            if (line.met_b is not None and line.met_b.at <= at)
            or any(v.outcome == "met" and v.at <= at for v in line.verdicts)
        ]

    def treatment_line(at: datetime) -> int | None:
        begun = [line.number for line in lines if line.start <= at]
        return begun[-1] if begun else None

    return {"refractoryLines": refractory_lines, "treatmentLine": treatment_line}
