"""What comes out of the clinic: findings, alerts and what is known of a patient at one instant.

Names of types and modules are those of the published interface (docs/interface.md), what each type states is in
icans/facts.py, how it reads in cards/wording. Instants are UTC datetimes, doses Decimal milligrams.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha1
from typing import Any, NamedTuple

from icans.facts import (
    AssessmentNotFound,
    AssessmentOverdue,
    CumulativeDose,
    DataQuality,
    DoseUnknown,
    Facts,
    GradeChange,
    GradeDiscrepancy,
    GradePossibleChange,
    IcansActive,
    ReassessmentOverdue,
    Refractory,
    RefractoryIndeterminate,
    ReWorsening,
    SteroidDays,
)
from icans.grading.assessment import Assessment, DomainValue
from icans.policy.policy import Policy
from icans.record import Dose, Entry, Escalation, Evidence, Problem

MODULES = ("icans", "refractory", "steroids", "crs", "protocol", "data")
INDICATORS = ("critical", "warning", "info")
#: How urgent a finding of a grade is, by type; all others have one indicator, or one by tier (policy).
INDICATOR_OF_GRADE: Mapping[str, Mapping[int, str]] = {
    "grade-change": {1: "info", 2: "warning", 3: "critical", 4: "critical"},
    "icans-active": {1: "info", 2: "info", 3: "warning", 4: "warning"},
    "refractory": {1: "info", 2: "warning", 3: "critical", 4: "critical"},
}


@dataclass(frozen=True, slots=True)
class FindingType:
    """How findings that state ``facts`` are shown: in which module, for a limited time after they became known or not,
    and which facts are shown as of the call (all others stay as first shown)."""

    facts: type[Facts]
    module: str
    expires: bool = False
    running: frozenset[str] = frozenset()


_AS_OF_NOW = ("grade_low", "grade_high", "last_assessment", "stale", "refractory_lines", "treatment_line")
#: Every type of finding by its name, in the order of the published interface.
FINDING_TYPES: dict[str, FindingType] = {
    row.facts.type: row
    for row in (
        FindingType(GradeChange, "icans", expires=True),
        FindingType(IcansActive, "icans", running=frozenset(_AS_OF_NOW)),
        FindingType(GradePossibleChange, "icans"),
        FindingType(GradeDiscrepancy, "icans"),
        FindingType(AssessmentNotFound, "icans"),
        FindingType(AssessmentOverdue, "icans"),
        FindingType(Refractory, "refractory", running=frozenset({"also_met"})),
        FindingType(ReassessmentOverdue, "refractory"),
        FindingType(RefractoryIndeterminate, "refractory"),
        FindingType(ReWorsening, "refractory", expires=True),
        FindingType(CumulativeDose, "steroids", expires=True),
        FindingType(SteroidDays, "steroids", expires=True),
        FindingType(DoseUnknown, "steroids", expires=True),
        FindingType(DataQuality, "data", expires=True),
    )
}
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://icans-cds.org/fhir")


@dataclass(frozen=True, slots=True, kw_only=True)
class LineNow:
    """One line of steroid treatment and its verdict (refractory.lines of the published interface)."""

    episode: int
    line: int
    treatment_start: datetime
    reference_low: int | None
    reference_high: int | None
    met_b_at: datetime | None
    verdict: str
    verdict_at: datetime | None
    late: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedDose:
    """One administration in an exposure sum, for showing it line by line. day: its local calendar day."""

    reference: str
    at: datetime
    day: date
    end: datetime | None
    drug: str
    amount_mg: Decimal
    factor: Decimal
    equivalent_mg: Decimal
    shown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefractoryBasis:
    """What a refractoriness card shows beyond its facts. start_day: the day of treatment start where no more is known;
    early: worsening so soon that no effect may show yet.

    recent_mg: of a grade that rose again, dexamethasone-equivalent given in the day before it, at least;
    recent_uncounted: how many doses of that day are not in it.
    Filled in as of the call: doses of the line up to then, unless recent_mg stands for them; uncounted: references of
    those without a usable amount; before: doses since the infusion before the first line, where the onset came on
    steroids; escalations: second-line agents since onset; assumed: what was taken for granted, as codes.
    """

    line: LineNow
    reference: Assessment | None
    evaluation: Assessment | None
    start_day: date | None = None
    early: bool = False
    recent_mg: Decimal | None = None
    recent_uncounted: int = 0
    doses: tuple[CountedDose, ...] = ()
    uncounted: tuple[str, ...] = ()
    before: tuple[CountedDose, ...] = ()
    escalations: tuple[Escalation, ...] = ()
    assumed: tuple[str, ...] = ()


#: What the wording of a finding needs beyond its facts, by type: the assessment, the line of treatment, the dose of
#: unknown size, the problems of the data.
Basis = Assessment | RefractoryBasis | Dose | tuple[Problem, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that holds.

    key: what distinguishes it from others of its type (stable; see finding_id).
    at: the instant it speaks of. facts: what it states, which gives its type.
    lasting: never expires although its type does (a source that could not be read in full).
    basis: what the card's wording needs beyond the facts.
    unusable: of an assessment that was not found, why one that was charted meanwhile could not be used; of a dose
        of unknown size, what is wrong with it.
    """

    id: str
    at: datetime
    indicator: str
    facts: Facts
    evidence: tuple[Evidence, ...] = ()
    basis: Basis = None
    lasting: bool = False
    unusable: tuple[Problem, ...] = ()

    @property
    def type(self) -> str:
        return self.facts.type

    @property
    def module(self) -> str:
        return FINDING_TYPES[self.type].module

    @property
    def expires(self) -> bool:
        """Shown for a limited time after it became known."""
        return FINDING_TYPES[self.type].expires and not self.lasting


