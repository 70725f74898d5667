"""Engine and oracle side by side: every alert of one record, field by field."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import icans
from icans.facts import Facts, published
from icans.findings import Alert, Evaluation, Replay
from icans.policy.policy import Policy
from icans.record import Record
from tests.oracle.replay import MODULES, Result, Shown, last_instant
from tests.oracle.replay import replay as oracle_replay

#: Wording and lists for a reader: not fixed by a rule.
NOT_COMPARED = frozenset({"lookedFor", "needed"})
MISSING = "-"


def plain(value: Any) -> Any:
    """A fact as it can be compared: numbers exact to a thousandth, lists as lists."""
    if isinstance(value, bool | int | str) or value is None or isinstance(value, datetime):
        return value
    if isinstance(value, float | Decimal | Fraction):
        return round(float(value), 3)
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return str(value)


def facts_of(facts: Facts | dict[str, Any]) -> dict[str, Any]:
    """The facts of the engine, or of the oracle, by their published names."""
    named = published(facts) if isinstance(facts, Facts) else facts
    return {k: plain(v) for k, v in named.items() if k not in NOT_COMPARED}


def compare_facts(ours: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    """Differences in the facts the oracle knows; a fact that is null may be left out."""
    return [
        f"{key}: engine {theirs.get(key, MISSING)!r}, oracle {value!r}"
        for key, value in sorted(ours.items())
        if theirs.get(key) != value
    ]


def compare(alert: Alert, shown: Shown) -> list[str]:
    differences = [
        f"{name}: engine {engine!r}, oracle {oracle!r}"
        for name, engine, oracle in (
            ("type", alert.finding.type, shown.type),
            ("at", alert.finding.at, shown.at),
            ("shownAt", alert.shown_at, shown.shown_at),
            ("until", None if alert.holds else alert.until, None if shown.holds else shown.until),
            ("indicator", alert.finding.indicator, shown.indicator),
            ("withdrawn", alert.withdrawn, shown.withdrawn),
            ("withdrawnBy", alert.withdrawn_by, shown.withdrawn_by),
            ("reopenedAt", list(alert.reopened_at), shown.reopened_at),
        )
        if engine != oracle
    ]
    differences += compare_facts(facts_of(shown.facts), facts_of(alert.facts))
    ours = facts_of({**shown.facts, **(shown.revised_facts or {})})
    theirs = facts_of(alert.revised_facts or alert.facts)
    return differences + [f"revised {d}" for d in compare_facts(ours, theirs)]


@dataclass(frozen=True)
class Now:
    """A finding that holds at an instant, as the oracle has it shown then."""

    type: str
    indicator: str
    facts: dict[str, Any]


def disagreements(record: Record, policy: Policy, pick: int | None = None) -> list[str]:
    """One line a difference between the alerts of the engine and those of the oracle; empty if they agree.

    pick: compares as well what both show at one of the instants at which something begins or ends.
    """
    end = last_instant(record)
    if end is None:
        return []
    expected = oracle_replay(record, policy, end)
    found = differences(icans.replay(record, policy), expected)
    instants = turns(expected, policy, end)
    if pick is not None and instants:
        found += disagreements_at(record, policy, instants[pick % len(instants)])
    return found


def turns(expected: Result, policy: Policy, end: datetime) -> list[datetime]:
    """The instants up to the end at which something begins, ends or has been shown for a day."""
    found = {t for s in expected.alerts for t in (s.shown_at, s.shown_at + policy.shown_for, s.until) if t and t <= end}
    return sorted(found)


def holding(record: Record, policy: Policy, as_of: datetime) -> dict[str, Now]:
    """What the oracle has hold at an instant, by id."""
    alerts = [shown for shown in oracle_replay(record, policy, as_of).alerts if shown.holds]
    return {s.id: Now(s.type, s.indicator_at(as_of, policy), s.facts_at(as_of)) for s in alerts}


def disagreements_at(record: Record, policy: Policy, as_of: datetime) -> list[str]:
    """One line a difference between what engine and oracle show at one instant: which findings, how urgent, facts."""
    return differences_at(icans.evaluate(record, policy, as_of), holding(record, policy, as_of))


def differences_at(evaluation: Evaluation, ours: dict[str, Now]) -> list[str]:
    """One line a difference between what the engine shows at one instant and what holds by the oracle."""
    theirs = {a.finding.id: a for a in evaluation.findings if a.finding.type != "data-quality"}
    found = [f"only the oracle holds: {ours[k]}" for k in ours.keys() - theirs.keys()]
    found += [f"only the engine holds: {theirs[k].finding.type} {theirs[k].facts}" for k in theirs.keys() - ours.keys()]
    for key in ours.keys() & theirs.keys():
        now, alert = ours[key], theirs[key]
        different = compare_facts(facts_of(now.facts), facts_of(alert.facts))
        if alert.finding.indicator != now.indicator:
            different.append(f"indicator: engine {alert.finding.indicator}, oracle {now.indicator}")
        found += [f"{now.type} at {alert.finding.at}: at {evaluation.as_of} {d}" for d in different]
    return sorted(found)


def differences(replayed: Replay, expected: Result) -> list[str]:
    """One line a difference between a replay of the engine and the oracle's: alerts, and which lead anew."""
    ours = {shown.id: shown for shown in expected.alerts}
    theirs = {alert.finding.id: alert for alert in replayed.alerts if alert.finding.type != "data-quality"}
    found = [
        f"only the oracle: {s.type} at {s.at} shown {s.shown_at} {s.facts}" for k, s in ours.items() if k not in theirs
    ]
    found += [
        f"only the engine: {a.finding.type} at {a.finding.at} shown {a.shown_at} {a.facts}"
        for k, a in theirs.items()
        if k not in ours
    ]
    for key in ours.keys() & theirs.keys():
        found += [f"{ours[key].type} at {ours[key].at}: {d}" for d in compare(theirs[key], ours[key])]
    leading = {(m.at, module) for m in replayed.moments for module in m.modules if module in MODULES}
    found += [f"leads anew: only the engine {pair}" for pair in leading - set(expected.moments)]
    found += [f"leads anew: only the oracle {pair}" for pair in set(expected.moments) - leading]
    return sorted(found)
