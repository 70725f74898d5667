"""Findings of steroid exposure: dose tiers, days with a steroid, doses of unknown size."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from icans.chart import MICROSECOND
from icans.course.course import Course
from icans.facts import CumulativeDose, DoseUnknown, SteroidDays
from icans.findings import Finding, key_time
from icans.policy.policy import Policy
from icans.record import Dose, evidence_of
from icans.steroids.doses import Doses
from icans.steroids.equivalents import number
from icans.steroids.exposure import Exposure, begun_between, given_since, sums_at


def dose_unknown(dose: Dose, at: datetime, course: Course, exposure: Exposure) -> Finding:
    """A dose without a usable amount: the sum is a lower bound."""
    total = exposure.total_at(at) if course.infusion is not None else None
    facts = DoseUnknown(administrations=(dose.reference,), lower_bound_mg=total)
    return course.finding(dose.reference, at, "info", facts, evidence_of([dose]), dose)


def steroid_days(at: datetime, course: Course, exposure: Exposure, doses: Doses, policy: Policy) -> Finding | None:
    """Days with enough of a systemic steroid have reached the threshold: reported once a course."""
    infusion = course.infusion
    if infusion is None or exposure.day_count < policy.steroid_days or exposure.days_reported:
        return None
    exposure.days_reported = True
    facts = SteroidDays(steroid_days=exposure.day_count, dexamethasone_equivalent_mg=exposure.total_at(at))
    given = [dose for dose, _ in given_since(infusion.at, at, doses)]
    return course.finding(key_time(infusion.at), at, "info", facts, evidence_of(given))


def tier_crossed(at: datetime, course: Course, exposure: Exposure, doses: Doses, policy: Policy) -> Finding | None:
    """Tiers of the cumulative dose to report at ``at``, as one finding of the highest."""
    crossed = exposure.reported_now(at, policy)
    if not crossed or course.infusion is None:
        return None
    highest = crossed[-1]
    given = sums_at(at, exposure, doses)
    facts = CumulativeDose(
        threshold_mg=highest,
        crossed_mg=crossed,
        dexamethasone_equivalent_mg=given.total,
        since_onset_mg=given.since_onset,
        last_24h_mg=given.last_24h,
        administrations=exposure.administrations,
        uncounted=exposure.uncounted,
        prophylactic_mg=given.prophylactic,
        intrathecal_mg=exposure.intrathecal,
        steroid_days=exposure.day_count,
    )
    key = f"{key_time(course.infusion.at)}|{number(highest)}"
    indicator = policy.tier_indicators[policy.tiers.index(highest)]
    evidence = evidence_of([d for d, amount in given_since(course.infusion.at, at, doses) if amount.usable])
    return course.finding(key, at, indicator, facts, evidence)


def with_treatment_from(start: datetime, finding: Finding, exposure: Exposure, doses: Doses) -> Finding:
    """A finding from before the onset, once treatment is known to have begun at ``start``: doses count from then on."""
    facts = finding.facts
    if not isinstance(facts, CumulativeDose):
        return finding
    given = begun_between(start, finding.at + MICROSECOND, finding.at, exposure.since, doses)
    prophylactic = facts.dexamethasone_equivalent_mg - given
    return replace(finding, facts=replace(facts, since_onset_mg=given, prophylactic_mg=prophylactic))
