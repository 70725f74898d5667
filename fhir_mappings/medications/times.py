"""When an administration was given: effective[x] of R4, occurence[x] (its spelling) of R5."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from fhir_mappings.fhir_types.medication import MedicationAdministration
from fhir_mappings.settings import ReadSettings
from fhir_mappings.times import IMPLAUSIBLE, When, clamp_to_now, known_from, parse_when

_IMPRECISE = "is not precise enough to use"
_NOT_USABLE = {IMPLAUSIBLE: "is implausible"}


@dataclass(frozen=True, slots=True)
class NoTime:
    code: str
    element: str
    message: str


@dataclass(frozen=True, slots=True)
class AdministrationTimes:
    """When it was given. start: of the administration. end: of its period, if there is one and it is later.
    planned: lies ahead of a live call. endless: its period is longer than any administration."""

    start: When
    end: When | None
    element: str
    charted: str
    known: datetime
    has_period: bool
    planned: bool = False
    complaint: tuple[str, str] | None = None
    endless: bool = False

    def without_end_after(self, longest: timedelta) -> AdministrationTimes:
        """The same; a period longer than that has no end (L4)."""
        if self.end is None or self.end.at - self.start.at <= longest:
            return self
        return replace(self, end=None, endless=True)

    @property
    def exact_end(self) -> datetime | None:
        if self.end is None or self.start.earliest != self.start.at or self.end.earliest != self.end.at:
            return None
        return self.end.at


def administration_times(resource: MedicationAdministration, settings: ReadSettings) -> AdministrationTimes | NoTime:
    element, first, last, has_period = _charted_times(resource)
    charted = first or last
    if charted is None:
        return NoTime("time-missing", element, "No time is recorded for the administration.")
    start = parse_when(charted, settings)
    if isinstance(start, str):
        return NoTime(start, element, f"The time {charted} {_NOT_USABLE.get(start, _IMPRECISE)}.")
    complaint: tuple[str, str] | None = None
    if start.zoneless:
        complaint = ("time-imprecise", f"The time {charted} has no zone; it counts as its whole day.")
    end = parse_when(last, settings) if first and last else None
    if isinstance(end, str):
        complaint, end = (end, f"The end {last} {_NOT_USABLE.get(end, _IMPRECISE)}."), None
    if first is None:
        complaint = ("time-imprecise", f"Only the end of the period is recorded; the dose counts at {last}.")
    if end is not None and end.at < start.earliest:
        complaint, end = ("conflicting-values", f"The period ends ({last}) before it starts ({first})."), None
    if end is not None and end.at <= start.at:
        end = None
    placed = clamp_to_now(start, settings)
    known = known_from(settings, (placed or start).at, _recorded(resource, settings))
    return AdministrationTimes(placed or start, end, element, charted, known, has_period, placed is None, complaint)


def _charted_times(resource: MedicationAdministration) -> tuple[str, str | None, str | None, bool]:
    """Element, start, end, and whether it is a period: effective[x] of R4, occurence[x] of R5."""
    for element, moment, period in (
        ("effective", resource.effective_date_time, resource.effective_period),
        ("occurence", resource.occurence_date_time, resource.occurence_period),
    ):
        if moment is not None:
            return f"{element}DateTime", moment, None, False
        if period is not None:
            return f"{element}Period", period.start, period.end, True
    timing = resource.occurence_timing
    if timing is not None and timing.event and len(timing.event) == 1:
        return "occurenceTiming", timing.event[0], None, False
    if timing is not None and timing.repeat is not None and timing.repeat.bounds_period is not None:
        bounds = timing.repeat.bounds_period
        return "occurenceTiming", bounds.start, bounds.end, True
    later = resource.medication is not None or timing is not None
    return "occurenceDateTime" if later else "effectiveDateTime", None, None, False


def _recorded(resource: MedicationAdministration, settings: ReadSettings) -> datetime | None:
    """When it was recorded (R5), else last updated, where that decides from when it is known."""
    if settings.administration_known != "recorded":
        return None
    for charted in (resource.recorded, resource.meta.last_updated if resource.meta else None):
        when = parse_when(charted, settings) if charted else None
        if isinstance(when, When):
            return when.at
    return None
