"""Which resources matter, decided on a few elements of each, before anything is read in full."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import msgspec

from fhir_mappings.fhir_types import elements as lean
from fhir_mappings.fhir_types import questionnaire as questionnaires
from fhir_mappings.fhir_types.json_text import RepeatedKeys, decoded
from fhir_mappings.fhir_types.validate import Refused
from fhir_mappings.intake.bundles import RawResource
from fhir_mappings.terminology import systems as canonical
from fhir_mappings.terminology.lookup import LONGEST_REMEMBERED, ConflictingCodings, Terminology, length_of

#: Type and id at the end of a reference, relative or absolute, of any version.
TYPED_REFERENCE = re.compile(r"(?:^|/)([A-Z][A-Za-z]+)/([A-Za-z0-9\-._]{1,128})(?:/_history/[^/]+)?$")
_NOTHING = msgspec.Raw(b"")
#: Codes repeat over a patient's resources; what has been decided for the bytes of one is kept.
_REMEMBERED = 4096
_LONGEST_REMEMBERED = 8192
#: Types that are read as a whole, whatever their code.
READ_WHOLE = frozenset({"Patient", "Medication", "Substance", "OperationOutcome", "Bundle"})


class CodeVerdict(msgspec.Struct, frozen=True, gc=False):
    """What a code element means here.

    assessment: the project's code for it. conflicting: the codes that its codings mean, where they differ.
    looks_relevant: whether its codes or words look as if it mattered. matters: whether any of these holds.
    says_something: whether it holds any code or words.
    """

    assessment: str | None = None
    conflicting: tuple[str, ...] = ()
    looks_relevant: bool = False
    pairs: tuple[tuple[str | None, str | None], ...] = ()
    matters: bool = False
    says_something: bool = True


class ComponentProbe(msgspec.Struct, frozen=True, gc=False):
    code: msgspec.Raw = _NOTHING


class Probe(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """The elements that decide whether a resource is read, and whose it is."""

    resource_type: str
    id: str | None = None
    code: msgspec.Raw = _NOTHING
    subject: msgspec.Raw = _NOTHING
    component: tuple[ComponentProbe, ...] | None = None
    contained: msgspec.Raw = _NOTHING
    medication_codeable_concept: msgspec.Raw = _NOTHING


class _Loosely(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """The same of a resource of which some are not what they should be."""

    resource_type: msgspec.Raw = _NOTHING
    id: msgspec.Raw = _NOTHING
    code: msgspec.Raw = _NOTHING
    subject: msgspec.Raw = _NOTHING
    component: msgspec.Raw = _NOTHING
    contained: msgspec.Raw = _NOTHING
    medication_codeable_concept: msgspec.Raw = _NOTHING


class RelevantResource(msgspec.Struct, frozen=True, gc=False):
    """One resource that matters. searched: a search for codes brought it, whatever can be read of its own."""

    type: str
    id: str | None
    raw: bytes
    full_url: str | None
    verdict: CodeVerdict | None = None
    searched: bool = False

    @property
    def reference(self) -> str:
        """How the resource is named: Type/id, else its fullUrl, else its type and a digest of its text."""
        if self.id:
            return f"{self.type}/{self.id}"
        return self.full_url or f"{self.type}#{hashlib.sha256(self.raw).hexdigest()[:12]}"


_PROBE = msgspec.json.Decoder(Probe)
_LOOSELY = msgspec.json.Decoder(_Loosely)
_COMPONENTS = msgspec.json.Decoder(tuple[ComponentProbe, ...])
_CONCEPT = msgspec.json.Decoder(lean.CodeableConcept)


def probe(part: RawResource) -> Probe:
    """The deciding elements, as far as they are what they should be; raises Refused if it has no type."""
    try:
        return _PROBE.decode(part.raw)
    except msgspec.ValidationError:
        pass
    try:
        loosely = _LOOSELY.decode(part.raw)
    except msgspec.ValidationError as error:
        raise Refused("The resource is not a JSON object.") from error
    resource_type = _text(loosely.resource_type)
    if not resource_type:
        raise Refused("The resource has no resourceType.")
    components = _each(loosely.component)
    return Probe(
        resource_type,
        _text(loosely.id),
        loosely.code,
        loosely.subject,
        components,
        loosely.contained,
        loosely.medication_codeable_concept,
    )


def _text(raw: msgspec.Raw) -> str | None:
    try:
        return msgspec.json.decode(raw, type=str) if raw else None
    except msgspec.ValidationError:
        return None


class Selector:
    """Decides by a site's terminology, and remembers what it has decided."""

    def __init__(self, terminology: Terminology) -> None:
        self.terminology = terminology
        self._codes: dict[bytes, CodeVerdict] = {}
        self._concepts: dict[lean.CodeableConcept, CodeVerdict] = {}
        self._drugs: dict[bytes, bool] = {}

    def found(self, part: RawResource, seen: Probe, searched: bool = False) -> RelevantResource | None:
        """The resource if it matters, None if it does not. searched: a search for codes brought it, so that
        one without a readable code matters too: its reading says why it cannot be used."""
        resource_type = seen.resource_type
        verdict: CodeVerdict | None = None
        if resource_type == "Observation":
            verdict = self.code(seen.code)
            wanted = self._observation_wanted(seen, verdict)
        elif resource_type == "MedicationAdministration":
            wanted = self._administration_wanted(seen)
        elif resource_type in ("Procedure", "Condition"):
            verdict = self.code(seen.code)
            wanted = self._event_wanted(resource_type, verdict)
        elif resource_type == "QuestionnaireResponse":
            wanted = self._response_wanted(bytes(part.raw))
        else:
            wanted = resource_type in READ_WHOLE
        searched = searched and verdict is not None and not verdict.says_something
        raw = bytes(part.raw)
        if not wanted and not searched and not _hides_something(resource_type, raw, seen):
            return None
        return RelevantResource(resource_type, seen.id, raw, part.full_url, verdict, searched)

    def code(self, raw: msgspec.Raw) -> CodeVerdict:
        """What a CodeableConcept of an Observation, Procedure or Condition means."""
        key = bytes(raw)
        known = self._codes.get(key)
        if known is None:
            known = self._judge(_concept(key))
            if len(key) <= _LONGEST_REMEMBERED:
                _remember(self._codes, key, known)
        return known

    def verdict(self, concept: lean.CodeableConcept) -> CodeVerdict:
        """The same of a decoded one."""
        known = self._concepts.get(concept)
        if known is None:
            known = self._judge(concept)
            if length_of(known.pairs, concept.texts) <= LONGEST_REMEMBERED:
                _remember(self._concepts, concept, known)
        return known

    def _judge(self, concept: lean.CodeableConcept) -> CodeVerdict:
        pairs = tuple(concept.pairs)
        looks_relevant = self.terminology.looks_relevant(concept.texts, "assessment", pairs)
        assessment: str | None = None
        conflicting: tuple[str, ...] = ()
        try:
            assessment = self.terminology.assessment(pairs)
        except ConflictingCodings as conflict:
            conflicting = conflict.codes
        matters = assessment is not None or bool(conflicting) or looks_relevant
        says_something = any(code for _, code in pairs) or bool(concept.texts)
        return CodeVerdict(assessment, conflicting, looks_relevant, pairs, matters, says_something)

    def _observation_wanted(self, seen: Probe, verdict: CodeVerdict) -> bool:
        if verdict.matters:
            return True
        for component in seen.component or ():
            if self.code(component.code).matters:
                return True
        return bool(seen.contained) and any(self.code(part.code).matters for part in _each(seen.contained))

    def _administration_wanted(self, seen: Probe) -> bool:
        """A drug that is named by reference is decided when the reference has been followed."""
        key = bytes(seen.medication_codeable_concept)
        if not key or seen.contained:
            return True
        known = self._drugs.get(key)
        if known is None:
            concept = _concept(key)
            known = self._drug_wanted(concept)
            if len(key) <= _LONGEST_REMEMBERED:
                _remember(self._drugs, key, known)
        return known

    def _drug_wanted(self, concept: lean.CodeableConcept) -> bool:
        named = concept.texts or any(code and not canonical.is_absent(system) for system, code in concept.pairs)
        return not named or self.terminology.drug_matters(concept.pairs, concept.texts)

    def _event_wanted(self, resource_type: str, verdict: CodeVerdict) -> bool:
        if resource_type == "Condition":
            return self.terminology.developmental_delay(verdict.pairs)
        return verdict.matters or self.terminology.infusion_procedure(verdict.pairs)

    def _response_wanted(self, raw: bytes) -> bool:
        """Whether a QuestionnaireResponse asks for something that is read; one that cannot be decoded, if it
        names an assessment."""
        try:
            response = questionnaires.DECODER.decode(raw)
            return any(self.verdict(concept).matters for concept, _ in questionnaires.items_of(response))
        except msgspec.MsgspecError:
            codes = self.terminology.tables.code_systems[canonical.ASSESSMENT]
            return any(f'"{code}"'.encode() in raw for code in codes)


