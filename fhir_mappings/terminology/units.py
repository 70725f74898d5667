"""Amounts of FHIR quantities in milligrams, millilitres, pieces and seconds; rates per day.

UCUM codes are case-sensitive and exact: ``MG`` is megagauss, ``mcg`` is none. Common codes are in a table
(the tests hold it to the UCUM library); others are asked of the library, which is loaded only then. What is
not coded in UCUM is read by the exact list of local spellings of the terminology, never guessed.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from fhir_mappings.terminology import systems as canonical

#: What one unit is: its dimension and how many of the dimension's base (mg, mL, piece, s, mg/d, mL/d) it is.
BASES = {"mass": "mg", "volume": "mL", "piece": "", "time": "s", "mass-rate": "mg/d", "volume-rate": "mL/d"}
_COMMON: dict[str, tuple[str, Decimal]] = {
    "mg": ("mass", Decimal(1)),
    "g": ("mass", Decimal(1000)),
    "ug": ("mass", Decimal("0.001")),
    "ng": ("mass", Decimal("0.000001")),
    "kg": ("mass", Decimal(1000000)),
    "mL": ("volume", Decimal(1)),
    "ml": ("volume", Decimal(1)),
    "L": ("volume", Decimal(1000)),
    "l": ("volume", Decimal(1000)),
    "{tbl}": ("piece", Decimal(1)),
    "{cap}": ("piece", Decimal(1)),
    "s": ("time", Decimal(1)),
    "min": ("time", Decimal(60)),
    "h": ("time", Decimal(3600)),
    "d": ("time", Decimal(86400)),
    "mg/h": ("mass-rate", Decimal(24)),
    "g/h": ("mass-rate", Decimal(24000)),
    "mg/min": ("mass-rate", Decimal(1440)),
    "ug/h": ("mass-rate", Decimal("0.024")),
    "ug/min": ("mass-rate", Decimal("1.44")),
    "mg/d": ("mass-rate", Decimal(1)),
    "mL/h": ("volume-rate", Decimal(24)),
    "ml/h": ("volume-rate", Decimal(24)),
    "mL/min": ("volume-rate", Decimal(1440)),
    "ml/min": ("volume-rate", Decimal(1440)),
    "mL/d": ("volume-rate", Decimal(1)),
}
#: Codes that are UCUM and known to be no amount by themselves: a weight or a surface is missing.
RELATIVE = ("/kg", "/m2")
#: No dose, strength or duration is beyond this; a number that is makes no amount.
LARGEST = Decimal(10) ** 12
_LONGEST_CODE = 32
_PRECISION = 12

LocalUnits = Callable[[str], str | None]


class Amount(NamedTuple):
    """An amount in the base of its dimension (see BASES)."""

    dimension: str
    value: Decimal


def amount(
    value: Decimal, unit: str | None, system: str | None, code: str | None, local: LocalUnits | None = None
) -> Amount | None:
    """A quantity in the base of its dimension; None if the unit is unknown, relative (per kg, per m2),
    contradictory between code and text, or if the number is not finite and of a possible size.

    local: the UCUM code of a local spelling; the bundled list if None.
    """
    if not value.is_finite() or abs(value) > LARGEST:
        return None
    ucum = ucum_code(unit, system, code, local)
    found = None if ucum is None else _unit(ucum)
    return None if found is None else Amount(found[0], value * found[1])


def milligrams(
    value: Decimal, unit: str | None, system: str | None, code: str | None, local: LocalUnits | None = None
) -> Decimal | None:
    """A mass in mg, None if the quantity is no known mass."""
    return _in("mass", amount(value, unit, system, code, local))


def millilitres(
    value: Decimal, unit: str | None, system: str | None, code: str | None, local: LocalUnits | None = None
) -> Decimal | None:
    """A volume in mL, None if the quantity is no known volume."""
    return _in("volume", amount(value, unit, system, code, local))


def pieces(
    value: Decimal, unit: str | None, system: str | None, code: str | None, local: LocalUnits | None = None
) -> Decimal | None:
    """A number of tablets or capsules, None if the quantity is none."""
    return _in("piece", amount(value, unit, system, code, local))


def seconds(
    value: Decimal, unit: str | None, system: str | None, code: str | None, local: LocalUnits | None = None
) -> Decimal | None:
    """A duration in s, None if the quantity is no known duration."""
    return _in("time", amount(value, unit, system, code, local))


def ucum_code(unit: str | None, system: str | None, code: str | None, local: LocalUnits | None = None) -> str | None:
    """The UCUM code that a quantity's unit means, None if unknown or if code and text contradict.

    A code in UCUM represents itself; without a system, or in a local one, code and text are local spellings,
    and the text decides where the code is not listed.
    """
    local = local or _bundled_units()
    by_text = local(unit) if unit else None
    if code and canonical.canonical_system(system) == canonical.UCUM:
        by_code: str | None = code
    else:
        by_code = local(code) if code else None
        if by_code is None:
            return by_text
    return None if by_text is not None and _unit_of(by_text) != _unit_of(by_code) else by_code


def _unit_of(ucum: str | None) -> object:
    """What two codes of one unit have in common, so that ml and mL do not contradict."""
    return None if ucum is None else _unit(ucum) or ucum


def _in(dimension: str, found: Amount | None) -> Decimal | None:
    return found.value if found is not None and found.dimension == dimension else None


def _unit(ucum: str) -> tuple[str, Decimal] | None:
    # What is longer is no unit, and is not remembered either: it may be of any length.
    return _COMMON.get(ucum) or (_from_library(ucum) if len(ucum) <= _LONGEST_CODE else None)


def _bundled_units() -> LocalUnits:
    from fhir_mappings.terminology.lookup import load_terminology

    return load_terminology().unit


@lru_cache(maxsize=1024)
def _from_library(ucum: str) -> tuple[str, Decimal] | None:
    """Dimension and factor of a rarer UCUM code by ucumvert and pint, None if it is none of BASES."""
    if not ucum.isascii() or any(relative in ucum for relative in RELATIVE):
        return None
    import pint
    from lark.exceptions import LarkError

    registry = _registry()
    try:
        quantity = registry.Quantity(1, registry.from_ucum(ucum).units) * registry.from_ucum(ucum).magnitude
        for dimension, base in BASES.items():
            if base and quantity.check(registry.from_ucum(base).dimensionality):
                return dimension, _exact(quantity.to(registry.from_ucum(base).units).magnitude)
    except (LarkError, pint.PintError, AttributeError, ArithmeticError, LookupError, TypeError, ValueError):
        return None
    return None


def _exact(factor: float) -> Decimal:
    """The library computes in binary floats; no unit needs more digits than they hold."""
    return Decimal(f"{factor:.{_PRECISION}g}")


@lru_cache(maxsize=1)
def _registry() -> Any:
    from ucumvert import PintUcumRegistry

    return PintUcumRegistry()
