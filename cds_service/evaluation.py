"""Evaluating one patient at one instant: the use case behind ``evaluate``, the hooks and Python callers."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import orjson

from cds_service.published.result_json import evaluation_json
from cds_service.site.site import Site, bundled_site

if TYPE_CHECKING:
    from fhir_mappings import Reading
    from icans import Evaluation, Record


class SeveralPatients(ValueError):
    """More than one patient in the data and none named; ``patients`` are their references."""

    def __init__(self, patients: list[str]) -> None:
        super().__init__(f"the data hold several patients, name one of them: {', '.join(patients)}")
        self.patients = patients


class PatientNotFound(ValueError):
    """The patient named is not in the data; ``patients`` are those that are."""

    def __init__(self, patient: str, patients: list[str]) -> None:
        held = f"they hold {', '.join(patients)}" if patients else "they hold no patient"
        super().__init__(f"{patient} is not in the data; {held}")
        self.patients = patients


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known of a patient at one instant, and the cards that say it."""

    evaluation: Evaluation
    cards: list[dict[str, Any]]


def evaluate_bundle(data: bytes | Mapping[str, Any], *, as_of: datetime, patient: str | None = None) -> dict[str, Any]:
    """What a hook call would return at ``as_of`` and the whole assessment behind it (schema ``evaluate``).

    data: a FHIR Bundle, resource or NDJSON as bytes, or one resource as a mapping. patient: ``ID`` or
    ``Patient/ID``, needed where the data hold several. Raises ValueError for an as_of without offset, several
    patients and none named, or a patient who is not there; fhir_mappings.NotFhir for data that are not FHIR.
    """
    if as_of.tzinfo is None:
        raise ValueError("as_of needs a time zone")
    site = bundled_site()
    record = one_record(read_data(data, site, patient), patient)
    answer = evaluate_record(record, site, as_of.astimezone(UTC))
    return evaluation_json(answer.evaluation, answer.cards)


def evaluate_record(
    record: Record,
    site: Site,
    as_of: datetime,
    hook_instance: str | None = None,
    *,
    never_read: frozenset[str] = frozenset(),
    unread_card: bool = True,
) -> Answer:
    """The findings that hold at ``as_of`` (UTC) and their cards.

    never_read: sources (``Record.incomplete``) that the caller cannot give: they are not missing. unread_card: whether
    a card reports that nothing starts an evaluation while a source was not read in full (L34).
    """
    from cards import render
    from icans import evaluate

    record = replace(record, incomplete=record.incomplete - never_read) if never_read else record
    evaluation = evaluate(record, site.policy, as_of, explain=hook_instance is None)
    cards = render(evaluation, context=site.card_context(), hook_instance=hook_instance)
    return Answer(evaluation, cards if unread_card or evaluation.monitoring != "none" else [])


@contextmanager
def collection_paused() -> Iterator[None]:
    """No cyclic garbage collection meanwhile.

    An evaluation or a replay keeps its whole history until it ends, without cycles: collecting finds nothing and
    scans everything, more often the longer the record is.
    """
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def read_data(data: bytes | Mapping[str, Any], site: Site, patient: str | None) -> Reading:
    """One input of a Python caller, read for an explicit as-of."""
    from fhir_mappings import Source, read

    content = data if isinstance(data, bytes) else orjson.dumps(data, default=_json_value)
    return read([Source("data", content)], site.read_settings(None), patient_reference(patient))


def one_record(reading: Reading, patient: str | None) -> Record:
    """The record of the patient named, or of the only one. Raises SeveralPatients or PatientNotFound."""
    reference = patient_reference(patient)
    patients = sorted(reading.records)
    if reference is None:
        if len(patients) > 1:
            raise SeveralPatients(patients)
        if not patients:
            raise PatientNotFound("a patient", patients)
        reference = patients[0]
    record = reading.records.get(reference)
    if record is None:
        raise PatientNotFound(reference, patients)
    return with_problems_of_none(record, reading)


def with_problems_of_none(record: Record, reading: Reading) -> Record:
    """The record with the problems of no single patient: where one patient is asked for, they may be hers."""
    return replace(record, problems=record.problems + reading.problems) if reading.problems else record


def patient_reference(patient: str | None) -> str | None:
    """``Patient/ID`` for ``ID`` or ``Patient/ID``."""
    return patient if patient is None or patient.startswith("Patient/") else f"Patient/{patient}"


def last_known(record: Record) -> datetime | None:
    """When the last relevant thing became known; None if nothing relevant is recorded."""
    entries = (*record.observed, *record.infusions, *record.doses, *record.sedatives, *record.escalations)
    return max((entry.known for entry in entries), default=None)


def is_evaluable(record: Record) -> bool:
    """Whether there is anything to evaluate: an infusion, an assessment or a steroid."""
    return bool(record.infusions or record.observed or record.doses)


def _json_value(value: object) -> object:
    if isinstance(value, Decimal):
        return orjson.Fragment(str(value))
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not a JSON value")
