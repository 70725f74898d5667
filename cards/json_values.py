"""Numbers and times as the published JSON writes them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from icans.facts import Facts, published

_THOUSANDTH = Decimal("0.001")
_PLAIN = frozenset({str, int, bool, type(None)})


def to_json(value: Any) -> Any:
    """A fact as a JSON value.

    Instants become UTC with ``+00:00`` (whole seconds unless there is a fraction), Decimals numbers
    rounded half-even to three decimals, containers are converted through and sets are sorted.
    Raises ValueError for a naive datetime or a number that JSON cannot hold, TypeError for any other type.
    """
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, datetime):
        return time_json(value)
    if isinstance(value, Decimal):
        return number_json(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value} is no JSON number")
        return value
    if isinstance(value, Mapping):
        return {str(key): item if type(item) in _PLAIN else to_json(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(to_json(item) for item in value)
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form here")


def facts_json(facts: Facts) -> dict[str, Any]:
    """What a finding states, as the published JSON names and writes it."""
    stated: dict[str, Any] = to_json(published(facts))
    return stated


def time_json(instant: datetime) -> str:
    """An instant as ISO 8601 in UTC, such as ``2026-03-08T14:00:00+00:00``."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs its time zone")
    return instant.isoformat() if instant.tzinfo is UTC else instant.astimezone(UTC).isoformat()


def number_json(amount: Decimal) -> int | float:
    """A Decimal rounded half-even to three decimals; an int where nothing is left behind the point."""
    rounded = rounded_amount(amount)
    whole = int(rounded)
    return whole if rounded == whole else float(rounded)


def rounded_amount(amount: Decimal) -> Decimal:
    """A Decimal rounded half-even to three decimals; ValueError if it is not finite."""
    if not amount.is_finite():
        raise ValueError(f"{amount} is no JSON number")
    return amount.quantize(_THOUSANDTH, rounding=ROUND_HALF_EVEN)


def number_text(amount: Any) -> str:
    """An amount as a reader writes it: three decimals at most, no trailing zeros ("412.5", "1000")."""
    exact = amount if isinstance(amount, Decimal) else Decimal(str(amount))
    text = f"{rounded_amount(exact):f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def without_empty(value: Any) -> Any:
    """The same JSON value without members that are null or empty, at every depth (CDS Hooks, Use of JSON)."""
    if isinstance(value, dict):
        kept = ((key, without_empty(item)) for key, item in value.items())
        return {key: item for key, item in kept if not _is_empty(item)}
    if isinstance(value, list):
        return [item for item in map(without_empty, value) if not _is_empty(item)]
    return value


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, (str, list, dict)) and not value)
