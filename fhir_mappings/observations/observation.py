"""Observation to entries of a record: scores, coded findings, reasons for not assessing, the infusion.

Values may be on the Observation, in its components, or in Observations of their own (hasMember); numbers
as integer, quantity without unit, range, numeric text or coded answer. What is charted and cannot be used
becomes a problem; nothing is clamped, rounded or guessed.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from fhir_mappings.contribution import Contribution
from fhir_mappings.fhir_types import elements as lean
from fhir_mappings.intake.relevance import CodeVerdict, Selector
from fhir_mappings.observations.entries import ChartedObservation, attributes_to_other_cause
from fhir_mappings.settings import ReadSettings
from fhir_mappings.times import IMPLAUSIBLE, clamp_to_now, known_from, parse_when
from icans.record import (
    Problem,
)

USED_STATUS = frozenset({"final", "amended", "corrected"})
#: Statuses of which no value was ever meant to be used.
VOID_STATUS = frozenset({"entered-in-error", "cancelled", "registered"})
#: How the service marks the Observations it suggests; they are never read back.
OWN_METHOD = "computed from recorded items"


@dataclass(slots=True)
class ObservationReader:
    """Reads the Observations of one input.

    attributed: references of Observations that a panel, of which they are members, attributes to another
    cause than ICANS.
    """

    settings: ReadSettings
    selector: Selector
    attributed: set[str] = field(default_factory=set)

    def read(self, observation: lean.Observation, reference: str, verdict: CodeVerdict) -> Contribution:
        """Entries and problems of one version of an Observation."""
        status = (observation.status or "").strip()
        if status == "preliminary" and observation.method and OWN_METHOD in observation.method.texts:
            return Contribution()
        affects = affected(verdict)
        element, value = effective(observation)
        when = parse_when(value, self.settings) if value else "time-missing"
        if isinstance(when, str):
            return Contribution(None, [], [self._unplaced(reference, status, element, value, when, affects)])
        placed = clamp_to_now(when, self.settings)
        issued = observation.issued if self.settings.known == "issued" else None
        if issued is None or issued == value:
            known = known_from(self.settings, (placed or when).at)
        else:
            known = known_from(self.settings, (placed or when).at, self._issued(issued))
        charted = ChartedObservation(self.settings, self.selector, reference, placed or when, known, affects)
        if placed is None:
            charted.problem("time-in-future", element, f"{value} lies in the future: planned, not counted.")
        elif observation.focus:
            charted.problem("subject-missing", "focus", "It is about something else than the patient (focus).")
        elif observation.implicit_rules or (
            observation.modifier_extension and lean.has_content(observation.modifier_extension)
        ):
            charted.problem("unknown-modifier", "modifierExtension", "It carries a modifier that is not known here.")
        elif not self._status_is_used(status):
            charted.contribution.problems.append(
                replace(unused_status(reference, status, affects), at=charted.when.at, known=known)
            )
        else:
            charted.other_cause = reference in self.attributed or attributes_to_other_cause(observation, self.selector)
            self._flag_issued(charted, observation.issued)
            charted.read(observation, verdict, element, value or "")
        return charted.contribution

    def _status_is_used(self, status: str) -> bool:
        return status in USED_STATUS or (status == "preliminary" and self.settings.preliminary_observations)

    def _unplaced(
        self,
        reference: str,
        status: str,
        element: str,
        value: str | None,
        code: str,
        affects: tuple[str, ...],
    ) -> Problem:
        if self._status_is_used(status):
            return _without_time(reference, element, value, code, affects)
        return unused_status(reference, status, affects)

    def _issued(self, value: str) -> datetime | None:
        """From when an issued result is known at the earliest: an instant without zone delays nothing."""
        when = parse_when(value, self.settings)
        return None if isinstance(when, str) else when.earliest

    def _flag_issued(self, charted: ChartedObservation, value: str | None) -> None:
        if value is not None and parse_when(value, self.settings) == IMPLAUSIBLE:
            message = f"The time {value} is implausible; the result is known from its own time on."
            charted.problem(IMPLAUSIBLE, "issued", message, ())


def effective(observation: lean.Observation) -> tuple[str, str | None]:
    """Element and text of the time an Observation speaks of: of a period its start, of a timing its event."""
    if observation.effective_date_time is not None:
        return "effectiveDateTime", observation.effective_date_time
    if observation.effective_instant is not None:
        return "effectiveInstant", observation.effective_instant
    period = observation.effective_period
    if period is not None:
        return ("effectivePeriod.start", period.start) if period.start else ("effectivePeriod.end", period.end)
    timing = observation.effective_timing
    if timing is not None and timing.event and len(timing.event) == 1:
        return "effectiveTiming.event", timing.event[0]
    if timing is not None and timing.repeat and timing.repeat.bounds_period:
        return "effectiveTiming.repeat.boundsPeriod.start", timing.repeat.bounds_period.start
    return "effective[x]", None


def affected(verdict: CodeVerdict) -> tuple[str, ...]:
    """What the Observation could have changed."""
    if verdict.assessment == "car-t-infusion":
        return ("infusion",)
    if verdict.assessment == "documented-crs-grade":
        return ()
    return ("grade",)


def _without_time(reference: str, element: str, value: str | None, code: str, affects: tuple[str, ...]) -> Problem:
    if value is None:
        message = "The Observation says no time at which it was made."
    elif code == "time-imprecise":
        message = f"The time {value} names no day."
    elif code == IMPLAUSIBLE:
        message = f"The time {value} is implausible."
    else:
        message = f"The time {value} is not a usable instant."
    return Problem(code, reference, element, message, affects=affects)


def unused_status(reference: str, status: str, affects: tuple[str, ...]) -> Problem:
    """The problem of an Observation whose status forbids its use; a void one could not have changed anything."""
    message = f"Its status is {status or 'missing'}; it is not used."
    return Problem("status-not-usable", reference, "status", message, affects=() if status in VOID_STATUS else affects)
