"""QuestionnaireResponse to entries: each answered item is read as an Observation of that code would be.

It was assessed, and became known, when the response was authored.
"""

from __future__ import annotations

from dataclasses import replace

from fhir_mappings.contribution import Contribution
from fhir_mappings.fhir_types import elements as lean
from fhir_mappings.fhir_types.questionnaire import QuestionnaireResponse, items_of
from fhir_mappings.observations.observation import ObservationReader

#: The status of an Observation that a response represents; others are no finished form and keep their name.
_STATUS = {"completed": "final", "amended": "amended", "entered-in-error": "entered-in-error"}


def read_response(response: QuestionnaireResponse, reference: str, reader: ObservationReader) -> Contribution:
    """Entries and problems of one version of a response."""
    asked = list(items_of(response))
    status = (response.status or "").strip()
    observation = lean.Observation(
        status=_STATUS.get(status, status),
        code=lean.CodeableConcept(),
        effective_date_time=response.authored,
        issued=response.authored,
        component=tuple(_component(concept, valued) for concept, valued in asked),
        modifier_extension=response.modifier_extension,
    )
    read = reader.read(observation, reference, reader.selector.verdict(observation.code))
    places = {f"component[{index}]": _place(concept) for index, (concept, _) in enumerate(asked)}
    places |= {"effectiveDateTime": "authored", "effective[x]": "authored"}
    read.entries[:] = [replace(entry, element=_placed(entry.element, places)) for entry in read.entries]
    read.problems[:] = [replace(problem, element=_placed(problem.element, places)) for problem in read.problems]
    return read


def _component(concept: lean.CodeableConcept, valued: lean.Valued) -> lean.Component:
    return lean.Component(
        code=concept,
        value_quantity=valued.value_quantity,
        value_codeable_concept=valued.value_codeable_concept,
        value_string=valued.value_string,
        value_boolean=valued.value_boolean,
        value_integer=valued.value_integer,
    )


def _place(concept: lean.CodeableConcept) -> str:
    codes = [code for _, code in concept.pairs if code]
    return f"item.where(linkId='{codes[-1]}').answer" if codes else "item.answer"


def _placed(element: str, places: dict[str, str]) -> str:
    head, _, rest = element.partition(".")
    return f"{places.get(head, head)}.{rest}" if rest else places.get(head, head)
