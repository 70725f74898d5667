"""What one Observation charts, as entries: scores, coded findings, reasons for not assessing, the infusion."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from fhir_mappings.contribution import Contribution
from fhir_mappings.fhir_types import elements as lean
from fhir_mappings.intake.relevance import CodeVerdict, Selector
from fhir_mappings.observations.values import (
    LARGEST_EXPONENT,
    LONGEST_ANSWER,
    Unusable,
    answer_of,
    as_charted,
    has_value,
    is_ucum,
    number_of,
    plain_number,
    score_within,
    shown_text,
)
from fhir_mappings.settings import ReadSettings
from fhir_mappings.terminology.lookup import ConflictingCodings, Terminology
from fhir_mappings.times import EARLIEST_INFUSION, When
from icans.record import (
    CAPD_MAXIMUM,
    CONSCIOUSNESS_LEVELS,
    ICE_ITEM_POINTS,
    ICE_MAXIMUM,
    ICP_EDEMA_FINDINGS,
    MOTOR_FINDINGS,
    SEIZURE_FINDINGS,
    Capd,
    Consciousness,
    CrsGrade,
    DocumentedGrade,
    Entry,
    GcsEye,
    IceItem,
    IceTotal,
    IcpEdema,
    Infusion,
    Motor,
    NotAssessed,
    Observed,
    Problem,
    Rass,
    Seizure,
)

_ITEMS = {f"ice-{item}": item for item in ICE_ITEM_POINTS}
#: Lowest and highest value of each score.
_BOUNDS = {
    **{code: (0, ICE_ITEM_POINTS[item]) for code, item in _ITEMS.items()},
    "ice-total": (0, ICE_MAXIMUM),
    "capd-total": (0, CAPD_MAXIMUM),
    "gcs-eye": (1, 4),
    "rass": (-5, 4),
    "documented-icans-grade": (0, 5),
    "documented-crs-grade": (0, 5),
}
_FINDINGS = {
    "consciousness": CONSCIOUSNESS_LEVELS,
    "seizure": SEIZURE_FINDINGS,
    "motor": MOTOR_FINDINGS,
    "icp-edema": ICP_EDEMA_FINDINGS,
}
_TOOLS = {"ice-total": "ice", "capd-total": "capd", "consciousness": "consciousness", **_ITEMS}
_SECONDS = {"s": 1, "min": 60, "h": 3600}


@dataclass(slots=True)
class ChartedObservation:
    """One Observation while it is read: what its entries have in common, and what has been found."""

    settings: ReadSettings
    selector: Selector
    reference: str
    when: When
    known: Any
    affects: tuple[str, ...]
    other_cause: bool = False
    duration: Decimal | None = None
    contribution: Contribution = field(init=False)

    def __post_init__(self) -> None:
        self.contribution = Contribution(self.known)

    def problem(self, code: str, element: str, message: str, affects: tuple[str, ...] | None = None) -> None:
        found = Problem(
            code,
            self.reference,
            element,
            message,
            at=self.when.at,
            known=self.known,
            affects=self.affects if affects is None else affects,
        )
        self.contribution.problems.append(found)

    def read(self, observation: lean.Observation, verdict: CodeVerdict, element: str, value: str) -> None:
        if self.when.zoneless:
            self.problem("time-imprecise", element, f"The time {value} has no zone; it stands for its whole day.")
        used = bool(observation.component) and self._components(observation)
        self._own_value(observation, verdict, used)

    def _components(self, observation: lean.Observation) -> bool:
        """Reads all components, a duration before the seizure it belongs to; whether one held an assessment."""
        components = [
            (f"component[{index}]", component, self.selector.verdict(component.code))
            for index, component in enumerate(observation.component or ())
        ]
        for place, component, inner in components:
            if inner.assessment == "seizure-duration":
                self._duration(component, place)
        used = [self._component(component, place, inner) for place, component, inner in components]
        return any(used)

    def _own_value(self, observation: lean.Observation, verdict: CodeVerdict, parts_used: bool) -> None:
        if verdict.conflicting:
            self._conflicting_codes("code", verdict)
        elif verdict.assessment is not None:
            complete = parts_used or bool(observation.has_member)
            self._value(observation, verdict.assessment, "", complete)
        elif verdict.looks_relevant and not parts_used and not observation.has_member:
            message = "Its code is not mapped to an assessment, but it looks as if it were one."
            self.problem("code-unmapped", "code", message, ("grade", "infusion"))

    def _component(self, component: lean.Component, place: str, verdict: CodeVerdict) -> bool:
        """Reads one component; whether it was one that is read here."""
        if component.modifier_extension and lean.has_content(component.modifier_extension):
            if verdict.matters:
                message = "The component carries a modifier that is not known here."
                self.problem("unknown-modifier", f"{place}.modifierExtension", message)
            return verdict.matters
        if verdict.conflicting:
            self._conflicting_codes(f"{place}.code", verdict)
        elif verdict.assessment == "attribution":
            if attribution(component, self.settings.terminology) is None:
                message = "The attribution is neither icans nor other-cause; the findings are counted."
                self.problem("code-unmapped", f"{place}.valueCodeableConcept", message)
        elif verdict.assessment is not None and verdict.assessment != "seizure-duration":
            self._value(component, verdict.assessment, f"{place}.", False)
            return True
        elif verdict.assessment is None and verdict.looks_relevant:
            message = "The component's code is not mapped to an assessment, but it looks as if it were one."
            self.problem("code-unmapped", f"{place}.code", message)
        return False

    def _conflicting_codes(self, element: str, verdict: CodeVerdict) -> None:
        message = f"Its codings mean different assessments: {', '.join(verdict.conflicting)}."
        self.problem("conflicting-values", element, message)

    def _value(self, valued: lean.Valued, assessment: str, place: str, complete: bool) -> None:
        """The value of one assessment code; ``complete``: it need not have one of its own."""
        absent = valued.data_absent_reason
        if absent is not None:
            self._not_assessed(absent, assessment, f"{place}dataAbsentReason")
        if assessment == "car-t-infusion":
            if absent is None and valued.value_boolean is not False and self.when.at < EARLIEST_INFUSION:
                self.problem("time-implausible", f"{place}code", "The infusion lies before 1990; it is none.")
            elif absent is None and valued.value_boolean is not False:
                self._add(Infusion, f"{place}code", "car-t-infusion", source="observation")
            return
        if not has_value(valued):
            if absent is None and not complete and assessment != "documented-crs-grade":
                message = f"The {assessment} has no value that can be read."
                self.problem("value-not-numeric", f"{place}value[x]", message)
            return
        if absent is not None:
            message = "It has a value and a reason why it has none; both are considered."
            self.problem("conflicting-values", f"{place}dataAbsentReason", message)
        try:
            if assessment in _FINDINGS:
                self._finding(valued, assessment, place)
            elif assessment in _BOUNDS:
                self._score(valued, assessment, place)
        except Unusable as unusable:
            affects = () if assessment == "documented-crs-grade" else None
            self.problem(unusable.code, unusable.element, str(unusable), affects)

    def _not_assessed(self, absent: lean.CodeableConcept, assessment: str, element: str) -> None:
        """Standard reasons mean missing; the project's own say why a tool could not be used."""
        terminology = self.settings.terminology
        try:
            reason = terminology.not_assessed(absent.pairs, absent.texts, assessment)
        except ConflictingCodings as conflict:
            message = f"The reasons for not assessing differ: {', '.join(conflict.codes)}."
            self.problem("conflicting-values", element, message)
            return
        if reason is not None:
            tool = _TOOLS.get(assessment)
            if tool is not None:
                self._add(NotAssessed, element, shown_text(absent) or reason, tool=tool, reason=reason)
        elif not terminology.absent(absent.pairs) and (absent.pairs or absent.text):
            message = f"The reason for not assessing ({shown_text(absent)}) is not mapped."
            self.problem("code-unmapped", element, message)

    def _finding(self, valued: lean.Valued, assessment: str, place: str) -> None:
        answer = answer_of(valued, place, numbers=False)
        if answer is None:
            raise Unusable("code-unmapped", f"{place}value[x]", f"The {assessment} is not a coded value.")
        concept, element = answer
        terminology = self.settings.terminology
        try:
            code = terminology.finding(assessment, concept.pairs, concept.texts)
            codes: tuple[str, ...] = () if code is None else (code,)
        except ConflictingCodings as conflict:
            codes = conflict.codes
            message = f"Its codings mean different findings: {', '.join(codes)}; the worse counts."
            self.problem("conflicting-values", element, message)
        accepted = [code for code in codes if code in _FINDINGS[assessment]]
        shown = shown_text(concept)
        if not accepted and self._answered_with_reason(concept, assessment, element):
            return
        if not accepted:
            message = f"The {assessment} value ({shown[:LONGEST_ANSWER] or 'without text'}) is not mapped to a finding."
            raise Unusable("code-unmapped", element, message)
        for code in accepted:
            self._add_finding(assessment, code, element, shown or code)

    def _answered_with_reason(self, concept: lean.CodeableConcept, assessment: str, element: str) -> bool:
        """Whether the value itself is a reason for not assessing, as some flowsheets chart it."""
        try:
            reason = self.settings.terminology.not_assessed(concept.pairs, concept.texts, assessment)
        except ConflictingCodings:
            return False
        if reason is None:
            return False
        self._not_assessed(concept, assessment, element)
        return True

    def _add_finding(self, assessment: str, code: str, element: str, shown: str) -> None:
        if assessment == "consciousness":
            self._add(Consciousness, element, shown, level=code)
        elif assessment == "seizure":
            self._add(Seizure, element, shown, finding=code, duration_seconds=self.duration)
        elif assessment == "motor":
            self._add(Motor, element, shown, finding=code)
        else:
            self._add(IcpEdema, element, shown, finding=code)

    def _score(self, valued: lean.Valued, assessment: str, place: str) -> None:
        low, high = _BOUNDS[assessment]
        if valued.value_range is not None:
            self._range(valued.value_range, assessment, f"{place}valueRange")
            return
        answer = answer_of(valued, place, numbers=True)
        if answer is not None and self._answered_score(*answer, assessment):
            return
        number, element, shown = number_of(valued, place)
        self._add_score(assessment, score_within(number, low, high, assessment, element, shown), element, shown)

    def _answered_score(self, concept: lean.CodeableConcept, element: str, assessment: str) -> bool:
        """Reads a coded answer, or one in words; False for words that are not mapped. Raises Unusable."""
        shown = shown_text(concept)
        try:
            points = self.settings.terminology.score(assessment, concept.pairs, concept.texts)
            scores: tuple[int, ...] = () if points is None else (points,)
        except ConflictingCodings as conflict:
            scores = tuple(int(code) for code in conflict.codes)
            message = f"Its codings give different points: {', '.join(conflict.codes)}; the worse count."
            self.problem("conflicting-values", element, message)
        if not scores and self._answered_with_reason(concept, assessment, element):
            return True
        if not scores and element.endswith("valueString"):
            return False
        if not scores:
            message = f"The {assessment} answer ({shown or 'without text'}) is not mapped to points."
            raise Unusable("code-unmapped", element, message)
        low, high = _BOUNDS[assessment]
        for points in scores:
            within = score_within(Decimal(points), low, high, assessment, element, shown or str(points))
            self._add_score(assessment, within, element, shown or str(points))
        return True

    def _range(self, bounds: lean.Range, assessment: str, element: str) -> None:
        if assessment != "ice-total":
            raise Unusable("value-not-numeric", element, f"A range is no value of {assessment}.")
        ends = []
        for name, end, default in (("low", bounds.low, 0), ("high", bounds.high, ICE_MAXIMUM)):
            place = f"{element}.{name}"
            number = Decimal(default) if end is None else plain_number(end, place)
            ends.append(score_within(number, 0, ICE_MAXIMUM, assessment, place, as_charted(number)))
        low, high = ends
        if low > high or (bounds.low is None and bounds.high is None):
            raise Unusable("value-out-of-range", element, f"The range {low} to {high} holds no ICE score.")
        self._add(IceTotal, element, f"{low}-{high}", low=low, high=high)

    def _add_score(self, assessment: str, points: int, element: str, shown: str) -> None:
        if assessment in _ITEMS:
            self._add(IceItem, element, shown, item=_ITEMS[assessment], points=points)
        elif assessment == "ice-total":
            self._add(IceTotal, element, shown, low=points, high=points)
        elif assessment == "capd-total":
            self._add(Capd, element, shown, total=points)
        elif assessment == "gcs-eye":
            self._add(GcsEye, element, shown, score=points)
        elif assessment == "rass":
            self._add(Rass, element, shown, score=points)
        elif assessment == "documented-crs-grade":
            self._add(CrsGrade, element, shown, grade=points)
        else:
            self._add(DocumentedGrade, element, shown, grade=points)

    def _duration(self, component: lean.Component, place: str) -> None:
        """Seconds of a seizure; a duration in no known unit leaves the seizure without one."""
        quantity, element = component.value_quantity, f"{place}.valueQuantity"
        if quantity is None or quantity.value is None:
            self.problem("value-not-numeric", element, "The seizure duration has no value.")
            return
        unit = (quantity.code if is_ucum(quantity) else None) or (quantity.code or quantity.unit)
        factor = _SECONDS.get(unit or "")
        if factor is None or quantity.comparator is not None:
            shown = f"{quantity.comparator or ''}{as_charted(quantity.value)} {quantity.unit or quantity.code or ''}"
            self.problem("unit-unknown", element, f"The seizure duration {shown.strip()} is not in seconds or minutes.")
        elif quantity.value < 0 or abs(quantity.value.adjusted()) > LARGEST_EXPONENT:
            self.problem("value-out-of-range", element, "The seizure duration is no possible duration.")
        else:
            self.duration = quantity.value * factor

    def _add(self, kind: type[Entry], element: str, shown: str, **values: Any) -> None:
        if issubclass(kind, Observed):
            values["other_cause"] = self.other_cause
        self.contribution.entries.append(
            kind(
                at=self.when.at,
                earliest=self.when.earliest,
                known=self.known,
                day=self.when.day,
                reference=self.reference,
                element=element,
                shown=shown,
                **values,
            )
        )


def attributes_to_other_cause(observation: lean.Observation, selector: Selector) -> bool:
    """Whether a component says that the findings have another cause, and none says that they have not."""
    if not observation.component:
        return False
    causes = {
        attribution(component, selector.terminology)
        for component in observation.component
        if selector.verdict(component.code).assessment == "attribution"
    }
    return causes == {"other-cause"}


def attribution(component: lean.Component, terminology: Terminology) -> str | None:
    """The cause that a component names ("icans", "other-cause"), None if it names neither."""
    answer = answer_of(component, "", numbers=False)
    if answer is None:
        return None
    try:
        return terminology.finding("attribution", answer[0].pairs, answer[0].texts)
    except ConflictingCodings:
        return None
