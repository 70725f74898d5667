"""Whose each resource is: the resources of an input, sorted by patient."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from fhir_mappings.fhir_types import elements as lean
from fhir_mappings.intake.gather import AFFECTS, EVERYTHING, RelevantResources
from fhir_mappings.intake.relevance import CodeVerdict, RelevantResource, patient_key
from fhir_mappings.observations.observation import affected
from fhir_mappings.patients.subjects import NotThisSubject, Subjects
from fhir_mappings.patients.versions import Version
from fhir_mappings.settings import ReadSettings
from fhir_mappings.times import known_from, parse_when
from icans.record import Problem

#: The patient of an input that names none.
UNNAMED = "Patient/unknown"
_CLINICAL = ("Observation", "MedicationAdministration", "Procedure", "Condition", "QuestionnaireResponse")


class Head(msgspec.Struct, frozen=True, gc=False):
    """What is the same in every kind of resource."""

    meta: lean.Meta | None = None
    status: str | None = None
    subject: lean.Reference | None = None


_HEAD = msgspec.json.Decoder(Head)


@dataclass(slots=True)
class PatientResources:
    """What belongs to one patient, before it becomes a record."""

    resources: dict[str, list[Version]] = field(default_factory=dict)
    patients: list[Version] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def sorted_by_patient(
    gathered: RelevantResources, settings: ReadSettings, wanted: str | None, always: bool
) -> tuple[dict[str, PatientResources], list[Problem]]:
    """The resources of each patient, and the problems that belong to none.

    wanted: take this patient only; a relevant resource of another becomes a problem. always: an
    entry for the wanted patient even where nothing of it was found.
    """
    subjects = Subjects(gathered.of("Patient"))
    placed: list[tuple[RelevantResource, Head | None, str | None]] = []
    loose: list[Problem] = []
    keys = set(subjects.named)
    for found in gathered.of(*_CLINICAL):
        head = _head(found)
        try:
            key = subjects.of(head.subject, found.raw) if head else None
        except NotThisSubject as reason:
            loose.append(Problem(reason.code, found.reference, "subject", str(reason), affects=_if_ours(reason, found)))
            continue
        placed.append((found, head, key))
        if key is not None:
            keys.add(key)
    only = _only_patient(keys, wanted)
    by_patient: dict[str, PatientResources] = {}
    if wanted is None:
        by_patient = {key: PatientResources() for key in keys or ({only} if placed and only else set())}
    elif always or wanted in keys or not keys:
        by_patient = {wanted: PatientResources()}
    for found, head, key in placed:
        _place(found, head, key if key is not None else only, by_patient, wanted, loose, settings)
    for found in gathered.of("Patient"):
        own = by_patient.get(patient_key(found) or only or "")
        if own is not None:
            own.patients.append(_version(found, _head(found), settings))
    for resource_type in gathered.found.keys() - {*_CLINICAL, "Patient", "Medication"}:
        loose.extend(_refusals(gathered.of(resource_type)))
    _place_deletions(gathered, settings, by_patient)
    if len(by_patient) == 1:
        next(iter(by_patient.values())).problems.extend(loose)
        loose = []
    return by_patient, loose


def _only_patient(keys: set[str], wanted: str | None) -> str | None:
    """Whose a resource without subject is: the patient of a one-patient input, else nobody's."""
    others = keys - {wanted} if wanted is not None else keys
    if wanted is not None:
        return wanted if not others else None
    if len(keys) > 1:
        return None
    return next(iter(keys), UNNAMED)


def _place(
    found: RelevantResource,
    head: Head | None,
    key: str | None,
    by_patient: dict[str, PatientResources],
    wanted: str | None,
    loose: list[Problem],
    settings: ReadSettings,
) -> None:
    if key is None:
        message = "It names no subject, in an input of several patients."
        affects = affects_of(found)
        loose.append(Problem("reference-unresolved", found.reference, "subject", message, affects=affects))
    elif key in by_patient:
        version = _version(found, head, settings)
        by_patient[key].resources.setdefault(found.reference, []).append(version)
    elif wanted is not None:
        message = "It belongs to another patient and is not used."
        loose.append(Problem("other-patient", found.reference, "subject", message))


def _place_deletions(
    gathered: RelevantResources, settings: ReadSettings, by_patient: dict[str, PatientResources]
) -> None:
    for deletion in gathered.deletions:
        for own in by_patient.values():
            versions = own.resources.get(deletion.reference)
            if versions is not None:
                versions.append(_version(None, Head(lean.Meta(last_updated=deletion.when)), settings))


def _head(found: RelevantResource) -> Head | None:
    try:
        return _HEAD.decode(found.raw)
    except msgspec.MsgspecError:
        return None


def _version(found: RelevantResource | None, head: Head | None, settings: ReadSettings) -> Version:
    status = (head.status or "").strip() if head else ""
    meta = head.meta if head else None
    if meta is None:
        return Version(found, None, None, status)
    filed = parse_when(meta.last_updated, settings) if meta.last_updated else None
    if filed is None or isinstance(filed, str):
        return Version(found, meta.version_id, None, status)
    return Version(found, meta.version_id, filed.at, status, known_from(settings, filed.at))


def affects_of(found: RelevantResource) -> tuple[str, ...]:
    """What a resource could have changed, had it been used."""
    if found.type == "Observation":
        return affected(found.verdict or CodeVerdict())
    return AFFECTS.get(found.type, EVERYTHING)


def _if_ours(reason: NotThisSubject, found: RelevantResource) -> tuple[str, ...]:
    return () if reason.code == "other-patient" else affects_of(found)


def _refusals(found: Iterable[RelevantResource]) -> list[Problem]:
    """Resources of a type that is not read, of which it cannot be told whether they are of another type."""
    return [
        Problem(
            "invalid-resource",
            resource.reference,
            "resourceType",
            "It names an element twice.",
            affects=EVERYTHING,
        )
        for resource in found
    ]
