"""Observations and questionnaire answers, looked at for what of them is understood."""

from __future__ import annotations

from collections.abc import Iterable

from fhir_mappings.fhir_types import elements as lean
from fhir_mappings.intake.relevance import Selector
from fhir_mappings.mapping_check.hints import hint
from fhir_mappings.mapping_check.proposals import Proposals
from fhir_mappings.mapping_check.report import (
    IRRELEVANT,
    LOOKS_RELEVANT,
    UNDERSTOOD,
    CodedItem,
    CodedItems,
    mappable,
    named_by,
    only_local,
    unit_of,
    what_it_may_be,
)
from fhir_mappings.observations.values import (
    LONGEST_ANSWER,
    Unusable,
    answer_of,
    is_ucum,
    number_of,
    plain_number,
    shown_text,
)
from fhir_mappings.settings import ReadSettings
from fhir_mappings.terminology import systems as canonical
from fhir_mappings.terminology.drug_names import words
from fhir_mappings.terminology.lookup import ConflictingCodings

_ANSWERS = (canonical.FINDING, canonical.SCORE, canonical.NOT_ASSESSED)
_NOT_READ = "the assessment is not read, no grade follows from it"
_CODED = frozenset({"consciousness", "seizure", "motor", "icp-edema", "attribution"})
_WITHOUT_POINTS = _CODED | {"seizure-duration", "car-t-infusion"}
_INFUSED = frozenset({"infusion", "infused", "infuse", "reinfusion", "transfusion", "administration", "administered"})
#: Of these no answer is read, coded or in words.
_WITHOUT_ANSWER = frozenset({"seizure-duration", "car-t-infusion", "documented-crs-grade"})
_DURATION_UNITS = ("s", "min", "h")


