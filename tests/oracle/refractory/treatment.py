"""Steroid treatment as its clock sees it: the doses of an instant as one, gaps, and lines (D1, D4, L15)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Any

from icans.policy.policy import Policy
from icans.record import Record
from tests.oracle import amounts
from tests.oracle.assessments import Graded
from tests.oracle.course import Change, Episode, Span


@dataclass
class DosePoint:
    """All systemic doses that start at one instant: one dose (D1)."""

    at: datetime
    known: Fraction | None  # sum of the known sizes, None if none is known
    unknown_initiating: bool
    plausible: bool  # some dose of it is not absurd (E7)
    bridges: bool
    end: datetime
    earliest: datetime


@dataclass
class Line:
    episode: Episode
    number: int
    start: datetime
    earliest: datetime
    anchor: Change | None  # the onset or rise it precedes (D2)
    following: datetime | None = None
    headline: int = 0
    reference: Graded | None = None
    met_b: Graded | None = None
    verdicts: list[Verdict] = field(default_factory=list)
    overdue: list[Span] = field(default_factory=list)
    superseded: bool = False


@dataclass
class Verdict:
    """responded, met or a reason of not knowing; at: when it is given."""

    at: datetime
    outcome: str
    graded: Graded | None


def dose_points(record: Record, policy: Policy) -> list[DosePoint]:
    by_instant: dict[datetime, list[Any]] = {}
    for d in amounts.distinct(record, policy):
        if d.route in ("systemic", "unknown"):
            by_instant.setdefault(d.at, []).append(d)
    points = []
    for at in sorted(by_instant):
        given = by_instant[at]
        sizes = [amounts.amount(d, policy) for d in given]
        known = [s for s in sizes if s is not None]
        unknown = [d for d, s in zip(given, sizes, strict=True) if s is None and d.drug in policy.initiating_drugs]
        starting = [d for d in unknown if not amounts.absurd(d, policy)]
        bridging = [d for d in unknown if d.upper_mg is None or d.upper_mg > 0]
        total = sum(known, Fraction(0)) if known else None
        bridges = bool(bridging) or (total is not None and total >= Fraction(policy.bridging_dose))
        end = max(d.end or d.at for d in given)
        plausible = not all(amounts.absurd(d, policy) for d in given)
        points.append(DosePoint(at, total, bool(starting), plausible, bridges, end, min(d.earliest for d in given)))
    return points


def qualifies(points: list[DosePoint], point: DosePoint, policy: Policy) -> bool:
    """At least 10 mg in the 24 h from it, or an unknown dose of a drug that starts treatment."""
    return point.unknown_initiating or reaches(points, point, policy)


def reaches(points: list[DosePoint], point: DosePoint, policy: Policy) -> bool:
    """The known doses of the 24 h from it sum to at least 10 mg."""
    within = [p for p in points if point.at <= p.at < point.at + policy.qualifying_window]
    given = sum((p.known for p in within if p.known is not None), Fraction(0))
    return point.plausible and given >= Fraction(policy.qualifying_dose)


def is_active(points: list[DosePoint], start: datetime, at: datetime, policy: Policy) -> bool:
    """Every gap from the line's start to this instant is at most 30 h (3.3, D4)."""
    covered = start
    for p in points:
        if p.at > at or not p.bridges or (p.at < start and p.end <= start):
            continue
        if p.at - covered > policy.treatment_gap:
            return False
        covered = max(covered, p.end)
    return at - covered <= policy.treatment_gap


def doubles(points: list[DosePoint], point: DosePoint, policy: Policy) -> bool:
    before = [p.known for p in points if point.at - policy.doubling_lookback <= p.at < point.at and p.known is not None]
    if point.known is None or not before or not reaches(points, point, policy):
        return False
    return point.known >= Fraction(policy.doubling_factor) * max(before)


def treated_from(points: list[DosePoint], start: datetime, policy: Policy) -> datetime | None:
    """L15: when the doses since treatment start reach the qualifying dose, or one of them is of unknown size."""
    total = Fraction(0)
    for p in points:
        if p.at >= start:
            total += p.known or Fraction(0)
            if p.unknown_initiating or total >= Fraction(policy.qualifying_dose):
                return p.at
    return None
