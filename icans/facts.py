"""What each type of finding states: one frozen class a type, whose attributes are the published facts.

A published name is the attribute's in camel case (``previous_grade`` is ``previousGrade``). Instants are UTC datetimes,
doses Decimal mg (of dexamethasone-equivalent unless a drug is named), grades those of ASTCT 2019; None is "not known".
Module, order and expiry of the types: ``FINDING_TYPES`` in icans/findings.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from icans.record import Problem

DIRECTIONS = ("onset", "worsening", "improvement", "resolution", "recurrence")
DOMAINS = ("ice", "capd", "consciousness", "seizure", "motor", "icp-edema", "documented")
#: The clauses of the definition of refractory ICANS.
WORSENING, NO_IMPROVEMENT = "worsening-under-treatment", "no-improvement-24h"
OPEN_REASONS = (
    "no-reference",
    "not-assessable",
    "time-imprecise",
    "treatment-gap",
    "event-carry",
    "ice-only",
    "capd-only",
    "interval-overlap",
)


@dataclass(frozen=True, slots=True)
class Range:
    """Bounds of a number in the published schema, both inclusive."""

    low: int
    high: int | None = None


@dataclass(frozen=True, slots=True)
class OneOf:
    """The codes a text can be in the published schema."""

    codes: tuple[str, ...]


Grade = Annotated[int, Range(0, 4)]
Ordinal = Annotated[int, Range(1)]
Count = Annotated[int, Range(0)]
Milligrams = Annotated[Decimal, Range(0)]
#: Published only where there is something to state; every other attribute is always published, None as null.
_WHERE_STATED = {"where_stated": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What every type may state. course: the number of a course after the patient's first."""

    type: ClassVar[str]
    course: Ordinal | None = field(default=None, metadata=_WHERE_STATED)


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeChange(Facts):
    """The headline grade moved. ice_low, ice_high: where the ICE score is not one number."""

    type = "grade-change"
    previous_grade: Grade
    grade: Grade
    grade_low: Grade
    grade_high: Grade
    direction: Annotated[str, OneOf(DIRECTIONS)]
    deciding_domain: Annotated[str, OneOf(DOMAINS)] | None
    ice_score: Annotated[int, Range(0, 10)] | None
    ice_low: Annotated[int, Range(0, 10)] | None = field(default=None, metadata=_WHERE_STATED)
    ice_high: Annotated[int, Range(0, 10)] | None = field(default=None, metadata=_WHERE_STATED)
    episode: Ordinal
    onset_on_steroids: bool | None
    documented_grade: Annotated[int, Range(0, 5)] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IcansActive(Facts):
    """The headline grade is 1 or more. since: the onset; treatment_line: the line of steroid treatment in force."""

    type = "icans-active"
    grade: Grade
    grade_low: Grade | None
    grade_high: Grade | None
    since: datetime | None
    episode: Ordinal
    last_assessment: datetime | None
    stale: bool
    refractory_lines: tuple[Ordinal, ...]
    treatment_line: Ordinal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GradePossibleChange(Facts):
    """What is missing could move the headline. missing: items and domains that would settle it."""

    type = "grade-possible-change"
    previous_grade: Grade
    grade_low: Grade
    grade_high: Grade
    direction: Annotated[str, OneOf(("worsening", "improvement"))]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeDiscrepancy(Facts):
    """The grade charted by a clinician lies outside the strict interval."""

    type = "grade-discrepancy"
    documented_grade: Annotated[int, Range(0, 5)]
    grade_low: Grade
    grade_high: Grade
    strict_low: Grade
    strict_high: Grade


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessmentNotFound(Facts):
    """No assessment was found since an instant."""

    type = "assessment-not-found"
    since: datetime
    looked_for: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessmentOverdue(Facts):
    """The next full assessment is late."""

    type = "assessment-overdue"
    last_assessment: datetime
    interval_hours: Ordinal
    grade: Grade


