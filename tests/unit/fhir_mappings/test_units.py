"""Units: UCUM exactly, local spellings by list, everything else unknown."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fhir_mappings.terminology import systems as canonical
from fhir_mappings.terminology import units

UCUM = canonical.UCUM


@pytest.mark.parametrize("code", [code for code in units._COMMON if not code.startswith("{")])
def test_the_table_is_what_the_library_says(code: str) -> None:
    dimension, factor = units._COMMON[code]
    found = units._from_library(code)
    assert found is not None
    assert found[0] == dimension
    assert abs(found[1] - factor) <= factor * Decimal("1e-11")


@pytest.mark.parametrize(
    ("unit", "system", "code", "milligrams"),
    [
        ("mg", UCUM, "mg", "10"),
        (None, UCUM, "mg", "10"),
        ("mg", None, None, "10"),
        ("MG", None, None, "10"),
        ("Mg", None, None, "10"),
        ("milligrams", None, None, "10"),
        (" mg ", None, None, "10"),
        ("g", UCUM, "g", "10000"),
        ("gm", None, None, "10000"),
        ("mcg", None, None, "0.010"),
        ("\u00b5g", None, None, "0.010"),
        ("\u03bcg", None, None, "0.010"),
        (None, UCUM, "ug", "0.010"),
        (None, UCUM, "cg", "100.0"),
        ("mg", "urn:local:units", "EPIC 3", "10"),
        (None, "http://mimic.mit.edu/fhir/mimic/CodeSystem/mimic-units", "mg", "10"),
        ("MG", UCUM, "MG", None),
        ("mcg", UCUM, "mcg", None),
        ("mg/kg", UCUM, "mg/kg", None),
        ("mg/kg", None, None, None),
        ("mg/m2", None, None, None),
        ("mg/kg", UCUM, "mg", None),
        ("g", UCUM, "mg", None),
        ("g", None, "mg", None),
        ("mgmg", None, None, None),
        ("mg/0mg", None, None, None),
        ("mg\\ 40mg", None, None, None),
        ("___", None, None, None),
        ("GR", None, None, None),
        ("mL", UCUM, "mL", None),
        ("mmol", UCUM, "mmol", None),
        (None, None, None, None),
        ("", UCUM, "10*500.g", None),
        (None, UCUM, "(" * 40, None),
        (None, UCUM, "m\u00b2", None),
    ],
)
def test_milligrams(unit: str | None, system: str | None, code: str | None, milligrams: str | None) -> None:
    found = units.milligrams(Decimal(10), unit, system, code)
    assert found == (None if milligrams is None else Decimal(milligrams))


def test_other_dimensions() -> None:
    assert units.millilitres(Decimal(2), "cc", None, None) == 2
    assert units.millilitres(Decimal(2), "ml", UCUM, "mL") == 2
    assert units.pieces(Decimal(2), None, canonical.DRUG_FORM, "TAB") == 2
    assert units.seconds(Decimal(5), "min", UCUM, "min") == 300
    assert units.seconds(Decimal(5), "mg", None, None) is None
    assert units.amount(Decimal(42), "mg/hr", None, None) == ("mass-rate", 42 * 24)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1E+400", "-1E+13"])
def test_impossible_numbers_are_no_amount(value: str) -> None:
    assert units.milligrams(Decimal(value), "mg", UCUM, "mg") is None


def test_what_is_too_long_for_a_unit_is_not_remembered() -> None:
    before = units._from_library.cache_info()
    for length in (33, 1_000_000):
        assert units.milligrams(Decimal(10), None, UCUM, "m" * length) is None
    assert units._from_library.cache_info() == before