def finding_id(patient: str, finding_type: str, key: str) -> str:
    """The stable id of a finding: a version 5 UUID (RFC 4122) over patient, type and key."""
    digest = bytearray(
        sha1(NAMESPACE.bytes + f"{patient}|{finding_type}|{key}".encode(), usedforsecurity=False).digest()[:16]
    )
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def key_time(instant: datetime) -> str:
    """An instant as it stands in finding keys: UTC, ``YYYY-MM-DDTHH:MM:SSZ``."""
    return f"{instant.isoformat()[:19]}Z"


@dataclass(slots=True, kw_only=True)
class Alert:
    """A finding as it was shown: from when to when, what changed, whether it was withdrawn.

    ``finding`` is the latest form, with the indicator it had first; ``facts`` are as first shown, of an evaluation but
    for the running ones; revised_facts: their last form, None if nothing differs. running: the running facts as of the
    last instant at which it held. also_met_at: when both clauses of a definition were first met. unchanged_since: of
    an alert that has become less urgent, its last news. last_end: when it last stopped holding, whatever a withdrawal
    makes of ``until``.
    """

    finding: Finding
    facts: Facts
    shown_at: datetime
    until: datetime | None = None
    last_end: datetime | None = None
    holds: bool = True
    revised_facts: Facts | None = None
    reopened_at: list[datetime] = field(default_factory=list)
    withdrawn: bool = False
    withdrawn_by: str | None = None
    running: Mapping[str, Any] = field(default_factory=dict)
    also_met_at: datetime | None = None
    unchanged_since: datetime | None = None

    def last(self, **running: Any) -> Facts | None:
        """The facts in their latest form, with these running ones; None if nothing differs from the first showing."""
        last = replace(self.finding.facts, **running)
        return last if last != self.facts else None


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeNow:
    """The grade at one instant. working: the headline; low/high: working interval of the last assessable
    assessment (None before there was one), charted at ``assessed``. as_of: the last assessable assessment that
    was full (with ICE, CAPD or a documented grade), from which staleness counts. sedated_since: since when sedatives
    or paralytics run without a break, None if none does; sedatives: those that run."""

    working: int | None
    low: int | None
    high: int | None
    strict_low: int | None
    strict_high: int | None
    episode: int | None
    documented: int | None
    as_of: datetime | None
    stale: bool
    ice_score: int | None
    deciding_domain: str | None
    domains: Mapping[str, tuple[int, int]]
    assessment: Assessment | None = None
    assessed: datetime | None = None
    sedated_since: datetime | None = None
    sedatives: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bedside:
    """What a reader asks first, as of one instant.

    since: when the grade shown was set. ice: the latest assessment with an ICE score or part of it, ice_before: the one
    before it. consciousness: the latest value and when it was charted. last_dose: the latest systemic steroid.
    overdue_from: when the next full assessment is overdue; reassessment_at: when the 24 hours of the line of treatment
    in force end.
    """

    since: datetime | None = None
    ice: Assessment | None = None
    ice_before: Assessment | None = None
    consciousness: DomainValue | None = None
    last_dose: Dose | None = None
    overdue_from: datetime | None = None
    reassessment_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefractoryNow:
    """State of the refractoriness definition at one instant."""

    state: str
    line: int | None
    treatment_start: datetime | None
    lines: tuple[LineNow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposureNow:
    """Steroid exposure at one instant, in mg of dexamethasone-equivalent unless named otherwise.

    since-infusion numbers are None where the infusion is not known. counted: the doses of the sum.
    """

    dexamethasone_equivalent_mg: Decimal | None
    upper_bound_mg: Decimal | None
    since_onset_mg: Decimal | None
    last_24h_mg: Decimal
    day_0_to_30_mg: Decimal | None
    before_infusion_mg: Decimal | None
    prophylactic_mg: Decimal | None
    steroid_days: int | None
    uncounted: int | None
    intrathecal_mg: Mapping[str, Decimal]
    by_drug_mg: Mapping[str, Decimal]
    counted: tuple[CountedDose, ...] = ()
    uncounted_references: tuple[str, ...] = ()


# Where rules are from, as an explanation names it.
ASTCT = "Lee et al. 2019 (ASTCT)"
SCHEDULE = "assessment schedule of Fridberg et al. 2026, tolerance a project decision"
FRIDBERG = "Fridberg et al. 2026, Table 1 footnote; what it leaves open is a project decision"
PROJECT = "project decision"


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of a rule: whether it is met, why not, and what would meet it."""

    met: bool
    unmet: str
    would_meet: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule at one instant: its conditions in the order in which they are asked, and the values compared."""

    id: str
    conditions: tuple[Condition, ...]
    compared: Mapping[str, Any]
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleNow:
    """One rule at one instant: whether it fired, what was compared, what would change it."""

    id: str
    fired: bool
    compared: Mapping[str, Any]
    unmet: tuple[str, ...]
    would_change: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Everything that is known of one patient at ``as_of``.

    findings: alerts that hold then, in module order (leading finding of a module first).
    policy: the one it was made by. monitoring: "none", "active" or "ended". infusion_day: local calendar day that
    counts as day 0; infusion_days: those of all infusions. leading: the modules with a finding that holds, in the order
    of their cards, whichever modules were asked for.
    """

    patient: str
    as_of: datetime
    infusion: datetime | None
    infusions: tuple[datetime, ...]
    policy: Policy
    monitoring: str
    grade: GradeNow
    refractory: RefractoryNow
    exposure: ExposureNow | None
    findings: tuple[Alert, ...]
    problems: tuple[Problem, ...]
    rules: tuple[RuleNow, ...] = ()
    course: int = 1
    infusion_day: date | None = None
    infusion_days: tuple[date, ...] = ()
    bedside: Bedside = Bedside()
    leading: tuple[str, ...] = ()


class TimelineEntry(NamedTuple):
    """One assessment or counted dose. Grades are those of the assessment (None if not assessable)
    beside the headline; dexamethasone-equivalent is the sum since infusion. reason: why an ICE or CAPD was not
    made then. since_onset: at or after the first onset of the course."""

    at: datetime
    kind: str
    references: tuple[str, ...]
    day: int | None
    grade: int | None
    grade_low: int | None
    grade_high: int | None
    assessable: bool
    ice_score: int | None
    deciding_domain: str | None
    dexamethasone_equivalent_mg: Decimal | None
    reason: str | None = None
    since_onset: bool = False
    basis: Assessment | Entry | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseSummary:
    """One course (one infusion) in numbers."""

    infusion: datetime | None
    peak_grade: int | None
    onset: datetime | None
    onset_day: int | None
    episodes: int
    icans_hours: Decimal
    refractory: bool
    cumulative_dexamethasone_equivalent_mg: Decimal | None
    upper_bound_mg: Decimal | None
    steroid_days: int | None
    uncounted: int | None
    intrathecal_mg: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """An instant of a replay at which a viewer would have seen something new: the modules whose leading
    finding never led before, and what was known then."""

    at: datetime
    modules: tuple[str, ...]
    evaluation: Evaluation


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A patient's whole record, stepped through in the order in which it became known.

    infusion_days: the local calendar day of each infusion.
    """

    patient: str
    infusion: datetime | None
    infusions: tuple[datetime, ...]
    infusion_days: tuple[date, ...]
    policy: Policy
    timeline: tuple[TimelineEntry, ...]
    alerts: tuple[Alert, ...]
    moments: tuple[Moment, ...]
    courses: tuple[CourseSummary, ...]
    problems: tuple[Problem, ...]
