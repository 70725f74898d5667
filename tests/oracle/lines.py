"""Lines of treatment and the 24-hour definition of refractoriness (D; Fridberg et al. 2026, Table 1)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import product
from typing import Any

from icans.findings import key_time
from icans.policy import Policy
from icans.record import Record
from tests.oracle import assessments, doses
from tests.oracle.assessments import Graded
from tests.oracle.course import Change, Course, Episode, Held, Span

WORSENING = "worsening-under-treatment"
NO_IMPROVEMENT = "no-improvement-24h"


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
    overdue: Span | None = None
    superseded: bool = False
    first_outcome: str | None = None  # where the hour of a day-only datum decides
    worsening_open: bool = False  # likewise for clause B


@dataclass
class Verdict:
    """responded, met or a reason of not knowing; at: when it is given."""

    at: datetime
    outcome: str
    graded: Graded | None


def dose_points(record: Record, policy: Policy) -> list[DosePoint]:
    by_instant: dict[datetime, list[Any]] = {}
    for d in doses.distinct(record, policy):
        if d.route in ("systemic", "unknown"):
            by_instant.setdefault(d.at, []).append(d)
    points = []
    for at in sorted(by_instant):
        given = by_instant[at]
        sizes = [doses.amount(d, policy) for d in given]
        known = [s for s in sizes if s is not None]
        unknown = [d for d, s in zip(given, sizes, strict=True) if s is None and d.drug in policy.initiating_drugs]
        starting = [d for d in unknown if not doses.absurd(d, policy)]
        bridging = [d for d in unknown if d.upper_mg is None or d.upper_mg > 0]
        total = sum(known, Fraction(0)) if known else None
        bridges = bool(bridging) or (total is not None and total >= Fraction(policy.bridging_dose))
        end = max(d.end or d.at for d in given)
        plausible = not all(doses.absurd(d, policy) for d in given)
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


def lines_of(record: Record, policy: Policy, course: Course, episode: Episode) -> list[Line]:
    """Treatment start and every new line of one episode (D1)."""
    points = dose_points(record, policy)
    until = episode.resolved or course.end
    rises = [c for c in course.changes if c.episode is episode and c.before == 0]
    lines: list[Line] = []
    for p in points:
        if not episode.onset - policy.onset_lead <= p.at < until or p.at >= course.end:
            continue
        headline = course.headline(p.at) if p.at >= episode.onset else 0
        answered = next((c for c in rises if c.at - policy.onset_lead <= p.at < c.at), None)
        if headline == 0 and answered is None:
            continue
        anchor = answered if headline == 0 else None
        if lines and anchor is not None and lines[-1].anchor is anchor:
            continue  # a rise is answered by one line
        if lines:
            before = [q for q in points if q.at < p.at]
            gap = not is_active(before, lines[-1].start, p.at, policy)
            if not (gap and qualifies(points, p, policy)) and not doubles(points, p, policy):
                continue
            lines[-1].following = p.at
        elif not qualifies(points, p, policy):
            continue
        grade = anchor.after if anchor else headline
        lines.append(Line(episode, len(lines) + 1, p.at, p.earliest, anchor, headline=grade))
    for line in lines:
        judge(record, policy, course, line, points)
        if depends_on_the_hour(record, policy, course, line, points):
            line.verdicts.clear()
            line.first_outcome = "time-imprecise"
            judge(record, policy, course, line, points)
    return lines


def depends_on_the_hour(record: Record, policy: Policy, course: Course, line: Line, points: list[DosePoint]) -> bool:
    """F5: whether the start of a day-only datum's day gives another verdict than its end.

    A worsening met at one end only is taken back here; a differing clause A is told by the result.
    """
    decided = [line.reference, line.met_b, *(v.graded for v in line.verdicts[:1])]
    vague = [g.at for g in decided if g is not None and g.earliest is not None and g.earliest < g.at]
    starts = sorted({line.start, line.earliest})
    choices = [(start, early) for start in starts for early in product([False, True], repeat=len(set(vague)))]
    outcomes = set()
    worsened = []
    for start, early in choices:
        moved = {at for at, is_early in zip(sorted(set(vague)), early, strict=True) if is_early}
        other_course = replace(course, rows=shift(course.rows, moved), admitted=shift(course.admitted, moved))
        other = replace(line, start=start, met_b=None, verdicts=[], overdue=None, reference=None)
        given = points
        if start != line.start:
            given = [replace(p, at=start, end=start) if p.at == line.start else p for p in points]
        judge(record, policy, other_course, other, sorted(given, key=lambda p: p.at))
        worsened.append(other.met_b is not None)
        outcomes.add(other.verdicts[0].outcome if other.verdicts else None)
    if not all(worsened):
        line.met_b = None
        line.worsening_open = True
    certain = {"no-reference", "not-assessable", None}
    verdict_given = line.verdicts[0].outcome if line.verdicts else None
    return len(outcomes) > 1 and verdict_given not in certain


def shift(rows: list[Graded], moved: set[datetime]) -> list[Graded]:
    """The rows with those of these instants at the start of their day."""
    shifted = [replace(g, at=g.earliest) if g.at in moved and g.earliest else g for g in rows]
    return sorted(shifted, key=lambda g: g.at)


def reference(policy: Policy, course: Course, line: Line, rows: list[Graded]) -> None:
    """D2, D3."""
    rises = [c for c in course.changes if c.episode is line.episode and c.before == 0]
    passed = [c.at for c in rises if c.at <= line.start]
    if line.anchor is not None or not passed:
        line.reference = (line.anchor or rises[0]).graded
        return
    since = max(line.start - policy.reference_before, passed[-1])
    full = [g for g in rows if g.full and g.assessable and since <= g.at <= line.start]
    setting = [c for c in course.changes if since <= c.at <= line.start]
    after = [g for g in rows if g.full and g.assessable and line.start < g.at <= line.start + policy.reference_after]
    if full:
        line.reference = full[-1]
    elif setting:
        line.reference = setting[-1].graded
    elif after and (line.following is None or after[0].at <= line.following):
        line.reference = after[0]


def limit_of(course: Course, line: Line) -> datetime:
    """The end of everything about a line but its verdict: next line, resolution, end of monitoring."""
    ends = [course.end, line.following, line.episode.resolved]
    return min(e for e in ends if e is not None)


def judge(
    record: Record,
    policy: Policy,
    course: Course,
    line: Line,
    points: list[DosePoint],
) -> None:
    """Reference, clause B and clause A of one line."""
    rows = [g for g in course.rows if g.at < course.end]
    reference(policy, course, line, rows)
    due = line.start + policy.evaluation_due
    window_end = min(due, line.following) if line.following else due
    ref = line.reference
    if ref is not None and not line.worsening_open:
        for g in course.admitted:
            if max(line.start, ref.at) < g.at <= window_end:
                worse = g.assessable and g.counts[0] > ref.counts[1]
                if worse and is_active(points, line.start, g.at, policy):
                    line.met_b = g
                    break
    line.superseded = line.following is not None and line.following < due
    last = min(limit for limit in (line.following, line.episode.resolved, course.end) if limit is not None)
    no_reference_at = line.start + policy.reference_after
    if ref is None and no_reference_at <= last:
        line.verdicts.append(Verdict(no_reference_at, "no-reference", None))
    if line.superseded or due > course.end:
        return
    evaluate(record, policy, course, line, points, rows, last)


def decisive(line: Line, g: Graded) -> bool:
    return g.assessable and line.reference is not None and g.counts[0] >= max(1, line.reference.counts[1])


def evaluate(
    record: Record,
    policy: Policy,
    course: Course,
    line: Line,
    points: list[DosePoint],
    rows: list[Graded],
    last: datetime,
) -> None:
    """D6: clause A of one line."""
    due = line.start + policy.evaluation_due
    window = [g for g in rows if line.start + policy.evaluation_from <= g.at <= due]
    full = [g for g in window if g.full and g.assessable]
    partial = [g for g in window if not g.full and decisive(line, g)]
    blank = [g for g in window if g.full and not g.assessable]
    later = [g for g in rows if due < g.at <= last]
    chosen: Graded | None = None
    if full or partial:
        chosen = full[-1] if full else partial[-1]
        give(record, policy, course, line, points, due, chosen)
    elif blank:
        give(record, policy, course, line, points, due, blank[-1])
        chosen = blank[-1]
    else:
        first = next((g for g in later if g.full or decisive(line, g)), None)
        line.overdue = (due, min(last, first.at) if first else last)
        if first is None:
            return
        give(record, policy, course, line, points, first.at, first)
        chosen = first
    given_at = max(due, chosen.at)
    for g in course.admitted:
        settled = any(v.outcome in ("met", "responded") for v in line.verdicts)
        if given_at < g.at <= last and g.assessable and not settled:
            give(record, policy, course, line, points, g.at, g)


def give(
    record: Record,
    policy: Policy,
    course: Course,
    line: Line,
    points: list[DosePoint],
    at: datetime,
    g: Graded,
) -> None:
    if line.reference is None:
        return
    outcome = verdict(record, policy, course, line, points, g)
    if line.first_outcome is not None and not line.verdicts:
        outcome = line.first_outcome
    line.verdicts.append(Verdict(at, outcome, g))


def verdict(record: Record, policy: Policy, course: Course, line: Line, points: list[DosePoint], g: Graded) -> str:
    """3.4 with D7."""
    ref = line.reference
    assert ref is not None
    if not g.assessable:
        return "not-assessable"
    if g.counts[1] <= ref.counts[0] - 1:
        return "responded"
    if g.counts[0] < max(1, ref.counts[1]):
        return "interval-overlap"  # grade 0 is never "no improvement"
    if not is_active(points, line.start, g.at, policy):
        return "treatment-gap"
    headline = course.headline(g.at, inclusive=False)
    fresh = assessments.grade(record, policy, g.at, headline, course.infusion, without_events_before=g.at)
    if fresh is not None and fresh.assessable and fresh.counts[1] <= ref.counts[0] - 1:
        return "event-carry"
    if ice_only(ref, g):
        return "ice-only"
    return "met"


def ice_only(ref: Graded, g: Graded) -> bool:
    """ICE gained two points or more, everything else unchanged."""
    if ref.ice is None or g.ice is None or not ref.ice.complete or not g.ice.complete:
        return False
    others = (set(ref.contributions) | set(g.contributions)) - {"ice"}
    rose = any(g.contributions.get(d, (0, 0))[1] > ref.contributions.get(d, (0, 0))[1] for d in others)
    return g.ice.low - ref.ice.low >= 2 and g.counts == ref.counts and not rose


def hours(since: datetime, until: datetime) -> Decimal:
    return (Decimal((until - since) // timedelta(microseconds=1)) / Decimal(3_600_000_000)).quantize(Decimal("0.01"))


def findings(record: Record, policy: Policy, course: Course) -> list[Held]:
    found: list[Held] = []
    for episode in course.episodes:
        lines = lines_of(record, policy, course, episode)
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
        if found and found[0].spans[0][0] <= at < found[0].spans[0][1]:
            continue
        if found and found[0].at == at:
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
        key = f"{line.episode.number}|{line.number}|{reason}"
        span = (at, min(e for e in ends if e is not None))
        found.append(Held("refractory", key, at, indicator, facts, [span]))
    return found


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
    if line.overdue is None or line.overdue[0] > course.end:
        return []
    facts = {
        "episode": line.episode.number,
        "line": line.number,
        "treatmentStart": line.start,
        "gradeAtTreatmentStart": line.headline,
    }
    key = f"{line.episode.number}|{line.number}"
    return [Held("reassessment-overdue", key, line.overdue[0], "warning", facts, [line.overdue])]


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
