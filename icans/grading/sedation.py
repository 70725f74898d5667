"""Sedation at an instant: infusions that run, boluses of the last hours, and what was charted about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from icans.policy.policy import Policy
from icans.record import Sedative


@dataclass(frozen=True, slots=True)
class Sedation:
    """infusions: those that may still run; since: the start of their unbroken running. boluses: of the last hours.
    charted_at: when an ICE or CAPD was last not assessed because of sedation; deep_at: when RASS -4 or -5 was charted,
    None if a newer one is above it."""

    infusions: tuple[Sedative, ...] = ()
    since: datetime | None = None
    boluses: tuple[Sedative, ...] = ()
    charted_at: datetime | None = None
    deep_at: datetime | None = None

    def given(self, sedative: Sedative, policy: Policy) -> Sedation:
        """With one more row of a sedative or paralytic: an infusion starts, a stop ends it, a bolus is only noted."""
        if sedative.kind == "bolus":
            cutoff = sedative.at - policy.bolus_note
            return replace(self, boluses=(*(b for b in self.boluses if b.at > cutoff), sedative))
        ended = sedative.at - policy.sedative_open_end
        kept = [
            s
            for s in self.infusions
            if (s.end > sedative.at if s.end is not None else s.at >= ended)
            and not (sedative.kind == "stop" and s.drug == sedative.drug and s.end is None and s.at < sedative.at)
        ]
        if sedative.kind == "stop":
            return replace(self, infusions=tuple(kept))
        unbroken = self.runs_until(sedative.at, policy) is not None
        since = self.since if unbroken else sedative.at
        return replace(self, infusions=(*kept, sedative), since=since)

    def running(self, at: datetime, policy: Policy) -> dict[str, datetime]:
        """The drugs that run at ``at``, within their period or open-ended and recent, each with its end as known."""
        ends: dict[str, datetime] = {}
        for sedative in self.infusions:
            end = sedative.end if sedative.end is not None else sedative.at + policy.sedative_open_end
            if sedative.at <= at <= end:
                ends[sedative.drug] = max(end, ends.get(sedative.drug, end))
        return ends

    def runs_until(self, at: datetime, policy: Policy) -> datetime | None:
        """The end of the sedatives that run at ``at``, as far as it is known then; None if none runs."""
        return max(self.running(at, policy).values(), default=None)

    def charted_since(self, since: datetime, answers: Iterable[datetime]) -> bool:
        """Charted as the reason for no ICE or CAPD from ``since`` on; a newer one of ``answers``, the values of the
        patient's own tool or other reasons for none, takes it back."""
        at = self.charted_at
        return at is not None and at >= since and not any(answer > at for answer in answers)
