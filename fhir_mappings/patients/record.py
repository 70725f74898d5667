"""From one patient's resources to one record: which version stands, and what each says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

from fhir_mappings.contribution import Contribution, concluded
from fhir_mappings.fhir_types import elements as lean
from fhir_mappings.fhir_types.decode import decode, readable_elements
from fhir_mappings.fhir_types.medication import MedicationAdministration
from fhir_mappings.fhir_types.questionnaire import QuestionnaireResponse
from fhir_mappings.fhir_types.validate import NOT_READ, Refused
from fhir_mappings.intake.gather import SOURCE_OF, RelevantResources
from fhir_mappings.intake.relevance import RelevantResource, Selector
from fhir_mappings.medications.administration import AdministrationContext, may_have_been, read_administration
from fhir_mappings.medications.parts import joined
from fhir_mappings.medications.references import Medications
from fhir_mappings.observations.observation import VOID_STATUS, ObservationReader
from fhir_mappings.observations.panels import Panels, contained_members
from fhir_mappings.observations.questionnaire_responses import read_response
from fhir_mappings.patients.by_patient import PatientResources, affects_of, sorted_by_patient
from fhir_mappings.patients.demographics import is_active
from fhir_mappings.patients.life import birth_and_death
from fhir_mappings.patients.placing import place_of
from fhir_mappings.patients.versions import Version, merge, ordered
from fhir_mappings.procedures import read_procedure
from fhir_mappings.settings import ReadSettings
from icans import record as charted
from icans.record import Birth, Death, Entry, Problem, Record

_Kind = TypeVar("_Kind", bound=Entry)
#: What a resource that cannot be used may have been; of administrations the drug decides.
_MAY_BE = {
    "Observation": ("assessment",),
    "QuestionnaireResponse": ("assessment",),
    "Procedure": ("infusion",),
    "Condition": (),
}


def records(
    gathered: RelevantResources,
    settings: ReadSettings,
    selector: Selector,
    wanted: str | None,
    always: bool = False,
) -> tuple[dict[str, Record], list[Problem]]:
    """One record a patient, and the problems that belong to none (see sorted_by_patient)."""
    found = sorted_by_patient(gathered, settings, wanted, always)
    medications = Medications(gathered.of("Medication", "Substance"))
    panels = Panels(gathered)
    incomplete = frozenset(gathered.incomplete | {SOURCE_OF[name] for name in found.foreign})
    made = {
        key: _Maker(own, settings, selector, medications, panels).record(key, incomplete)
        for key, own in sorted(found.by_patient.items())
    }
    foreign = [
        Problem("partial-data", "", "", _FOREIGN.format(name), known=settings.now, affects=affects)
        for name in sorted(found.foreign)
        if (affects := _affected_by(name))
    ]
    return made, [*found.loose, *medications.problems, *foreign]


_FOREIGN = "The answer to the search for {} held rows that are not this patient's; it may not be complete."


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
    found: Contribution = field(default_factory=Contribution)

    def __post_init__(self) -> None:
        self.observations = ObservationReader(self.settings, self.selector)
        self.administrations = AdministrationContext(self.settings, self.medications)

    def record(self, key: str, incomplete: frozenset[str]) -> Record:
        self.found.problems.extend(self.own.problems)
        for versions in self.own.resources.values():
            for version in versions:
                self._decode(version)
        self.observations.attributed = self.panels.attributed(self._observations(), self.selector)
        for name, versions in self.own.resources.items():
            if any(version.found is not None for version in versions):
                self._take(name, versions)
        self.found.entries, complaints = joined(self.found.entries)
        self.found.problems.extend(complaints)
        born, died = self._birth_and_death()
        self.found.entries.sort(key=_entry_order)
        return Record(
            patient=key,
            observed=self._all(charted.Observed),
            infusions=self._all(charted.Infusion),
            doses=self._all(charted.Dose),
            sedatives=self._all(charted.Sedative),
            escalations=self._all(charted.Escalation),
            crs_grades=self._all(charted.CrsGrade),
            death=died,
            birth=born,
            developmental_delay=self._delays(),
            incomplete=incomplete,
            refused=tuple(sorted(self.found.refused, key=_refused_order)),
            problems=tuple(sorted(set(self.found.problems), key=problem_order)),
        )

    def _all(self, kind: type[_Kind]) -> tuple[_Kind, ...]:
        return tuple([entry for entry in self.found.entries if isinstance(entry, kind)])

    def _decode(self, version: Version) -> None:
        """Takes what its bytes say into a version, or why they cannot be used."""
        found = version.found
        if found is None or version.deleted:
            return
        try:
            version.resource, faults = decode(found.type, found.raw)
        except Refused as refusal:
            version.refusal = version.refusal or Problem(
                "invalid-resource", found.reference, refusal.element, str(refusal), affects=affects_of(found)
            )
        except Exception as error:  # noqa: BLE001 - whatever goes wrong in one resource stays its own problem (L33)
            version.refusal = _unforeseen(found, error)
        else:
            listed = [
                Problem("invalid-resource", found.reference, fault.element, NOT_READ.format(fault.message))
                for fault in faults
            ]
            version.notes += tuple(listed)

    def _observations(self) -> Iterator[lean.Observation]:
        for versions in self.own.resources.values():
            for version in versions:
                if isinstance(version.resource, lean.Observation):
                    yield version.resource

    def _take(self, name: str, versions: list[Version]) -> None:
        if len(versions) == 1:
            contribution = self._contribution(versions[0])
        else:
            affects = next(affects_of(version.found) for version in versions if version.found is not None)
            contribution = merge(versions, name, self._contribution, affects)
        self.found.entries.extend(contribution.entries)
        self.found.problems.extend(contribution.problems)
        self.found.refused.extend(contribution.refused)

    def _contribution(self, version: Version) -> Contribution:
        """What one version contributes: the boundary that nothing escapes (L33)."""
        found = version.found
        if found is None or version.deleted:
            return Contribution()
        try:
            return self._concluded(version, found)
        except Exception as error:  # noqa: BLE001 - as above
            refused = Contribution(None, [], [_unforeseen(found, error)])
            may_be = ("dose",) if found.type == "MedicationAdministration" else _MAY_BE.get(found.type, ())
            return concluded(refused, found.reference, may_be, place_of(found.raw, self.settings))

    def _concluded(self, version: Version, found: RelevantResource) -> Contribution:
        resource = version.resource
        if version.refusal is not None or resource is None:
            contribution = Contribution(None, [], [version.refusal] if version.refusal else [])
            resource = readable_elements(found.type, found.raw)
        else:
            contribution = self._read(found, resource)
        contribution.problems.extend(version.notes)
        if version.partial and _lacks_what_decides(resource):
            message = "The server left out elements that decide (SUBSETTED)."
            contribution.problems.append(
                Problem("partial-data", found.reference, "meta.tag", message, affects=affects_of(found))
            )
        if contribution.entries and all(problem.at is not None for problem in contribution.problems):
            return contribution
        may_be, drug = ((), "") if version.foreign else self._may_be(found, resource)
        if version.refusal is not None and not may_be and not version.foreign:
            contribution.problems[:] = [_without_effect(problem) for problem in contribution.problems]
        place = place_of(found.raw, self.settings)
        return concluded(contribution, found.reference, may_be, place, drug)

    def _may_be(self, found: RelevantResource, resource: object) -> tuple[tuple[str, ...], str]:
        """What a resource may have been, and the drug as charted."""
        if isinstance(resource, MedicationAdministration):
            return may_have_been(resource, self.administrations)
        status = (getattr(resource, "status", None) or "").strip()
        if isinstance(resource, lean.Observation) and (status in VOID_STATUS or resource.focus):
            return (), ""
        if found.verdict is not None and found.verdict.assessment == "car-t-infusion":
            return ("infusion",), ""
        return _MAY_BE.get(found.type, ()), ""

    def _read(self, found: RelevantResource, resource: object) -> Contribution:
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
        members, lost = contained_members(observation)
        for identity, member in members:
            inner = self.observations.read(member, f"{found.reference}#{identity}", self.selector.verdict(member.code))
            contribution.entries.extend(inner.entries)
            contribution.problems.extend(inner.problems)
        unresolved = [*self.panels.unresolved(observation), *((None, f"#{identity}") for identity in lost)]
        contribution.problems.extend(_member_missing(found.reference, stated, contribution) for _, stated in unresolved)
        return contribution

    def _delays(self) -> bool:
        """Whether the last version of some Condition is a developmental delay that holds."""
        named = [[version for version in versions if not version.broken] for versions in self.own.resources.values()]
        lasts = [ordered(versions)[-1][-1].resource for versions in named if versions]
        return any(isinstance(last, lean.Condition) and is_active(last) for last in lasts)

    def _birth_and_death(self) -> tuple[Birth | None, Death | None]:
        patients: list[tuple[str, lean.Patient]] = []
        for versions in self.own.patients.values():
            for version in versions:
                self._decode(version)
                refusal = (version.refusal,) if version.refusal is not None else ()
                self.found.problems.extend((*version.notes, *refusal))
            readable = [version for version in versions if isinstance(version.resource, lean.Patient)]
            if readable:
                last = ordered(readable)[-1][-1]
                assert last.found is not None and isinstance(last.resource, lean.Patient)
                patients.append((last.found.reference, last.resource))
        born, died, problems = birth_and_death(patients, self.found, self.settings)
        self.found.problems.extend(problems)
        return born, died


def _unforeseen(found: RelevantResource, error: Exception) -> Problem:
    message = f"It cannot be read ({type(error).__name__})."
    return Problem("invalid-resource", found.reference, "", message, affects=affects_of(found))


def _affected_by(resource_type: str) -> tuple[str, ...]:
    return affects_of(RelevantResource(resource_type, None, b"", None))


def _without_effect(problem: Problem) -> Problem:
    """A resource that could not have changed anything is listed, and on no card."""
    return replace(problem, affects=())


def _lacks_what_decides(resource: Any) -> bool:
    """Whether an element is absent without which a copy of a resource says nothing (L11)."""
    times = ("effective_date_time", "effective_instant", "effective_period", "effective_timing")
    if isinstance(resource, lean.Observation):
        values = ("value_quantity", "value_codeable_concept", "value_string", "value_boolean", "value_integer",
                  "value_range", "data_absent_reason", "component", "has_member")  # fmt: skip
        needed = [("status",), ("subject",), times, values]
        return not (resource.code.pairs or resource.code.texts) or not _has_each(resource, needed)
    if isinstance(resource, MedicationAdministration):
        drugs = ("medication_codeable_concept", "medication_reference", "medication")
        given = (times[0], times[2], "occurence_date_time", "occurence_period", "occurence_timing")
        return not _has_each(resource, [("status",), ("subject",), ("dosage",), drugs, given])
    return False


def _has_each(resource: object, needed: Iterable[tuple[str, ...]]) -> bool:
    return all(any(getattr(resource, name) not in (None, ()) for name in names) for names in needed)


def _member_missing(reference: str, stated: str, contribution: Contribution) -> Problem:
    message = f"Its member {stated} is not in the input."
    return Problem(
        "reference-unresolved", reference, "hasMember", message, known=contribution.known, affects=("grade",)
    )


def _entry_order(entry: Entry) -> tuple[datetime, str, str, str, datetime]:
    return entry.at, entry.reference, entry.element, entry.shown, entry.known


def _refused_order(refused: charted.Refused) -> tuple[str, str, str]:
    return str(refused.at), refused.reference, str(refused.known)


def problem_order(problem: Problem) -> tuple[str, str, str, str, str]:
    """An order of problems that does not depend on that of the input."""
    return problem.reference, problem.element, problem.code, problem.message, str(problem.known)
