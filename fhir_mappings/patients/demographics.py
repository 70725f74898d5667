"""Patient and Condition: birth, death, developmental delay."""

from __future__ import annotations

import calendar
import re
from datetime import date, datetime

from fhir_mappings.fhir_types import elements as lean
from fhir_mappings.settings import ReadSettings
from fhir_mappings.times import IMPLAUSIBLE, PLAUSIBLE_YEARS, clamp_to_now, known_from, local_day, parse_when
from icans.record import Birth, Death, Problem

_BIRTH_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?", re.ASCII)
_INACTIVE = frozenset({"inactive", "remission", "resolved"})
_NOT_CONFIRMED = frozenset({"refuted", "entered-in-error"})


def birth(patient: lean.Patient) -> Birth | None:
    """Earliest and latest day of birth; None if it is not recorded, no date or implausible."""
    found = _BIRTH_DATE.fullmatch(patient.birth_date or "")
    if found is None or int(found[1]) not in PLAUSIBLE_YEARS:
        return None
    year, month, day = int(found[1]), found[2], found[3]
    try:
        if month is None:
            return Birth(date(year, 1, 1), date(year, 12, 31))
        if day is None:
            return Birth(date(year, int(month), 1), date(year, int(month), calendar.monthrange(year, int(month))[1]))
        exact = date(year, int(month), int(day))
    except ValueError:
        return None
    return Birth(exact, exact)


def death(
    patient: lean.Patient, reference: str, settings: ReadSettings, after: datetime | None
) -> tuple[Death | None, list[Problem]]:
    """The death and what was wrong with its time.

    Without a usable time (deceasedBoolean, or a month or year) it counts at ``after``, some time after what
    was last charted of the patient; None if nothing was, or if that is not past in a live call.
    """
    value = patient.deceased_date_time
    problems: list[Problem] = []
    if value is not None:
        when = parse_when(value, settings)
        if not isinstance(when, str):
            placed = clamp_to_now(when, settings)
            if placed is None:
                message = f"The death at {value} lies in the future; it is not counted."
                return None, [Problem("time-in-future", reference, "deceasedDateTime", message, known=settings.now)]
            known = known_from(settings, placed.at)
            entry = Death(
                at=placed.at,
                earliest=placed.earliest,
                known=known,
                day=placed.day,
                reference=reference,
                element="deceasedDateTime",
                shown=value,
            )
            return entry, problems
        if when == IMPLAUSIBLE:
            message = f"The time of death {value} is implausible; it ends nothing."
            return None, [Problem("conflicting-values", reference, "deceasedDateTime", message, affects=("grade",))]
        message = f"The time of death {value} names no usable day; what was last charted counts instead."
        problems.append(Problem(when, reference, "deceasedDateTime", message))
    elif not patient.deceased_boolean:
        return None, problems
    if after is None or (settings.now is not None and after > settings.now):
        return None, problems
    entry = Death(
        at=after,
        earliest=after,
        known=after,
        day=local_day(after, settings),
        reference=reference,
        element="deceasedDateTime" if value is not None else "deceasedBoolean",
        shown=value if value is not None else "true",
    )
    return entry, problems


def is_active(condition: lean.Condition) -> bool:
    """Whether a Condition holds: neither over, nor refuted, nor entered in error."""
    clinical = {code for _, code in condition.clinical_status.pairs} if condition.clinical_status else set()
    verification = {code for _, code in condition.verification_status.pairs} if condition.verification_status else set()
    return not clinical & _INACTIVE and not verification & _NOT_CONFIRMED
