"""What one dose counts for, in mg of dexamethasone-equivalent: for the sums, and for treatment clocks."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from icans.policy.policy import Policy
from icans.record import Dose

ZERO = Decimal(0)


class Sum(NamedTuple):
    """mg of dexamethasone-equivalent given: at least ``lower``, at most ``upper`` (None: no upper bound is known)."""

    lower: Decimal = ZERO
    upper: Decimal | None = ZERO

    def plus(self, lower: Decimal, upper: Decimal | None) -> Sum:
        """With so much more, at least and at most."""
        return Sum(self.lower + lower, None if self.upper is None or upper is None else self.upper + upper)


@dataclass(frozen=True, slots=True)
class Amount:
    """A dose in dexamethasone-equivalent mg: at least, at most (None: no bound), usable or not, and why not.

    dropped: of two readings that contradict each other the larger one is implausible and left out.
    """

    lower: Decimal
    upper: Decimal | None
    usable: bool
    problem: str = ""
    dropped: bool = False


def amount_of(dose: Dose, policy: Policy) -> Amount:
    """What a dose counts for; a single dose above the implausible limit, or not above 0, is not counted (E7).

    Of two readings that contradict each other the lower one counts, and the upper one is the bound (L8).
    """
    factor = policy.factors.get(dose.drug)
    if factor is None:
        return Amount(ZERO, None, False, "drug-unmapped")
    lower, upper = dose.lower_mg * factor, None if dose.upper_mg is None else dose.upper_mg * factor
    if dose.amount_known and lower <= 0:
        return Amount(ZERO, ZERO, False, "value-out-of-range")
    dropped = dose.contradicting and upper is not None and lower <= policy.implausible_dose < upper
    if dropped:
        upper = lower
    if upper is not None and upper > policy.implausible_dose:
        return Amount(ZERO, None, False, "value-out-of-range")
    if dose.route == "unknown" or dose.running:
        return Amount(ZERO, upper, False, dropped=dropped)
    return Amount(lower, upper, dose.amount_known or dose.contradicting, dropped=dropped)


def clock_amount(dose: Dose, policy: Policy) -> Decimal | None:
    """Dexamethasone-equivalent mg for treatment clocks and steroid days, at the dose's start and in full.

    None if the size is unknown. A dose without route counts here: a treatment start is never hidden. Where two
    readings contradict each other the larger one counts (L8).
    """
    in_full = dose.amount_known or dose.contradicting or dose.route == "unknown" or dose.running
    return amount_of(dose, policy).upper if in_full else None


def counts_for_clock(dose: Dose, amount: Amount) -> bool:
    """Systemic, or of unknown route, and not absurd."""
    return dose.route != "intrathecal" and amount.problem == ""


def implausibly_large(dose: Dose, amount: Amount) -> bool:
    """Given, but of no size that can be believed."""
    return dose.route != "intrathecal" and amount.problem == "value-out-of-range" and amount.upper is None


def number(amount: Decimal) -> str:
    """A number as it is in ids and is read: no exponent, no trailing zeros."""
    text = format(amount, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
