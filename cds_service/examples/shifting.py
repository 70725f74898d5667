"""Moving a patient's record in time, so that a course of the past can be looked at as if it were going on now."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?")
#: Members that look like times and must stay: a birth date decides age, identifiers and texts are no times.
_UNMOVED = frozenset({"birthDate", "id", "reference", "url", "system", "code", "display", "text", "valueString", "div"})

#: The most telling moment of each bundled course (clock times as the course's builder sets them).
TELLING_MOMENTS = {
    "s0": "2026-03-11T08:30:00+00:00",
    "s1": "2026-03-09T09:30:00+00:00",
    "s2": "2026-03-15T11:45:00+00:00",
}


def shift_bundle(bundle: Mapping[str, Any], delta: timedelta) -> dict[str, Any]:
    """The FHIR resource with every date, dateTime and instant moved by ``delta``; the input is left as it is.

    Days without a clock time move by whole days. What is known by month or year only stays, and so does the birth
    date. Every other member is the same. Raises OverflowError if a time would leave the calendar.
    """
    return {name: value if name in _UNMOVED else _moved(value, delta) for name, value in bundle.items()}


def _moved(value: Any, delta: timedelta) -> Any:
    if isinstance(value, Mapping):
        return shift_bundle(value, delta)
    if isinstance(value, list):
        return [_moved(item, delta) for item in value]
    if not isinstance(value, str):
        return value
    try:
        if _DAY.fullmatch(value):
            return (datetime.combine(date.fromisoformat(value), time(12)) + delta).date().isoformat()
        if _INSTANT.fullmatch(value):
            moved = (datetime.fromisoformat(value) + delta).isoformat()
            return moved.replace("+00:00", "Z") if value.endswith("Z") else moved
    except ValueError:
        return value  # a text of that form that is no day of the calendar
    return value
