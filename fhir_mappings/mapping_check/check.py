"""Which codes and units of some data are understood, which look relevant and are not, which are irrelevant.

The same look-ups that read a record are asked here about everything that is charted, relevant or not, one
resource at a time, and nothing but counted rows is kept. What matters is also judged by fhir.resources.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from fhir_mappings.fhir_types import elements as lean
from fhir_mappings.fhir_types.medication import ADMINISTRATION, MEDICATION
from fhir_mappings.fhir_types.questionnaire import QuestionnaireResponse, items_of
from fhir_mappings.fhir_types.validate import Refused, all_faults
from fhir_mappings.intake.bundles import Contents, NotFhir, RawResource, Source, bundle_contents, contents
from fhir_mappings.intake.relevance import Selector, probe
from fhir_mappings.mapping_check.administrations import AdministrationCheck
from fhir_mappings.mapping_check.observations import ObservationCheck
from fhir_mappings.mapping_check.report import (
    IRRELEVANT,
    LOOKS_RELEVANT,
    REFUSED,
    UNDERSTOOD,
    CodedItem,
    CodedItems,
    Report,
    named_by,
    only_local,
)
from fhir_mappings.settings import ReadSettings
from fhir_mappings.terminology.lookup import Terminology
from fhir_mappings.times import When, parse_when

_OBSERVATION = msgspec.json.Decoder(lean.Observation)
_PROCEDURE = msgspec.json.Decoder(lean.Procedure)
_CONDITION = msgspec.json.Decoder(lean.Condition)
_RESPONSE = msgspec.json.Decoder(QuestionnaireResponse)


class _Wrapper(msgspec.Struct, frozen=True, gc=False):
    """A captured response: the FHIR is in its body."""

    body: msgspec.Raw


class _Timed(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """Where a resource may say when it happened."""

    effective_date_time: str | None = None
    effective_instant: str | None = None
    effective_period: lean.Period | None = None
    performed_date_time: str | None = None
    performed_period: lean.Period | None = None
    occurrence_date_time: str | None = None
    occurrence_period: lean.Period | None = None
    occurence_date_time: str | None = None
    occurence_period: lean.Period | None = None
    authored: str | None = None
    recorded_date: str | None = None


_WRAPPER = msgspec.json.Decoder(_Wrapper)
_TIMED = msgspec.json.Decoder(_Timed)


class MappingCheck:
    """Takes inputs one after the other; ``report`` is what was found so far."""

    def __init__(self, terminology: Terminology) -> None:
        self.report = Report(terminology.label)
        self._terminology = terminology
        self._settings = ReadSettings(terminology)
        self._selector = Selector(terminology)
        self._observations = ObservationCheck(self._settings, self._selector)
        self._administrations = AdministrationCheck(self._settings)

    def take(self, source: Source) -> None:
        """Notes all that one input holds; a wrapper around a FHIR body is opened. Raises NotFhir."""
        try:
            content = contents(source)
        except NotFhir as refusal:
            content = _body_contents(source, refusal)
        self._take(content)

    def _take(self, content: Contents) -> None:
        parts = [part for part in content.parts if part.deleted is None]
        # Medications first: the administrations of the same input refer to them.
        for first in (True, False):
            for part in parts:
                if (b'"Medication"' in bytes(part.raw)) == first:
                    self._take_part(part)

    def _take_part(self, part: RawResource) -> None:
        try:
            seen = probe(part)
        except Refused as refusal:
            self._refused("", part.place, str(refusal))
            return
        kind = str(seen.resource_type)
        reference = f"{kind}/{seen.id}" if seen.id else part.full_url or kind
        if kind == "Bundle":
            try:
                self._take(bundle_contents(part.raw, f"{part.place}."))
            except (msgspec.ValidationError, Refused) as error:
                self._refused(kind, reference, str(error))
            return
        self.report.resources[kind] += 1
        try:
            noted = self._noted(kind, part)
        except (msgspec.MsgspecError, RecursionError) as error:
            if self._selector.found(part, seen) is not None:
                self._refused(kind, reference, f"It is not readable ({error}).")
            return
        at = _when(part, self._settings)
        for item in noted:
            self.report.note(item, reference, at)
        if any(item.verdict in (UNDERSTOOD, LOOKS_RELEVANT) for item in noted):
            self._judge(kind, reference, part)

    def _noted(self, kind: str, part: RawResource) -> CodedItems:
        if kind == "Observation":
            return self._observations.noted(_OBSERVATION.decode(part.raw))
        if kind == "MedicationAdministration":
            return self._administrations.noted(ADMINISTRATION.decode(part.raw))
        if kind == "Medication":
            return self._administrations.medication(MEDICATION.decode(part.raw), part.full_url)
        if kind == "Procedure":
            return [self._procedure(_PROCEDURE.decode(part.raw).code)]
        if kind == "Condition":
            return [self._condition(_CONDITION.decode(part.raw).code)]
        if kind == "QuestionnaireResponse":
            return self._observations.questions(items_of(_RESPONSE.decode(part.raw)))
        return []

    def _procedure(self, concept: lean.CodeableConcept | None) -> CodedItem:
        concept = concept or lean.CodeableConcept()
        terminology = self._terminology
        understood = [pair for pair in concept.pairs if terminology.infusion_procedure([pair])]
        if understood:
            return named_by("procedure", concept, UNDERSTOOD, understood[0], meaning="car-t-infusion")
        if terminology.looks_relevant(concept.texts, "assessment", concept.pairs) or self._observations.meant(
            "procedure", concept.texts
        ):
            return self._observations.unmapped("procedure", concept, LOOKS_RELEVANT, "the infusion is not found by it")
        if only_local(concept):
            return self._observations.unmapped("procedure", concept, IRRELEVANT, "nothing, unless it is the infusion")
        return named_by("procedure", concept, IRRELEVANT)

    def _condition(self, concept: lean.CodeableConcept | None) -> CodedItem:
        concept = concept or lean.CodeableConcept()
        delayed = [pair for pair in concept.pairs if self._terminology.developmental_delay([pair])]
        if delayed:
            return named_by("condition", concept, UNDERSTOOD, delayed[0], meaning="developmental-delay")
        return named_by("condition", concept, IRRELEVANT)

    def _judge(self, kind: str, reference: str, part: RawResource) -> None:
        for fault in all_faults(bytes(part.raw)):
            self._refused(kind, reference, f"It is not a valid {kind}: {fault.message}")

    def _refused(self, kind: str, reference: str, why: str) -> None:
        item = CodedItem(
            "resource",
            REFUSED,
            display=why[:200],
            meaning=kind,
            lost="the whole resource is not used",
            map_to="nothing: correct it at its source",
        )
        self.report.note(item, reference, None)


def check(sources: Iterable[Source], terminology: Terminology) -> Report:
    """The report over inputs that are all FHIR; raises NotFhir for the first that is not."""
    checking = MappingCheck(terminology)
    for source in sources:
        checking.take(source)
    return checking.report


def _body_contents(source: Source, refusal: NotFhir) -> Contents:
    if refusal.place != "body":
        raise refusal
    try:
        body = bytes(_WRAPPER.decode(source.data.removeprefix(b"\xef\xbb\xbf")).body)
    except msgspec.MsgspecError:
        raise refusal from None
    return contents(Source(source.name, body))


def _when(part: RawResource, settings: ReadSettings) -> datetime | None:
    """The first instant at which it may have happened, None if it does not say."""
    try:
        timed = _TIMED.decode(part.raw)
    except msgspec.MsgspecError:
        return None
    for name in timed.__struct_fields__:
        charted = getattr(timed, name)
        if isinstance(charted, lean.Period):
            charted = charted.start or charted.end
        when = parse_when(charted, settings) if charted else None
        if isinstance(when, When):
            return when.earliest
    return None
