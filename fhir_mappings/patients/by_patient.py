"""Whose each resource is: the resources of an input, sorted by patient."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from fhir_mappings.fhir_types import elements as lean
from fhir_mappings.intake.gather import AFFECTS, EVERYTHING, SOURCE_OF, RelevantResources
from fhir_mappings.intake.relevance import TYPED_REFERENCE, CodeVerdict, RelevantResource, patient_key
from fhir_mappings.observations.observation import affected
from fhir_mappings.patients.heads import Head, Meta, head
from fhir_mappings.patients.subjects import NOT_A_PATIENT, NotThisSubject, Subjects
from fhir_mappings.patients.versions import Version
from fhir_mappings.settings import ReadSettings
from fhir_mappings.times import known_from, parse_when
from icans.record import Problem

#: The patient of an input that names none.
UNNAMED = "Patient/unknown"
_CLINICAL = ("Observation", "MedicationAdministration", "Procedure", "Condition", "QuestionnaireResponse")
_REFERENCE = msgspec.json.Decoder(lean.Reference | None)


@dataclass(slots=True)
class PatientResources:
    """What belongs to one patient, before it becomes a record. patients: versions of each Patient resource,
    the replacing one first."""

    resources: dict[str, list[Version]] = field(default_factory=dict)
    patients: dict[str, list[Version]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


@dataclass(slots=True)
class Sorted:
    """by_patient: the resources of each. loose: problems of no single patient. foreign: sources in whose
    answers a row of another patient, or of no usable subject, came (L12)."""

    by_patient: dict[str, PatientResources] = field(default_factory=dict)
    loose: list[Problem] = field(default_factory=list)
    foreign: set[str] = field(default_factory=set)


def sorted_by_patient(gathered: RelevantResources, settings: ReadSettings, wanted: str | None, always: bool) -> Sorted:
    """The resources of each patient, and the problems that belong to none.

    wanted: take this patient only; a relevant resource of another becomes a problem. always: an entry for the
    wanted patient even where nothing of it was found.
    """
    subjects = Subjects(gathered.of("Patient"), wanted)
    sorting = _Sorting(subjects, settings, wanted, _patients_of(gathered, subjects))
    if wanted is None:
        keys = sorting.keys or ({UNNAMED} if gathered.of(*_CLINICAL) else set())
        sorting.found.by_patient = {key: PatientResources() for key in keys}
    elif always or wanted in sorting.keys or not sorting.keys:
        sorting.found.by_patient = {wanted: PatientResources()}
    for found in gathered.of(*_CLINICAL):
        sorting.place(found)
    _place_patients(gathered, subjects, sorting)
    sorted_ = sorting.found
    for resource_type in gathered.found.keys() - {*_CLINICAL, "Patient", "Medication", "Substance"}:
        sorted_.loose.extend(_refusals(gathered.of(resource_type)))
    _place_deletions(gathered, settings, sorted_.by_patient)
    if wanted is not None:
        sorted_.foreign = _foreign(gathered, subjects, wanted)
    if len(sorted_.by_patient) == 1:
        next(iter(sorted_.by_patient.values())).problems.extend(sorted_.loose)
        sorted_.loose = []
    return sorted_


def _patients_of(gathered: RelevantResources, subjects: Subjects) -> set[str]:
    """The patients of the input: Patient resources, and whom any resource names as its subject."""
    keys = {subjects.name(key) for key in subjects.named}
    for stated in {raw for raws in gathered.subjects.values() for raw in raws}:
        key = _named_by(stated, subjects)
        if key is not None:
            keys.add(key)
    return keys


def _named_by(stated: bytes, subjects: Subjects) -> str | None:
    """The patient that a subject element names by id, None if it names none."""
    try:
        return subjects.of(_REFERENCE.decode(stated), b"{}") if stated else None
    except (msgspec.MsgspecError, NotThisSubject):
        return None


def _foreign(gathered: RelevantResources, subjects: Subjects, wanted: str) -> set[str]:
    foreign = set()
    for asked, stated in gathered.subjects.items():
        if asked in SOURCE_OF and any(_is_foreign(raw, subjects, wanted) for raw in stated):
            foreign.add(asked)
    return foreign


def _is_foreign(stated: bytes, subjects: Subjects, wanted: str) -> bool:
    try:
        key = subjects.of(_REFERENCE.decode(stated), b"{}") if stated else None
    except NotThisSubject as reason:
        return reason.code != "reference-unresolved"
    except msgspec.MsgspecError:
        return True
    return key is not None and key != subjects.name(wanted)


@dataclass(slots=True)
class _Sorting:
    """Puts each resource where it belongs. keys: the patients of the input."""

    subjects: Subjects
    settings: ReadSettings
    wanted: str | None
    keys: set[str]
    found: Sorted = field(default_factory=Sorted)

    def place(self, found: RelevantResource) -> None:
        seen = head(found.raw)
        try:
            key = self.subjects.of(seen.subject, found.raw)
        except NotThisSubject as reason:
            self._not_told(found, seen, reason)
            return
        if key is None:
            self._without_subject(found, seen)
        elif key in self.found.by_patient:
            self._add(key, version(found, seen, self.settings))
        elif self.wanted is not None:
            message = "It belongs to another patient and is not used."
            self.found.loose.append(Problem("other-patient", found.reference, "subject", message))

    def only(self) -> str | None:
        """Whose a resource is that names nobody: the patient of a one-patient input, else nobody's."""
        others = self.keys - ({self.wanted} if self.wanted is not None else set())
        if self.wanted is not None:
            return self.wanted if not others else None
        if len(self.keys) > 1:
            return None
        return next(iter(self.keys), UNNAMED)

    def _without_subject(self, found: RelevantResource, seen: Head) -> None:
        only = self.only()
        if only is None or only not in self.found.by_patient:
            message = "It names no subject, in an input of several patients."
            affects = affects_of(found)
            self.found.loose.append(Problem("subject-missing", found.reference, "subject", message, affects=affects))
            return
        placed = version(found, seen, self.settings)
        if self.keys or self.wanted is not None:
            message = "It names no patient; it is taken for the only one of the input."
            placed.notes = (Problem("subject-missing", found.reference, "subject", message),)
        self._add(only, placed)

    def _not_told(self, found: RelevantResource, seen: Head, reason: NotThisSubject) -> None:
        """A subject that is somebody else, nobody, or cannot be determined: the only patient's, refused."""
        element, only = "subject", self.only()
        if reason.code == "other-patient":
            self.found.loose.append(Problem(reason.code, found.reference, element, str(reason)))
            return
        problem = Problem(reason.code, found.reference, element, str(reason), affects=affects_of(found))
        if only is None or only not in self.found.by_patient:
            self.found.loose.append(problem)
            return
        placed = version(found, seen, self.settings)
        placed.refusal, placed.foreign = problem, reason.code == NOT_A_PATIENT
        self._add(only, placed)

    def _add(self, key: str, placed: Version) -> None:
        assert placed.found is not None
        self.found.by_patient[key].resources.setdefault(placed.found.reference, []).append(placed)


