"""What a card needs next to the evaluation: the site's time zone and addresses, and how times are written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from icans.findings import Evaluation
from icans.policy.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class CardContext:
    """The site's part of a card.

    zone: time zone of all times in text. about_url: absolute address of the service's description, None if
    none is configured; links are made of https addresses only. mappings: label of the terminology in use.
    """

    zone: tzinfo = UTC
    about_url: str | None = None
    mappings: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """How times and durations are written in a text that is read at ``now``.

    infusion_day: the local calendar day that counts as day 0, None where no infusion is known. policy: where a
    sentence has its numbers from.
    """

    now: datetime
    zone: tzinfo
    infusion_day: date | None
    policy: Policy

    def clock(self, instant: datetime) -> str:
        """``2026-03-08 14:00 UTC`` in the site's zone; seconds only if there are any."""
        local = instant.astimezone(self.zone)
        seconds = f":{local.second:02d}" if local.second or local.microsecond else ""
        return f"{local.date()} {local.hour:02d}:{local.minute:02d}{seconds} {_zone_name(local)}"

    def time(self, instant: datetime) -> str:
        """``2026-03-08 14:00 UTC (day +7)``; without the day where the infusion is not known."""
        day = self.day(instant)
        return f"{self.clock(instant)} ({day})" if day else self.clock(instant)

    def in_course(self, instant: datetime) -> str:
        """``14:00`` for an instant of the same day, else ``day +7 14:00``, for a line of a course."""
        local = instant.astimezone(self.zone)
        if local.date() == self.local_date(self.now):
            return f"{local:%H:%M}"
        return f"{self.day(instant) or local.date()} {local:%H:%M}"

    def whole_day(self, day: date) -> str:
        """``2026-03-08 (day +7, no time charted)``, where no more than the day is known."""
        number = self.day_number(day)
        return f"{day} ({'' if number is None else f'{day_text(number)}, '}no time charted)"

    def local_date(self, instant: datetime) -> date:
        return instant.astimezone(self.zone).date()

    def day(self, instant: datetime) -> str:
        """``day +7``: the infusion's calendar day is day 0; empty where the infusion is not known."""
        number = self.day_number(self.local_date(instant))
        return "" if number is None else day_text(number)

    def day_number(self, local: date) -> int | None:
        """Days since the infusion's own calendar day, which may be all that is known of its time."""
        return None if self.infusion_day is None else (local - self.infusion_day).days

    def ago(self, instant: datetime) -> str:
        """``40 min ago``, ``3 h ago``, from three days on ``4 days ago``; ``in 2 h`` for what is to come."""
        minutes = int((self.now - instant).total_seconds() // 60)
        if minutes < 0:
            return f"in {_rough(-minutes)}"
        return f"{_rough(minutes)} ago" if minutes else "now"

    def when(self, instant: datetime) -> str:
        """``14:00, 1 h ago`` or ``day +6 08:00, 26 h ago``, for a first line."""
        return f"{self.in_course(instant)}, {self.ago(instant)}"

    def hours_before(self, instant: datetime) -> int:
        """Whole hours from an instant to the time of reading."""
        return int((self.now - instant) / timedelta(hours=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class View(Times):
    """One evaluation as one site reads it."""

    evaluation: Evaluation
    context: CardContext

    @staticmethod
    def of(evaluation: Evaluation, context: CardContext) -> View:
        return View(
            now=evaluation.as_of,
            zone=context.zone,
            infusion_day=evaluation.infusion_day,
            policy=evaluation.policy,
            evaluation=evaluation,
            context=context,
        )

    @property
    def administrations_read(self) -> bool:
        """False where medication administrations could not be read (exposure is then unknown)."""
        return self.evaluation.exposure is not None


def _rough(minutes: int) -> str:
    """A span in one number, cut to whole minutes, hours or days."""
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 72 * 60 else f"{minutes // (24 * 60)} days"


def day_text(number: int) -> str:
    return f"day {number:+d}" if number else "day 0"


def _zone_name(local: datetime) -> str:
    name = local.tzname() or ""
    return f"UTC{name}" if name[:1] in "+-" else name
