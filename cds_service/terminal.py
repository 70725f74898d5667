"""Replay and evaluation as text for a terminal of 100 columns: a course as a clinician would tell it.

Times are in the site's zone, days count the infusion's calendar day as 0. Nothing charted can move the cursor
or colour the screen: what is not printable is replaced.
"""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import TYPE_CHECKING, Any

from cards.values import number_text
from icans.findings import Alert, Evaluation, ExposureNow, TimelineEntry
from icans.grading import Assessment
from icans.record import Death, Dose, Escalation

if TYPE_CHECKING:
    from cds_service.evaluation import Answer
    from cds_service.replay import Played
    from icans.findings import CourseSummary, GradeNow
    from icans.policy import PolicyEntry
    from icans.record import Problem

WIDTH = 100
MOST_PROBLEMS = 20
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

    def paint(self, text: str, colour: str) -> str:
        return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if self.coloured and colour in _COLOURS else text


def replay_text(played: Played, page: Page) -> str:
    """A whole course: what was charted, what was given, which card would first have been shown when."""
    replay = played.replay
    lines = [
        page.paint(printable(replay.patient), "heading"),
        *_wrapped("", f"{_infusions(replay.infusions, page)} Policy {replay.policy}."),
    ]
    events = sorted(_events(played, page), key=lambda event: (event.at, event.rank))
    shown: date | None = None
    for event in events:
        if page.day_of(event.at) != shown:
            shown = page.day_of(event.at)
            lines += ["", page.paint(_day_heading(shown, replay.infusions, page), "heading")]
        time = f"{event.at.astimezone(page.zone):%H:%M}"
        lead = f"  {time}  {event.label:<10}  "
        first, *rest = _wrapped(lead, event.text)
        lines += [page.paint(first, event.colour), *(page.paint(line, event.colour) for line in rest)]
    lines.append("")
    for course in replay.courses:
        lines += _wrapped("", _course_text(course, page))
    lines += _problem_lines(replay.problems)
    return "\n".join(lines) + "\n"


def evaluation_text(answer: Answer, page: Page) -> str:
    """What holds at one instant: state in a few lines, then each card in full, then the data problems."""
    evaluation = answer.evaluation
    lines = [
        page.paint(printable(f"{evaluation.patient} as of {page.clock(evaluation.as_of)}"), "heading"),
        *_wrapped("", f"{_infusions(evaluation.infusions, page)} Policy {evaluation.policy}."),
        "",
        *_wrapped("Grade       ", _grade_text(evaluation, page)),
        *_wrapped("Steroids    ", _exposure_text(evaluation.exposure)),
        *_wrapped("Refractory  ", _refractory_text(evaluation, page)),
        "",
    ]
    if not answer.cards:
        lines += _wrapped("", _no_card_text(evaluation))
    for card in answer.cards:
        head = f"[{card['indicator'].upper()}] "
        lines += [page.paint(line, card["indicator"]) for line in _wrapped(head, card["summary"])]
        lines += [*_markdown_lines(card.get("detail", "")), ""]
    lines += _problem_lines(evaluation.problems)
    return "\n".join(lines).rstrip("\n") + "\n"


def printable(text: str) -> str:
    """The text without anything that a terminal would take as a command."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def plain(markdown: str) -> str:
    """One line of a card's Markdown without its markup."""
    text = _LINK.sub(r"\1 (\2)", markdown)
    text = _EMPHASIS.sub(lambda found: next(group for group in found.groups() if group is not None), text)
    return html.unescape(_ESCAPE.sub(r"\1", text))


@dataclass(frozen=True, slots=True)
class _Event:
    """One line of a course; rank orders what stands at one instant: charted, given, said, withdrawn."""

    at: datetime
    rank: int
    label: str
    text: str
    colour: str = ""


