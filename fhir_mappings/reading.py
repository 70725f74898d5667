"""The entrance: FHIR inputs in, one record a patient out, with everything that could not be used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from fhir_mappings.intake.bundles import Gap, Source
from fhir_mappings.intake.gather import EVERYTHING, SOURCE_OF, RelevantResources, gather
from fhir_mappings.intake.prefetch import read_keys
from fhir_mappings.intake.relevance import Selector
from fhir_mappings.patients.record import problem_order, records
from fhir_mappings.patients.subjects import Subjects
from fhir_mappings.settings import ReadSettings
from icans.record import Problem, Record


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read.

    records: one a patient, by ``Patient/ID``. problems: of no single patient. counts: resources seen, by
    type. missing: prefetch keys whose whole content could not be read. prefetch_patient: the patient that
    the prefetch itself holds, None if it holds none. linked: other ids of the patient asked for, by the links
    of the Patient resources (L6).
    """

    records: dict[str, Record]
    problems: tuple[Problem, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    prefetch_patient: str | None = None
    linked: tuple[str, ...] = ()


def read(
    sources: Sequence[Source], settings: ReadSettings, patient: str | None = None, unread: Sequence[str] = ()
) -> Reading:
    """Reads inputs that together make one record a patient; ``patient`` (an id) takes one of several.

    unread: names of further inputs that could not be read, so that no source was read in full.
    Raises NotFhir for the first input that is no FHIR JSON.
    """
    selector = settings.terminology.companion(Selector)
    gathered = gather(sources, selector)
    for name in unread:
        gathered.gaps.append((name, Gap("", "It could not be read."), EVERYTHING))
        gathered.incomplete.update(SOURCE_OF.values())
    several = len(sources) + len(unread) > 1
    gaps = [
        Problem(gap.code, "", gap.place, f"{name}: {gap.message}" if several else gap.message, affects=affects)
        for name, gap, affects in gathered.gaps
    ]
    wanted = None if patient is None else f"Patient/{patient.removeprefix('Patient/')}"
    found, problems = records(gathered, settings, selector, wanted)
    problems.extend(gaps)
    if len(found) == 1:
        (key,) = found
        found[key] = _with_problems(found[key], problems)
        problems = []
    return Reading(found, _ordered(problems), dict(sorted(gathered.counts.items())))


def read_prefetch(
    prefetch: Mapping[str, bytes | None],
    patient: str,
    settings: ReadSettings,
    reasons: Mapping[str, str] = MappingProxyType({}),
) -> Reading:
    """Reads the prefetch of a hook call for one patient: each value the bytes of its JSON, None for null.

    reasons: for keys that are absent, or present in part, why: a sentence without its full stop.
    Never raises for what a value holds: a value of the wrong shape counts as absent, and is reported.
    """
    selector = settings.terminology.companion(Selector)
    gathered = RelevantResources()
    prefetched = read_keys(prefetch, selector, gathered, reasons)
    wanted = f"Patient/{patient.removeprefix('Patient/')}"
    gaps = [
        Problem(gap.code, "", gap.place, gap.message, known=settings.now, affects=affects)
        for _, gap, affects in gathered.gaps
    ]
    found, problems = records(gathered, settings, selector, wanted, always=True)
    record = _with_problems(
        found[wanted],
        [*problems, *gaps],
        administrations_read="MedicationAdministration" not in prefetched.unread,
        procedures_read="Procedure" not in prefetched.unread,
    )
    same = Subjects(gathered.of("Patient"), wanted).same(wanted)
    return Reading(
        {wanted: record},
        (),
        dict(sorted(gathered.counts.items())),
        prefetched.missing,
        wanted if prefetched.patient in same else prefetched.patient,
        tuple(key.removeprefix("Patient/") for key in same if key != wanted),
    )


def _with_problems(
    record: Record,
    problems: Sequence[Problem],
    administrations_read: bool = True,
    procedures_read: bool = True,
) -> Record:
    return replace(
        record,
        problems=_ordered([*record.problems, *problems]),
        administrations_read=administrations_read,
        procedures_read=procedures_read,
    )


def _ordered(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """In an order that does not depend on that of the input; a problem that was met twice is listed once."""
    return tuple(sorted(set(problems), key=problem_order))
