"""A replay told as a clinician would: day by day what was charted, what was given, which card came up when."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from cards import DOMAINS, NAMES, count, number_text, words
from cds_service.output.text import Page, plain, printable, problem_lines, wrapped
from icans import Alert, Assessment, Death, Dose, Escalation, TimelineEntry

if TYPE_CHECKING:
    from cds_service.replay import Played
    from icans import CourseSummary

#: Charted, given, said first, said beside it, taken back: the order of what stands at one instant.
CHARTED, GIVEN, CARD, BESIDE, WITHDRAWN = range(5)
_TIME = r"(\d{4}-\d\d-\d\d) (\d\d:\d\d)(?::\d\d)? [A-Z+\-0-9:]{2,9}"
_NAMED_TIME = re.compile(rf"{_TIME}(?:, day [+-]?\d+| \(day [+-]?\d+\))?")


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a course; rank orders what stands at one instant. card: the one it announces.

    day: under which it stands, its own where no time is charted (it then ends that day).
    """

    at: datetime
    day: date
    rank: int
    label: str
    text: str
    colour: str = ""
    card: Mapping[str, Any] | None = None

    def clock(self, page: Page) -> str:
        return f"{self.at.astimezone(page.zone):%H:%M}" if page.day_of(self.at) == self.day else "     "


def replay_text(played: Played, page: Page) -> str:
    """A whole course: what was charted, what was given, which card would first have been shown when."""
    replay = played.replay
    lines = [
        page.paint(printable(replay.patient), "heading"),
        *wrapped("", f"{page.infusions(replay)} Policy {replay.policy}."),
    ]
    shown: date | None = None
    for event in course_events(played, page):
        if event.day != shown:
            shown = event.day
            lines += ["", page.paint(day_heading(shown, replay.infusion_days), "heading")]
        lead = f"  {event.clock(page)}  {event.label:<9}  "
        lines += [page.paint(line, event.colour) for line in wrapped(lead, event.text)]
    lines.append("")
    for course in replay.courses:
        lines += wrapped("", course_text(course, page))
    return "\n".join([*lines, *problem_lines(replay.problems)]) + "\n"


def course_events(played: Played, page: Page) -> list[Event]:
    """Everything that happened and everything that was said, in the order in which a viewer would have met it."""
    return sorted(_events(played, page), key=lambda event: (event.at, event.day, event.rank))


def _events(played: Played, page: Page) -> Iterator[Event]:
    replay, days = played.replay, played.replay.infusion_days
    for infused, day in zip(replay.infusions, days, strict=True):
        yield Event(infused, day, CHARTED, "given", "CAR-T cells infused")
    for entry in replay.timeline:
        label, text = _TEXT_OF.get(entry.kind, _event_text)(entry)
        own_day = getattr(entry.basis, "day", None) or page.day_of(entry.at)
        yield Event(entry.at, own_day, CHARTED if entry.kind == "assessment" else GIVEN, label, text)
    awaited = {alert.finding.id for alert in replay.alerts if _waited_for_the_infusion(alert)}
    leading = set()
    for shown_at, card in played.cards:
        leading.add((shown_at, card["uuid"]))
        if card["uuid"] not in awaited:
            indicator = card["indicator"]
            said = timeless(plain(card["summary"]), shown_at, days, page)
            yield Event(shown_at, page.day_of(shown_at), CARD, indicator.upper(), said, indicator, card)
    for alert in replay.alerts:
        if alert.finding.id in awaited or alert.finding.type == "icans-active":
            continue
        if (alert.shown_at, alert.finding.id) not in leading:
            said = _alert_text(alert, days, page)
            yield Event(alert.shown_at, page.day_of(alert.shown_at), BESIDE, "also", said, "faint")
        if alert.withdrawn and alert.until is not None:
            because = f" (corrected by {alert.withdrawn_by})" if alert.withdrawn_by else ""
            said = f"{_alert_text(alert, days, page)}{because}"
            yield Event(alert.until, page.day_of(alert.until), WITHDRAWN, "withdrawn", said, "faint")


def _waited_for_the_infusion(alert: Alert) -> bool:
    """An assessment was charted before the infusion: that none was on record then is no news."""
    told = alert.facts.get("problems") or ()
    return alert.withdrawn and [problem["code"] for problem in told] == ["infusion-missing"]


