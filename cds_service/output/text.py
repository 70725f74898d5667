"""Results as text for a terminal of 100 columns.

Times are in the site's zone, days count the infusion's calendar day as 0. Nothing charted can move the cursor
or colour the screen: what is not printable is replaced.
"""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import TYPE_CHECKING

from cards import count, number_text, sum_text

if TYPE_CHECKING:
    from cds_service.evaluation import Answer
    from icans import Evaluation, ExposureNow, GradeNow, Problem, Replay

WIDTH = 100
MOST_PROBLEMS = 20
MOST_REFERENCES = 5
#: Problems that a site mends with a mapping.
UNMAPPED = frozenset({"code-unmapped", "drug-unmapped", "unit-unknown", "value-not-numeric"})
_INDEX = re.compile(r"\[\d+\]")
_COLOURS = {"critical": "1;31", "warning": "33", "info": "36", "heading": "1", "faint": "2"}
_UNPRINTABLE = re.compile(r"[^\S ]|[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
_EMPHASIS = re.compile(r"\*\*(.+?)\*\*|(?<![\\\w])_(.+?)_(?!\w)|`(.+?)`")
_LINK = re.compile(r"(?<!\\)\[([^\]]+)\]\(([^)\s]+)\)")
_ESCAPE = re.compile(r"\\([\\`*_{}\[\]#|~$:.()<>!+-])")


@dataclass(frozen=True, slots=True)
class Page:
    """How a text is laid out. coloured: ANSI colours (a terminal, and NO_COLOR not set)."""

    zone: tzinfo
    coloured: bool = False

    def clock(self, instant: datetime) -> str:
        """``2026-03-08 14:00 CET``."""
        return f"{instant.astimezone(self.zone):%Y-%m-%d %H:%M %Z}"

    def day_of(self, instant: datetime) -> date:
        return instant.astimezone(self.zone).date()

    def infusions(self, found: Evaluation | Replay) -> str:
        """When the cells were given, in a sentence; the day alone where no more is known."""
        if not found.infusions:
            return "No CAR-T infusion found in the record."
        said = [
            self.clock(at) if self.day_of(at) == day else f"{day}, no time charted"
            for at, day in zip(found.infusions, found.infusion_days, strict=True)
        ]
        return f"CAR-T infusion {' and '.join(said)} (day 0)."

    def paint(self, text: str, colour: str) -> str:
        return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if self.coloured and colour in _COLOURS else text


def evaluation_text(answer: Answer, page: Page) -> str:
    """What holds at one instant: state in a few lines, then each card in full, then the data problems."""
    evaluation = answer.evaluation
    lines = [
        page.paint(printable(f"{evaluation.patient} as of {page.clock(evaluation.as_of)}"), "heading"),
        *wrapped("", f"{page.infusions(evaluation)} Policy {evaluation.policy.label}."),
        "",
        *wrapped("Grade       ", _grade_text(evaluation, page)),
        *wrapped("Steroids    ", _exposure_text(evaluation.exposure)),
        *wrapped("Refractory  ", _refractory_text(evaluation, page)),
        "",
    ]
    if not answer.cards:
        lines += wrapped("", _no_card_text(evaluation))
    for card in answer.cards:
        head = f"[{card['indicator'].upper()}] "
        lines += [page.paint(line, card["indicator"]) for line in wrapped(head, card["summary"])]
        lines += [*_markdown_lines(card.get("detail", "")), ""]
    lines += problem_lines(evaluation.problems)
    return "\n".join(lines).rstrip("\n") + "\n"


def printable(text: str) -> str:
    """The text without anything that a terminal would take as a command."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def plain(markdown: str) -> str:
    """One line of a card's Markdown without its markup."""
    text = _LINK.sub(r"\1 (\2)", markdown)
    text = _EMPHASIS.sub(lambda found: next(group for group in found.groups() if group is not None), text)
    return html.unescape(_ESCAPE.sub(r"\1", text))


def _grade_text(evaluation: Evaluation, page: Page) -> str:
    grade = evaluation.grade
    if grade.working is None:
        return f"none: nothing assessable in the record (monitoring {evaluation.monitoring})."
    decided = f", decided by {grade.deciding_domain}" if grade.deciding_domain else ""
    when = f", assessed {page.clock(grade.assessed)}" if grade.assessed else ""
    stale = "; older than the assessment interval" if grade.stale else ""
    return f"{grade.working}{_interval(grade)}{decided}{when}{stale} (monitoring {evaluation.monitoring})."


def _interval(grade: GradeNow) -> str:
    return (
        ""
        if grade.low is None or grade.low == grade.high == grade.working
        else f", last assessed {grade.low} to {grade.high}"
    )


def _exposure_text(exposure: ExposureNow | None) -> str:
    if exposure is None:
        return "medication administrations could not be read."
    total = exposure.dexamethasone_equivalent_mg
    last = f"{number_text(exposure.last_24h_mg)} mg in the last 24 h"
    if total is None:
        return f"{last} (dexamethasone-equivalent; no infusion to count from)."
    uncounted = f", {count(exposure.uncounted, 'administration')} not counted" if exposure.uncounted else ""
    return (
        f"{sum_text(total, exposure.upper_bound_mg)} since infusion{uncounted}, {last}, "
        f"{count(exposure.steroid_days or 0, 'steroid day')}."
    )


def _refractory_text(evaluation: Evaluation, page: Page) -> str:
    refractory = evaluation.refractory
    line = f", line {refractory.line}" if refractory.line else ""
    start = f", treatment start {page.clock(refractory.treatment_start)}" if refractory.treatment_start else ""
    return f"{refractory.state}{line}{start}."


def _no_card_text(evaluation: Evaluation) -> str:
    if evaluation.monitoring == "active":
        return "No card: nothing holds at this time. Absence of a card does not mean absence of ICANS."
    return f"No card: outside monitoring ({evaluation.monitoring}). Absence of a card does not mean absence of ICANS."


def problem_lines(problems: Sequence[Problem]) -> list[str]:
    """Data problems, those that could change something first; those of one kind once, with how many they are.

    More than MOST_PROBLEMS kinds are counted.
    """
    if not problems:
        return []
    kinds: dict[tuple[object, ...], list[Problem]] = {}
    for problem in sorted(problems, key=lambda problem: not problem.affects):
        kind = (problem.code, problem.reference.partition("/")[0], _INDEX.sub("", problem.element), problem.affects)
        kinds.setdefault(kind, []).append(problem)
    lines = ["", f"Data problems ({len(problems)})"]
    for alike in list(kinds.values())[:MOST_PROBLEMS]:
        lines += wrapped(f"  {alike[0].code}  ", _in_one(alike))
    if len(kinds) > MOST_PROBLEMS:
        more = sum(len(alike) for alike in list(kinds.values())[MOST_PROBLEMS:])
        lines.append(f"  and {more} more; --format json lists all")
    if any(problem.code in UNMAPPED for problem in problems):
        lines += wrapped("  ", "icans-cds mappings check PATH lists what is not understood, and how to map it.")
    return lines


def _in_one(alike: Sequence[Problem]) -> str:
    """Problems of one code, type of resource and element: how many, the first few places, the message."""
    first = alike[0]
    places = list(dict.fromkeys(problem.reference for problem in alike if problem.reference))
    more = f" and {len(places) - MOST_REFERENCES} more" if len(places) > MOST_REFERENCES else ""
    where = " ".join(part for part in (", ".join(places[:MOST_REFERENCES]) + more, first.element) if part)
    often = f"{len(alike)} times: " if len(alike) > 1 else ""
    same = all(problem.message == first.message for problem in alike)
    message = first.message if same else f"such as: {first.message}"
    return f"{often}{where}: {message}" if where else f"{often}{message}"


def _markdown_lines(markdown: str) -> list[str]:
    lines: list[str] = []
    for line in markdown.splitlines():
        if line.startswith("|"):
            cells = [plain(cell.strip()) for cell in re.split(r"(?<!\\)\|", line.strip("|"))]
            if any(set(cell) - set("-: ") for cell in cells):
                lines += wrapped("    ", " | ".join(cell for cell in cells if cell))
        elif line.strip():
            bullet = "  - " if line.startswith("- ") else "  "
            lines += wrapped(bullet, plain(line.removeprefix("- ").lstrip("#> ")))
    return lines


def wrapped(lead: str, text: str) -> list[str]:
    """The text in lines of at most WIDTH, the first after ``lead``, the others indented as far."""
    indent = " " * min(len(lead), 30)
    cleaned = printable(" ".join(text.split()))
    return textwrap.wrap(cleaned, WIDTH, initial_indent=lead, subsequent_indent=indent, break_on_hyphens=False) or [
        lead.rstrip()
    ]
