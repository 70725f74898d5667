"""What was shown, from when to when: the history of findings as it looked to whoever watched it.

A finding is shown from the first instant at which the record known by then implies it. It holds as long as
the history recomputed from what is known says so; what late knowledge removes from the history is withdrawn.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from icans.findings import FINDING_TYPES, INDICATORS, MODULES, Alert, Finding
from icans.findings_log import FindingsLog
from icans.policy.policy import Policy

Rank = tuple[int, bool, float, float, str, str]
Running = Callable[[Alert], dict[str, Any]]
#: Findings whose indicator is a running value, and the modules of those with any.
EASING = frozenset({"refractory"})
RUNNING_MODULES = sorted({row.module for row in FINDING_TYPES.values() if row.running})


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
        self.ranks: dict[str, Rank] = {}  # of every alert so far

    def next_expiry(self) -> datetime | None:
        return self.expiries[0][0] if self.expiries else None

    def step(self, at: datetime, log: FindingsLog, cause: str | None, running: Running) -> tuple[str, ...]:
        """Bring the alerts to ``at``; ``cause`` is the reference of a correction that became known then.

        running: the running facts of an alert as of then. Returns the modules whose leading finding never led before
        (nothing unless somebody watches).
        """
        changed = {*self._update(at, log, cause, running), *self._run(at, running)}
        return tuple(m for m in MODULES if m in changed and self._leads_anew(m)) if self.watch else ()

    def _update(self, at: datetime, log: FindingsLog, cause: str | None, running: Running) -> Iterator[str]:
        """Open, revise, close and withdraw; yields the modules of the alerts that changed."""
        for finding_id in self._due(at, log):
            finding = log.latest(finding_id)
            alert = self.alerts.get(finding_id)
            if finding is None:
                if alert is not None and not alert.withdrawn:
                    self._withdraw(at, alert, cause)
                    yield alert.finding.module
                continue
            yield finding.module
            if alert is None:
                alert = Alert(finding=finding, facts=finding.facts, shown_at=at, until=at, last_end=at, holds=False)
                alert.running = running(alert)
                alert.facts = replace(alert.facts, **alert.running)
                self.alerts[finding_id] = alert
                if finding.expires:
                    heapq.heappush(self.expiries, (at + self.policy.shown_for, finding_id))
            elif alert.withdrawn or self.latest[finding_id] is not finding:
                self._revise(alert, finding)
            self.latest[finding_id] = finding
            self._hold(at, alert, log.holds(finding_id))
        log.touched.clear()

    def _run(self, at: datetime, running: Running) -> Iterator[str]:
        """Keep the running facts of what holds, and ease what has not been news for long; yields its module."""
        for alert in [a for module in RUNNING_MODULES for a in self.holding[module].values()]:
            eases = alert.finding.type in EASING
            if eases or (self.watch and FINDING_TYPES[alert.finding.type].running):
                alert.running = running(alert)
            if eases and self._ease(at, alert):
                yield alert.finding.module

    def _ease(self, at: datetime, alert: Alert) -> bool:
        """Whether its indicator changes: one step lower once nothing of it has been news for as long as it is shown."""
        news = [alert.shown_at, *alert.reopened_at]
        if alert.running["also_met"]:
            alert.also_met_at = alert.also_met_at or at
            news.append(alert.also_met_at)
        since, before = max(news), alert.unchanged_since
        if since == at:
            heapq.heappush(self.expiries, (at + self.policy.shown_for, alert.finding.id))
        alert.unchanged_since = since if at >= since + self.policy.shown_for else None
        if before == alert.unchanged_since:
            return False
        self.ranks.pop(alert.finding.id, None)
        return True

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


def indicator_now(alert: Alert) -> str:
    """How urgent an alert is now: one step less than at first where it has long been unchanged."""
    eased = alert.unchanged_since is not None
    return INDICATORS[min(INDICATORS.index(alert.finding.indicator) + eased, len(INDICATORS) - 1)]


def rank_of(alert: Alert) -> Rank:
    """Highest indicator, icans-active last within it, then latest shown, latest at, type and id; the leader first."""
    finding = alert.finding
    return (
        INDICATORS.index(indicator_now(alert)),
        finding.type == "icans-active",
        -alert.shown_at.timestamp(),
        -finding.at.timestamp(),
        finding.type,
        finding.id,
    )
