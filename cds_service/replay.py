"""Stepping through a patient's record in the order in which it became known: the use case behind ``replay``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cds_service.evaluation import (
    PatientNotFound,
    collection_paused,
    patient_reference,
    read_data,
    with_problems_of_none,
)
from cds_service.published.result_json import replay_json
from cds_service.site.site import Site, bundled_site

if TYPE_CHECKING:
    from fhir_mappings import Reading
    from icans import Record, Replay


@dataclass(frozen=True, slots=True)
class Played:
    """A replay and its cards: (shown at, card), in the order in which a viewer would have seen them new."""

    replay: Replay
    cards: list[tuple[datetime, dict[str, Any]]]


def replay_bundle(
    data: bytes | Mapping[str, Any], *, patient: str | None = None, as_of: datetime | None = None
) -> list[dict[str, Any]]:
    """One object a patient (schema ``replay``), in the order of their references.

    data: a FHIR Bundle, resource or NDJSON as bytes, or one resource as a mapping. patient: ``ID`` or
    ``Patient/ID``; None: all of them. as_of: where the record is cut; None: the last thing known plus 48 h.
    Raises ValueError for an as_of without offset or a patient who is not there; fhir_mappings.NotFhir.
    """
    if as_of is not None:
        if as_of.tzinfo is None:
            raise ValueError("as_of needs a time zone")
        as_of = as_of.astimezone(UTC)
    site = bundled_site()
    with collection_paused():
        records = records_asked_for(read_data(data, site, patient), patient)
        return [replay_json(played.replay, played.cards) for played in (play(r, site, as_of) for r in records)]


def records_asked_for(reading: Reading, patient: str | None) -> list[Record]:
    """The record of the patient named, or all, in the order of their references. Raises PatientNotFound."""
    reference = patient_reference(patient)
    if reference is not None and reference not in reading.records:
        raise PatientNotFound(reference, sorted(reading.records))
    chosen = [reference] if reference is not None else sorted(reading.records)
    records = [reading.records[name] for name in chosen]
    return [with_problems_of_none(records[0], reading)] if len(records) == 1 else records


def play(record: Record, site: Site, as_of: datetime | None) -> Played:
    """The whole course of one record up to ``as_of`` (UTC)."""
    from cards import render
    from icans import replay

    with collection_paused():
        replayed = replay(record, site.policy, as_of)
        context = site.card_context()
        cards = [
            (moment.at, card)
            for moment in replayed.moments
            for card in render(moment.evaluation, context=context, modules=moment.modules)
        ]
    return Played(replayed, cards)
