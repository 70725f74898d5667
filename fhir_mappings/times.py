"""FHIR dates and times as instants: day-only data, missing zones, summer time, partial dates.

FHIR R4 2.24.0.1 (dateTime, date, instant): a dateTime is a year, a month, a day, or a time of a day with
its offset. What a record needs is an instant, the first instant at which it may have been, and a day.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from fhir_mappings.settings import ReadSettings

#: A FHIR date or time of a day; groups: date, time of day, fraction, offset.
FHIR_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)"
    r"(?:T((?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60))(\.\d+)?(Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))?)?",
    re.ASCII,
)
PARTIAL_DATE = re.compile(r"\d{4}(-(0[1-9]|1[0-2]))?", re.ASCII)
NOT_A_TIME = "time-missing"
IMPLAUSIBLE = "time-implausible"
#: Years in which an instant of a chart may lie (L4).
PLAUSIBLE_YEARS = range(1900, 2300)
#: No CAR-T cells were infused before (L4).
EARLIEST_INFUSION = datetime(1990, 1, 1, tzinfo=UTC)
IMPRECISE = "time-imprecise"


class When(NamedTuple):
    """When something happened, in UTC.

    at: the instant; the end of the local day where only the day is known.
    earliest: the first instant at which it may have been (``at`` where the instant is known).
    day: the local calendar day. zoneless: a time was given without zone, and none is configured.
    """

    at: datetime
    earliest: datetime
    day: date
    zoneless: bool = False


def parse_when(value: str, settings: ReadSettings) -> When | str:
    """An instant or a day out of a FHIR dateTime, date or instant, else a problem code:
    "time-imprecise" for a month or a year, "time-implausible" outside PLAUSIBLE_YEARS, "time-missing" for
    what is no usable time."""
    found = FHIR_TIME.fullmatch(value)
    if found is None and not PARTIAL_DATE.fullmatch(value):
        return NOT_A_TIME
    if int(value[:4]) not in PLAUSIBLE_YEARS:
        return IMPLAUSIBLE
    if found is None:
        return IMPRECISE
    try:
        if found[2] is None:
            return _whole_day(date.fromisoformat(found[1]), settings)
        if found[4] is None:
            return _without_zone(_local(found), settings)
        moment = _local(found, found[4]).astimezone(UTC)
        return When(moment, moment, local_day(moment, settings))
    except (ValueError, OverflowError):
        return NOT_A_TIME


def local_day(moment: datetime, settings: ReadSettings) -> date:
    """The calendar day of an instant in the site's zone."""
    if settings.zone is UTC:
        return moment.date()
    return moment.astimezone(settings.zone).date()


def clamp_to_now(when: When, settings: ReadSettings) -> When | None:
    """A datum of a live call: None if it lies ahead of the clock and is therefore planned.

    Of a day that is not over only the part up to now can have happened.
    """
    if settings.now is None or when.at <= settings.now + settings.future_tolerance:
        return when
    if when.earliest < when.at and when.earliest <= settings.now:
        return When(settings.now, when.earliest, when.day, when.zoneless)
    return None


def known_from(settings: ReadSettings, first: datetime, *later: datetime | None) -> datetime:
    """The latest of the instants a datum had to wait for; in a live call, at most now."""
    known = first
    for instant in later:
        if instant is not None and instant > known:
            known = instant
    return known if settings.now is None or known <= settings.now else settings.now


def _local(found: re.Match[str], offset: str = "") -> datetime:
    """A time of a day; a leap second is the second after it, fractions beyond a microsecond are cut."""
    clock, fraction = found[2], (found[3] or "")[:7]
    if clock.endswith("60"):
        start = datetime.fromisoformat(f"{found[1]}T{clock[:-2]}59{offset}")
        return start + timedelta(seconds=1)
    return datetime.fromisoformat(f"{found[1]}T{clock}{fraction}{offset}")


def _whole_day(day: date, settings: ReadSettings, zoneless: bool = False) -> When:
    return When(_midnight(day + timedelta(days=1), settings), _midnight(day, settings), day, zoneless)


def _midnight(day: date, settings: ReadSettings) -> datetime:
    return datetime.combine(day, time(), settings.zone).astimezone(UTC)


def _without_zone(local: datetime, settings: ReadSettings) -> When:
    """A wall-clock time in the site's zone; in the hour that summer time repeats it may be either."""
    if not settings.zone_configured:
        return _whole_day(local.date(), settings, zoneless=True)
    first, second = (local.replace(tzinfo=settings.zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return When(max(first, second), min(first, second), local.date())
