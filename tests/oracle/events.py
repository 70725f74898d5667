"""Seizure, motor and raised pressure: what is usable and what stays in force (B9, GRD-4 to GRD-6)."""

from __future__ import annotations

from datetime import datetime

from icans.policy.policy import Policy
from icans.record import DocumentedGrade, IcpEdema, Motor, Observed, Record, Seizure
from tests.oracle import grades
from tests.oracle.grades import NOTHING, Range, worst

EDEMA = ("focal-edema", "diffuse-edema")


def in_force(record: Record, policy: Policy, at: datetime) -> dict[str, Range]:
    """B9: what is in force of seizure, motor and raised pressure; only what was charted is named."""
    observed = [e for e in record.observed if not e.other_cause and e.at <= at]
    released = max((e.at for e in observed if isinstance(e, DocumentedGrade)), default=None)
    since = [e for e in observed if released is None or e.at >= released]
    ranges: dict[str, Range] = {}
    seizures = [e for e in since if isinstance(e, Seizure)]
    nones = [
        e.at
        for e in seizures
        if grades.seizure_range(e) == NOTHING
        and not any(o.at == e.at and grades.seizure_range(o) != NOTHING for o in seizures)
    ]
    last_none = max(nones, default=None)
    standing = [
        grades.seizure_range(e)
        for e in seizures
        if e.at >= at - policy.event_carry and (last_none is None or e.at > last_none)
    ]
    if standing:
        ranges["seizure"] = worst(*standing)
    elif last_none is not None:
        ranges["seizure"] = NOTHING
    motors = [e for e in since if isinstance(e, Motor) and e.finding != "weakness-unspecified"]
    if motors:
        newest = max(e.at for e in motors)
        ranges["motor"] = aged(worst(*(grades.motor_range(e) for e in motors if e.at == newest)), newest, at, policy)
    bleeds = {e.at for e in observed if isinstance(e, IcpEdema) and e.finding == "intracranial-hemorrhage"}
    pressures = [
        e
        for e in since
        if isinstance(e, IcpEdema)
        and e.finding != "intracranial-hemorrhage"
        and not (e.finding in EDEMA and e.at in bleeds)
    ]
    if pressures:
        newest = max(e.at for e in pressures)
        value = worst(*(grades.icp_range(e) for e in pressures if e.at == newest))
        ranges["icp-edema"] = aged(value, newest, at, policy)
    return ranges


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
