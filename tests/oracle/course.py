"""The course of one infusion in effective time: headline, episodes, what is open, what is overdue (A, C)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from icans.findings import key_time
from icans.policy.policy import Policy
from icans.record import DocumentedGrade, IceItem, IceTotal, Infusion, Record
from tests.oracle import assessments, grades
from tests.oracle.amounts import distinct
from tests.oracle.assessments import Graded
from tests.oracle.memory import by

Span = tuple[datetime, datetime]
Running = dict[str, Callable[[datetime], Any]]


@dataclass
class Held:
    """One finding of a recomputed history: when it holds if nothing more is learnt."""

    type: str
    key: str
    at: datetime
    indicator: str
    facts: dict[str, Any]
    spans: list[Span]  # [from, to); empty spans are kept, they were told and over
    running: Running = field(default_factory=dict)
    also: tuple[datetime, str] | None = None  # the other clause of refractoriness, and from when it is met too


@dataclass
class Episode:
    number: int
    onset: datetime
    resolved: datetime | None = None


@dataclass
class Change:
    """A change of the headline."""

    at: datetime
    before: int
    after: int
    direction: str
    episode: Episode
    graded: Graded


@dataclass
class Course:
    """Everything about the grade after one infusion (or, without one, after the first ICE or grade)."""

    number: int
    infusion: datetime | None
    start: datetime
    end: datetime
    rows: list[Graded] = field(default_factory=list)  # every row since long before the start, graded
    following: datetime | None = None  # the next infusion
    admitted: list[Graded] = field(default_factory=list)  # those that are assessments (B2)
    changes: list[Change] = field(default_factory=list)
    episodes: list[Episode] = field(default_factory=list)

    def covers(self, at: datetime) -> bool:
        """Whether something given then is told: until the next infusion, the instant of another end included."""
        return self.start <= at <= self.end and at != self.following

    def headline(self, at: datetime, inclusive: bool = True) -> int:
        passed = [c for c in self.changes if c.at < at or (inclusive and c.at == at)]
        return passed[-1].after if passed else 0

    def episode(self, at: datetime) -> Episode | None:
        begun = [e for e in self.episodes if e.onset <= at]
        return begun[-1] if begun else None

    def resolved_between(self, since: datetime, until: datetime) -> datetime | None:
        return next((e.resolved for e in self.episodes if e.resolved and since < e.resolved <= until), None)


def infusion_instants(record: Record, policy: Policy) -> list[datetime]:
    """A2: records within thirty days of the first are one infusion."""
    groups: list[list[Infusion]] = []
    for infusion in sorted(record.infusions, key=lambda i: i.at):
        if groups and infusion.at <= groups[-1][0].at + policy.infusion_grouping:
            groups[-1].append(infusion)
        else:
            groups.append([infusion])
    return [min(g, key=lambda i: (i.day, not i.precise, i.source != "administration", i.at)).at for g in groups]


def courses(record: Record, policy: Policy) -> list[Course]:
    instants = infusion_instants(record, policy)
    if not instants:
        firsts = [
            e.at for e in record.observed if isinstance(e, IceTotal | IceItem | DocumentedGrade) and not e.other_cause
        ]
        return [walk(record, policy, 1, None, min(firsts), None)] if firsts else []
    following: list[datetime | None] = [*instants[1:], None]
    return [
        walk(record, policy, number, start, start, following[number - 1])
        for number, start in enumerate(instants, start=1)
    ]


def contradicted(record: Record, policy: Policy, death: datetime) -> bool:
    """L5: the patient was assessed or treated a day after this death, or infused after it."""
    seen = [e.at for e in (*record.observed, *record.crs_grades)]
    seen += [e.at for e in (*record.doses, *record.sedatives, *record.escalations)]
    late = any(at > death + policy.death_contradiction for at in seen)
    return by("L5", late or any(i.at > death for i in record.infusions))


def last_instant(record: Record, policy: Policy, start: datetime, following: datetime | None) -> datetime:
    """A1: death, a documented grade 5, the next infusion."""
    ends = [following] if following else []
    if record.death is not None and not contradicted(record, policy, record.death.at):
        ends.append(record.death.at)
    ends += [
        e.at
        for e in record.observed
        if isinstance(e, DocumentedGrade) and e.grade == 5 and not e.other_cause and e.at >= start
    ]
    return min(ends, default=datetime.max.replace(tzinfo=start.tzinfo))


def grade_five(record: Record, at: datetime) -> bool:
    """A documented grade 5 at this instant: it starts no grade change (B5)."""
    return any(isinstance(e, DocumentedGrade) and e.grade == 5 and e.at == at for e in record.observed)


def walk(
    record: Record,
    policy: Policy,
    number: int,
    infusion: datetime | None,
    start: datetime,
    following: datetime | None,
) -> Course:
    """C1 and C3, row by row."""
    cut = last_instant(record, policy, start, following)
    course = Course(number, infusion, start, cut, following=following)
    base_end = start + policy.monitoring
    headline = 0
    open_episode: Episode | None = None
    run_start: datetime | None = None
    last_assessable: datetime | None = None
    ended: datetime | None = None
    full_rows: list[datetime] = []

    def monitoring_end() -> datetime:
        if open_episode is None or last_assessable is None:
            return base_end
        return max(base_end, last_assessable + policy.monitoring_extension)

    for at in assessments.row_times(record, policy):
        if at > cut or at == following or (at == cut and grade_five(record, at)):
            break
        if ended is None and at >= monitoring_end():
            ended = monitoring_end()
        if ended is not None:
            break
        graded = assessments.grade(record, policy, at, headline, infusion)
        if graded is None:
            continue
        course.rows.append(graded)
        limit, _ = grades.freshness(policy, headline)
        fresh = any(at - limit < full < at for full in full_rows)
        if graded.full:
            full_rows.append(at)
        elif not (graded.assessable and graded.counts[0] > headline) and fresh:
            continue
        if at < start:
            continue
        course.admitted.append(graded)
        if not graded.assessable:
            continue
        last_assessable = at
        low, high = graded.counts
        graded.moves = low > headline or high < headline
        if graded.moves:
            direction = "improvement"
            after = high
            if low > headline:
                after = low
                direction = "worsening" if open_episode else "recurrence" if course.episodes else "onset"
            elif high == 0:
                direction = "resolution"
            if open_episode is None:
                open_episode = Episode(len(course.episodes) + 1, at)
                course.episodes.append(open_episode)
            course.changes.append(Change(at, headline, after, direction, open_episode, graded))
            headline = after
        if graded.clear:
            run_start = run_start or at
            if open_episode is not None and at - run_start >= policy.resolution:
                open_episode.resolved = at
                open_episode = None
                if at >= base_end:
                    ended = at
        else:
            run_start = None
    course.end = min(cut, ended if ended is not None else monitoring_end())
    return course


Treatment = dict[int, Running]  # by number of the episode: what icans-active says of its lines


def clipped(since: datetime, until: datetime | None, course: Course) -> Span:
    return since, min(until, course.end) if until is not None else course.end


def findings(record: Record, policy: Policy, course: Course, treatment: Treatment) -> list[Held]:
    found = grade_changes(record, policy, course)
    found += active(policy, course, treatment)
    found += possible_changes(course)
    found += discrepancies(record, policy, course)
    return found


def ice_facts(graded: Graded) -> dict[str, Any]:
    if graded.ice is None:
        return {"iceScore": None, "iceLow": None, "iceHigh": None}
    if graded.ice.low == graded.ice.high:
        return {"iceScore": graded.ice.low}
    return {"iceScore": None, "iceLow": graded.ice.low, "iceHigh": graded.ice.high}


def indicator_of_change(change: Change) -> str:
    if change.after < change.before or change.after == 1:
        return "info"
    return "warning" if change.after == 2 else "critical"


def grade_changes(record: Record, policy: Policy, course: Course) -> list[Held]:
    found = []
    for i, c in enumerate(course.changes):
        following = course.changes[i + 1].at if i + 1 < len(course.changes) else None
        facts: dict[str, Any] = {
            "previousGrade": c.before,
            "grade": c.after,
            "gradeLow": c.graded.shown[0],
            "gradeHigh": c.graded.shown[1],
            "direction": c.direction,
            "decidingDomain": c.graded.deciding,
            "episode": c.episode.number,
            "documentedGrade": c.graded.documented,
            **ice_facts(c.graded),
        }
        onset = c.episode.onset
        facts["onsetOnSteroids"] = any(
            d.route != "intrathecal" and d.at < onset and onset - (d.end or d.at) <= policy.onset_on_steroids
            for d in distinct(record, policy)
        )
        key = f"{c.episode.number}|{key_time(c.at)}|{c.before}|{c.after}"
        found.append(Held("grade-change", key, c.at, indicator_of_change(c), facts, [clipped(c.at, following, course)]))
    return found


def active(policy: Policy, course: Course, treatment: Treatment) -> list[Held]:
    """C4: one for each time the headline was set."""
    found = []
    for i, c in enumerate(course.changes):
        if c.after == 0:
            continue
        following = course.changes[i + 1].at if i + 1 < len(course.changes) else None
        key = f"{c.episode.number}|{c.after}|{key_time(c.at)}"
        facts = {"grade": c.after, "since": c.episode.onset, "episode": c.episode.number}
        indicator = "warning" if c.after >= 3 else "info"

        def last(at: datetime) -> Graded:
            return [g for g in course.admitted if g.assessable and g.at <= at][-1]

        def stale(at: datetime) -> bool:
            full = [g.at for g in course.admitted if g.full and g.assessable and g.at <= at]
            return not full or at >= full[-1] + grades.freshness(policy, course.headline(at))[0]

        running: Running = {
            "gradeLow": lambda at: last(at).shown[0],
            "gradeHigh": lambda at: last(at).shown[1],
            "lastAssessment": lambda at: last(at).at,
            "stale": stale,
            **treatment[c.episode.number],
        }
        found.append(Held("icans-active", key, c.at, indicator, facts, [clipped(c.at, following, course)], running))
    return found


def possible_changes(course: Course) -> list[Held]:
    """C2. An ICE of at least one point under sedation ends nothing (B8), nor does a row with a weak reason (L13)."""
    found: list[Held] = []
    open_now: list[Held] = []
    for graded in course.admitted:
        if not graded.assessable:
            continue
        headline = course.headline(graded.at)
        low, high = graded.shown
        direction = None
        if not graded.clear and high > 1:
            direction = "worsening" if high > headline >= low else "improvement" if low < headline <= high else None
        facts = {
            "previousGrade": headline,
            "gradeLow": low,
            "gradeHigh": high,
            "direction": direction,
            "missing": list(graded.missing),
        }
        kept = [h for h in open_now if direction and all(h.facts[k] == facts[k] for k in facts if k != "direction")]
        ends_nothing = (graded.weak or (graded.sedated and graded.ice is not None)) and not graded.moves
        if not ends_nothing:
            for held in open_now:
                if held not in kept:
                    held.spans = [clipped(held.at, graded.at, course)]
            open_now = kept
        if direction and not kept:
            key = f"{key_time(graded.at)}|{low}|{high}"
            held = Held("grade-possible-change", key, graded.at, "info", facts, [clipped(graded.at, None, course)])
            found.append(held)
            open_now.append(held)
    return found


def discrepancies(record: Record, policy: Policy, course: Course) -> list[Held]:
    """GRD-15, B5: a documented grade outside the strict interval of the nearest ICE or CAPD."""
    found = []
    hour = policy.combination_window
    documented: dict[datetime, int] = {}
    for e in record.observed:
        if isinstance(e, DocumentedGrade) and not e.other_cause:
            documented[e.at] = max(e.grade, documented.get(e.at, 0))
    for at, given in sorted(documented.items()):
        if not course.covers(at) or given == 5:
            continue
        stands = assessments.tools_standing(record, policy, at - hour, at + hour, unarousable_too=True)
        if not stands:
            continue
        nearest = min(stands, key=lambda s: (abs(s - at), s))
        compared_at = max(nearest, at)
        if any(at < other <= compared_at for other in documented):
            continue  # charted anew before there was anything to compare with
        compared = next((g for g in course.admitted if g.at == compared_at), None)
        if compared is None or not compared.assessable or compared.strict[0] <= given <= compared.strict[1]:
            continue
        later = [g.at for g in course.admitted if g.at > compared_at and g.assessable] + [
            d for d in documented if d > at
        ]
        facts = {
            "documentedGrade": given,
            "gradeLow": compared.shown[0],
            "gradeHigh": compared.shown[1],
            "strictLow": compared.strict[0],
            "strictHigh": compared.strict[1],
        }
        key = f"{key_time(at)}|{given}"
        found.append(Held("grade-discrepancy", key, at, "info", facts, [clipped(at, min(later, default=None), course)]))
    return found
