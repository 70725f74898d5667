"""What is recorded about one patient, in clinical words: small, immutable, free of FHIR.

Every entry says when it happened (``at``), when it became known (``known``), from when it no longer
stands (``superseded``) and which resource it came from, so that what was known at any instant can be
told exactly. All instants are timezone-aware UTC datetimes. Amounts are Decimal milligrams.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

ORIENTATION_ITEMS = ("year", "month", "city", "hospital")
#: Points of each ICE item (Lee et al. 2019, Table 4); "orientation" stands for its four items together.
ICE_ITEM_POINTS = {
    "year": 1,
    "month": 1,
    "city": 1,
    "hospital": 1,
    "naming": 3,
    "command": 1,
    "writing": 1,
    "attention": 1,
    "orientation": 4,
}
ICE_MAXIMUM = 10
CAPD_MAXIMUM = 32
#: Levels of consciousness as charted (ASTCT 2019, depressed level of consciousness).
CONSCIOUSNESS_LEVELS = (
    "alert",
    "depressed-awakens-spontaneously",
    "awakens-spontaneously",
    "awakens-to-voice",
    "awakens-to-tactile",
    "unarousable",
)
SEIZURE_FINDINGS = (
    "none",
    "brief-or-resolving",
    "nonconvulsive-resolving",
    "prolonged",
    "repetitive-without-recovery",
    "unspecified",
)
MOTOR_FINDINGS = (
    "none",
    "deep-focal-weakness",
    "weakness-unspecified",
    "tremor",
    "myoclonus",
    "asterixis",
    "gait-instability",
)
ICP_EDEMA_FINDINGS = (
    "none",
    "focal-edema",
    "diffuse-edema",
    "posturing",
    "cranial-nerve-vi-palsy",
    "papilledema",
    "cushing-triad",
    "intracranial-hemorrhage",
)
#: Why a tool or item was not assessed. "sedated" and "unarousable" decide, "aphasia" scores 0 points,
#: the others make the item missing (ASTCT 2019, Table 5 footnotes).
NOT_ASSESSED_REASONS = (
    "unarousable",
    "sedated",
    "aphasia",
    "language",
    "vision",
    "hearing",
    "literacy",
    "motor",
    "refused",
    "asleep",
    "not-valid-at-baseline",
)


#: What a resource that could not be used may have been.
MAY_BE = ("assessment", "dose", "infusion", "sedative")
#: Where a record comes from: Observations and answered forms; Procedures; MedicationAdministrations.
SOURCES = ("observations", "procedures", "administrations")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One recorded thing.

    at: when it happened; a day-only datum stands at the end of its local day.
    earliest: the first instant at which it may have happened (``at`` unless only the day is known).
    known: when it became known, never before ``at``.
    superseded: from when it no longer stands (amended or entered in error), None if it stands.
    superseded_by: reference of the version that replaced it.
    day: the local calendar day it belongs to.
    reference, element, shown: the resource, its element and the value as charted.
    """

    at: datetime
    earliest: datetime
    known: datetime
    day: date
    reference: str
    element: str
    shown: str
    superseded: datetime | None = None
    superseded_by: str | None = None

    @property
    def precise(self) -> bool:
        """False if only the day is known."""
        return self.earliest == self.at


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed(Entry):
    """A charted finding; ``other_cause``: explicitly attributed to a cause other than ICANS."""

    other_cause: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IceTotal(Observed):
    """ICE score as charted, 0 to 10; low < high where a range was charted."""

    low: int
    high: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IceItem(Observed):
    """Points obtained on one ICE item (a key of ICE_ITEM_POINTS)."""

    item: str
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Capd(Observed):
    """Cornell Assessment of Pediatric Delirium, 0 to 32."""

    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAssessed(Observed):
    """A tool ("ice", "capd", "consciousness") or an ICE item that was not assessed, and why."""

    tool: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Consciousness(Observed):
    """Level of consciousness, one of CONSCIOUSNESS_LEVELS."""

    level: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GcsEye(Observed):
    """Eye response of the Glasgow Coma Scale, 1 to 4."""

    score: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rass(Observed):
    """Richmond Agitation-Sedation Scale, -5 to +4."""

    score: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Seizure(Observed):
    """Seizure domain, one of SEIZURE_FINDINGS; duration in seconds where charted."""

    finding: str
    duration_seconds: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Motor(Observed):
    """Motor domain, one of MOTOR_FINDINGS."""

    finding: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IcpEdema(Observed):
    """Raised intracranial pressure and cerebral edema, one of ICP_EDEMA_FINDINGS."""

    finding: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentedGrade(Observed):
    """ICANS grade charted by a clinician, 0 to 5."""

    grade: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Infusion(Entry):
    """An infusion of CAR-T cells; ``source``: "administration", "procedure" or "observation"."""

    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dose(Entry):
    """One given dose of a glucocorticoid; ``at`` is its start.

    drug: ingredient in lower case ("methylprednisolone").
    lower_mg, upper_mg: mg of that drug given at least and at most (upper None: no bound is known);
        equal where the amount is known.
    route: "systemic", "intrathecal" or "unknown"; other routes make no Dose.
    way: the route itself ("intravenous", "oral" ...), which repetitions have in common (E3); "" if not recorded.
    route_shown: as charted.
    end: end of the administration for a dose over a period, else None.
    running: in progress without an end.
    contradicting: the bounds are two readings of what is charted (L8): totals take the lower one; treatment
        starts, lines, gaps and steroid days the upper one. A reading above the limit of E7 is dropped.
    part_of: references of the administrations that it is a part of (joined with them when they are on record).
    problems: codes of what makes it unusable ("dose-missing", "route-missing", "unit-unknown", ...).
    identifiers: business identifiers ("system|value"); equal ones are one dose.
    """

    drug: str
    lower_mg: Decimal
    upper_mg: Decimal | None
    route: str
    way: str = ""
    route_shown: str = ""
    end: datetime | None = None
    running: bool = False
    contradicting: bool = False
    part_of: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    identifiers: frozenset[str] = frozenset()

    @property
    def amount_known(self) -> bool:
        return self.upper_mg is not None and self.lower_mg == self.upper_mg


