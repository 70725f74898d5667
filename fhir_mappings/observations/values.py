"""Numbers and texts of an Observation's value, as charted: nothing is clamped, rounded or guessed."""

from __future__ import annotations

import re
from decimal import Decimal

from fhir_mappings.fhir_types import elements as lean
from fhir_mappings.terminology import systems as canonical

#: No score and no duration is larger or finer than this power of ten.
LARGEST_EXPONENT = 9
#: A text that is longer is quoted up to here; it is a note, and no answer that a site would map.
LONGEST_ANSWER = 80
#: Most scores there are, without arithmetic.
_INTEGERS = {Decimal(integer): integer for integer in range(-5, 33)}
#: UCUM: an annotation alone is the unit 1; only those that say that it is a score.
_UNITLESS = frozenset({"1", "{score}", "{scale}", "{points}"})
_NUMBER = re.compile(r"[+-]?\d{1,9}(\.\d{1,9})?", re.ASCII)


class Unusable(ValueError):
    """A value that is charted and cannot be used: problem code and the element it is in."""

    def __init__(self, code: str, element: str, message: str) -> None:
        super().__init__(message)
        self.code, self.element = code, element


def has_value(valued: lean.Valued) -> bool:
    return not (
        valued.value_integer is None
        and valued.value_quantity is None
        and valued.value_codeable_concept is None
        and valued.value_string is None
        and valued.value_range is None
        and valued.value_boolean is None
    )


def answer_of(valued: lean.Valued, place: str, *, numbers: bool) -> tuple[lean.CodeableConcept, str] | None:
    """The answer and its element where it is coded or in words; None where it is anything else.

    numbers: a text that is a number is none of the words.
    """
    if valued.value_codeable_concept is not None:
        return valued.value_codeable_concept, f"{place}valueCodeableConcept"
    text = valued.value_string
    if text is None or not text.strip() or (numbers and _NUMBER.fullmatch(text.strip())):
        return None
    return lean.CodeableConcept(text=text), f"{place}valueString"


def number_of(valued: lean.Valued, place: str) -> tuple[Decimal, str, str]:
    """Number, element and text as charted; raises Unusable."""
    if valued.value_integer is not None:
        return valued.value_integer, f"{place}valueInteger", as_charted(valued.value_integer)
    if valued.value_quantity is not None:
        element = f"{place}valueQuantity"
        number = plain_number(valued.value_quantity, element)
        return number, element, as_charted(number)
    text, element = valued.value_string, f"{place}valueString"
    if text is not None and _NUMBER.fullmatch(text.strip()):
        return Decimal(text.strip()), element, text.strip()
    if text is not None:
        raise Unusable("value-not-numeric", element, f"The text {text[:LONGEST_ANSWER]!r} is not a number.")
    raise Unusable("value-not-numeric", f"{place}value[x]", "The value is not a number.")


def plain_number(quantity: lean.Quantity, element: str) -> Decimal:
    """The number of a quantity without unit; raises Unusable."""
    if quantity.value is None:
        raise Unusable("value-not-numeric", element, "The quantity has no number.")
    if quantity.comparator is not None:
        shown = f"{quantity.comparator}{as_charted(quantity.value)}"
        raise Unusable("value-not-numeric", element, f"{shown} is a bound, not a value.")
    unit = quantity.code if quantity.code is not None else quantity.unit
    if unit is not None and (unit.strip() not in _UNITLESS or not (is_ucum(quantity) or quantity.system is None)):
        raise Unusable("unit-unknown", element, f"{unit!r} is not a unit of a score.")
    return quantity.value


def score_within(number: Decimal, low: int, high: int, assessment: str, element: str, shown: str) -> int:
    """The score as an integer; raises Unusable outside its bounds or for a fraction, and never clamps."""
    if number in _INTEGERS and low <= number <= high:
        return _INTEGERS[number]
    sensible = number.is_finite() and abs(number.adjusted()) <= LARGEST_EXPONENT
    if not sensible or number != number.to_integral_value() or not low <= number <= high:
        message = f"{shown} is no possible value of {assessment} ({low} to {high})."
        raise Unusable("value-out-of-range", element, message)
    return int(number)


def is_ucum(quantity: lean.Quantity) -> bool:
    return canonical.canonical_system(quantity.system) == canonical.UCUM


def as_charted(number: Decimal) -> str:
    """A number as charted, without a trailing fraction of zero."""
    if number in _INTEGERS:
        return str(_INTEGERS[number])
    if abs(number.adjusted()) > LARGEST_EXPONENT:
        return str(number)
    return str(int(number)) if number == number.to_integral_value() else str(number)


def shown_text(concept: lean.CodeableConcept) -> str:
    """The value as a reader of the chart sees it: its text, else a display, else a code."""
    texts = concept.texts
    return texts[0] if texts else next((code for _, code in concept.pairs if code), "")