class ObservationCheck:
    """Says of an Observation what its code, its components, its values and units are here."""

    def __init__(self, settings: ReadSettings, selector: Selector) -> None:
        self._terminology = settings.terminology
        self._proposals = Proposals(settings.terminology)
        self._selector = selector

    def noted(self, observation: lean.Observation) -> CodedItems:
        found = self._named("observation", observation.code, observation)
        for component in observation.component or ():
            found.extend(self._named("observation", component.code, component))
        return found

    def questions(self, items: Iterable[tuple[lean.CodeableConcept, lean.Valued]]) -> CodedItems:
        """The same of the answers of a form."""
        return [item for asked, valued in items for item in self._named("question", self._own(asked), valued)]

    def _own(self, asked: lean.CodeableConcept) -> lean.CodeableConcept:
        """What a form's item asks, without the linkId as a code of the project where it is none."""
        own = self._terminology.tables.code_systems[canonical.ASSESSMENT]
        kept = [c for c in asked.coding or () if c.system != canonical.ASSESSMENT or c.code in own]
        return lean.CodeableConcept(coding=tuple(kept), text=asked.text)

    def meant(self, kind: str, texts: list[str]) -> str | None:
        """The icans-assessment code that a name hints at by its words, or by a product and an infusion of it."""
        found = hint(texts)
        if kind == "procedure" and found != "car-t-infusion":
            return "car-t-infusion" if self._proposals.cells(texts) else None
        infused = any(not _INFUSED.isdisjoint(words(text)) for text in texts)
        return found or ("car-t-infusion" if infused and self._proposals.cells(texts) else None)

    def unmapped(self, kind: str, concept: lean.CodeableConcept, verdict: str, lost: str) -> CodedItem:
        """A code that looks relevant, or may be, with what to map it to."""
        targets = (canonical.ASSESSMENT,) if mappable(concept)[1] else ()
        meant = self.meant(kind, concept.texts)
        proposal = f"icans-assessment|{meant}" if meant and targets else ""
        map_to = what_it_may_be(proposal, "the icans-assessment code that it means")
        if not targets:
            map_to = "nothing: it has no code; chart it with one"
        return named_by(kind, concept, verdict, lost=lost, map_to=map_to, targets=targets, proposal=proposal)

    def _named(self, kind: str, concept: lean.CodeableConcept, valued: lean.Valued) -> CodedItems:
        verdict = self._selector.verdict(concept)
        if verdict.conflicting:
            lost = f"its codings mean different things ({', '.join(verdict.conflicting)}), so that none is used"
            return [named_by(kind, concept, LOOKS_RELEVANT, lost=lost, map_to="one meaning: correct one of the maps")]
        if verdict.assessment is not None:
            pair = next(pair for pair in concept.pairs if self._meaning(pair) == verdict.assessment)
            named = named_by(kind, concept, UNDERSTOOD, pair, meaning=verdict.assessment)
            return [named, *self._values(verdict.assessment, valued)]
        meant = self.meant(kind, concept.texts)
        relevant = verdict.looks_relevant or meant is not None
        if relevant:
            named = self.unmapped(kind, concept, LOOKS_RELEVANT, _NOT_READ)
        elif only_local(concept):
            named = self.unmapped(kind, concept, IRRELEVANT, "nothing, unless it is an assessment by another name")
        else:
            named = named_by(kind, concept, IRRELEVANT)
        return [named, *self._unknown_values(valued, named.verdict, meant, bool(named.targets))]

    def _meaning(self, pair: tuple[str | None, str | None]) -> str | None:
        try:
            return self._terminology.assessment([pair])
        except ConflictingCodings:
            return None

    def _unknown_values(self, valued: lean.Valued, verdict: str, meant: str | None, may_be_mapped: bool) -> CodedItems:
        """Answers and units of something that is not read."""
        found: CodedItems = []
        answer = answer_of(valued, "", numbers=True)
        # Words under a question that nothing hints at are more likely a note than an answer.
        if answer is not None and may_be_mapped and (verdict == LOOKS_RELEVANT or valued.value_string is None):
            lost = "the answer is not read either"
            found.append(self._unmapped_answer(answer[0], verdict, _targets(meant), lost, meant))
        reason = valued.data_absent_reason
        if reason is not None and may_be_mapped and not self._terminology.absent(reason.pairs):
            lost = "why it was not assessed is not read either"
            found.append(self._unmapped_answer(reason, verdict, (canonical.NOT_ASSESSED,), lost, meant, "reason"))
        quantity = valued.value_quantity
        if quantity is not None and (quantity.unit or quantity.code):
            found.append(unit_of(quantity, IRRELEVANT))
        return found

    def _values(self, assessment: str, valued: lean.Valued) -> CodedItems:
        found: CodedItems = []
        if valued.data_absent_reason is not None:
            found.append(self._reason(valued.data_absent_reason, assessment))
        if assessment in _WITHOUT_ANSWER:
            return [*found, *_duration(valued.value_quantity)] if assessment == "seizure-duration" else found
        answer = answer_of(valued, "", numbers=assessment not in _WITHOUT_POINTS)
        if answer is not None:
            found.append(self._answer(answer[0], assessment))
        elif assessment not in _WITHOUT_POINTS and valued.value_range is None:
            found.extend(_number(valued, assessment))
        return found

    def _answer(self, answer: lean.CodeableConcept, assessment: str) -> CodedItem:
        for pair in [*answer.pairs, *_named(answer)]:
            meaning = self._answer_meaning(pair, assessment)
            if meaning is not None:
                return named_by("answer", answer, UNDERSTOOD, pair, meaning=f"{assessment} {meaning}")
        target = canonical.SCORE if assessment not in _WITHOUT_POINTS else canonical.FINDING
        lost = f"the {assessment} is not read"
        return self._unmapped_answer(answer, LOOKS_RELEVANT, (target, canonical.NOT_ASSESSED), lost, assessment)

    def _answer_meaning(self, pair: tuple[str | None, str | None], assessment: str) -> str | None:
        terminology = self._terminology
        try:
            if assessment not in _WITHOUT_POINTS:
                points = terminology.score(assessment, [pair])
                found = None if points is None else str(points)
            else:
                found = terminology.finding(assessment, [pair])
            return found or terminology.not_assessed([pair], assessment=assessment)
        except ConflictingCodings:
            return None

    def _reason(self, reason: lean.CodeableConcept, assessment: str) -> CodedItem:
        for pair in [*reason.pairs, *_named(reason)]:
            try:
                meaning = self._terminology.not_assessed([pair], assessment=assessment)
            except ConflictingCodings:
                continue
            if meaning is not None or self._terminology.absent([pair]):
                return named_by("reason", reason, UNDERSTOOD, pair, meaning=meaning or "missing")
        lost = f"why the {assessment} was not assessed is unknown; it counts as missing"
        return self._unmapped_answer(reason, LOOKS_RELEVANT, (canonical.NOT_ASSESSED,), lost, assessment, "reason")

    def _unmapped_answer(
        self,
        answer: lean.CodeableConcept,
        verdict: str,
        targets: tuple[str, ...],
        lost: str,
        assessment: str | None,
        kind: str = "answer",
    ) -> CodedItem:
        text = shown_text(answer).strip()
        named = mappable(answer)[1] is None
        if named and not 0 < len(text) <= LONGEST_ANSWER:
            told = f"nothing: it has no code, and its text {'is a note' if text else 'is missing'}; chart it coded"
            return CodedItem(kind, verdict, display="text" if text else "none", lost=lost, map_to=told)
        proposal = self._proposals.answer(text, assessment, targets)
        names = " or ".join(target.rpartition("/")[2] for target in targets)
        return named_by(
            kind,
            answer,
            verdict,
            next(iter(_named(answer)), None) if named else None,
            lost=lost,
            map_to=what_it_may_be(proposal, f"a code of {names}"),
            targets=targets,
            proposal=proposal,
        )