@dataclass(frozen=True, slots=True, kw_only=True)
class Sedative(Entry):
    """A sedative or paralytic; ``at`` is its start.

    kind: "infusion" (a period, a rate or in progress), "bolus", or "stop" (a stopped or rate-0 row).
    end: end of the period, None if open-ended.
    """

    drug: str
    kind: str
    end: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation(Entry):
    """A second-line agent (anakinra, siltuximab, intrathecal therapy ...): annotated, never a clock."""

    drug: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CrsGrade(Entry):
    """CRS grade charted by a clinician, 0 to 5: noted in the timeline, no rule reads it."""

    grade: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Death(Entry):
    """Death of the patient."""


@dataclass(frozen=True, slots=True)
class Birth:
    """Birth date as precisely as recorded: earliest and latest possible day."""

    earliest: date
    latest: date


@dataclass(frozen=True, slots=True)
class Problem:
    """A datum that could not be used as charted, and what that costs.

    code: a problem code (docs/problems.md). reference, element: where. message: one plain sentence.
    at: time of the datum, None if it has none. known: when it was known (None: from the first).
    affects: which of "grade", "dose", "treatment-start", "infusion" it could change; empty if none.
    superseded: from when the resource was corrected, None if it stands.
    """

    code: str
    reference: str
    element: str
    message: str
    at: datetime | None = None
    known: datetime | None = None
    affects: tuple[str, ...] = ()
    superseded: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A relevant resource that could not be used, with what it may have been (L2, L3).

    One entry a resource version: whatever kept it from being used (an element that decides is missing, broken
    or implausible, its status or a modifier cannot be read, its drug is not known, its subject is not clear)
    is in ``problems``, which are also in ``Record.problems``. It is never an Observed, Dose, Sedative or
    Infusion as well.

    reference: the resource, as in Entry.
    may_be: what it may have been, any of MAY_BE:
        "assessment": a finding that could grade; "sedative": a sedative or paralytic given;
        "infusion": the infusion of CAR-T cells, on record and not readable (L34);
        "dose": a given administration that is not known not to be a systemic glucocorticoid (L3). It counts as
        ``uncounted``, has no upper bound, and is nothing else: no line, no gap bridged, no steroid day, no
        ``dose-unknown``. A recognised steroid whose amount, route or end alone is unknown is a Dose.
    drug: the drug as charted, "" where none is named.
    at: its place: effective or start, else issued, recorded, authored, meta.lastUpdated; the end of the day
        where only the day is known. None if no instant of it can be read (or all lie later than a live call):
        it stands at the call, in a replay at the last instant known.
    known: from when it is known, as of a resource that is used; None if ``at`` is None: from the first.
    day: local calendar day of ``at``.
    superseded, superseded_by: as in Entry: from when a later version replaced it.
    """

    reference: str
    may_be: tuple[str, ...]
    problems: tuple[Problem, ...]
    drug: str = ""
    at: datetime | None = None
    known: datetime | None = None
    day: date | None = None
    superseded: datetime | None = None
    superseded_by: str | None = None

    @property
    def placed(self) -> bool:
        """Whether an instant of its own is known."""
        return self.at is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Everything relevant that is recorded about one patient, in no particular order.

    administrations_read, procedures_read: False if that source could not be read at all.
    incomplete: those of SOURCES that were not read in full (a page, a file, a part or all of it is missing,
        or rows of another patient came with it). Where "administrations" is in it, sums have no upper bound
        (L3); an answer without cards needs it to be empty (L34).
    refused: relevant resources that could not be used.
    problems: all of them, those of ``refused`` included.
    """

    patient: str
    observed: tuple[Observed, ...] = ()
    infusions: tuple[Infusion, ...] = ()
    doses: tuple[Dose, ...] = ()
    sedatives: tuple[Sedative, ...] = ()
    escalations: tuple[Escalation, ...] = ()
    crs_grades: tuple[CrsGrade, ...] = ()
    death: Death | None = None
    birth: Birth | None = None
    developmental_delay: bool = False
    administrations_read: bool = True
    procedures_read: bool = True
    incomplete: frozenset[str] = frozenset()
    refused: tuple[Refused, ...] = ()
    problems: tuple[Problem, ...] = ()


