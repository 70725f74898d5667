"""From one patient's resources to one record: which version stands, and what each says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from fhir_mappings.contribution import Contribution
from fhir_mappings.fhir_types import decode as judged
from fhir_mappings.fhir_types import elements as lean
from fhir_mappings.fhir_types.medication import MedicationAdministration
from fhir_mappings.fhir_types.questionnaire import QuestionnaireResponse
from fhir_mappings.fhir_types.validate import Refused
from fhir_mappings.intake.gather import RelevantResources
from fhir_mappings.intake.relevance import RelevantResource, Selector
from fhir_mappings.medications.administration import AdministrationContext, read_administration
from fhir_mappings.medications.references import Medications
from fhir_mappings.observations.observation import ObservationReader
from fhir_mappings.observations.panels import Panels, contained_members
from fhir_mappings.observations.questionnaire_responses import read_response
from fhir_mappings.patients import demographics as patients
from fhir_mappings.patients.by_patient import PatientResources, affects_of, sorted_by_patient
from fhir_mappings.patients.versions import Version, merge, ordered
from fhir_mappings.procedures import read_procedure
from fhir_mappings.settings import ReadSettings
from icans.record import (
    Birth,
    Death,
    Dose,
    Entry,
    Escalation,
    Infusion,
    Observed,
    Problem,
    Record,
    Sedative,
)

_Kind = TypeVar("_Kind", bound=Entry)


def records(
    gathered: RelevantResources, settings: ReadSettings, selector: Selector, wanted: str | None, always: bool = False
) -> tuple[dict[str, Record], list[Problem]]:
    """One record a patient, and the problems that belong to none (see sorted_by_patient)."""
    by_patient, problems = sorted_by_patient(gathered, settings, wanted, always)
    medications = Medications(gathered.of("Medication"))
    panels = Panels(gathered)
    made = {
        key: _Maker(own, settings, selector, medications, panels).record(key) for key, own in sorted(by_patient.items())
    }
    return made, [*problems, *medications.problems]


@dataclass(slots=True)
class _Maker:
    """Makes one patient's record."""

    own: PatientResources
    settings: ReadSettings
    selector: Selector
    medications: Medications
    panels: Panels
    observations: ObservationReader = field(init=False)
    administrations: AdministrationContext = field(init=False)
    entries: list[Entry] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.observations = ObservationReader(self.settings, self.selector)
        self.administrations = AdministrationContext(self.settings, self.medications)

    def record(self, key: str) -> Record:
        self.problems.extend(self.own.problems)
        readable = {name: self._readable(versions) for name, versions in self.own.resources.items()}
        self.observations.attributed = self.panels.attributed(_observations(readable.values()), self.selector)
        for name, versions in readable.items():
            if versions:
                self._take(name, versions)
        born, died = self._birth_and_death()
        self.entries.sort(key=_entry_order)
        return Record(
            patient=key,
            observed=self._all(Observed),
            infusions=self._all(Infusion),
            doses=self._all(Dose),
            sedatives=self._all(Sedative),
            escalations=self._all(Escalation),
            death=died,
            birth=born,
            developmental_delay=self._delays(readable),
            problems=tuple(sorted(set(self.problems), key=problem_order)),
        )

    def _all(self, kind: type[_Kind]) -> tuple[_Kind, ...]:
        return tuple([entry for entry in self.entries if isinstance(entry, kind)])

    def _readable(self, versions: list[Version]) -> list[Version]:
        """The versions whose bytes could be read, each with what was read; the others are problems."""
        kept = []
        for version in versions:
            if version.found is None:
                kept.append(version)
                continue
            found = version.found
            try:
                version.resource = _PARSERS[found.type](found.raw)
                kept.append(version)
            except Refused as refusal:
                affects = affects_of(found)
                self.problems.append(
                    Problem("invalid-resource", found.reference, refusal.element, str(refusal), affects=affects)
                )
        return kept if any(version.found is not None for version in kept) else []

    def _take(self, name: str, versions: list[Version]) -> None:
        if len(versions) == 1:
            contribution = self._read(versions[0])
        else:
            affects = next(affects_of(version.found) for version in versions if version.found is not None)
            contribution = merge(versions, name, self._read, affects)
        self.entries.extend(contribution.entries)
        self.problems.extend(contribution.problems)

    def _read(self, version: Version) -> Contribution:
        found, resource = version.found, version.resource
        if found is None:
            return Contribution()
        if isinstance(resource, lean.Observation):
            return self._read_observation(found, resource)
        if isinstance(resource, MedicationAdministration):
            return read_administration(resource, found.reference, self.administrations)
        if isinstance(resource, lean.Procedure):
            return read_procedure(resource, found.reference, self.settings, self.selector)
        if isinstance(resource, QuestionnaireResponse):
            return read_response(resource, found.reference, self.observations)
        return Contribution()

    def _read_observation(self, found: RelevantResource, observation: lean.Observation) -> Contribution:
        verdict = found.verdict or self.selector.verdict(observation.code)
        contribution = self.observations.read(observation, found.reference, verdict)
        if not observation.has_member or not verdict.matters and not contribution.entries:
            return contribution
        members, lost = contained_members(observation, found.raw)
        for identity, member in members:
            inner = self.observations.read(member, f"{found.reference}#{identity}", self.selector.verdict(member.code))
            contribution.entries.extend(inner.entries)
            contribution.problems.extend(inner.problems)
        unresolved = [*self.panels.unresolved(observation), *((None, f"#{identity}") for identity in lost)]
        contribution.problems.extend(_member_missing(found.reference, stated, contribution) for _, stated in unresolved)
        return contribution

    def _delays(self, readable: dict[str, list[Version]]) -> bool:
        """Whether the last version of some Condition is a developmental delay that holds."""
        conditions = [versions for name, versions in readable.items() if versions and _is_condition(versions[0])]
        lasts = [ordered(versions)[-1][-1].resource for versions in conditions]
        return any(isinstance(last, lean.Condition) and patients.is_active(last) for last in lasts)

    def _birth_and_death(self) -> tuple[Birth | None, Death | None]:
        versions = self._readable(self.own.patients)
        if not versions:
            return None, None
        version = ordered(versions)[-1][-1]
        found, patient = version.found, version.resource
        if found is None or not isinstance(patient, lean.Patient):
            return None, None
        if lean.has_content(patient.modifier_extension):
            message = "It carries a modifier that is not known here; age and death are not read."
            self.problems.append(Problem("unknown-modifier", found.reference, "modifierExtension", message))
            return None, None
        last_known = max((entry.known for entry in self.entries), default=None)
        died, problems = patients.death(patient, found.reference, self.settings, last_known)
        self.problems.extend(problems)
        return patients.birth(patient), died


def _is_condition(version: Version) -> bool:
    return isinstance(version.resource, lean.Condition)


def _observations(readable: Iterable[list[Version]]) -> Iterator[lean.Observation]:
    for versions in readable:
        for version in versions:
            if isinstance(version.resource, lean.Observation):
                yield version.resource


def _member_missing(reference: str, stated: str, contribution: Contribution) -> Problem:
    message = f"Its member {stated} is not in the input."
    return Problem(
        "reference-unresolved", reference, "hasMember", message, known=contribution.known, affects=("grade",)
    )


def _entry_order(entry: Entry) -> tuple[datetime, str, str, str, datetime]:
    return entry.at, entry.reference, entry.element, entry.shown, entry.known


def problem_order(problem: Problem) -> tuple[str, str, str, str, str]:
    """An order of problems that does not depend on that of the input."""
    return problem.reference, problem.element, problem.code, problem.message, str(problem.known)


_PARSERS: dict[str, Callable[[bytes], object]] = {
    "Observation": judged.observation,
    "MedicationAdministration": judged.administration,
    "Procedure": judged.procedure,
    "Condition": judged.condition,
    "QuestionnaireResponse": judged.questionnaire_response,
    "Patient": judged.patient,
}
