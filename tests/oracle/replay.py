"""What was known when, and what was therefore shown: the ledger of alerts (F7)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from icans.findings import finding_id
from icans.policy.policy import Policy
from icans.record import Entry, Record, Refused
from tests.oracle import course as grade_course
from tests.oracle import doses, schedule
from tests.oracle.course import Held, Running
from tests.oracle.memory import by
from tests.oracle.refractory import findings as refractory
from tests.oracle.refractory.lines import lines_of

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
    running: Running = field(default_factory=dict)  # its running facts, as last known while it held
    last: dict[str, Any] = field(default_factory=dict)  # their values when it last held
    latest: dict[str, Any] = field(default_factory=dict)  # its other facts in their latest form
    also_since: datetime | None = None  # when the other clause was first known to be met as well

    def facts_at(self, at: datetime) -> dict[str, Any]:
        """As a call at this instant shows them (F7)."""
        return {**self.facts, **{name: read(at) for name, read in self.running.items()}}

    def indicator_at(self, at: datetime, policy: Policy) -> str:
        """L20: a standing refractory finding is shown one step lower after a day."""
        if self.type != "refractory" or self.indicator == "info":
            return self.indicator
        if by("L20", at >= self.news(at) + policy.shown_for):
            return INDICATORS[INDICATORS.index(self.indicator) + 1]
        return self.indicator

    def news(self, at: datetime) -> datetime:
        """The latest of when it was shown, reopened, and when the other clause was first known to be met, if it is."""
        also = [self.also_since] if self.also_since is not None and self.facts_at(at)["alsoMet"] else []
        return max([self.shown_at, *self.reopened_at, *also])

    def revise(self, end: datetime) -> None:
        """L21: the last value of every fact that differs, of the running ones as it last held."""
        last = self.last if not self.holds else {name: read(end) for name, read in self.running.items()}
        final = {**dict.fromkeys(self.facts), **self.latest, **last}
        if "stale" in final:
            final["stale"] = self.facts["stale"]
        self.revised_facts = {k: v for k, v in final.items() if self.facts.get(k) != v} or None
        by("L21", any(self.facts[k] != v for k, v in last.items() if k != "stale"))
        by("L21 alsoMet", bool(final.get("alsoMet")))


@dataclass
class Result:
    """moments: when a finding led its module that never led before, and which module (G1)."""

    alerts: list[Shown]
    moments: list[tuple[datetime, str]]


def entries(record: Record) -> list[Entry]:
    death = [record.death] if record.death else []
    return [
        *record.observed,
        *record.infusions,
        *record.doses,
        *record.sedatives,
        *record.escalations,
        *record.crs_grades,
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
        crs_grades=tuple(e for e in record.crs_grades if stands(e)),
        death=record.death if record.death and stands(record.death) else None,
        refused=tuple(r for r in record.refused if may_stand(r, at)),
    )


def may_stand(refused: Refused, at: datetime) -> bool:
    """Whether what could not be used was on record then; what has no instant was from the first."""
    known = refused.known is None or refused.known <= at
    return known and (refused.superseded is None or at < refused.superseded)


def history(record: Record, policy: Policy) -> dict[str, Held]:
    """Every finding of the recomputed history, by id: when it holds if nothing more is learnt."""
    found: dict[str, Held] = {}
    for each in grade_course.courses(record, policy):
        lines = [(episode, lines_of(record, policy, each, episode)) for episode in each.episodes]
        running = {episode.number: refractory.running(of) for episode, of in lines}
        held = grade_course.findings(record, policy, each, running)
        of_lines = refractory.findings(record, policy, each, lines)
        quiet = [span for h in of_lines if h.type == "reassessment-overdue" for span in h.spans]
        held += of_lines + schedule.not_found(record, policy, each) + schedule.overdue(record, policy, each, quiet)
        first = lines[0][1] if lines else []
        held += doses.findings(record, policy, each, first[0].start if first else None)
        for h in held:
            key = h.key if each.number == 1 else f"{each.number}|{h.key}"
            found[finding_id(record.patient, h.type, key)] = h
    return found


def knowledge_instants(record: Record) -> list[datetime]:
    instants = {e.known for e in entries(record)}
    instants |= {r.known for r in record.refused if r.known is not None}
    instants |= {e.superseded for e in entries(record) if e.superseded is not None}
    instants |= {r.superseded for r in record.refused if r.superseded is not None}
    return sorted(instants)


def last_instant(record: Record) -> datetime | None:
    """The last thing known plus 48 h."""
    instants = knowledge_instants(record)
    return instants[-1] + timedelta(hours=48) if instants else None


def replay(record: Record, policy: Policy, as_of: datetime) -> Result:
    """All alerts up to and including as_of."""
    ledger: dict[str, Shown] = {}
    instants = [k for k in knowledge_instants(record) if k <= as_of]
    led: set[str] = set()
    moments: list[tuple[datetime, str]] = []
    for i, known in enumerate(instants):
        until = instants[i + 1] if i + 1 < len(instants) else None
        held = history(known_by(record, known), policy)
        step(record, policy, held, ledger, known, learnt=True)
        moments += leads_anew(policy, ledger, led, known)
        for at in deadlines(policy, held, ledger, known, until, as_of):
            step(record, policy, held, ledger, at, learnt=False)
            moments += leads_anew(policy, ledger, led, at)
    for shown in ledger.values():
        shown.revise(as_of)
    return Result(sorted(ledger.values(), key=order), moments)


def leads_anew(policy: Policy, ledger: dict[str, Shown], led: set[str], at: datetime) -> Iterator[tuple[datetime, str]]:
    """G1: the modules whose leading finding never led before, and that it has led now."""
    for module in MODULES:
        holding = [s for s in ledger.values() if s.holds and MODULE.get(s.type, "icans") == module]
        if holding:
            lead = min(holding, key=lambda s: rank(s, policy, at))
            if lead.id not in led:
                led.add(lead.id)
                yield at, module


def rank(shown: Shown, policy: Policy, at: datetime) -> tuple[int, bool, timedelta, timedelta, str, str]:
    """G1, C4: highest indicator, icans-active last within it, then latest shown, latest at, type."""
    urgency = INDICATORS.index(shown.indicator_at(at, policy))
    return urgency, shown.type == "icans-active", at - shown.shown_at, at - shown.at, shown.type, shown.id


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
        ahead += [h.at for h in held.values()] + [h.also[0] for h in held.values() if h.also is not None]
        ahead += [s.shown_at + policy.shown_for for s in ledger.values() if s.type in EXPIRING]
        ahead += [s.news(at) + policy.shown_for for s in ledger.values() if s.type == "refractory"]
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
            shown = Shown(key, h.type, h.at, h.indicator, {**h.facts, **values(h.running, at)}, at)
            shown.until = shown.ended = at
            shown.last = values(h.running, at)
            ledger[key] = shown
        elif shown.withdrawn:
            shown.withdrawn, shown.withdrawn_by = False, None
            shown.until = shown.ended or shown.until
        shown.latest = h.facts
        holds = any(start <= at < end for start, end in h.spans)
        if h.type in EXPIRING:
            holds = holds and at < shown.shown_at + policy.shown_for
        set_holding(shown, holds, at)
        if holds:
            shown.running = h.running
            if shown.also_since is None and values(h.running, at).get("alsoMet"):
                shown.also_since = at
    if learnt:
        for key, shown in ledger.items():
            gone = key not in held or min(start for start, _ in held[key].spans) > at
            if gone and not shown.withdrawn:
                set_holding(shown, False, at)
                shown.withdrawn, shown.until = True, at
                shown.withdrawn_by = correction(record, at)


def values(running: Running, at: datetime) -> dict[str, Any]:
    return {name: read(at) for name, read in running.items()}


def set_holding(shown: Shown, holds: bool, at: datetime) -> None:
    if holds and not shown.holds:
        if shown.shown_at != at:
            shown.reopened_at.append(at)
        shown.until = None
    elif shown.holds and not holds:
        shown.until = shown.ended = at
        shown.last = values(shown.running, at - timedelta(microseconds=1))
    shown.holds = holds


def correction(record: Record, at: datetime) -> str | None:
    """Among what became known then: the correction with the smallest reference, else the newest entry's."""
    corrected = [e.superseded_by or e.reference for e in entries(record) if e.superseded == at]
    new = [e.reference for e in entries(record) if e.known == at]
    return min(corrected or new, default=None)