def _targets(meant: str | None) -> tuple[str, ...]:
    """What an answer to a question may mean; all there is, if it cannot be guessed what the question is."""
    if meant is None or meant == "car-t-infusion":
        return _ANSWERS
    return (canonical.FINDING if meant in _CODED else canonical.SCORE, canonical.NOT_ASSESSED)


def _named(answer: lean.CodeableConcept) -> list[tuple[str | None, str | None]]:
    """What an answer is in words, as codes that a site may map."""
    return [(canonical.ANSWER_NAME, canonical.answer_name(text)) for text in answer.texts if text.strip()]


def _number(valued: lean.Valued, assessment: str) -> CodedItems:
    """The unit of a score, or why no number can be read of it."""
    quantity = valued.value_quantity
    try:
        if quantity is not None:
            plain_number(quantity, "valueQuantity")
            return [unit_of(quantity, UNDERSTOOD, meaning="a score")] if quantity.unit or quantity.code else []
        if valued.value_string is not None:
            number_of(valued, "")
    except Unusable as unusable:
        lost = f"the {assessment} is not read"
        if unusable.code == "unit-unknown" and quantity is not None:
            return [unit_of(quantity, LOOKS_RELEVANT, lost=lost, map_to="nothing: chart a score without a unit")]
        told = "nothing: chart it as a number or coded"
        return [CodedItem("value", LOOKS_RELEVANT, display="not a number", lost=lost, map_to=told)]
    return []


def _duration(quantity: lean.Quantity | None) -> CodedItems:
    if quantity is None:
        return []
    unit = (quantity.code if is_ucum(quantity) else None) or quantity.code or quantity.unit
    if unit in _DURATION_UNITS:
        return [unit_of(quantity, UNDERSTOOD, meaning="a duration")]
    lost = "the duration of the seizure is not read"
    return [unit_of(quantity, LOOKS_RELEVANT, lost=lost, map_to="nothing: chart it in s or min")]
