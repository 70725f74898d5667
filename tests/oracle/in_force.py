"""What is charted about the state domains: ICE and CAPD statements, loose ICE items put together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from icans.policy.policy import Policy
from icans.record import (
    ICE_ITEM_POINTS,
    ORIENTATION_ITEMS,
    Capd,
    IceItem,
    IceTotal,
    NotAssessed,
    Observed,
    Record,
)
from tests.oracle.memory import remembered

ITEMS = (*ORIENTATION_ITEMS, "naming", "command", "writing", "attention")
MISSING_REASONS = ("language", "literacy", "vision", "hearing", "motor", "refused", "asleep")
#: L13: what a reason for a missing ICE or CAPD makes of its row: full, full beside consciousness, or never full.
NEVER, BESIDE, ALONE = 1, 2, 3
STRENGTH = {
    **dict.fromkeys(("unarousable", "sedated", "aphasia"), ALONE),
    **dict.fromkeys(("language", "vision", "hearing", "literacy", "motor", "not-valid-at-baseline"), BESIDE),
}


@dataclass
class ItemGroup:
    """Loose ICE items that belong together (B4): points, or the reason why not."""

    at: datetime
    results: dict[str, int | str] = field(default_factory=dict)


@dataclass
class Ice:
    """An ICE score between low and high points; missing: items without a result."""

    at: datetime
    low: int
    high: int
    complete: bool
    missing: tuple[str, ...] = ()
    from_items: bool = False
    ranged: bool = False  # charted as a range: it is not known which items were obtained
    mismatch: bool = False  # items and total disagree (GRD-16)


@dataclass
class Statement:
    """What was said of ICE or CAPD at one instant: values, and reasons why there is none."""

    at: datetime
    ice: Ice | None = None
    capd: Capd | None = None
    ice_reasons: set[str] = field(default_factory=set)
    capd_reasons: set[str] = field(default_factory=set)
    ice_strength: int = 0  # of the strongest reason for no ICE charted at this instant, 0 without one
    capd_strength: int = 0


def strength(reason: str) -> int:
    return STRENGTH.get(reason, NEVER)


def item_groups(observed: list[Observed], policy: Policy) -> list[ItemGroup]:
    """B4: all within ten minutes of the first, no item twice (twice at one instant: the worse counts)."""
    groups: list[ItemGroup] = []
    loose = [
        entry
        for entry in observed
        if isinstance(entry, IceItem) or (isinstance(entry, NotAssessed) and entry.tool in ICE_ITEM_POINTS)
    ]
    at_once: dict[datetime, dict[str, int | str]] = {}
    for entry in loose:
        item = entry.item if isinstance(entry, IceItem) else entry.tool
        reason = 0 if isinstance(entry, IceItem) or entry.reason == "aphasia" else entry.reason
        result = entry.points if isinstance(entry, IceItem) else reason
        results = at_once.setdefault(entry.at, {})
        results[item] = result if item not in results else worse_result(results[item], result)
    for at in sorted(at_once):
        current = groups[-1] if groups else None
        repeats = current is not None and any(item in current.results for item in at_once[at])
        if current is None or at > current.at + policy.ice_item_window or repeats:
            current = ItemGroup(at)
            groups.append(current)
        current.results.update(at_once[at])
    return groups


def worse_result(one: int | str, other: int | str) -> int | str:
    if isinstance(one, int) and isinstance(other, int):
        return min(one, other)
    if isinstance(one, int):
        return one
    if isinstance(other, int):
        return other
    return min(one, other)


def never_valid(groups: list[ItemGroup], until: datetime) -> set[str]:
    """Items marked "not valid for this patient at baseline" by then (clinical note under 1.4)."""
    return {
        item
        for group in groups
        if group.at <= until
        for item in singly(item for item, result in group.results.items() if result == "not-valid-at-baseline")
    }


def singly(items: Iterable[str]) -> set[str]:
    """Orientation as a whole is its four items."""
    named = set(items)
    return named | set(ORIENTATION_ITEMS) if "orientation" in named else named


def group_score(group: ItemGroup, invalid: set[str]) -> Ice | None:
    """The arithmetic of partial ICE: [s, s + m]; None where no item has a valid result."""
    results: dict[str, int] = {}
    for item, result in group.results.items():
        if isinstance(result, int) and item not in invalid:
            results[item] = result
    low = high = 0
    missing: list[str] = []
    any_valid = False
    four = [results[item] for item in ORIENTATION_ITEMS if item in results]
    if len(four) == 4:
        any_valid = True
        both = [sum(four), results.get("orientation", sum(four))]
        low, high = min(both), max(both)
    elif "orientation" in results:
        any_valid = True
        low = high = results["orientation"]
    else:
        any_valid = bool(four)
        low = high = sum(four)
        for item in ORIENTATION_ITEMS:
            if item not in results:
                missing.append(item)
                high += 1
    for item in ("naming", "command", "writing", "attention"):
        if item in results:
            any_valid = True
            low += results[item]
            high += results[item]
        else:
            missing.append(item)
            high += ICE_ITEM_POINTS[item]
    if not any_valid:
        return None
    complete = not missing and low == high
    mismatch = len(four) == 4 and results.get("orientation", sum(four)) != sum(four)
    return Ice(group.at, low, high, complete, tuple(missing), from_items=True, mismatch=mismatch)


def combine_scores(total: Ice | None, items: Ice | None) -> Ice | None:
    """GRD-16: a total outside what the items allow widens to both; a total within them decides."""
    if total is None or items is None:
        return total or items
    if total.low > items.high or total.high < items.low:
        low, high = min(total.low, items.low), max(total.high, items.high)
        ranged = bool(total.ranged and items.missing)
        return Ice(total.at, low, high, False, items.missing, ranged=ranged, mismatch=True)
    low, high = max(total.low, items.low), min(total.high, items.high)
    missing = () if low == high else items.missing
    ranged = total.ranged and low < high and bool(missing)
    return Ice(total.at, low, high, low == high, missing, from_items=bool(missing), ranged=ranged)


@remembered
def statements(record: Record, policy: Policy) -> list[Statement]:
    """All ICE and CAPD statements of a record, one an instant, in order of time."""
    observed = [entry for entry in record.observed if not entry.other_cause]
    by_instant: dict[datetime, Statement] = {}

    def at(instant: datetime) -> Statement:
        return by_instant.setdefault(instant, Statement(instant))

    totals: dict[datetime, Ice] = {}
    for entry in observed:
        score = None
        if isinstance(entry, IceTotal):
            score = Ice(entry.at, entry.low, entry.high, entry.low == entry.high, ranged=entry.low < entry.high)
        elif isinstance(entry, NotAssessed) and entry.tool == "ice":
            if entry.reason == "aphasia":
                score = Ice(entry.at, 0, 0, True)
            else:
                statement = at(entry.at)
                statement.ice_reasons.add(entry.reason)
                statement.ice_strength = max(statement.ice_strength, strength(entry.reason))
        elif isinstance(entry, NotAssessed) and entry.tool == "capd":
            statement = at(entry.at)
            statement.capd_reasons.add(entry.reason)
            statement.capd_strength = max(statement.capd_strength, strength(entry.reason))
        elif isinstance(entry, Capd):
            statement = at(entry.at)
            if statement.capd is None or entry.total > statement.capd.total:
                statement.capd = entry
        if score is not None:
            known = totals.get(entry.at)
            if known is not None:
                low, high = min(known.low, score.low), min(known.high, score.high)
                score = Ice(entry.at, low, high, low == high, ranged=low < high)
            totals[entry.at] = score
    groups = item_groups(observed, policy)
    scores: dict[datetime, Ice] = {}
    for group in groups:
        statement = at(group.at)
        score = group_score(group, never_valid(groups, group.at))
        reasons = {r for r in group.results.values() if isinstance(r, str)}
        if score is not None:
            scores[group.at] = score
            reasons &= {"sedated", "unarousable"}  # others speak of the whole only where no item was done
        elif reasons:
            statement.ice_strength = max(statement.ice_strength, min(strength(r) for r in reasons))
        statement.ice_reasons |= reasons
    for instant in {*totals, *scores}:
        at(instant).ice = combine_scores(totals.get(instant), scores.get(instant))
    return [by_instant[instant] for instant in sorted(by_instant)]


def baseline(
    record: Record, policy: Policy, start: datetime | None, at: datetime, usable: Callable[[Statement], bool]
) -> tuple[int | None, set[str]]:
    """Last complete ICE in the week before the infusion, and the items its items left out for good (B10)."""
    groups = item_groups([e for e in record.observed if not e.other_cause], policy)
    marked = never_valid(groups, at)
    if start is None:
        return None, marked
    since = start - policy.baseline_window
    before = [s for s in statements(record, policy) if since <= s.at < start and s.at < at]
    complete = [s.ice.low for s in before if s.ice is not None and s.ice.complete and usable(s)]
    baseline_groups = [group for group in groups if since <= group.at < start and group.at < at]
    left_out: set[str] = set()
    if baseline_groups:
        results = baseline_groups[-1].results
        left_out = singly(item for item, result in results.items() if result in MISSING_REASONS)
    return (complete[-1] if complete else None), left_out | marked


def running(record: Record, policy: Policy, at: datetime) -> bool:
    """B8: a sedative or paralytic runs at this instant."""
    for row in record.sedatives:
        if row.kind != "infusion" or row.at > at:
            continue
        if row.end is not None:
            if at <= row.end:
                return True
            continue
        stopped = any(
            stop.kind == "stop" and stop.drug == row.drug and row.at < stop.at <= at for stop in record.sedatives
        )
        if at - row.at <= policy.sedative_open_end and not stopped:
            return True
    return False
