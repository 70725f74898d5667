"""What was known when, and what was therefore shown: the ledger of alerts (F7)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from icans.findings import finding_id
from icans.policy.policy import Policy
from icans.record import Entry, Record
from tests.oracle import course as grade_course
from tests.oracle import doses
from tests.oracle import refractory as treatment
from tests.oracle.course import Held

EXPIRING = ("grade-change", "re-worsening", "cumulative-dose", "steroid-days", "dose-unknown")
MODULES = ("icans", "refractory", "steroids")
MODULE = {
    "refractory": "refractory",
    "refractory-indeterminate": "refractory",
    "reassessment-overdue": "refractory",
    "re-worsening": "refractory",
    "cumulative-dose": "steroids",
    "steroid-days": "steroids",
    "dose-unknown": "steroids",
}
INDICATORS = ("critical", "warning", "info")


@dataclass
class Shown:
    """One alert as a viewer who looked at every change would have seen it."""

    id: str
    type: str
    at: datetime
    indicator: str
    facts: dict[str, Any]
    shown_at: datetime
    until: datetime | None = None
    holds: bool = False
    withdrawn: bool = False
    withdrawn_by: str | None = None
    reopened_at: list[datetime] = field(default_factory=list)
    revised_facts: dict[str, Any] | None = None
    ended: datetime | None = None  # when it last stopped holding, whatever a withdrawal says


@dataclass
class Result:
    alerts: list[Shown]
    running: dict[str, dict[str, Any]]  # running facts of what holds at the end, by id


def entries(record: Record) -> list[Entry]:
    death = [record.death] if record.death else []
    return [
        *record.observed,
        *record.infusions,
        *record.doses,
        *record.sedatives,
        *record.escalations,
        *death,
    ]


def known_by(record: Record, at: datetime) -> Record:
    """The record as far as it was known and stood at that instant."""

    def stands(entry: Entry) -> bool:
        return entry.known <= at and (entry.superseded is None or at < entry.superseded)

    return replace(
        record,
        observed=tuple(e for e in record.observed if stands(e)),
        infusions=tuple(e for e in record.infusions if stands(e)),
        doses=tuple(e for e in record.doses if stands(e)),
        sedatives=tuple(e for e in record.sedatives if stands(e)),
        escalations=tuple(e for e in record.escalations if stands(e)),
        death=record.death if record.death and stands(record.death) else None,
    )


def history(record: Record, policy: Policy) -> dict[str, Held]:
    """Every finding of the recomputed history, by id: when it holds if nothing more is learnt."""
    found: dict[str, Held] = {}
    for each in grade_course.courses(record, policy):
        held = grade_course.findings(record, policy, each)
        refractory = treatment.findings(record, policy, each)
        quiet = [span for h in refractory if h.type == "reassessment-overdue" for span in h.spans]
        held += refractory + grade_course.overdue(policy, each, quiet) + doses.findings(record, policy, each)
        for h in held:
            key = h.key if each.number == 1 else f"{each.number}|{h.key}"
            found[finding_id(record.patient, h.type, key)] = h
    return found


def knowledge_instants(record: Record) -> list[datetime]:
    instants = {e.known for e in entries(record)}
    instants |= {e.superseded for e in entries(record) if e.superseded is not None}
    return sorted(instants)


def last_instant(record: Record) -> datetime | None:
    """The last thing known plus 48 h."""
    instants = knowledge_instants(record)
    return instants[-1] + timedelta(hours=48) if instants else None


def replay(record: Record, policy: Policy, as_of: datetime) -> Result:
    """All alerts up to and including as_of."""
    ledger: dict[str, Shown] = {}
    instants = [k for k in knowledge_instants(record) if k <= as_of]
    held: dict[str, Held] = {}
    for i, known in enumerate(instants):
        until = instants[i + 1] if i + 1 < len(instants) else None
        held = history(known_by(record, known), policy)
        step(record, policy, held, ledger, known, learnt=True)
        for at in deadlines(policy, held, ledger, known, until, as_of):
            step(record, policy, held, ledger, at, learnt=False)
    alerts = sorted(ledger.values(), key=order)
    running = {s.id: {k: f(as_of) for k, f in held[s.id].running.items()} for s in alerts if s.holds}
    return Result(alerts, running)


def order(shown: Shown) -> tuple[datetime, int, int, str, str]:
    module = MODULES.index(MODULE.get(shown.type, "icans"))
    return shown.shown_at, module, INDICATORS.index(shown.indicator), shown.type, shown.id


def deadlines(
    policy: Policy,
    held: dict[str, Held],
    ledger: dict[str, Shown],
    known: datetime,
    until: datetime | None,
    as_of: datetime,
) -> Iterator[datetime]:
    """Instants after this knowledge at which something falls due, until the next knowledge."""
    at = known
    while True:
        ahead = [t for h in held.values() for span in h.spans for t in span]
        ahead += [h.at for h in held.values()]
        ahead += [s.shown_at + policy.shown_for for s in ledger.values() if s.type in EXPIRING]
        coming = [t for t in ahead if t > at and t <= as_of and (until is None or t < until)]
        if not coming:
            return
        at = min(coming)
        yield at


def step(
    record: Record,
    policy: Policy,
    held: dict[str, Held],
    ledger: dict[str, Shown],
    at: datetime,
    learnt: bool,
) -> None:
    """Bring the ledger to one instant."""
    for key, h in held.items():
        first = min(start for start, _ in h.spans)
        if first > at:
            continue
        shown = ledger.get(key)
        if shown is None:
            shown = Shown(key, h.type, h.at, h.indicator, {**h.facts, **first_running(h, at)}, at)
            shown.until = shown.ended = at
            ledger[key] = shown
        elif shown.withdrawn:
            shown.withdrawn, shown.withdrawn_by = False, None
            shown.until = shown.ended or shown.until
        revise(shown, h)
        holds = any(start <= at < end for start, end in h.spans)
        if h.type in EXPIRING:
            holds = holds and at < shown.shown_at + policy.shown_for
        set_holding(shown, holds, at)
    if learnt:
        for key, shown in ledger.items():
            gone = key not in held or min(start for start, _ in held[key].spans) > at
            if gone and not shown.withdrawn:
                set_holding(shown, False, at)
                shown.withdrawn, shown.until = True, at
                shown.withdrawn_by = correction(record, at)


def first_running(h: Held, at: datetime) -> dict[str, Any]:
    return {k: f(at) for k, f in h.running.items()}


def revise(shown: Shown, h: Held) -> None:
    first = {k: v for k, v in shown.facts.items() if k not in h.running}
    shown.revised_facts = h.facts if h.facts != first else None


def set_holding(shown: Shown, holds: bool, at: datetime) -> None:
    if holds and not shown.holds:
        if shown.shown_at != at:
            shown.reopened_at.append(at)
        shown.until = None
    elif shown.holds and not holds:
        shown.until = shown.ended = at
    shown.holds = holds


def correction(record: Record, at: datetime) -> str | None:
    """Among what became known then: the correction with the smallest reference, else the newest entry's."""
    corrected = [e.superseded_by or e.reference for e in entries(record) if e.superseded == at]
    new = [e.reference for e in entries(record) if e.known == at]
    return min(corrected or new, default=None)
