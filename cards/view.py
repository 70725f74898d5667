"""What a card needs beside the evaluation: the site's time zone and addresses, and how to say times."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from icans.findings import Evaluation


@dataclass(frozen=True, slots=True, kw_only=True)
class CardContext:
    """The site's part of a card.

    zone: time zone of all times in text. about_url: absolute address of the service's description, None if
    none is configured; links are made of https addresses only. mappings: label of the terminology in use.
    """

    zone: tzinfo = UTC
    about_url: str | None = None
    mappings: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """One evaluation as one site reads it."""

    evaluation: Evaluation
    context: CardContext

    @property
    def administrations_read(self) -> bool:
        """False where medication administrations could not be read (exposure is then unknown)."""
        return self.evaluation.exposure is not None

    def clock(self, instant: datetime) -> str:
        """``2026-03-08 14:00 UTC`` in the site's zone; seconds only if there are any."""
        local = instant.astimezone(self.context.zone)
        seconds = f":{local.second:02d}" if local.second or local.microsecond else ""
        return f"{local.date()} {local.hour:02d}:{local.minute:02d}{seconds} {_zone_name(local)}"

    def time(self, instant: datetime) -> str:
        """``2026-03-08 14:00 UTC (day +7)``; without the day where the infusion is not known."""
        day = self.day(instant)
        return f"{self.clock(instant)} ({day})" if day else self.clock(instant)

    def short_time(self, instant: datetime) -> str:
        """``2026-03-08 14:00 UTC, day +7``, for a summary."""
        day = self.day(instant)
        return f"{self.clock(instant)}, {day}" if day else self.clock(instant)

    def whole_day(self, day: date) -> str:
        """``2026-03-08 (day +7, no time charted)``, where no more than the day is known."""
        number = self.day_number(day)
        return f"{day} ({'' if number is None else f'{day_text(number)}, '}no time charted)"

    def local_date(self, instant: datetime) -> date:
        return instant.astimezone(self.context.zone).date()

    def day(self, instant: datetime) -> str:
        """``day +7``: the infusion's calendar day is day 0; empty where the infusion is not known."""
        number = self.day_number(self.local_date(instant))
        return "" if number is None else day_text(number)

    def day_number(self, local: date) -> int | None:
        """Days since the infusion's own calendar day, which may be all that is known of its time."""
        infused = self.evaluation.infusion_day
        return None if infused is None else (local - infused).days

    def hours_before(self, instant: datetime) -> int:
        """Whole hours from an instant to the time of the evaluation."""
        return int((self.evaluation.as_of - instant) / timedelta(hours=1))


def day_text(number: int) -> str:
    return f"day {number:+d}" if number else "day 0"


def _zone_name(local: datetime) -> str:
    name = local.tzname() or ""
    return f"UTC{name}" if name[:1] in "+-" else name
