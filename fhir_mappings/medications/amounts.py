"""How much of a drug an administration gave, in milligrams: exactly, between bounds, or unknown.

A dose is read from dosage.dose or from a rate over a period; volumes and tablets through the strength that
the Medication states. dosage.text is never read: real systems fill it with "1" and with free text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from fhir_mappings.fhir_types import elements as lean
from fhir_mappings.fhir_types.medication import Dosage, Ratio
from fhir_mappings.terminology.units import LARGEST, RELATIVE, Amount, LocalUnits, amount

_SECONDS_PER_DAY = 86400
_MICROSECOND = Decimal("0.000001")


#: Amount and rate times time may differ by so much and mean the same (L8).
TOLERANCE = Decimal("0.1")


class Given(NamedTuple):
    """At least and at most so many mg (most None: no bound is known); the element, the value as charted,
    and what makes it unusable, or bounds of two readings: a problem code and one plain sentence."""

    least: Decimal
    most: Decimal | None
    element: str
    shown: str
    problem: str | None = None
    message: str = ""

    @property
    def is_contradicting(self) -> bool:
        """Whether the bounds are two readings of what is charted."""
        return self.problem == "conflicting-values" and self.most is not None


@dataclass(frozen=True, slots=True)
class AmountReader:
    """strengths: of the drug in its Medication. local: local unit spellings. mixture: strengths of all that is
    in the Medication."""

    strengths: tuple[Ratio, ...]
    local: LocalUnits
    mixture: tuple[Ratio, ...] = ()
    _doses: dict[lean.Quantity, Given] = field(default_factory=dict, repr=False)

    def given(self, dosage: Dosage | None, start: datetime, end: datetime | None) -> Given:
        """The amount of one administration; ``end`` only where the period is known to the instant."""
        if dosage is None:
            return _unknown("dosage", "", "dose-missing", "No dose is recorded.")
        if dosage.dose is not None and dosage.dose.value is not None:
            given = self._doses.get(dosage.dose)
            if given is None:
                given = self._doses[dosage.dose] = self._dose(dosage.dose)
            return given if end is None or not rate_value(dosage) else self._beside_rate(given, dosage, start, end)
        if rate_value(dosage) is not None:
            return self._rate(dosage, start, end)
        return _unknown("dosage.dose", "", "dose-missing", "No dose is recorded.")

    def _dose(self, dose: lean.Quantity) -> Given:
        element, shown = "dosage.dose", shown_quantity(dose)
        if dose.comparator is not None:
            return _unknown(element, shown, "value-not-numeric", f"The dose {shown} is not one number.")
        assert dose.value is not None
        if not is_possible(dose.value):
            return _unknown(element, shown, "value-out-of-range", "The dose is no possible number.")
        found = self._amount(dose)
        milligrams = None if found is None else self._milligrams(found)
        if milligrams is None or found is None:
            return _unknown("dosage.dose.unit", shown, "unit-unknown", _why_unknown(shown, found, dose))
        whole = self._of_mixture(found)
        if whole is not None and whole != milligrams:
            message = f"The dose {shown} is of the ampoule or of the whole mixture: two amounts."
            bounds = sorted((whole, milligrams))
            return Given(bounds[0], bounds[1], element, shown, "conflicting-values", message)
        return Given(milligrams, milligrams, element, shown)

    def _beside_rate(self, given: Given, dosage: Dosage, start: datetime, end: datetime) -> Given:
        """The dose, or bounds over it and rate times time where these contradict each other."""
        rated = self._rate(dosage, start, end)
        amounts = (given.least, rated.least)
        if given.problem not in (None, "conflicting-values") or rated.problem is not None or not min(amounts):
            return given
        if max(amounts) <= min(amounts) * (1 + TOLERANCE):
            return given
        message = f"The dose {given.shown} and the rate {rated.shown} over its time are different amounts."
        most = max(given.most or given.least, rated.least)
        return given._replace(least=min(amounts), most=most, problem="conflicting-values", message=message)

    def _rate(self, dosage: Dosage, start: datetime, end: datetime | None) -> Given:
        element, shown = _shown_rate(dosage)
        if rate_value(dosage) == 0:
            return Given(Decimal(0), Decimal(0), element, shown)
        if end is None:
            message = f"Only a rate is recorded ({shown}) and no period, so the amount is unknown."
            return _unknown(element, shown, "dose-missing", message)
        per_day = self._per_day(dosage)
        if per_day is None:
            return _unknown(element, shown, "unit-unknown", f"The rate {shown} cannot be turned into mg.")
        duration = Decimal((end - start).days * _SECONDS_PER_DAY + (end - start).seconds)
        duration += (end - start).microseconds * _MICROSECOND
        milligrams = per_day * duration / _SECONDS_PER_DAY
        return Given(milligrams, milligrams, element, shown)

    def _per_day(self, dosage: Dosage) -> Decimal | None:
        """mg a day of a rate, None if it is no known rate of a mass or, with a strength, of a volume."""
        if dosage.rate_quantity is not None:
            found = self._amount(dosage.rate_quantity)
            if found is None or not found.dimension.endswith("-rate"):
                return None
            return self._milligrams(Amount(found.dimension.removesuffix("-rate"), found.value))
        ratio = dosage.rate_ratio
        amount_each = self._amount(ratio.numerator) if ratio else None
        time = self._amount(ratio.denominator) if ratio else None
        if amount_each is None or time is None or time.dimension != "time" or time.value <= 0:
            return None
        milligrams = self._milligrams(amount_each)
        return None if milligrams is None else milligrams * _SECONDS_PER_DAY / time.value

    def _milligrams(self, found: Amount) -> Decimal | None:
        """mg of a mass; of a volume or of pieces through the one strength that fits."""
        if found.dimension == "mass":
            return found.value
        each = {strength for strength in map(self._strength, self.strengths) if strength is not None}
        fitting = {value for dimension, value in each if dimension == found.dimension}
        return found.value * fitting.pop() if len(fitting) == 1 else None

    def _of_mixture(self, found: Amount) -> Decimal | None:
        """mg in a volume of a mixture whose ingredients state different volumes: the volumes together hold what
        the numerators say; None where all state one volume."""
        if found.dimension != "volume" or len(self.mixture) < 2:
            return None
        wholes = [amount for amount in map(self._amount, (ratio.denominator for ratio in self.mixture)) if amount]
        volumes = [whole.value for whole in wholes if whole.dimension == "volume" and whole.value > 0]
        drugs = [amount for amount in map(self._amount, (ratio.numerator for ratio in self.strengths)) if amount]
        if len(set(volumes)) < 2 or len(drugs) != 1 or drugs[0].dimension != "mass":
            return None
        own = self._amount(self.strengths[0].denominator)
        if own is None or own.value == max(volumes):
            return None  # stated of the whole mixture
        return drugs[0].value * min(found.value / sum(volumes), Decimal(1))

    def _strength(self, ratio: Ratio) -> tuple[str, Decimal] | None:
        """mg per mL or per piece."""
        drug, whole = self._amount(ratio.numerator), self._amount(ratio.denominator)
        if drug is None or whole is None or drug.dimension != "mass" or whole.value <= 0 or drug.value <= 0:
            return None
        return whole.dimension, drug.value / whole.value

    def _amount(self, quantity: lean.Quantity | None) -> Amount | None:
        if quantity is None or quantity.value is None or quantity.comparator is not None:
            return None
        return amount(quantity.value, quantity.unit, quantity.system, quantity.code, self.local)


def rate_value(dosage: Dosage | None) -> Decimal | None:
    """The number of a rate as charted, None if no rate is recorded; 0 means that nothing runs."""
    if dosage is None:
        return None
    if dosage.rate_quantity is not None:
        return dosage.rate_quantity.value
    ratio = dosage.rate_ratio
    return ratio.numerator.value if ratio is not None and ratio.numerator is not None else None


def is_possible(value: Decimal) -> bool:
    """Whether a number is finite and of a size that a dose may have."""
    return value.is_finite() and abs(value) <= LARGEST


def shown_quantity(quantity: lean.Quantity | None) -> str:
    """A quantity as charted."""
    if quantity is None or quantity.value is None:
        return ""
    value = quantity.value
    number = f"{value:f}" if is_possible(value) and value.as_tuple().exponent > -_PLACES else str(value)  # type: ignore[operator]
    return " ".join(part for part in (quantity.comparator, number, quantity.unit or quantity.code) if part)


_PLACES = 12


def _shown_rate(dosage: Dosage) -> tuple[str, str]:
    if dosage.rate_quantity is not None:
        return "dosage.rateQuantity", shown_quantity(dosage.rate_quantity)
    ratio = dosage.rate_ratio
    if ratio is None:
        return "dosage.rateRatio", ""
    return "dosage.rateRatio", f"{shown_quantity(ratio.numerator)} / {shown_quantity(ratio.denominator)}"


def _why_unknown(shown: str, found: Amount | None, dose: lean.Quantity) -> str:
    if found is not None and found.dimension in ("volume", "piece"):
        return f"The dose {shown} has no strength by which to turn it into mg."
    if any(relative in (text or "") for text in (dose.code, dose.unit) for relative in RELATIVE):
        return f"The dose {shown} is relative to weight or surface; the amount given is not recorded."
    if not (dose.code or dose.unit):
        return f"The dose {shown} has no unit."
    return f"The unit of the dose {shown} is not known."


def _unknown(element: str, shown: str, problem: str, message: str) -> Given:
    return Given(Decimal(0), None, element, shown, problem, message)
