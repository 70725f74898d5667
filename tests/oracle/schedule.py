"""What falls due: a missing assessment, late or never there, paused while the patient is sedated (C5, C7, L24, L25)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from icans.findings import key_time
from icans.policy.policy import Policy
from icans.record import Record
from tests.oracle import grades
from tests.oracle import in_force as charted
from tests.oracle.course import Course, Held, Span, clipped
from tests.oracle.memory import by

MICROSECOND = timedelta(microseconds=1)
Limit = Callable[[int], timedelta | None]


def not_found(record: Record, policy: Policy, course: Course) -> list[Held]:
    """C7: nobody looked, at headline 0."""
    found = []
    looked = [g.at for g in course.admitted if g.assessable and (g.full or not g.weak)]
    for since in sorted({course.start, *looked}):
        if course.headline(since) != 0:
            continue
        ends = [at for at in looked if at > since] + [c.at for c in course.changes if c.at > since and c.after > 0]
        stop = min(ends, default=course.end + MICROSECOND)

        def limit(headline: int) -> timedelta | None:
            return policy.not_found_after if headline == 0 else None

        fell_due = moved(record, policy, course, since + policy.not_found_after, stop, limit)
        if fell_due is None or fell_due > course.end or fell_due >= stop:
            continue
        episode = course.episode(fell_due)
        is_open = episode is not None and (episode.resolved is None or episode.resolved > fell_due)
        unseen = not any(at <= fell_due for at in looked)
        last_day = course.start + (policy.not_found_unseen_until if is_open or unseen else policy.not_found_until)
        if fell_due > last_day:
            by("L25", fell_due <= course.start + policy.not_found_unseen_until)
            continue
        _, until = clipped(fell_due, min(stop, last_day), course)
        spans = paused(record, policy, course, fell_due, until, limit) or [(fell_due, fell_due)]
        found.append(Held("assessment-not-found", key_time(since), fell_due, "info", {"since": since}, spans))
    return found


def overdue(record: Record, policy: Policy, course: Course, quiet: list[Span]) -> list[Held]:
    """C5; quiet: when reassessment-overdue holds, which is told instead."""
    found = []
    full = [g.at for g in course.rows if g.full and g.at >= course.start]
    if course.changes and not any(at <= course.changes[0].at for at in full):
        full.insert(0, course.changes[0].at)  # nothing full before the onset: it stands in its place

    def limit(headline: int) -> timedelta | None:
        if headline == 0 and policy.protocol_enrolled != "all":
            return None
        return grades.freshness(policy, headline)[0]

    for i, last in enumerate(full):
        following = full[i + 1] if i + 1 < len(full) else course.end
        stop = min(following, course.end)
        fell_due = first_due(course, last, stop, limit)
        if fell_due is not None:
            fell_due = moved(record, policy, course, fell_due, stop, limit)
        if fell_due is None:
            continue
        resolved = course.resolved_between(fell_due, stop)
        if resolved is not None:
            stop = min(stop, resolved)
        spans = without(paused(record, policy, course, fell_due, stop, limit), quiet)
        if not spans:
            continue
        headline = course.headline(fell_due)
        by("L24", headline == 1)
        by(
            "L37",
            not any(g.full and g.at == last for g in course.rows) and any(g.full and g.at < last for g in course.rows),
        )
        facts = {"lastAssessment": last, "intervalHours": grades.freshness(policy, headline)[1], "grade": headline}
        found.append(Held("assessment-overdue", key_time(last), fell_due, "info", facts, spans))
    return found


def reassessment(record: Record, policy: Policy, course: Course, due: datetime, stop: datetime) -> list[Span]:
    """When a reassessment-overdue holds that fell due then and ends at ``stop``, if no sedative runs (L24)."""

    def limit(headline: int) -> timedelta | None:
        return grades.freshness(policy, headline)[0]

    fell_due = moved(record, policy, course, due, stop, limit)
    if fell_due is None:
        return []
    return paused(record, policy, course, fell_due, stop, limit) or [(fell_due, fell_due)]


def first_due(course: Course, last: datetime, stop: datetime, limit: Limit) -> datetime | None:
    """When what is expected that long after ``last`` first falls due, piece by piece of constant headline."""
    inside = [c.at for c in course.changes if last < c.at < stop]
    pieces = [max(last, course.start), *inside]
    for i, piece in enumerate(pieces):
        until = pieces[i + 1] if i + 1 < len(pieces) else stop
        headline = course.headline(piece)
        after = limit(headline)
        if after is None:
            continue
        at = max(piece, last + after)
        episode = course.episode(at)
        over = headline == 0 and episode is not None and episode.resolved is not None and episode.resolved <= at
        if at < until and not over:
            return at
    return None


def moved(
    record: Record, policy: Policy, course: Course, due: datetime, stop: datetime, limit: Limit
) -> datetime | None:
    """The due instant, counted anew from the end of the sedation that runs then; None if that is too late."""
    at: datetime | None = due
    while at is not None:
        end = running_until(record, policy, at)
        if end is None:
            return at
        by("L24 sedated", True)
        at = first_due(course, end, stop, limit)
    return None


def paused(record: Record, policy: Policy, course: Course, since: datetime, stop: datetime, limit: Limit) -> list[Span]:
    """[since, stop) less the pauses: from the start of a sedation until it would fall due after its end."""
    spans = []
    at: datetime | None = since
    while at is not None and at < stop:
        starts = [s.at for s in record.sedatives if at < s.at < stop and charted.running(record, policy, s.at)]
        pause = min(starts, default=None)
        if pause is None:
            spans.append((at, stop))
            break
        spans.append((at, pause))
        at = moved(record, policy, course, pause, stop, limit)
    return spans


def running_until(record: Record, policy: Policy, at: datetime) -> datetime | None:
    """The end of the sedation that runs at this instant; None if none runs."""
    if not charted.running(record, policy, at):
        return None
    corners = {s.at for s in record.sedatives} | {s.end for s in record.sedatives if s.end is not None}
    corners |= {s.at + policy.sedative_open_end for s in record.sedatives}
    end = at
    for corner in sorted(c for c in corners if c > at):
        between = end + (corner - end) / 2
        if not charted.running(record, policy, between):
            return end
        end = corner
        if not charted.running(record, policy, corner):
            return end
    return end


def without(spans: list[Span], quiet: list[Span]) -> list[Span]:
    """The spans less the quiet ones."""
    spans = [span for span in spans if span[0] < span[1]]
    for start, stop in quiet:
        if start < stop:
            parts = [((a, min(b, start)), (max(a, stop), b)) for a, b in spans]
            spans = [part for pair in parts for part in pair if part[0] < part[1]]
    return spans
