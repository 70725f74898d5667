"""ICE items that a site never charts: reported once a course, because what is never asked is never missed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from icans.policy.policy import Policy
from icans.record import Problem


@dataclass(frozen=True, slots=True)
class Items:
    """absent: from how many ICE by items on end each item was absent without a reason; found: the problem of each item
    that is never charted; since: when the first of them was found."""

    absent: Mapping[str, int] = field(default_factory=dict)
    found: tuple[Problem, ...] = ()
    since: datetime | None = None

    def after(self, at: datetime, absent: tuple[str, ...], policy: Policy) -> Items:
        """With one more ICE by items, from which these were absent."""
        times = {item: self.absent.get(item, 0) + 1 for item in absent}
        named = {problem.element for problem in self.found}
        never = [item for item in absent if times[item] >= policy.item_not_charted and f"ice-{item}" not in named]
        found = self.found + tuple([_problem(item, at, policy) for item in never])
        return Items(times, found, self.since or (at if found else None))


def _problem(item: str, at: datetime, policy: Policy) -> Problem:
    message = (
        f"The ICE item {item} has neither points nor a reason in {policy.item_not_charted} ICE by items on end; "
        "an ICE without it is never complete."
    )
    return Problem("item-not-charted", "", f"ice-{item}", message, at, None, ("grade",))
