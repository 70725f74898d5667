"""Which tool grades this patient: ICE, CAPD, or both where the age is not sure (B11)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from icans.policy.policy import Policy
from icans.record import Birth, Record
from tests.oracle import in_force as charted
from tests.oracle.in_force import Statement


def age_turns(birth: date, years: int) -> date:
    try:
        return birth.replace(year=birth.year + years)
    except ValueError:
        return date(birth.year + years, 3, 1)


def tool(record: Record, policy: Policy, at: datetime, day: date) -> str:
    """B11: "ice", "capd", "both" or "ice-else-capd"."""
    birth: Birth | None = record.birth
    if birth is None:
        return "ice-else-capd"
    if day < age_turns(birth.earliest, policy.capd_below_years):
        return "capd"
    if day < age_turns(birth.latest, policy.capd_below_years):
        return "both"
    if record.developmental_delay and day < age_turns(birth.latest, policy.capd_delay_below_years):
        ever = any(s.ice is not None and s.ice.complete and s.at <= at for s in charted.statements(record, policy))
        if not ever:
            return "capd"
    return "ice"


def accepted(record: Record, policy: Policy, at: datetime, day: date, window: list[Statement]) -> list[Statement]:
    """The statements of the tool that applies to this patient at this instant."""
    which = tool(record, policy, at, day)
    if which == "ice-else-capd":
        which = "ice" if any(s.ice for s in window) else "both"
        window = [with_older_capd(s, window) for s in window]
    elif which == "both":
        window = [with_older_ice(with_older_capd(s, window), window) for s in window]
    kept = []
    for s in window:
        ice = which in ("ice", "both")
        capd = which in ("capd", "both")
        kept.append(
            Statement(
                s.at,
                s.ice if ice else None,
                s.capd if capd else None,
                s.ice_reasons if ice else set(),
                s.capd_reasons if capd else set(),
                s.ice_strength if ice else 0,
                s.capd_strength if capd else 0,
            )
        )
    return [s for s in kept if s.ice or s.capd or s.ice_reasons or s.capd_reasons]


def with_older_capd(statement: Statement, window: list[Statement]) -> Statement:
    """CAPD beside an ICE, or a reason for none, charted later: the newest; no reason for none beside a value."""
    if statement.capd or statement.capd_reasons:
        return statement
    newest = next((s for s in reversed(window) if s.at < statement.at and (s.capd or s.capd_reasons)), None)
    if newest is None or (statement.ice and not newest.capd):
        return statement
    return replace(statement, capd=newest.capd, capd_reasons=newest.capd_reasons)


def with_older_ice(statement: Statement, window: list[Statement]) -> Statement:
    """The newest ICE beside a CAPD charted later, where both tools are accepted."""
    if statement.ice or statement.ice_reasons:
        return statement
    newest = next((s for s in reversed(window) if s.at < statement.at and (s.ice or s.ice_reasons)), None)
    if newest is None or not newest.ice:
        return statement
    return replace(statement, ice=newest.ice, ice_reasons=newest.ice_reasons)


def day_of(record: Record, at: datetime) -> date:
    return min((e.day for e in record.observed if e.at == at), default=at.date())