def patient_key(found: RelevantResource) -> str | None:
    """``Patient/ID`` of a Patient resource; None if nothing names it."""
    if found.id:
        return f"Patient/{found.id}"
    if found.full_url is None:
        return None
    typed = TYPED_REFERENCE.search(found.full_url)
    return f"Patient/{typed[2] if typed else found.full_url.rpartition(':')[2]}"


_CODE = (b'"code":{', b'"code": {')
_DRUG = (b'"medicationCodeableConcept":', b'"medicationCodeableConcept" ')
#: What the element that decides about a type begins with, in the usual ways to write JSON.
_DECIDING_KEYS = {
    "Observation": _CODE,
    "Procedure": _CODE,
    "Condition": _CODE,
    "MedicationAdministration": _DRUG,
}
_TYPE = (b'"resourceType":', b'"resourceType" ')


def _hides_something(resource_type: str, raw: bytes, seen: Probe) -> bool:
    """Whether a resource that seems irrelevant may name its deciding element twice.

    Refused when it is read; a cheap count tells that almost none needs the full check.
    """
    one, other = _DECIDING_KEYS.get(resource_type, _TYPE)
    counted = raw.count(one) + raw.count(other)
    if counted == 1 + len(seen.component or ()) or counted == 0:
        return False
    try:
        document = decoded(raw)
    except ValueError:
        return False
    deciding = {"resourceType", "code", "medicationCodeableConcept"}
    return isinstance(document, RepeatedKeys) and not deciding.isdisjoint(document.repeated)


