"""Findings on the data itself: what could not be used as charted, or was not read in full."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from icans.course.course import Course
from icans.facts import DataQuality, StatedProblem
from icans.findings import Finding
from icans.record import Problem
from icans.steroids.exposure import Exposure

#: So many administrations that may have been of a steroid are named; the others are counted.
NAMED = 5


def doubtful(at: datetime, problem: Problem, same: Sequence[Problem], course: Course) -> Finding:
    """A datum that could change a result; ``same``: the problems of its resource so far (G6)."""
    key = problem.reference or problem.code
    listed = [p for p in dict.fromkeys(same) if p.affects] if problem.reference else [problem]
    stands = min((p.at for p in listed if p.at is not None), default=at)
    return _found(key, stands, listed, course)


def not_read(at: datetime, problems: Sequence[Problem], course: Course) -> Finding:
    """Sources that were not read in full: as long as the patient is monitored."""
    return _found("partial-data", at, problems, course, lasting=True)


def uncounted(at: datetime, course: Course, exposure: Exposure) -> Finding:
    """Administrations that may have been of a steroid, all in one finding that ends by itself (L3)."""
    problems = [problem for one in exposure.unreadable[:NAMED] for problem in one.problems]
    return _found("uncounted", at, problems, course, lasting=True, administrations=len(exposure.unreadable))


def _found(
    key: str,
    at: datetime,
    problems: Sequence[Problem],
    course: Course,
    *,
    lasting: bool = False,
    administrations: int | None = None,
) -> Finding:
    facts = DataQuality(problems=tuple(map(StatedProblem.of, problems)), administrations=administrations)
    return course.finding(key, at, "info", facts, (), tuple(problems), lasting=lasting)
