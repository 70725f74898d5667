"""The ICE score of one instant: exact bounds when items are missing (never imputed, never prorated)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from icans.grading.reasons import strongest, weakest
from icans.record import (
    ICE_ITEM_POINTS,
    ICE_MAXIMUM,
    ORIENTATION_ITEMS,
    Entry,
    IceItem,
    IceTotal,
    NotAssessed,
)

SINGLE_ITEMS = tuple(item for item in ICE_ITEM_POINTS if item != "orientation")


@dataclass(frozen=True, slots=True, kw_only=True)
class IceValue:
    """What is known of the ICE score at one instant.

    low, high: bounds of the score in points, None if nothing valid was obtained.
    maximum: points that can be obtained by this patient (items not valid at baseline left out).
    missing: valid items without a result. reason: why nothing was obtained ("sedated", "unarousable", ...);
    stated: the same as it answers the call for an assessment, of several items' reasons the weakest.
    ranged: a range was charted as the total.
    mismatch: items and recorded total disagree; the bounds then span both.
    """

    at: datetime
    low: int | None
    high: int | None
    maximum: int = ICE_MAXIMUM
    missing: tuple[str, ...] = ()
    reason: str = ""
    stated: str = ""
    mismatch: bool = False
    entries: tuple[Entry, ...] = ()
    ranged: bool = False

    @property
    def every_valid_item_obtained(self) -> bool:
        """Nothing that this patient could do is missing (a charted range counts as partial)."""
        return self.low is not None and not (self.missing or self.mismatch or self.ranged)

    @property
    def complete(self) -> bool:
        return self.low is not None and self.low == self.high and not self.mismatch

    @property
    def points_obtained(self) -> bool:
        """At least one point was surely obtained, so the patient was arousable."""
        return self.low is not None and self.low >= 1 and self.reason != "unarousable"


@dataclass(frozen=True, slots=True)
class ItemGroup:
    """Items charted together: points, or the reason for none, of each; ``until`` is the last one's instant."""

    entries: tuple[IceItem | NotAssessed, ...]
    results: dict[str, int | str]
    until: datetime


def item_group(items: Sequence[IceItem | NotAssessed]) -> ItemGroup:
    """The leading items that belong together: instant by instant, until one repeats.

    Of an item charted twice at one instant the worse counts. An item absent for aphasia was tried and
    failed (0 points).
    """
    results: dict[str, int | str] = {}
    entries: list[IceItem | NotAssessed] = []
    for at, together in groupby(items, key=lambda e: e.at):
        at_once: dict[str, int | str] = {}
        for entry in (charted := list(together)):
            name = entry.item if isinstance(entry, IceItem) else entry.tool
            reason = 0 if isinstance(entry, NotAssessed) and entry.reason == "aphasia" else None
            result = entry.points if isinstance(entry, IceItem) else entry.reason if reason is None else reason
            at_once[name] = result if name not in at_once else _worse_result(at_once[name], result)
        if any(name in results for name in at_once):
            break
        results.update(at_once)
        entries += charted
        until = at
    return ItemGroup(tuple(entries), results, until)


def _worse_result(one: int | str, other: int | str) -> int | str:
    if isinstance(one, int):
        return min(one, other) if isinstance(other, int) else one
    return other if isinstance(other, int) else min(one, other)


