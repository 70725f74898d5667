"""What was shown, from when to when: the history of findings as it looked to whoever watched it.

A finding is shown from the first instant at which the record known by then implies it. It holds as long as
the history recomputed from what is known says so; what late knowledge removes from the history is withdrawn.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from icans.findings import FINDING_TYPES, INDICATORS, MODULES, Alert, Finding
from icans.findings_log import FindingsLog
from icans.policy.policy import Policy

Rank = tuple[int, bool, float, float, str, str]


class ShownAlerts:
    """All alerts so far. ``step`` is called at every instant at which the history may have changed."""

    def __init__(self, policy: Policy, *, watch: bool = True) -> None:
        self.policy = policy
        self.watch = watch
        self.alerts: dict[str, Alert] = {}
        self.holding: dict[str, dict[str, Alert]] = {module: {} for module in MODULES}
        self.latest: dict[str, Finding] = {}
        self.led: set[str] = set()
        self.expiries: list[tuple[datetime, str]] = []
        self.ranks: dict[str, Rank] = {}  # of every alert so far; what they rest on stays as first shown

    def next_expiry(self) -> datetime | None:
        return self.expiries[0][0] if self.expiries else None

    def step(self, at: datetime, log: FindingsLog, cause: str | None) -> tuple[str, ...]:
        """Bring the alerts to ``at``; ``cause`` is the reference of a correction that became known then.

        Returns the modules whose leading finding never led before (nothing unless somebody watches).
        """
        if not log.touched and not (self.expiries and self.expiries[0][0] <= at):
            return ()
        changed: set[str] = set()
        for finding_id in self._due(at, log):
            finding = log.latest(finding_id)
            alert = self.alerts.get(finding_id)
            if finding is None:
                if alert is not None and not alert.withdrawn:
                    self._withdraw(at, alert, cause)
                    changed.add(alert.finding.module)
                continue
            changed.add(finding.module)
            if alert is None:
                alert = Alert(finding=finding, facts=finding.facts, shown_at=at, until=at, last_end=at, holds=False)
                self.alerts[finding_id] = alert
                if finding.expires:
                    heapq.heappush(self.expiries, (at + self.policy.shown_for, finding_id))
            elif alert.withdrawn or self.latest[finding_id] is not finding:
                self._revise(alert, finding)
            self.latest[finding_id] = finding
            self._hold(at, alert, log.holds(finding_id))
        log.touched.clear()
        return tuple(m for m in MODULES if m in changed and self._leads_anew(m)) if self.watch else ()

    def _due(self, at: datetime, log: FindingsLog) -> Iterator[str]:
        due = set(log.touched)
        while self.expiries and self.expiries[0][0] <= at:
            due.add(heapq.heappop(self.expiries)[1])
        return iter(sorted(due))

    def _withdraw(self, at: datetime, alert: Alert, cause: str | None) -> None:
        if alert.holds:
            alert.last_end = at
        alert.withdrawn, alert.withdrawn_by = True, cause
        self.holding[alert.finding.module].pop(alert.finding.id, None)
        alert.until, alert.holds = at, False

    def _revise(self, alert: Alert, finding: Finding) -> None:
        if alert.withdrawn:
            alert.withdrawn, alert.withdrawn_by, alert.until = False, None, alert.last_end
        # how urgent it is and what time it speaks of stay as first shown
        alert.finding = replace(finding, at=alert.finding.at, indicator=alert.finding.indicator)
        running = {name: getattr(alert.facts, name) for name in FINDING_TYPES[finding.type].running}
        differs = replace(finding.facts, **running) != alert.facts
        alert.revised_facts = finding.facts if differs else None

    def _hold(self, at: datetime, alert: Alert, holds: bool) -> None:
        finding = alert.finding
        if finding.expires and at >= alert.shown_at + self.policy.shown_for:
            holds = False
        if holds and not alert.holds:
            if alert.shown_at != at:
                alert.reopened_at.append(at)
            alert.holds, alert.until = True, None
            self.holding[finding.module][finding.id] = alert
        elif not holds and alert.holds:
            alert.holds, alert.until, alert.last_end = False, at, at
            self.holding[finding.module].pop(finding.id, None)

    def _leads_anew(self, module: str) -> bool:
        lead = min(self.holding[module].values(), key=self._rank, default=None)
        if lead is None or lead.finding.id in self.led:
            return False
        self.led.add(lead.finding.id)
        return True

    def in_order(self, modules: Sequence[str] = MODULES) -> list[Alert]:
        """Alerts of these modules that hold, by module, the leading one of each first."""
        return [
            alert
            for module in MODULES
            if module in modules
            for alert in sorted(self.holding[module].values(), key=self._rank)
        ]

    def _rank(self, alert: Alert) -> Rank:
        rank = self.ranks.get(alert.finding.id)
        if rank is None:
            rank = self.ranks[alert.finding.id] = rank_of(alert)
        return rank


def rank_of(alert: Alert) -> Rank:
    """Highest indicator, icans-active last within it, then latest shown, latest at, type and id; the leader first."""
    finding = alert.finding
    return (
        INDICATORS.index(finding.indicator),
        finding.type == "icans-active",
        -alert.shown_at.timestamp(),
        -finding.at.timestamp(),
        finding.type,
        finding.id,
    )
