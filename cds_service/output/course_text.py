"""A replay day by day: what was charted, what was given, which card came up when. All words are those of ``cards``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from cards import Times, course_text, day_text, entry_text, line
from cds_service.output.text import Page, printable, problem_lines, wrapped
from icans import DataQuality

if TYPE_CHECKING:
    from cds_service.replay import Played
    from icans import Alert, Replay

#: Charted, given, shown on a card, shown within one, taken back: the order of what is listed at one instant.
CHARTED, GIVEN, CARD, BESIDE, WITHDRAWN = range(5)


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a course; rank orders what counts at one instant. card: the one it announces.

    day: under which it is shown, its own where no time is charted (it then ends that day).
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
        *wrapped("", f"{page.infusions(replay)} Policy {replay.policy.label}."),
    ]
    shown: date | None = None
    for event in course_events(played, page):
        if event.day != shown:
            shown = event.day
            lines += ["", page.paint(day_heading(shown, replay.infusion_days), "heading")]
        lead = f"  {event.clock(page)}  {event.label:<9}  "
        lines += [page.paint(part, event.colour) for part in wrapped(lead, event.text)]
    lines.append("")
    lines += [part for text in course_summaries(replay, page) for part in wrapped("", text)]
    return "\n".join([*lines, *problem_lines(replay.problems)]) + "\n"


def course_events(played: Played, page: Page) -> list[Event]:
    """Everything that happened and everything that was reported, in the order in which a viewer would have met it."""
    return sorted(_events(played, page), key=lambda event: (event.at, event.day, event.rank))


def _events(played: Played, page: Page) -> Iterator[Event]:
    replay, days = played.replay, played.replay.infusion_days
    for infused, day in zip(replay.infusions, days, strict=True):
        yield Event(infused, day, CHARTED, "given", "CAR-T cells infused")
    for entry in replay.timeline:
        label, text = entry_text(entry, _times(entry.at, replay, page))
        own_day = getattr(entry.basis, "day", None) or page.day_of(entry.at)
        yield Event(entry.at, own_day, CHARTED if entry.kind == "assessment" else GIVEN, label, text)
    awaited = {alert.finding.id for alert in replay.alerts if _waited_for_the_infusion(alert)}
    led = {(moment.at, alert.finding.id): alert for moment in replay.moments for alert in moment.evaluation.findings}
    leading = set()
    for shown_at, card in played.cards:
        leading.add((shown_at, card["uuid"]))
        if card["uuid"] not in awaited:
            indicator = card["indicator"]
            text = line(led[shown_at, card["uuid"]], _times(shown_at, replay, page))
            yield Event(shown_at, page.day_of(shown_at), CARD, indicator.upper(), text, indicator, card)
    for alert in replay.alerts:
        if alert.finding.id in awaited or alert.finding.type == "icans-active":
            continue
        if (alert.shown_at, alert.finding.id) not in leading:
            text = _alert_text(alert, alert.shown_at, replay, page)
            yield Event(alert.shown_at, page.day_of(alert.shown_at), BESIDE, "also", text, "faint")
        if alert.withdrawn and alert.until is not None:
            because = f" (corrected by {alert.withdrawn_by})" if alert.withdrawn_by else ""
            text = f"{_alert_text(alert, alert.until, replay, page)}{because}"
            yield Event(alert.until, page.day_of(alert.until), WITHDRAWN, "withdrawn", text, "faint")


def _waited_for_the_infusion(alert: Alert) -> bool:
    """An assessment was charted before the infusion: that none was on record then is no news."""
    facts = alert.facts
    codes = [problem.code for problem in facts.problems] if isinstance(facts, DataQuality) else []
    return alert.withdrawn and codes == ["infusion-missing"]


def _alert_text(alert: Alert, at: datetime, replay: Replay, page: Page) -> str:
    """The finding's line for a place at ``at``, with the instant it speaks of where that is another."""
    times = _times(at, replay, page)
    text = line(alert, times)
    return text if alert.finding.at == at else f"{text} (of {times.in_course(alert.finding.at)})"


def _times(now: datetime, replay: Replay, page: Page) -> Times:
    """How times are written at ``now``: days count from the infusion in force then."""
    zero = _day_0(page.day_of(now), replay.infusion_days)
    return Times(now=now, zone=page.zone, infusion_day=zero, policy=replay.policy)


def course_summaries(replay: Replay, page: Page) -> list[str]:
    """Each course in one sentence."""
    return [course_text(course, page.clock) for course in replay.courses]


def day_heading(day: date, infused: tuple[date, ...]) -> str:
    """``day +14   Sun 2026-03-15``; infused: the days of the infusions."""
    written, zero = f"{day:%a %Y-%m-%d}", _day_0(day, infused)
    return written if zero is None else f"{day_text((day - zero).days)}   {written}"


def _day_0(day: date, infused: tuple[date, ...]) -> date | None:
    """The day of the infusion in force; before the first, that of the first."""
    in_force = [zero for zero in infused if zero <= day]
    return in_force[-1] if in_force else infused[0] if infused else None
