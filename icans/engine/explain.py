"""Why is there a card, and why is there none: every rule at one instant, with the values it compared.

The conditions are those that the rules themselves offer; what fired is what holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from icans.course.conditions import course_rules, monitored
from icans.engine.history import History
from icans.facts import CumulativeDose, Refractory
from icans.findings import PROJECT, Alert, Condition, Rule, RuleNow
from icans.refractory.conditions import treatment_rules
from icans.steroids.conditions import steroid_rules
from icans.steroids.equivalents import number

#: Reported of a rule whose conditions are met although its finding no longer holds.
ENDED = Condition(False, "it was shown and has ended", "news of the same kind")


def rules_now(at: datetime, history: History, holding: Sequence[Alert]) -> tuple[RuleNow, ...]:
    """Every rule at ``at``, those that fired first, then those with the fewest unmet conditions.

    holding: the alerts that hold then. A rule fired if its finding holds; otherwise ``unmet`` says what was not met
    and ``would_change`` which datum would have changed the first of it.
    """
    fired = {rule for alert in holding for rule in rules_of(alert)}
    rules = []
    for rule in rules_at(at, history):
        holds = rule.id in fired
        unmet = [] if holds else [c for c in rule.conditions if not c.met] or [ENDED]
        rules.append(
            RuleNow(
                id=rule.id,
                fired=holds,
                compared=rule.compared,
                unmet=tuple(c.unmet for c in unmet),
                would_change=unmet[0].would_meet if unmet else "",
                source=rule.source,
            )
        )
    return tuple(sorted(rules, key=lambda r: (not r.fired, len(r.unmet), r.unmet == (ENDED.unmet,))))


def rules_of(alert: Alert) -> list[str]:
    """The rules a finding stands for: its type, with the clause or the tiers where one type has several."""
    latest, as_of_now = alert.finding.facts, alert.facts
    if isinstance(latest, Refractory) and isinstance(as_of_now, Refractory):
        return [f"{latest.type}:{reason}" for reason in (latest.reason, as_of_now.also_met) if reason]
    if isinstance(latest, CumulativeDose):
        return [f"{latest.type}:{number(tier)}" for tier in latest.crossed_mg]
    return [latest.type]


def rules_at(at: datetime, history: History) -> Iterator[Rule]:
    """The conditions of every rule at ``at``."""
    state, policy, was_read = history.state, history.policy, history.record.administrations_read
    documented, holds = state.in_force.documented_latest, state.treatment.reassessment_holds(history.log)
    yield from course_rules(at, state.course, documented, holds, policy)
    yield from treatment_rules(at, state.treatment, history.situation, was_read)
    yield from steroid_rules(at, state.course, state.exposure, was_read, policy)
    affecting = [p for p in history.log.problems if p.affects and not history.named_as_unknown(p.at, p)]
    doubtful = Condition(
        bool(affecting), "every relevant datum could be used as charted", "a datum that cannot be used as charted"
    )
    yield Rule("data-quality", (monitored(state.course), doubtful), {"problems": len(affecting)}, PROJECT)
