"""The history of findings as the rules wrote it, with an undo for when late knowledge rewrites it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from icans.findings import Finding, TimelineEntry
from icans.grading.assessment import Assessment
from icans.record import Problem


class Mark(NamedTuple):
    """How far the log had been written at a checkpoint."""

    written: int
    timeline: int
    problems: int
    assessments: int
    rows: int


class FindingsLog:
    """Findings with the spans over which they hold, and what was graded and noted on the way.

    ``touched`` collects the ids whose spans changed since it was last cleared.
    """

    def __init__(self) -> None:
        self.findings: dict[str, list[Finding]] = {}
        self.ends: dict[str, list[datetime | None]] = {}
        self.written: list[tuple[str, str, datetime]] = []
        self.touched: set[str] = set()
        self.held: set[str] = set()
        self.timeline: list[TimelineEntry] = []
        self.problems: list[Problem] = []
        self.problems_of: dict[str, list[Problem]] = {}
        self.assessments: list[Assessment] = []
        self.rows: list[Assessment] = []  # those too that are no assessment of the course

    def open(self, at: datetime, finding: Finding) -> str:
        """The finding holds from ``at``; returns its id."""
        self.findings.setdefault(finding.id, []).append(finding)
        self.ends.setdefault(finding.id, []).append(None)
        self.written.append(("open", finding.id, at))
        self.touched.add(finding.id)
        self.held.add(finding.id)
        return finding.id

    def close(self, at: datetime, finding_id: str | None) -> None:
        """The finding no longer holds from ``at``; nothing happens if it did not hold."""
        if finding_id is None or finding_id not in self.ends or self.ends[finding_id][-1] is not None:
            return
        self.ends[finding_id][-1] = at
        self.held.discard(finding_id)
        self.written.append(("close", finding_id, at))
        self.touched.add(finding_id)

    def holds(self, finding_id: str | None) -> bool:
        return finding_id in self.held

    def latest(self, finding_id: str) -> Finding | None:
        """The finding as it is in the history, None if the history does not contain it."""
        stands = self.findings.get(finding_id)
        return stands[-1] if stands else None

    def opened_since(self, since: datetime) -> list[Finding]:
        """The findings opened at or after that instant, as they are now."""
        ids: dict[str, None] = {}
        for action, finding_id, at in reversed(self.written):
            if at < since:
                break
            if action == "open":
                ids[finding_id] = None
        return [self.findings[finding_id][-1] for finding_id in ids]

    def note(self, problem: Problem) -> list[Problem]:
        """Collect a problem; returns all problems of its resource so far."""
        self.problems.append(problem)
        same = self.problems_of.setdefault(problem.reference, [])
        same.append(problem)
        return same

    def mark(self) -> Mark:
        return Mark(len(self.written), len(self.timeline), len(self.problems), len(self.assessments), len(self.rows))

    def rewind(self, mark: Mark) -> None:
        """Forget everything written after ``mark``."""
        while len(self.written) > mark.written:
            action, finding_id, _ = self.written.pop()
            self.touched.add(finding_id)
            if action == "close":
                self.ends[finding_id][-1] = None
                self.held.add(finding_id)
                continue
            self.findings[finding_id].pop()
            self.ends[finding_id].pop()
            if not self.ends[finding_id] or self.ends[finding_id][-1] is not None:
                self.held.discard(finding_id)
            if not self.findings[finding_id]:
                del self.findings[finding_id], self.ends[finding_id]
        for problem in self.problems[mark.problems :]:
            self.problems_of[problem.reference].pop()
        del self.timeline[mark.timeline :]
        del self.problems[mark.problems :]
        del self.assessments[mark.assessments :]
        del self.rows[mark.rows :]