def _each(raw: msgspec.Raw) -> tuple[ComponentProbe, ...]:
    """The codes of components or contained resources; what is no object in their list is passed over."""
    try:
        return _COMPONENTS.decode(raw) if raw else ()
    except msgspec.ValidationError:
        listed = _anything(raw)
        return _objects(listed) if isinstance(listed, list) else ()


def _objects(listed: list[Any]) -> tuple[ComponentProbe, ...]:
    objects = [each for each in listed if isinstance(each, dict)]
    return _COMPONENTS.decode(msgspec.json.encode(objects))


def _concept(raw: bytes) -> lean.CodeableConcept:
    try:
        return _CONCEPT.decode(raw) if raw else lean.CodeableConcept()
    except msgspec.ValidationError:
        return _loose_concept(raw)


def _loose_concept(raw: bytes) -> lean.CodeableConcept:
    """Whatever an element that is no CodeableConcept holds of codes and words: if these matter, its reading
    says why it cannot be used."""
    codings: list[lean.Coding] = []
    pending: list[Any] = [_anything(raw)]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            system, code = value.get("system"), value.get("code")
            if isinstance(system, str) and isinstance(code, str):
                codings.append(lean.Coding(system=system, code=code))
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
        elif isinstance(value, str):
            codings.append(lean.Coding(display=value))
    return lean.CodeableConcept(coding=tuple(codings))


def _anything(raw: bytes) -> Any:
    try:
        return decoded(raw)
    except ValueError:
        return None


def _remember(memory: dict[Any, Any], key: object, value: object) -> None:
    if len(memory) >= _REMEMBERED:
        memory.clear()
    memory[key] = value
