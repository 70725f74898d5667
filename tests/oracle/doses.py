"""Steroid doses: what counts, duplicates, sums, tiers and days (E)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from icans.findings import key_time
from icans.policy.policy import Policy
from icans.record import Dose, Record
from tests.oracle.amounts import absurd, amount, countable, distinct, equivalent
from tests.oracle.course import Course, Held, clipped
from tests.oracle.memory import by, remembered

ZERO = Fraction(0)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@remembered
def counted(record: Record, policy: Policy) -> list[tuple[Dose, Fraction]]:
    """The doses of the lower bound, each with its full size."""
    return [(d, equivalent(d, d.lower_mg, policy)) for d in distinct(record, policy) if countable(d, policy)]


def accrued(dose: Dose, full: Fraction, since: datetime, until: datetime, open_start: bool = False) -> Fraction:
    """The part of a dose given in [since, until], or in (since, until]."""
    if dose.end is None or dose.end <= dose.at:
        return full if since <= dose.at <= until and not (open_start and dose.at == since) else ZERO
    first, last = max(dose.at, since), min(dose.end, until)
    if last <= first:
        return ZERO
    return full * microseconds(last - first) / microseconds(dose.end - dose.at)


def microseconds(duration: timedelta) -> Fraction:
    return Fraction(duration // timedelta(microseconds=1))


def total(record: Record, policy: Policy, since: datetime, until: datetime, open_start: bool = False) -> Fraction:
    """Lower bound of dexamethasone-equivalent mg given in [since, until], or in (since, until]."""
    return sum((accrued(d, full, since, until, open_start) for d, full in counted(record, policy)), ZERO)


def numbers(record: Record, policy: Policy, course: Course, treated: datetime | None, at: datetime) -> dict[str, Any]:
    """Exposure at one instant as the facts name it; treated: start of the first line of treatment (L16)."""
    given = [d for d in distinct(record, policy) if course.start <= d.at <= at]
    onset = course.episodes[0].onset if course.episodes else None
    whole = total(record, policy, course.start, at)
    after_onset = ZERO
    for d, full in counted(record, policy):
        since = course.start if treated is not None and treated <= d.at else onset
        if since is not None and since <= at:
            after_onset += accrued(d, full, max(since, course.start), at)
    intrathecal: dict[str, Fraction] = {}
    for d in given:
        if d.route == "intrathecal" and d.amount_known:
            intrathecal[d.drug] = intrathecal.get(d.drug, ZERO) + Fraction(d.lower_mg)
    return {
        "dexamethasoneEquivalentMg": whole,
        "sinceOnsetMg": after_onset,
        "prophylacticMg": whole - after_onset,
        "last24hMg": total(record, policy, at - timedelta(hours=24), at, open_start=True),
        "uncounted": sum(1 for d in given if d.route != "intrathecal" and not countable(d, policy))
        + by("L3", sum(1 for r in record.refused if "dose" in r.may_be and r.at and course.start <= r.at <= at)),
        "steroidDays": len([day for day in counting_days(record, policy, course) if day <= at]),
        "intrathecalMg": intrathecal,
    }


def counting_days(record: Record, policy: Policy, course: Course) -> list[datetime]:
    """L28: the instant at which each local day since the infusion begins to count."""
    by_day: dict[date, list[Dose]] = {}
    for d in distinct(record, policy):
        if d.route in ("systemic", "unknown") and d.at >= course.start and not absurd(d, policy):
            by_day.setdefault(d.day, []).append(d)
    counting = []
    for given in by_day.values():
        sum_of_day = ZERO
        for d in given:
            size = amount(d, policy)
            sum_of_day += size or ZERO
            unknown = size is None and d.drug in policy.initiating_drugs
            if unknown or (sum_of_day >= Fraction(policy.steroid_day_minimum)):
                counting.append(d.at)
                break
        else:
            by("L28", True)
    return sorted(counting)


def sums(record: Record, policy: Policy, course: Course) -> list[tuple[datetime, Fraction]]:
    """The lower bound at every instant at which a dose begins or ends."""
    ends = {t for d, _ in counted(record, policy) for t in (d.at, d.end) if t is not None and t >= course.start}
    return [(corner, total(record, policy, course.start, corner)) for corner in sorted(ends)]


def crossing(
    record: Record, policy: Policy, course: Course, corners: list[tuple[datetime, Fraction]], threshold: Fraction
) -> datetime | None:
    """The first whole second at or after which the lower bound has reached the threshold."""
    before = course.start
    for corner, reached in corners:
        if reached >= threshold:
            low = total(record, policy, course.start, before)
            at_once = [full for d, full in counted(record, policy) if d.at == corner and (not d.end or d.end <= d.at)]
            high = reached - sum(at_once, ZERO)
            if high < threshold or corner <= before:
                return corner
            if low >= threshold:
                return before
            share = (threshold - low) / (high - low)
            whole = microseconds(before - EPOCH) + share * microseconds(corner - before)
            seconds = -(-whole // 1_000_000)
            return EPOCH + timedelta(seconds=int(seconds))
        before = corner
    return None


def plain(number: Decimal) -> str:
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def findings(record: Record, policy: Policy, course: Course, treated: datetime | None) -> list[Held]:
    """treated: start of the first line of treatment."""
    found: list[Held] = []
    if course.infusion is not None:
        found += tiers(record, policy, course, course.infusion, treated)
        found += days(record, policy, course, course.infusion)
    for d in distinct(record, policy):
        if d.route == "intrathecal" or countable(d, policy) or not course.covers(d.at):
            continue
        lower = total(record, policy, course.start, d.at) if course.infusion else None
        facts = {"administrations": [d.reference], "lowerBoundMg": lower}
        found.append(Held("dose-unknown", d.reference, d.at, "info", facts, [clipped(d.at, None, course)]))
    return found


def reported_at(record: Record, policy: Policy, crossed: datetime) -> datetime:
    """L27: when the first of the doses that run at the crossing ends, at most four hours later."""
    ends = [(d, max(d.at, d.end or d.at)) for d, _ in counted(record, policy)]
    running = [end for d, end in ends if d.at <= crossed <= end]
    return min([max(min(running, default=crossed), crossed), crossed + policy.tier_delay])


def tiers(record: Record, policy: Policy, course: Course, infusion: datetime, treated: datetime | None) -> list[Held]:
    reported: dict[datetime, list[int]] = {}
    corners = sums(record, policy, course)
    later: datetime | None = None
    for i, tier in reversed(list(enumerate(policy.tiers))):
        crossed = crossing(record, policy, course, corners, Fraction(tier))
        if crossed is None:
            continue
        at = reported_at(record, policy, crossed)
        later = at = at if later is None else min(at, later)
        by("L27", at != crossed)
        if course.covers(at):
            reported.setdefault(at, []).insert(0, i)
    found = []
    for at, indices in reported.items():
        top = indices[-1]
        facts = {
            "thresholdMg": policy.tiers[top],
            "crossedMg": [policy.tiers[i] for i in indices],
            "window": "since-infusion",
            **numbers(record, policy, course, treated, at),
        }
        key = f"{key_time(infusion)}|{plain(policy.tiers[top])}"
        span = clipped(at, None, course)
        found.append(Held("cumulative-dose", key, at, policy.tier_indicators[top], facts, [span]))
    return found


def days(record: Record, policy: Policy, course: Course, infusion: datetime) -> list[Held]:
    """E5, L28: the tenth local day that counts."""
    counting = counting_days(record, policy, course)
    if len(counting) < policy.steroid_days:
        return []
    at = counting[policy.steroid_days - 1]
    if not course.covers(at):
        return []
    facts = {
        "steroidDays": sum(1 for day in counting if day <= at),
        "dexamethasoneEquivalentMg": total(record, policy, course.start, at),
    }
    return [Held("steroid-days", key_time(infusion), at, "info", facts, [clipped(at, None, course)])]