def is_item(entry: Observed) -> bool:
    """A loose ICE item, scored or not."""
    return isinstance(entry, IceItem) or (isinstance(entry, NotAssessed) and entry.tool not in TOOLS)


class Evidence(NamedTuple):
    """One value a finding rests on: its resource, element, value as charted and time.

    what: what it is a value of, as the project's code for the assessment ("ice-total"), or the drug. day: its local
    calendar day where no more of its time is known.
    """

    reference: str
    element: str
    value: str
    time: datetime | None
    what: str = ""
    day: date | None = None


#: The project's codes of what is charted, by type of entry, and of what was not assessed, by tool.
ASSESSED: dict[type[Entry], str] = {
    IceTotal: "ice-total",
    Capd: "capd-total",
    Consciousness: "consciousness",
    GcsEye: "gcs-eye",
    Rass: "rass",
    Seizure: "seizure",
    Motor: "motor",
    IcpEdema: "icp-edema",
    DocumentedGrade: "documented-icans-grade",
}
TOOLS = {"ice": "ice-total", "capd": "capd-total", "consciousness": "consciousness"}


def evidence_of(entries: Sequence[Entry]) -> tuple[Evidence, ...]:
    return tuple(
        [Evidence(e.reference, e.element, e.shown, e.at, _what(e), None if e.precise else e.day) for e in entries]
    )


def _what(entry: Entry) -> str:
    if isinstance(entry, Dose):
        return entry.drug
    if isinstance(entry, IceItem):
        return f"ice-{entry.item}"
    if isinstance(entry, NotAssessed):
        return TOOLS.get(entry.tool, f"ice-{entry.tool}")
    return ASSESSED.get(type(entry), "")
