"""The CDS services of this project: one row each, which discovery advertises and the hooks are checked against."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One CDS service. context: the members of the hook's context that CDS Hooks requires, all texts."""

    id: str
    hook: str
    title: str
    description: str
    context: tuple[str, ...]


SERVICES = {
    service.id: service
    for service in (
        Service(
            id="icans-patient-view",
            hook="patient-view",
            title="ICANS after CAR-T: grade and course from charted findings",
            description=(
                "Grades charted findings (ICE, consciousness, documented grades) of a patient after CAR-T infusion by "
                "ASTCT 2019 and shows what holds now: grade changes, active ICANS, possible changes and what is "
                "missing. Absence of a card does not mean absence of ICANS."
            ),
            context=("userId", "patientId"),
        ),
    )
}

#: Prefetch keys besides the observations, and their templates (CDS Hooks 2.0.1, restricted query subset).
PREFETCH = {
    "patient": "Patient/{{context.patientId}}",
    "medicationAdministrations": "MedicationAdministration?patient={{context.patientId}}&_count=1000",
    "conditions": "Condition?patient={{context.patientId}}",
}
OBSERVATIONS = "Observation?patient={{context.patientId}}&code=CODES&_sort=-date&_count=1000"
PROCEDURES = "Procedure?patient={{context.patientId}}&code=CODES"
#: Longest template published; a longer list of codes is split over ``observations``, ``observations2``, ...
LONGEST_TEMPLATE = 2000

USAGE_REQUIREMENTS = (
    "Needs the charted observations (key observations), by prefetch or from fhirServer; without them status "
    "412 is answered. What the absence of another key costs is shown on the cards."
)