def _place_patients(gathered: RelevantResources, subjects: Subjects, sorting: _Sorting) -> None:
    versions: dict[str, dict[str, list[Version]]] = {}
    for found in gathered.of("Patient"):
        own = patient_key(found)
        key = subjects.name(own) if own is not None else sorting.only()
        held = versions.setdefault(key or "", {})
        held.setdefault(own or "", []).append(version(found, head(found.raw), sorting.settings))
    for key, own_resources in sorting.found.by_patient.items():
        held = versions.get(key, {})
        order = [name for name in subjects.same(key) if name in held]
        own_resources.patients = {name: held[name] for name in [*order, *(held.keys() - set(order))]}


def _place_deletions(
    gathered: RelevantResources, settings: ReadSettings, by_patient: dict[str, PatientResources]
) -> None:
    """A deletion is a version of what it deletes; one without version and time removes it from the start."""
    for deletion in gathered.deletions:
        typed = TYPED_REFERENCE.search(deletion.reference.strip())
        reference = f"{typed[1]}/{typed[2]}" if typed else deletion.reference
        meta = Meta(version_id=deletion.version, last_updated=deletion.when)
        removal = version(None, Head(meta), settings)
        for own in by_patient.values():
            versions = own.resources.get(reference)
            if versions is None:
                continue
            if removal.number is None and removal.filed is None:
                del own.resources[reference]
            else:
                versions.append(removal)


def version(found: RelevantResource | None, seen: Head, settings: ReadSettings) -> Version:
    """One version of a resource, with what its head says of it."""
    status, meta = (seen.status or "").strip(), seen.meta
    if meta is None:
        return Version(found, None, None, status)
    filed = parse_when(meta.last_updated, settings) if meta.last_updated else None
    placed = Version(found, meta.version_id, None, status, deleted=meta.says_deleted, partial=meta.is_subsetted)
    if filed is not None and not isinstance(filed, str):
        placed.filed, placed.replaces_from = filed.at, known_from(settings, filed.at)
    return placed


def affects_of(found: RelevantResource) -> tuple[str, ...]:
    """What a resource could have changed, had it been used."""
    if found.type == "Observation":
        return affected(found.verdict or CodeVerdict())
    return AFFECTS.get(found.type, EVERYTHING)


def _refusals(found: Iterable[RelevantResource]) -> list[Problem]:
    """Resources of a type that is not read, of which it cannot be determined whether they are of another type."""
    message = "It names an element twice."
    return [
        Problem("invalid-resource", resource.reference, "resourceType", message, affects=EVERYTHING)
        for resource in found
    ]
