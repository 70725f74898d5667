"""How FHIR is to be read: terminology, time zone, and what counts as known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from fhir_mappings.terminology.lookup import Terminology


@dataclass(frozen=True, slots=True)
class ReadSettings:
    """What a site has configured.

    zone: the site's time zone; a date without a time is that zone's day.
    zone_configured: whether the site named it; without, a time without zone represents its whole day.
    known: "issued" (an Observation is known from the later of effective and issued) or "effective"
        (migrated data, whose issued says when it was copied).
    administration_known: "start", or "recorded" (not before it was recorded).
    preliminary_observations: whether preliminary results are used.
    now: the instant of a live call, None when the record is read as of an explicit time.
    future_tolerance: how far ahead of ``now`` a clock may run before a datum counts as planned.
    longest_administration: a longer period of a glucocorticoid administration has no end (L4).
    death_contradiction: what is charted later than this after a death contradicts it (L5).
    """

    terminology: Terminology
    zone: tzinfo = UTC
    zone_configured: bool = False
    known: Literal["issued", "effective"] = "issued"
    administration_known: Literal["start", "recorded"] = "start"
    preliminary_observations: bool = False
    now: datetime | None = None
    future_tolerance: timedelta = timedelta(minutes=5)
    longest_administration: timedelta = timedelta(days=7)
    death_contradiction: timedelta = timedelta(hours=24)