@dataclass(frozen=True, slots=True, kw_only=True)
class Refractory(Facts):
    """The definition of refractory ICANS is met on a line of treatment. also_met: the other clause, met later."""

    type = "refractory"
    reason: Annotated[str, OneOf((WORSENING, NO_IMPROVEMENT))]
    episode: Ordinal
    line: Ordinal
    treatment_start: datetime
    grade_at_treatment_start: Grade | None
    grade: Grade
    hours_since_treatment_start: Decimal
    late: bool
    also_met: Annotated[str, OneOf((WORSENING, NO_IMPROVEMENT))] | None
    definition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReassessmentOverdue(Facts):
    """No assessment was found by which the 24 hours of a line can be judged."""

    type = "reassessment-overdue"
    episode: Ordinal
    line: Ordinal
    treatment_start: datetime
    grade_at_treatment_start: Grade | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefractoryIndeterminate(Facts):
    """Whether a line meets the definition is open. needed: what would settle it."""

    type = "refractory-indeterminate"
    episode: Ordinal
    line: Ordinal
    treatment_start: datetime
    grade_at_treatment_start: Grade | None
    reason: Annotated[str, OneOf(OPEN_REASONS)]
    needed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReWorsening(Facts):
    """The headline rose on active treatment after the verdict on its line."""

    type = "re-worsening"
    episode: Ordinal
    line: Ordinal
    previous_grade: Grade
    grade: Grade
    hours_since_treatment_start: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class CumulativeDose(Facts):
    """Steroids since the infusion passed a threshold. crossed_mg: every threshold passed then."""

    type = "cumulative-dose"
    threshold_mg: Milligrams
    crossed_mg: tuple[Milligrams, ...]
    window: Annotated[str, OneOf(("since-infusion",))] = "since-infusion"
    dexamethasone_equivalent_mg: Milligrams
    since_onset_mg: Milligrams | None
    last_24h_mg: Milligrams | None
    administrations: Count
    uncounted: Count
    prophylactic_mg: Milligrams | None
    intrathecal_mg: Mapping[str, Milligrams]
    steroid_days: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class SteroidDays(Facts):
    """Systemic steroids were given on so many distinct days since the infusion."""

    type = "steroid-days"
    steroid_days: Count
    dexamethasone_equivalent_mg: Milligrams


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseUnknown(Facts):
    """A steroid was given in an amount that is not known. lower_bound_mg: the sum without it, None without infusion."""

    type = "dose-unknown"
    administrations: tuple[str, ...]
    lower_bound_mg: Milligrams | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedProblem:
    """A problem of the data within a finding."""

    code: str
    reference: str
    element: str
    message: str

    @classmethod
    def of(cls, problem: Problem) -> StatedProblem:
        return cls(code=problem.code, reference=problem.reference, element=problem.element, message=problem.message)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataQuality(Facts):
    """A datum could not be used as charted, or a source not read in full.

    administrations: how many may have been of a steroid; the problems are those of the first of them.
    """

    type = "data-quality"
    problems: tuple[StatedProblem, ...]
    administrations: Count | None = field(default=None, metadata=_WHERE_STATED)


def published(facts: Facts | StatedProblem) -> dict[str, Any]:
    """The facts by their published names, values as they are; what is only published where stated is left out."""
    stated: dict[str, Any] = {}
    for member in fields(facts):
        value = getattr(facts, member.name)
        if value is not None or not member.metadata:
            stated[published_name(member.name)] = value
    if "course" in stated:
        stated["course"] = stated.pop("course")  # last
    if isinstance(facts, DataQuality):
        stated["problems"] = [published(problem) for problem in facts.problems]
    return stated


def published_name(attribute: str) -> str:
    """``dexamethasone_equivalent_mg`` as ``dexamethasoneEquivalentMg``, ``last_24h_mg`` as ``last24hMg``."""
    first, *others = attribute.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in others)
