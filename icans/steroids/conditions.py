"""The conditions of the rules of steroid exposure."""

from __future__ import annotations

from datetime import datetime

from icans.course.course import Course
from icans.findings import PROJECT, Condition, Rule
from icans.policy.policy import Policy
from icans.steroids.equivalents import ZERO, number
from icans.steroids.exposure import Exposure


def steroid_rules(at: datetime, course: Course, exposure: Exposure, was_read: bool, policy: Policy) -> list[Rule]:
    """Every rule of exposure. was_read: whether administrations could be read."""
    infused = Condition(course.infusion is not None, "the infusion is not known", "an infusion record")
    read = Condition(was_read, "administrations could not be read", "access to MedicationAdministration")
    total = exposure.total_at(at) if course.infusion is not None else ZERO
    rules = []
    for tier in policy.tiers:
        reached = Condition(
            total >= tier,
            f"{number(total)} mg is below {number(tier)} mg",
            f"{number(tier - total)} mg more, dexamethasone-equivalent",
        )
        compared = {"dexamethasoneEquivalentMg": total, "thresholdMg": tier, "uncounted": exposure.uncounted}
        source = "Fridberg et al. 2026; ASCO 2020 abstract 8011"
        rules.append(Rule(f"cumulative-dose:{number(tier)}", (infused, read, reached), compared, source))
    days = Condition(
        exposure.day_count >= policy.steroid_days,
        f"{exposure.day_count} days with a systemic steroid are fewer than {policy.steroid_days}",
        f"{policy.steroid_days - exposure.day_count} more days",
    )
    compared_days = {"steroidDays": exposure.day_count, "threshold": policy.steroid_days}
    source = "Cevering et al. 2026; Strati et al. 2021"
    rules.append(Rule("steroid-days", (infused, read, days), compared_days, source))
    unknown = Condition(
        exposure.uncounted > 0, "every administration has a usable dose", "an administration without one"
    )
    rules.append(Rule("dose-unknown", (read, unknown), {"uncounted": exposure.uncounted}, PROJECT))
    return rules
