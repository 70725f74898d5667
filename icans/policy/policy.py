"""The policy: every threshold and setting in force, with value, unit and citation, from TOML."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any


class PolicyError(ValueError):
    """A policy that cannot be used. key: the setting ("" for the file as a whole); reason: one clause."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"{key}: {reason}" if key else reason)
        self.key = key
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The compiled policy, as the rules read it.

    Durations are timedeltas, doses mg of dexamethasone-equivalent.

    label: name/version, plus ``+`` and eight hex digits of the SHA-256 of the merged policy where overridden.
    """

    label: str
    # the course
    monitoring: timedelta  # 90 d
    monitoring_extension: timedelta  # 30 d after the last assessable assessment of an open episode
    infusion_grouping: timedelta  # 30 d
    resolution: timedelta  # 24 h
    shown_for: timedelta  # 24 h, how long an expiring finding is shown
    # assessments
    combination_window: timedelta  # 60 min
    ice_item_window: timedelta  # 10 min
    item_not_charted: int  # 3 ICE by items
    event_carry: timedelta  # 24 h
    baseline_window: timedelta  # 7 d
    capd_below_years: int  # 12
    capd_delay_below_years: int  # 21 (developmental delay)
    inferred_consciousness: str  # "off", "cautious", "as-mapped"
    sedative_open_end: timedelta  # 24 h
    bolus_note: timedelta  # 4 h
    # freshness
    interval_severe: timedelta  # 8 h at grade >= 2
    grace_severe: timedelta  # 4 h
    interval_grade_1: timedelta  # 12 h
    grace_grade_1: timedelta  # 12 h
    interval_mild: timedelta  # 24 h at grade 0, and at 1 with protocol_enrolled
    grace_mild: timedelta  # 12 h
    not_found_after: timedelta  # 36 h
    not_found_until: timedelta  # 14 d (days 0-14)
    not_found_unseen_until: timedelta  # 30 d, with an open episode or where nothing was ever found
    death_contradiction: timedelta  # 24 h
    protocol_enrolled: str  # "none", "all"
    # refractoriness (profile fridberg2026-24h)
    definition: str
    minimum_grade: int  # 1
    qualifying_dose: Decimal  # 10 mg
    qualifying_window: timedelta  # 24 h
    onset_lead: timedelta  # 180 min
    treatment_gap: timedelta  # 30 h
    bridging_dose: Decimal  # 1 mg
    doubling_factor: Decimal  # 2
    doubling_lookback: timedelta  # 48 h
    reference_before: timedelta  # 24 h
    reference_after: timedelta  # 2 h
    evaluation_from: timedelta  # 16 h
    evaluation_due: timedelta  # 24 h
    evaluation_late: timedelta  # 30 h
    ice_gain: int  # 2 points
    ice_gain_grade_1: int  # 1 point
    capd_gain: int  # 4 points
    early_worsening_note: timedelta  # 4 h
    # exposure
    factors: dict[str, Decimal]  # ingredient -> dexamethasone mg per mg; not overridable
    initiating_drugs: frozenset[str]  # an unknown dose of these starts treatment
    tiers: tuple[Decimal, ...]  # 195, 380, 532.5, 850
    tier_indicators: tuple[str, ...]  # info, warning, warning, warning
    steroid_days: int  # 10
    steroid_day_minimum: Decimal  # 1 mg
    tier_delay: timedelta  # 4 h
    longest_administration: timedelta  # 7 d
    implausible_dose: Decimal  # 500 mg
    duplicate_window: timedelta  # 60 s
    onset_on_steroids: timedelta  # 24 h after a systemic dose
    early_start_days: int  # 7, a first dose up to this day is an early start
    comparison_days: timedelta  # days 0 to 30
    # reading (used by fhir_mappings; handed in)
    administration_known: str  # "start", "recorded"
    preliminary_observations: bool  # False
    future_tolerance: timedelta  # 5 min


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyEntry:
    """One setting in force, for showing.

    value: a number, text, truth value, tuple or table, in ``unit`` (UCUM; "a" is years of age).
    citation: its published source in full, or "project decision" with ``reason``; citation_short: by author.
    minimum, maximum, choices: the safe range of an override. overridden: a site's value is in force.
    """

    key: str
    section: str
    meaning: str
    value: Any
    unit: str
    citation: str
    citation_short: str
    reason: str
    overridable: bool
    overridden: bool
    minimum: int | Decimal | None
    maximum: int | Decimal | None
    choices: tuple[str, ...]
    notes: tuple[str, ...]


def in_words(span: timedelta) -> str:
    """How a sentence names a duration: ``90 s``, ``10 min``, ``6 h 40 min``, ``24 h``, ``5 days`` (and more)."""
    seconds = int(span.total_seconds())
    if seconds >= 5 * 86400 and seconds % 86400 == 0:
        return f"{seconds // 86400} days"
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    parts = [f"{n} {unit}" for n, unit in ((hours, "h"), (minutes, "min"), (seconds, "s")) if n]
    return " ".join(parts) or "0 min"
