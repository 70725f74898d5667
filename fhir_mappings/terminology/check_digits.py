"""Check digits of code systems, so that a mistyped code is refused when a mapping is loaded."""

from __future__ import annotations

import re

_LOINC = re.compile(r"(\d{1,7})-(\d)")
_SNOMED = re.compile(r"[1-9]\d{5,17}")

#: Verhoeff's dihedral multiplication and permutation tables (SNOMED CT Technical Implementation Guide).
_MULTIPLY = (
    "0123456789",
    "1234067895",
    "2340178956",
    "3401289567",
    "4012395678",
    "5987604321",
    "6598710432",
    "7659821043",
    "8765932104",
    "9876543210",
)
_PERMUTE = (
    "0123456789",
    "1576283094",
    "5803796142",
    "8916043527",
    "9453126870",
    "4286573901",
    "2793806415",
    "7046913258",
)


def loinc_is_valid(code: str) -> bool:
    """Whether a LOINC term code ends in its mod-10 (Luhn) check digit; parts and answers (LP, LA) pass."""
    if code.startswith(("LA", "LL", "LP", "LG")):
        return True
    found = _LOINC.fullmatch(code)
    if found is None:
        return False
    total = 0
    for place, digit in enumerate(reversed(found[1])):
        value = int(digit) * (1 if place % 2 else 2)
        total += value - 9 if value > 9 else value
    return (10 - total % 10) % 10 == int(found[2])


def snomed_is_valid(code: str) -> bool:
    """Whether a SNOMED CT identifier ends in its Verhoeff check digit."""
    if _SNOMED.fullmatch(code) is None:
        return False
    check = "0"
    for place, digit in enumerate(reversed(code)):
        check = _MULTIPLY[int(check)][int(_PERMUTE[place % 8][int(digit)])]
    return check == "0"