def _events(played: Played, page: Page) -> Iterator[_Event]:
    for entry in played.replay.timeline:
        text = _TEXT_OF.get(entry.kind, _event_text)(entry)
        yield _Event(entry.at, 0 if entry.kind == "assessment" else 1, entry.kind, text)
    leading: set[tuple[datetime, str]] = set()
    for shown_at, card in played.cards:
        leading.add((shown_at, card["uuid"]))
        indicator = card["indicator"]
        yield _Event(shown_at, 2, indicator.upper(), card["summary"], indicator)
    for alert in played.replay.alerts:
        if (alert.shown_at, alert.finding.id) not in leading and alert.finding.type != "icans-active":
            yield _Event(alert.shown_at, 3, "also", _alert_text(alert, page), "faint")
        if alert.withdrawn and alert.until is not None:
            because = f" ({alert.withdrawn_by})" if alert.withdrawn_by else ""
            yield _Event(alert.until, 4, "withdrawn", f"{_alert_text(alert, page)}{because}", "faint")


def _alert_text(alert: Alert, page: Page) -> str:
    return f"{alert.finding.type.replace('-', ' ')} ({alert.finding.indicator}), of {page.clock(alert.finding.at)}"


def _assessment_text(entry: TimelineEntry) -> str:
    said = _charted(entry.basis) if isinstance(entry.basis, Assessment) else ", ".join(entry.references)
    if not entry.assessable:
        return f"not assessable: {said}"
    span = "" if entry.grade_low == entry.grade_high else f" (assessed {entry.grade_low} to {entry.grade_high})"
    decided = f", decided by {entry.deciding_domain}" if entry.deciding_domain else ""
    return f"grade {entry.grade}{span}{decided}: {said}"


def _charted(assessment: Assessment) -> str:
    counted = [value.shown for value in assessment.domains]
    excluded = [f"{value.shown} not counted ({value.reason})" for value in assessment.excluded]
    return "; ".join(text for text in (*counted, *excluded) if text) or ", ".join(assessment.references)


def _dose_text(entry: TimelineEntry) -> str:
    total = entry.dexamethasone_equivalent_mg
    running = "" if total is None else f"; {number_text(total)} mg dexamethasone-equivalent since infusion"
    dose = entry.basis
    if not isinstance(dose, Dose):
        return f"{', '.join(entry.references)}{running}"
    amount = f"{number_text(dose.lower_mg)} mg" if dose.amount_known else "amount not known"
    route = "" if dose.route == "systemic" else f", route {dose.route}"
    return f"{dose.drug} {amount}{route}{running}"


def _event_text(entry: TimelineEntry) -> str:
    event = entry.basis
    if isinstance(event, Death):
        return "death recorded"
    if isinstance(event, Escalation):
        return f"{event.drug} given"
    return ", ".join(entry.references)


_TEXT_OF = {"assessment": _assessment_text, "dose": _dose_text}


def _infusions(infusions: tuple[datetime, ...], page: Page) -> str:
    if not infusions:
        return "No CAR-T infusion found in the record."
    return f"CAR-T infusion {' and '.join(page.clock(infusion) for infusion in infusions)} (day 0)."