def timeless(text: str, now: datetime, days: tuple[date, ...], page: Page) -> str:
    """A sentence without the time of the line it stands in; other times as day and clock of the course."""
    local = now.astimezone(page.zone)

    def said(found: re.Match[str]) -> str:
        if (found[1], found[2]) == (f"{local:%Y-%m-%d}", f"{local:%H:%M}"):
            return "\0"
        day = _day_number(date.fromisoformat(found[1]), days)
        return f"{found[1] if day is None else day} {found[2]}"

    marked = _NAMED_TIME.sub(said, text)
    return re.sub(r"(?:, |; last assessed | since | on | at | )?\0", "", marked).strip(" ,")


def _alert_text(alert: Alert, days: tuple[date, ...], page: Page) -> str:
    """A finding that led no card of its own, in one short sentence."""
    said = _SAID.get(alert.finding.type)
    if said is None:
        text = alert.finding.type.replace("-", " ")
    else:
        text = said(alert.finding.facts, lambda instant: page.clock(instant))
    if alert.finding.at != alert.shown_at:
        text += f" (of {page.clock(alert.finding.at)})"
    return timeless(text, alert.shown_at, days, page)


Facts = Mapping[str, Any]
Clock = Callable[[datetime], str]


def _span(facts: Facts) -> str:
    low, high = facts.get("gradeLow"), facts.get("gradeHigh")
    return str(low) if low == high else f"{low} to {high}"


def _possible(facts: Facts, clock: Clock) -> str:
    missing = words(facts.get("missing"), NAMES)
    return f"grade could be {_span(facts)}{f'; would settle it: {missing}' if missing else ''}"


def _overdue(facts: Facts, clock: Clock) -> str:
    last = facts.get("lastAssessment")
    since = f", last full one {clock(last)}" if last else ""
    return f"assessment overdue at grade {facts['grade']} (every {facts['intervalHours']} h){since}"


def _discrepancy(facts: Facts, clock: Clock) -> str:
    low, high = facts["strictLow"], facts["strictHigh"]
    computed = str(low) if low == high else f"{low} to {high}"
    return f"charted grade {facts['documentedGrade']}, recorded findings give {computed}"


def _grade_change(facts: Facts, clock: Clock) -> str:
    return f"{facts['direction']}: grade {facts['previousGrade']} to {facts['grade']}"


def _problems(facts: Facts, clock: Clock) -> str:
    told: Sequence[Facts] = facts.get("problems") or ({},)
    more = f" (and {len(told) - 1} more)" if len(told) > 1 else ""
    return f"charting in doubt: {told[0].get('message', '')}{more}"


_SAID: dict[str, Callable[[Facts, Clock], str]] = {
    "grade-change": _grade_change,
    "grade-possible-change": _possible,
    "grade-discrepancy": _discrepancy,
    "assessment-overdue": _overdue,
    "assessment-not-found": lambda facts, clock: f"no assessment found since {clock(facts['since'])}",
    "refractory": lambda facts, clock: (
        f"definition of refractory ICANS met, {facts['reason'].replace('-', ' ')}, line {facts['line']}"
    ),
    "reassessment-overdue": lambda facts, clock: f"no 24-hour reassessment, line {facts['line']}",
    "refractory-indeterminate": lambda facts, clock: (
        f"response to steroids cannot be told: {facts['reason'].replace('-', ' ')}, line {facts['line']}"
    ),
    "re-worsening": lambda facts, clock: f"worse on treatment: grade {facts['previousGrade']} to {facts['grade']}",
    "cumulative-dose": lambda facts, clock: (
        f"steroids since infusion passed {number_text(facts['thresholdMg'])} mg dexamethasone-equivalent"
    ),
    "steroid-days": lambda facts, clock: f"steroids on {facts['steroidDays']} days since infusion",
    "dose-unknown": lambda facts, clock: (
        f"{count(len(facts['administrations']), 'steroid dose')} without a usable amount or route"
    ),
    "data-quality": _problems,
}


