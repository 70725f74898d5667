"""What a check of mappings found: one line a code, a unit, a route, an event; counted, dated, exemplified.

Lines are bounded: what is beyond LARGEST is counted and not listed, so that a check needs the same memory for
a day of one ward and for a year of a hospital.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

UNDERSTOOD = "understood"
LOOKS_RELEVANT = "looks-relevant"
IRRELEVANT = "irrelevant"
REFUSED = "refused"
VERDICTS = (UNDERSTOOD, LOOKS_RELEVANT, REFUSED, IRRELEVANT)
#: Lines of one verdict, and references that stand for all of a line.
LARGEST = 10_000
REFERENCES = 2
_LONGEST_TEXT = 200


@dataclass(frozen=True, slots=True)
class Subject:
    """What a line is about.

    kind: "observation", "procedure", "condition", "drug", "question" (by what they are named), "answer",
    "reason" (of not assessing), "unit", "route", "event", "value" (how something stands), "resource".
    verdict: one of VERDICTS. system, code, display: as charted ("" where there is none).
    meaning: the project's code it is understood as. lost: what its absence costs. map_to: what to do about it.
    targets: the code systems that a site can map it to.
    """

    kind: str
    verdict: str
    system: str = ""
    code: str = ""
    display: str = ""
    meaning: str = ""
    lost: str = ""
    map_to: str = ""
    targets: tuple[str, ...] = ()


@dataclass(slots=True)
class Line:
    """A subject, how often it occurs, from when to when, and where (the first two)."""

    subject: Subject
    count: int = 0
    first: datetime | None = None
    last: datetime | None = None
    references: list[str] = field(default_factory=list)

    def add(self, reference: str, at: datetime | None) -> None:
        self.count += 1
        if at is not None:
            self.first = at if self.first is None else min(self.first, at)
            self.last = at if self.last is None else max(self.last, at)
        if len(self.references) < REFERENCES and reference not in self.references:
            self.references.append(reference)


@dataclass(slots=True)
class Report:
    """resources: seen, by type. unlisted: occurrences beyond LARGEST lines, by verdict."""

    mappings: str
    resources: Counter[str] = field(default_factory=Counter)
    unlisted: Counter[str] = field(default_factory=Counter)
    _lines: dict[tuple[str, ...], Line] = field(default_factory=dict)
    _listed: Counter[str] = field(default_factory=Counter)

    def note(self, subject: Subject, reference: str, at: datetime | None) -> None:
        named = (subject.kind, subject.verdict, subject.system, subject.code)
        key: tuple[str, ...] = (*named, subject.meaning, subject.lost)
        if not subject.code:
            key += (subject.display[:_LONGEST_TEXT],)
        line = self._lines.get(key)
        if line is None:
            if self._listed[subject.verdict] >= LARGEST:
                self.unlisted[subject.verdict] += 1
                return
            line = self._lines[key] = Line(subject)
            self._listed[subject.verdict] += 1
        line.add(reference, at)

    def lines(self, verdict: str) -> list[Line]:
        """The lines of a verdict, the most frequent first."""
        found = [line for line in self._lines.values() if line.subject.verdict == verdict]
        return sorted(found, key=_order)


def _order(line: Line) -> tuple[int, str, str, str, str]:
    subject = line.subject
    return -line.count, subject.kind, subject.system, subject.code, subject.display
