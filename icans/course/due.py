"""A finding that falls due by time alone, and waits while a sedative or paralytic runs (project decision)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """When something falls due, as of the last instant looked at.

    since: the row or infusion it counts from. base: the end of the running of sedatives that it waits for, None if it
    waits for none. fell: when it first fell due, and grade: the headline then. waits: when it falls due, or is reported
    again, if nothing comes between; None while it is due. until: when it is over although nothing was charted.
    """

    since: datetime
    base: datetime | None = None
    fell: datetime | None = None
    grade: int = 0
    waits: datetime | None = None
    until: datetime | None = None

    def looked_at(
        self,
        at: datetime,
        first: datetime,
        limit: timedelta,
        sedated_until: datetime | None,
        headline: int,
        not_before: datetime | None = None,
    ) -> Due:
        """The same as of ``at``. first: when it falls due if nothing runs then; limit: how long after the end of the
        running otherwise, but not before ``not_before``; sedated_until: the end of what runs at ``at``, None if
        nothing does."""
        base = self.base
        if base is not None and at <= base:
            base = sedated_until or at  # it runs on longer than it seemed, or was stopped
        due = (self.fell or first) if base is None else max(base + limit, not_before or base)
        if due <= at and sedated_until is not None:
            base = sedated_until
            due = max(base + limit, not_before or base)
        if due <= at:
            grade = headline if self.fell is None else self.grade
            return replace(self, base=None, fell=self.fell or due, grade=grade, waits=None)
        return replace(self, base=base, waits=due)

    @property
    def when(self) -> datetime | None:
        """When it fell due, or will, or is reported again."""
        return self.fell if self.waits is None else self.waits

    @property
    def holds(self) -> bool:
        """It is due and nothing runs that could be the reason."""
        return self.fell is not None and self.waits is None