def _assessment_text(entry: TimelineEntry) -> tuple[str, str]:
    said = _charted(entry.basis) if isinstance(entry.basis, Assessment) else ", ".join(entry.references)
    if not entry.assessable:
        return "ungraded", f"not assessable: {said}"
    span = "" if entry.grade_low == entry.grade_high == entry.grade else f", {entry.grade_low} to {entry.grade_high}"
    if entry.grade_low == entry.grade_high != entry.grade:
        span = f", {entry.grade_low}"
    span = span and f" (this assessment{span[1:]})"
    return f"grade {entry.grade}", f"{said}{span}"


def _charted(assessment: Assessment) -> str:
    deciding = assessment.deciding_domain
    counted = []
    for value in assessment.domains:
        decides = " (decides)" if value.domain == deciding and len(assessment.domains) > 1 else ""
        counted.append(f"{_domain(value.domain, value.shown)}{decides}")
    excluded = [
        f"{_domain(value.domain, value.shown)}, not counted ({value.reason.replace('-', ' ')})"
        for value in assessment.excluded
    ]
    return "; ".join(text for text in (*counted, *excluded) if text) or ", ".join(assessment.references)


def _domain(domain: str, shown: str) -> str:
    """``ICE 5``, ``seizure: unspecified``, ``consciousness: awakens-to-voice``."""
    if domain in ("ice", "capd", "documented"):
        return shown
    bare = shown.removeprefix(domain).lstrip(": ").replace("-", " ")
    return f"{DOMAINS[domain] if domain == 'icp-edema' else domain}: {bare}"


def _dose_text(entry: TimelineEntry) -> tuple[str, str]:
    total = entry.dexamethasone_equivalent_mg
    running = "" if total is None else f"; {number_text(total)} mg dexamethasone-equivalent since infusion"
    dose = entry.basis
    if not isinstance(dose, Dose):
        return "given", f"{', '.join(entry.references)}{running}"
    amount = f"{number_text(dose.lower_mg)} mg" if dose.amount_known else "of unknown amount"
    route = dose.route_shown or ("route not recorded" if dose.route == "unknown" else "")
    period = f" to {dose.end:%H:%M}" if dose.end is not None and dose.end != dose.at else ""
    return "given", f"{dose.drug} {amount}{f' {route}' if route else ''}{period}{running}"


def _event_text(entry: TimelineEntry) -> tuple[str, str]:
    event = entry.basis
    if isinstance(event, Death):
        return "event", "death recorded"
    if isinstance(event, Escalation):
        return "given", f"{event.drug} (escalation)"
    return "event", ", ".join(entry.references)


_TEXT_OF = {"assessment": _assessment_text, "dose": _dose_text}


def day_heading(day: date, infused: tuple[date, ...]) -> str:
    """``day +14   Sun 2026-03-15``; infused: the days of the infusions."""
    written = f"{day:%a %Y-%m-%d}"
    number = _day_number(day, infused)
    return written if number is None else f"{number}   {written}"


def _day_number(day: date, infused: tuple[date, ...]) -> str | None:
    in_force = [zero for zero in infused if zero <= day]
    zero = in_force[-1] if in_force else infused[0] if infused else None
    return None if zero is None else f"day {(day - zero).days:+d}".replace("day +0", "day 0")


def course_text(course: CourseSummary, page: Page) -> str:
    """A course in one sentence."""
    parts = [f"Peak grade {course.peak_grade}" if course.peak_grade is not None else "No grade"]
    if course.onset is not None:
        day = "" if course.onset_day is None else f", day {course.onset_day:+d}"
        parts.append(f"onset {page.clock(course.onset)}{day}")
        parts.append(f"{count(course.episodes, 'episode')}, {number_text(course.icans_hours)} h with ICANS")
    parts.append(f"refractoriness definition {'met' if course.refractory else 'not met'}")
    if course.cumulative_dexamethasone_equivalent_mg is not None:
        total = number_text(course.cumulative_dexamethasone_equivalent_mg)
        uncounted = f" and {count(course.uncounted, 'administration')} not counted" if course.uncounted else ""
        days = count(course.steroid_days or 0, "steroid day")
        parts.append(f"{total} mg dexamethasone-equivalent{uncounted}, {days}")
    for drug, amount in sorted(course.intrathecal_mg.items()):
        parts.append(f"intrathecal {drug} {number_text(amount)} mg, apart")
    return "; ".join(parts) + "."
