"""Single doses: their size, what counts, and which of them are one dose (E1, E3, E7)."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from icans.policy.policy import Policy
from icans.record import Dose, Record
from tests.oracle.memory import by, remembered


def equivalent(dose: Dose, milligrams: Decimal, policy: Policy) -> Fraction:
    """mg of that drug in mg of dexamethasone."""
    return Fraction(milligrams) * Fraction(policy.factors[dose.drug])


def absurd(dose: Dose, policy: Policy) -> bool:
    """E7: above 500 mg dexamethasone-equivalent, or not above 0."""
    recorded = dose.upper_mg
    if recorded is None:
        return False
    return recorded <= 0 or equivalent(dose, recorded, policy) > Fraction(policy.implausible_dose)


def amount(dose: Dose, policy: Policy) -> Fraction | None:
    """Full size of a dose for treatment start, lines and gaps (E1); None if it is not known."""
    if absurd(dose, policy):
        return None
    if dose.amount_known or (dose.running and dose.upper_mg is not None):
        assert dose.upper_mg is not None
        return equivalent(dose, dose.upper_mg, policy)
    return None


def countable(dose: Dose, policy: Policy) -> bool:
    """In the lower bound: a known amount by a systemic route, with an end if it runs."""
    return dose.route == "systemic" and not dose.running and dose.amount_known and not absurd(dose, policy)


def same_dose(one: Dose, other: Dose, policy: Policy) -> bool:
    """E3."""
    alike = (one.drug, one.route, one.lower_mg, one.upper_mg) == (
        other.drug,
        other.route,
        other.lower_mg,
        other.upper_mg,
    )
    close = alike and one.amount_known and abs(one.at - other.at) <= policy.duplicate_window
    return close and not by("L39", one.way != other.way)


@remembered
def distinct(record: Record, policy: Policy) -> list[Dose]:
    """Every dose once: of duplicates the earliest stays."""
    kept: list[Dose] = []
    named: set[str] = set()
    for dose in sorted(record.doses, key=lambda d: (d.at, d.reference)):
        if not dose.identifiers & named and not any(same_dose(dose, other, policy) for other in kept):
            kept.append(dose)
        named |= dose.identifiers
    return kept