def _day_heading(day: date, infusions: tuple[datetime, ...], page: Page) -> str:
    written = f"{day:%a %Y-%m-%d}"
    in_force = [page.day_of(infusion) for infusion in infusions if page.day_of(infusion) <= day]
    zero = in_force[-1] if in_force else page.day_of(infusions[0]) if infusions else None
    return written if zero is None else f"day {(day - zero).days:+d}   {written}".replace("day +0", "day 0")


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
    uncounted = f", {exposure.uncounted} administrations not counted" if exposure.uncounted else ""
    return (
        f"{number_text(total)} mg dexamethasone-equivalent since infusion{uncounted}, {last}, "
        f"{exposure.steroid_days} steroid days."
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


def _course_text(course: CourseSummary, page: Page) -> str:
    parts = [f"Peak grade {course.peak_grade}" if course.peak_grade is not None else "No grade"]
    if course.onset is not None:
        day = "" if course.onset_day is None else f", day {course.onset_day:+d}"
        parts.append(f"onset {page.clock(course.onset)}{day}")
        parts.append(f"episodes {course.episodes}, {number_text(course.icans_hours)} h with ICANS")
    parts.append(f"refractoriness definition {'met' if course.refractory else 'not met'}")
    if course.cumulative_dexamethasone_equivalent_mg is not None:
        total = number_text(course.cumulative_dexamethasone_equivalent_mg)
        uncounted = f" and {course.uncounted} administrations not counted" if course.uncounted else ""
        parts.append(f"{total} mg dexamethasone-equivalent{uncounted}, {course.steroid_days} steroid days")
    return "; ".join(parts) + "."


def _problem_lines(problems: Iterable[Problem]) -> list[str]:
    listed = sorted(problems, key=lambda problem: not problem.affects)
    if not listed:
        return []
    lines = ["", f"Data problems ({len(listed)})"]
    for problem in listed[:MOST_PROBLEMS]:
        where = " ".join(part for part in (problem.reference, problem.element) if part)
        lines += _wrapped(f"  {problem.code}  ", f"{where}: {problem.message}" if where else problem.message)
    if len(listed) > MOST_PROBLEMS:
        lines.append(f"  and {len(listed) - MOST_PROBLEMS} more; --format json lists all")
    return lines


def _markdown_lines(markdown: str) -> list[str]:
    lines: list[str] = []
    for line in markdown.splitlines():
        if line.startswith("|"):
            cells = [plain(cell.strip()) for cell in re.split(r"(?<!\\)\|", line.strip("|"))]
            if any(set(cell) - set("-: ") for cell in cells):
                lines += _wrapped("    ", " | ".join(cell for cell in cells if cell))
        elif line.strip():
            bullet = "  - " if line.startswith("- ") else "  "
            lines += _wrapped(bullet, plain(line.removeprefix("- ").lstrip("#> ")))
    return lines


def _wrapped(lead: str, text: str) -> list[str]:
    indent = " " * min(len(lead), 30)
    cleaned = printable(" ".join(text.split()))
    return textwrap.wrap(cleaned, WIDTH, initial_indent=lead, subsequent_indent=indent, break_on_hyphens=False) or [
        lead.rstrip()
    ]


def policy_text(entries: Iterable[PolicyEntry]) -> str:
    """Every setting of the policy in force with unit, source and safe range, section by section."""
    lines: list[str] = []
    section = None
    for entry in entries:
        if entry.section != section:
            section = entry.section
            lines += ["", section.upper()] if lines else [section.upper()]
        mark = " (overridden)" if entry.overridden else ""
        unit = f" {entry.unit}" if entry.unit else ""
        lines += _wrapped(f"  {entry.key} = ", f"{_setting(entry.value)}{unit}{mark}")
        lines += _wrapped("      ", entry.meaning)
        lines += _wrapped("      ", _basis(entry))
    return "\n".join(lines) + "\n"


def _basis(entry: PolicyEntry) -> str:
    said = f"{entry.citation}: {entry.reason}" if entry.reason else entry.citation
    if not entry.overridable:
        return f"{said} [fixed]"
    if entry.choices:
        return f"{said} [may be {', '.join(entry.choices)}]"
    bounds = [
        f"{name} {limit}" for name, limit in (("from", entry.minimum), ("to", entry.maximum)) if limit is not None
    ]
    return f"{said} [may be {' '.join(bounds)}]" if bounds else f"{said} [may be changed]"


def _grades(value: Any) -> str:
    """``2``, or ``3 to 4`` for a lowest and highest grade."""
    if not isinstance(value, tuple | list):
        return _setting(value)
    return " to ".join(dict.fromkeys(_setting(item) for item in value))


def _setting(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_grades(item)}" for name, item in value.items())
    if isinstance(value, tuple | list | frozenset):
        return ", ".join(_setting(item) for item in value)
    return str(value).lower() if isinstance(value, bool) else str(value)
