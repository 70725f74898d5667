"""Lines of treatment and the 24-hour definition of refractoriness (D; Fridberg et al. 2026, Table 1)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import product

from icans.policy.policy import Policy
from icans.record import Record
from tests.oracle import assessments
from tests.oracle.assessments import Graded
from tests.oracle.course import Change, Course, Episode
from tests.oracle.memory import by
from tests.oracle.refractory.treatment import (
    DosePoint,
    Line,
    Verdict,
    dose_points,
    doubles,
    is_active,
    qualifies,
    treated_from,
)
from tests.oracle.schedule import reassessment


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
        if lines and anchor is not None:
            if is_active([q for q in points if q.at < anchor.at], lines[-1].start, anchor.at, policy):
                continue  # a line is active at the rise: no line starts while the grade is 0
            if not qualifies(points, p, policy):
                continue
            lines[-1].following = p.at
        elif lines:
            before = [q for q in points if q.at < p.at]
            gap = not is_active(before, lines[-1].start, p.at, policy)
            if not (gap and qualifies(points, p, policy)) and not doubles(points, p, policy):
                continue
            lines[-1].following = p.at
        elif not qualifies(points, p, policy):
            continue
        grade = anchor.after if anchor else headline
        by("L16", grade and p.at < (anchor.at if anchor else p.at) - timedelta(minutes=60))
        lines.append(Line(episode, len(lines) + 1, p.at, p.earliest, anchor, headline=grade))
    for line in lines:
        judge(record, policy, course, line, points)
    return lines


@dataclass
class End:
    """F5: a line with what is known by its day at one end of it."""

    start: datetime
    course: Course
    points: list[DosePoint]
    early: set[datetime]  # the rows that count at the start of their day


def ends(course: Course, line: Line, points: list[DosePoint], g: Graded, until: datetime) -> list[End]:
    """Every combination of the ends of T0, the reference and this row, over the rows up to an instant.

    None at all where the hour of each is known.
    """
    decided = [g] if line.reference is None else [g, line.reference]
    vague = sorted({d.at for d in decided if d.earliest is not None and d.earliest < d.at})
    if not vague and line.earliest == line.start:
        return []
    found = []
    for start, early in product(sorted({line.earliest, line.start}), product([False, True], repeat=len(vague))):
        moved = {at for at, is_early in zip(vague, early, strict=True) if is_early}
        changes = [replace(c, at=c.graded.earliest or c.at) if c.at in moved else c for c in course.changes]
        other = replace(
            course,
            rows=shift([r for r in course.rows if r.at <= until], moved),
            admitted=shift([r for r in course.admitted if r.at <= until], moved),
            changes=sorted(changes, key=lambda c: c.at),
        )
        given = points
        if start != line.start:
            given = [replace(p, at=start, end=start) if p.at == line.start else p for p in points]
        found.append(End(start, other, sorted(given, key=lambda p: p.at), moved))
    return found


def shift(rows: list[Graded], moved: set[datetime]) -> list[Graded]:
    """The rows with those of these instants at the start of their day."""
    shifted = [replace(g, at=g.earliest, placed=g.at) if g.at in moved and g.earliest else g for g in rows]
    return sorted(shifted, key=lambda g: g.at)


def at_end(policy: Policy, course: Course, line: Line, end: End) -> Line | None:
    """The line as it would be, None if there was no reference or the dose came too long before the rise."""
    rise = rise_of(course, line)
    rise_at = rise.graded.earliest if rise.at in end.early and rise.graded.earliest else rise.at
    if end.start < rise_at - policy.onset_lead:
        return None
    other = replace(line, start=end.start, met_b=None, verdicts=[], overdue=[], reference=None, following=None)
    if end.start < rise_at:
        other.reference = replace(rise.graded, at=rise_at, placed=rise.graded.at)
    else:
        find_reference(policy, end.course, other, end.course.rows, rise_at)
    return other if other.reference is not None else None


def early_reference(policy: Policy, course: Course, line: Line, points: list[DosePoint]) -> bool:
    """L38: there would be a reference if the treatment had started at the start of its day."""
    rows = [r for r in course.rows if r.at <= line.start + policy.reference_after]
    end = End(line.earliest, replace(course, rows=rows), points, set())
    return at_end(policy, course, line, end) is not None


def same_worsening(policy: Policy, course: Course, line: Line, points: list[DosePoint], g: Graded) -> bool:
    """F5: clause B is met by then at every end."""
    for end in ends(course, line, points, g, g.at):
        other = at_end(policy, course, line, end)
        if (
            other is None
            or worsening(policy, end.course, other, end.points, other.start + policy.evaluation_due) is None
        ):
            return False
    return True


def same_verdict(
    record: Record, policy: Policy, course: Course, line: Line, points: list[DosePoint], g: Graded, at: datetime
) -> bool:
    """F5: clause A says the same at every end; the first time each end chooses its own evaluation."""
    outcomes = set()
    for end in ends(course, line, points, g, at):
        other = at_end(policy, course, line, end)
        if by("L38", other is None) or other is None:
            return False
        chosen: Graded | None = shift([g], end.early)[0]
        if not line.verdicts:
            chosen = choose(policy, other, end.course.rows, at)
        if by("L38", chosen is None) or chosen is None:
            return False
        outcomes.add(verdict(record, policy, course, other, end.points, chosen))
    return len(outcomes) <= 1


def rise_of(course: Course, line: Line) -> Change:
    """The onset or rise from 0 that the line answers."""
    if line.anchor is not None:
        return line.anchor
    return [c for c in course.changes if c.episode is line.episode and c.before == 0 and c.at <= line.start][-1]


def reference(policy: Policy, course: Course, line: Line, rows: list[Graded]) -> None:
    """D2, D3."""
    if line.anchor is not None:
        line.reference = line.anchor.graded
    else:
        find_reference(policy, course, line, rows, rise_of(course, line).at)


def find_reference(policy: Policy, course: Course, line: Line, rows: list[Graded], rise_at: datetime) -> None:
    """D3, L14: the later of the latest full row and the row that set the headline, for a line after its rise."""
    since = max(line.start - policy.reference_before, rise_at)
    before = [g for g in rows if g.full and g.assessable and since <= g.at <= line.start]
    before += [replace(c.graded, at=c.at, placed=c.graded.at) for c in course.changes if since <= c.at <= line.start][
        -1:
    ]
    after = [g for g in rows if g.full and g.assessable and line.start < g.at <= line.start + policy.reference_after]
    if before:
        line.reference = max(before, key=lambda g: g.at)
        by("L14", not line.reference.full and len(before) > 1)
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
    rows = course.rows
    reference(policy, course, line, rows)
    due = line.start + policy.evaluation_due
    window_end = min(due, line.following) if line.following else due
    ref = line.reference
    if ref is not None:
        since = ref.at
        while line.met_b is None:
            g = worsening(policy, course, line, points, window_end, since)
            if g is None:
                break
            since = g.at
            if same_worsening(policy, course, line, points, g):
                line.met_b = g
    line.superseded = line.following is not None and line.following < due
    last = min(limit for limit in (line.following, line.episode.resolved, course.end) if limit is not None)
    no_reference_at = line.start + policy.reference_after
    if ref is None and no_reference_at <= last:
        known_at_start = line.earliest != line.start and early_reference(policy, course, line, points)
        reason = "time-imprecise" if by("L38", known_at_start) else "no-reference"
        line.verdicts.append(Verdict(no_reference_at, reason, None))
    if line.superseded or due > course.end:
        return
    evaluate(record, policy, course, line, points, rows, last)


def worsening(
    policy: Policy,
    course: Course,
    line: Line,
    points: list[DosePoint],
    until: datetime,
    since: datetime | None = None,
) -> Graded | None:
    """Clause B: the first assessment in (T0, until], and after this one, that is surely worse."""
    ref = line.reference
    assert ref is not None
    treated = treated_from(points, line.start, policy)
    if treated is None:
        return None
    for g in course.admitted:
        if max(line.start, ref.at, since or ref.at) < g.at <= until:
            worse = g.assessable and g.counts[0] > ref.counts[1]
            worse = worse and not by("L14", not newly_worse(ref, g)) and not by("L15", g.at <= treated)
            if worse and is_active(points, line.start, g.at, policy):
                return g
    return None


def newly_worse(ref: Graded, g: Graded) -> bool:
    """L14: a value that is newer than the reference is worse by itself."""
    return any(
        value[0] > ref.counts[1]
        and charted_at != ref.placed
        and (g.at if charted_at == g.placed else charted_at) > ref.at
        for _, charted_at, value in g.values
    )


def answers(g: Graded) -> bool:
    """Clause A needs something that is assessed at e, or an event charted then."""
    return g.assessable and not by("D6 carried", g.carried_only)


def decisive(line: Line, g: Graded) -> bool:
    return answers(g) and line.reference is not None and g.counts[0] >= max(1, line.reference.counts[1])


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
    chosen = choose(policy, line, rows, last)
    if chosen is None or chosen.at > due:
        line.overdue = reassessment(record, policy, course, due, chosen.at if chosen else last)
    if chosen is None:
        return
    give(record, policy, course, line, points, max(due, chosen.at), chosen)
    given_at = max(due, chosen.at)
    for g in course.admitted:
        settled = any(v.outcome in ("met", "responded") for v in line.verdicts)
        if given_at < g.at <= last and answers(g) and not settled:
            give(record, policy, course, line, points, g.at, g)


def choose(policy: Policy, line: Line, rows: list[Graded], last: datetime) -> Graded | None:
    """The evaluation assessment e, or the full row that could not be assessed in its place."""
    due = line.start + policy.evaluation_due
    window = [g for g in rows if line.start + policy.evaluation_from <= g.at <= due]
    full = [g for g in window if g.full and answers(g)]
    partial = [g for g in window if not g.full and decisive(line, g)]
    blank = [g for g in window if g.full and not answers(g)]
    for serving in (full, partial, blank):
        if serving:
            return serving[-1]
    return next(
        (g for g in rows if due < g.at <= last and (g.full or (decisive(line, g) and (g.moves or not g.weak)))), None
    )


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
    if outcome != "not-assessable" and not same_verdict(record, policy, course, line, points, g, at):
        outcome = "time-imprecise"
    line.verdicts.append(Verdict(at, outcome, g))


def verdict(record: Record, policy: Policy, course: Course, line: Line, points: list[DosePoint], g: Graded) -> str:
    """3.4 with D7."""
    ref = line.reference
    assert ref is not None
    if not answers(g):
        return "not-assessable"
    if g.counts[1] <= ref.counts[0] - 1:
        return "responded"
    still = g.counts[0] >= max(1, ref.counts[1])  # grade 0 is never "no improvement"
    if still and not is_active(points, line.start, g.at, policy):
        return "treatment-gap"
    at = g.placed or g.at
    headline = course.headline(at, inclusive=False)
    fresh = assessments.grade(record, policy, at, headline, course.infusion, without_events_before=at)
    if fresh is not None and fresh.assessable and fresh.counts[1] <= ref.counts[0] - 1:
        by("L22", not still)
        return "event-carry"
    if not still:
        return "interval-overlap"
    return only_the_tool(policy, ref, g) or "met"


def only_the_tool(policy: Policy, ref: Graded, g: Graded) -> str | None:
    """D7, L18: ICE gained two points (one at grade 1), or CAPD fell by four, everything else unchanged."""
    if g.counts != ref.counts:
        return None

    def rose_beside(tool: str) -> bool:
        others = (set(ref.contributions) | set(g.contributions)) - {tool}
        return any(g.contributions.get(d, (0, 0))[1] > ref.contributions.get(d, (0, 0))[1] for d in others)

    both = ref.ice is not None and g.ice is not None and ref.ice.complete and g.ice.complete
    if both and ref.ice is not None and g.ice is not None and not rose_beside("ice"):
        gain = g.ice.low - ref.ice.low
        if gain >= 2 or by("L18", gain == 1 and ref.counts == (1, 1)):
            return "ice-only"
    if ref.capd is not None and g.capd is not None and not rose_beside("capd"):
        if by("L18", ref.capd.total - g.capd.total >= policy.capd_gain):
            return "capd-only"
    return None