def value_of_items(
    at: datetime, group: ItemGroup, invalid: frozenset[str], unasked: frozenset[str] = frozenset()
) -> IceValue:
    """Bounds of the score from separately charted items.

    Every item without a result adds its points to the upper bound only; ``invalid`` items (marked not valid
    at baseline) are never scored; ``unasked`` ones (not obtained at baseline for language, vision, ...) count
    if they are obtained and are not missed if not.
    """
    entries = group.entries
    obtained = {
        item: result for item, result in group.results.items() if isinstance(result, int) and item not in invalid
    }
    reasons = {result for result in group.results.values() if isinstance(result, str)}
    reason = next((r for r in ("unarousable", "sedated") if r in reasons), min(reasons, default=""))
    mismatch = False
    low = high = 0
    if all(item in obtained for item in ORIENTATION_ITEMS):
        singly = sum(obtained[item] for item in ORIENTATION_ITEMS)
        together = obtained.pop("orientation", singly)
        mismatch = together != singly
        low, high = min(singly, together) - singly, max(singly, together) - singly
    elif "orientation" in obtained:
        for item in ORIENTATION_ITEMS:
            obtained.pop(item, None)
    covered = set(obtained) | (set(ORIENTATION_ITEMS) if "orientation" in obtained else set())
    absent = [item for item in SINGLE_ITEMS if item not in covered]
    not_valid = (invalid | unasked).intersection(absent)
    maximum = ICE_MAXIMUM - sum(ICE_ITEM_POINTS[item] for item in not_valid)
    missing = tuple(item for item in absent if item not in not_valid)
    if not obtained:
        return IceValue(
            at=at,
            low=None,
            high=None,
            maximum=maximum,
            missing=missing,
            reason=reason,
            stated=weakest(reasons),
            entries=entries,
        )
    score = sum(obtained.values())
    return IceValue(
        at=at,
        low=score + low,
        high=min(ICE_MAXIMUM, score + high + sum(ICE_ITEM_POINTS[item] for item in absent)),
        maximum=maximum,
        missing=missing,
        reason=reason if reason in ("sedated", "unarousable") else "",
        mismatch=mismatch,
        entries=entries,
    )


def never_named(group: ItemGroup, value: IceValue) -> tuple[str, ...]:
    """Valid items of an ICE by items that have neither points nor a reason for none."""
    named = group.results.keys() | (set(ORIENTATION_ITEMS) if "orientation" in group.results else set())
    return tuple([item for item in value.missing if item not in named])


def value_of_total(total: IceTotal) -> IceValue:
    return IceValue(at=total.at, low=total.low, high=total.high, entries=(total,), ranged=total.low != total.high)


def value_of_reason(entry: NotAssessed) -> IceValue:
    """The whole ICE was not assessed; aphasia means that it was tried and failed (0 points)."""
    points = 0 if entry.reason == "aphasia" else None
    reason = "" if points == 0 else entry.reason
    return IceValue(at=entry.at, low=points, high=points, reason=reason, stated=reason, entries=(entry,))


def worse_of(first: IceValue, second: IceValue) -> IceValue:
    """Two ICE scores at one instant: the worse counts, at both bounds."""
    entries = first.entries + second.entries
    if first.low is None or first.high is None or second.low is None or second.high is None:
        kept = second if first.low is None else first
        reason = "unarousable" if "unarousable" in (first.reason, second.reason) else first.reason or second.reason
        return IceValue(
            at=kept.at,
            low=kept.low,
            high=kept.high,
            maximum=kept.maximum,
            missing=kept.missing,
            reason=reason if kept.low is None or reason in ("sedated", "unarousable") else "",
            stated=strongest((first.stated, second.stated)) if kept.low is None else "",
            mismatch=kept.mismatch,
            entries=entries,
            ranged=kept.ranged,
        )
    lower = first if (first.low, first.high) <= (second.low, second.high) else second
    return IceValue(
        at=first.at,
        low=min(first.low, second.low),
        high=min(first.high, second.high),
        maximum=lower.maximum,
        missing=lower.missing,
        reason=lower.reason,
        mismatch=first.mismatch or second.mismatch,
        entries=entries,
        ranged=first.ranged or second.ranged,
    )


def total_with_items(total: IceValue, items: IceValue) -> IceValue:
    """A recorded total next to its items: the total where both agree, else everything between them."""
    if items.low is None or items.high is None or total.low is None or total.high is None:
        return worse_of(total, items)
    low, high = max(total.low, items.low), min(total.high, items.high)
    mismatch = low > high or items.mismatch
    if low > high:
        low, high = min(total.low, items.low), max(total.high, items.high)
    return IceValue(
        at=total.at,
        low=low,
        high=high,
        maximum=items.maximum,
        missing=items.missing if low < high else (),
        reason=items.reason,
        mismatch=mismatch,
        entries=total.entries + items.entries,
    )
