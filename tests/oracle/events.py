"""Seizure, motor and raised pressure: what is usable and what stays in force (B9, GRD-4 to GRD-6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from icans.policy.policy import Policy
from icans.record import DocumentedGrade, IcpEdema, Motor, Observed, Record, Seizure
from tests.oracle import grades
from tests.oracle.grades import NOTHING, Range, worst
from tests.oracle.memory import by

EDEMA = ("focal-edema", "diffuse-edema")


Event = Seizure | Motor | IcpEdema
Standing = tuple[str, datetime, Range]


def grade_of(event: Event) -> Range:
    if isinstance(event, Seizure):
        return grades.seizure_range(event)
    return grades.motor_range(event) if isinstance(event, Motor) else grades.icp_range(event)


def ended(record: Record, event: Event, at: datetime) -> bool:
    """L17: a value of its domain with another cause, charted since, has its code or at least its grade."""
    return by(
        "L17",
        any(
            type(e) is type(event)
            and e.other_cause
            and event.at < e.at <= at
            and (e.finding == event.finding or grade_of(event)[1] <= grade_of(e)[0])
            for e in record.observed
            if isinstance(e, Event)
        ),
    )


def in_force(record: Record, policy: Policy, at: datetime) -> dict[str, Range]:
    """B9: what is in force of seizure, motor and raised pressure; only what was charted is named."""
    ranges: dict[str, Range] = {}
    for domain, _, value in standing(record, policy, at):
        ranges[domain] = worst(value, ranges.get(domain, NOTHING))
    return ranges


def standing(record: Record, policy: Policy, at: datetime) -> list[Standing]:
    """Every event in force: its domain, when it was charted, and what it counts for at this instant."""
    observed = [e for e in record.observed if not e.other_cause and e.at <= at]
    released = max((e.at for e in observed if isinstance(e, DocumentedGrade)), default=None)
    since = [e for e in observed if released is None or e.at >= released]
    found: list[Standing] = []
    seizures = [e for e in since if isinstance(e, Seizure)]
    nones = [
        e.at
        for e in seizures
        if grades.seizure_range(e) == NOTHING
        and not any(o.at == e.at and grades.seizure_range(o) != NOTHING for o in seizures)
    ]
    last_none = max(nones, default=None)
    for e in seizures:
        if e.at >= at - policy.event_carry and (last_none is None or e.at > last_none) and not ended(record, e, at):
            found.append(("seizure", e.at, grades.seizure_range(e)))
    if last_none is not None and not found:
        found.append(("seizure", last_none, NOTHING))
    motors = [e for e in since if isinstance(e, Motor) and e.finding != "weakness-unspecified"]
    if motors:
        found += [("motor", e.at, aged(grades.motor_range(e), e.at, at, policy)) for e in newest(record, motors, at)]
    bleeds = {e.at for e in observed if isinstance(e, IcpEdema) and e.finding == "intracranial-hemorrhage"}
    pressures = [
        e
        for e in since
        if isinstance(e, IcpEdema)
        and e.finding != "intracranial-hemorrhage"
        and not (e.finding in EDEMA and e.at in bleeds)
    ]
    if pressures:
        found += [
            ("icp-edema", e.at, aged(grades.icp_range(e), e.at, at, policy)) for e in newest(record, pressures, at)
        ]
    return found


def newest(record: Record, events: Sequence[Event], at: datetime) -> list[Any]:
    """Those charted last, but for what another cause ended."""
    last = max(e.at for e in events)
    return [e for e in events if e.at == last and not ended(record, e, at)]


def aged(value: Range, charted_at: datetime, at: datetime, policy: Policy) -> Range:
    return (0, value[1]) if at - charted_at > policy.event_carry else value


def usable(record: Record, entry: Observed) -> bool:
    if entry.other_cause:
        return False
    if isinstance(entry, Motor):
        return entry.finding != "weakness-unspecified"
    if isinstance(entry, IcpEdema):
        bleed = any(
            isinstance(e, IcpEdema)
            and e.finding == "intracranial-hemorrhage"
            and e.at == entry.at
            and not e.other_cause
            for e in record.observed
        )
        return entry.finding != "intracranial-hemorrhage" and not (entry.finding in EDEMA and bleed)
    return isinstance(entry, Seizure)
