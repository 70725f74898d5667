"""What stands charted at an instant: the newest value of each domain and the events still in force."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from icans.carried import Carried
from icans.grading import ice
from icans.grading.astct import (
    CONSCIOUSNESS_GRADES,
    DEEP_SEDATION,
    GCS_EYE_GRADES,
    HEMORRHAGE,
    GradeRange,
    event_grade,
    rass_grade,
)
from icans.grading.sedation import Sedation
from icans.policy.policy import Policy
from icans.record import (
    ORIENTATION_ITEMS,
    Capd,
    Consciousness,
    DocumentedGrade,
    Entry,
    GcsEye,
    IceItem,
    IceTotal,
    IcpEdema,
    Motor,
    NotAssessed,
    Observed,
    Problem,
    Rass,
    Seizure,
    is_item,
)

#: Reasons that make an item missing; one of them in the baseline assessment makes the item invalid.
REASONS_ITEM_MISSING = frozenset({"language", "literacy", "vision", "hearing", "motor", "refused", "asleep"})
ENTRY_TYPES_OF_ITEMS = (IceItem, NotAssessed)
#: What was charted at one instant and counts, by type of entry.
Kinds = dict[type[Observed], list[Any]]
#: Which entries speak of which domain, so that the others are not looked for in vain.
KINDS_OF_ICE = frozenset({IceTotal, IceItem, NotAssessed})
Event = Seizure | Motor | IcpEdema
KINDS_OF_EVENTS = frozenset({Seizure, Motor, IcpEdema})
KINDS_OF_CONSCIOUSNESS = frozenset({Consciousness, GcsEye, Rass, NotAssessed})


@dataclass(frozen=True, slots=True, kw_only=True)
class CapdValue:
    """CAPD at one instant: its total, or why there is none."""

    at: datetime
    total: int | None
    reason: str = ""
    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsciousnessValue:
    """Consciousness at one instant: charted level or what GCS or RASS imply; no grade where a reason stands."""

    at: datetime
    grade: GradeRange | None
    inferred: bool = False
    reason: str = ""
    entries: tuple[Entry, ...] = ()


def _item_name(entry: Observed) -> str:
    return entry.item if isinstance(entry, IceItem) else entry.tool if isinstance(entry, NotAssessed) else ""


class InForce(Carried):
    """The newest values, as of the last instant absorbed; copied for checkpoints, never shared."""

    def __init__(self) -> None:
        self.ice: ice.IceValue | None = None
        self.capd: CapdValue | None = None
        self.consciousness: ConsciousnessValue | None = None
        self.level_charted_at: datetime | None = None  # that of the newest charted one, inferred ones left out
        self.seizures: tuple[Seizure, ...] = ()
        self.motor: tuple[Motor, ...] = ()
        self.icp_edema: tuple[IcpEdema, ...] = ()
        self.hemorrhage: tuple[IcpEdema, ...] = ()
        self.documented: tuple[DocumentedGrade, ...] = ()
        self.documented_latest: DocumentedGrade | None = None
        self.excluded: tuple[Observed, ...] = ()
        self.disowned: tuple[tuple[Event, Event], ...] = ()  # carried until charted as due to another cause, and that
        self.sedation = Sedation()
        self.grouped_until: datetime | None = None
        self.absent_items: tuple[str, ...] | None = None  # of the ICE by items of this instant, if it is one
        self.invalid_items: frozenset[str] = frozenset()
        self.unasked_items: frozenset[str] = frozenset()
        self.baseline: ice.IceValue | None = None
        self.tool_rows: tuple[datetime, ...] = ()
        self.complete_ice: Mapping[datetime, ice.IceValue] = {}
        self.ice_scored_at: datetime | None = None
        self.ice_ever_complete = False

    def absorb(
        self, at: datetime, own: Sequence[Observed], items_from: Callable[[datetime], list[Observed]], policy: Policy
    ) -> list[Problem]:
        """Take everything charted at ``at``; ``items_from`` gives the loose ICE items of the item window.

        Returns the problems of values that stand twice or contradict each other.
        """
        problems: list[Problem] = []
        if self.excluded:
            cutoff = at - policy.combination_window
            self.excluded = tuple(entry for entry in self.excluded if entry.at >= cutoff)
        self.absent_items = None
        used: list[Observed] = []
        kinds: Kinds = {}
        for entry in own:
            if entry.other_cause:
                self.excluded = (*self.excluded, entry)
                if isinstance(entry, (Seizure, Motor, IcpEdema)):
                    self._disown(entry, policy)
            else:
                used.append(entry)
                kinds.setdefault(type(entry), []).append(entry)
        unscored: list[NotAssessed] = kinds.get(NotAssessed, [])
        if not kinds.keys().isdisjoint(KINDS_OF_ICE):
            self._absorb_ice(at, used, kinds, items_from, problems)
        if unscored or Capd in kinds:
            self._absorb_capd(at, kinds.get(Capd, []), unscored, problems)
        reasons = {e.reason for e in unscored if e.tool in ("ice", "capd")}
        if self.ice is not None and self.ice.at == at:
            reasons.add(self.ice.reason)
        if "sedated" in reasons and "unarousable" not in reasons:
            self.sedation = replace(self.sedation, charted_at=at)
        if not kinds.keys().isdisjoint(KINDS_OF_CONSCIOUSNESS):
            self._absorb_consciousness(at, kinds, policy, problems)
        if not kinds.keys().isdisjoint(KINDS_OF_EVENTS):
            self._absorb_events(at, kinds, problems)
        documented: list[DocumentedGrade] = kinds.get(DocumentedGrade, [])
        if documented:
            problems += repeated(documented, [e.grade for e in documented])
            self.documented = tuple(documented)
            self.documented_latest = max(documented, key=lambda e: e.grade)
            self.seizures = tuple(e for e in self.seizures if e.at >= at)
            self.motor = tuple(e for e in self.motor if e.at >= at)
            self.icp_edema = tuple(e for e in self.icp_edema if e.at >= at)
        return problems

    def _absorb_capd(
        self, at: datetime, capds: list[Capd], unscored: list[NotAssessed], problems: list[Problem]
    ) -> None:
        if capds:
            worst = max(capds, key=lambda e: e.total)
            self.capd = CapdValue(at=at, total=worst.total, entries=tuple(capds))
            problems += repeated(capds, [e.total for e in capds])
        for entry in unscored:
            if entry.tool == "capd":
                if not capds:
                    self.capd = CapdValue(at=at, total=None, reason=entry.reason, entries=(entry,))
                elif entry.reason == "unarousable" and self.capd is not None:
                    self.capd = replace(self.capd, reason=entry.reason)

    def _absorb_ice(
        self,
        at: datetime,
        used: Sequence[Observed],
        kinds: Kinds,
        items_from: Callable[[datetime], list[Observed]],
        problems: list[Problem],
    ) -> None:
        value: ice.IceValue | None = None
        totals: list[IceTotal] = kinds.get(IceTotal, [])
        unscored: list[NotAssessed] = [e for e in kinds.get(NotAssessed, []) if e.tool == "ice"]
        failed = [e for e in unscored if e.reason == "aphasia"]
        for one in (*map(ice.value_of_total, totals), *map(ice.value_of_reason, failed)):
            value = one if value is None else ice.worse_of(value, one)
        problems += repeated(totals, [(e.low, e.high) for e in totals])
        items = self._absorb_items(at, used, items_from, problems)
        if items is not None:
            value = items if value is None else ice.total_with_items(value, items)
        for entry in unscored:
            if entry.reason != "aphasia":
                one = ice.value_of_reason(entry)
                value = one if value is None else ice.worse_of(value, one)
        if value is None:
            return
        if value.mismatch:
            shown = value.entries[0]
            problems.append(
                Problem(
                    "items-total-mismatch",
                    shown.reference,
                    shown.element,
                    "The ICE items and the recorded total disagree; the grade spans both.",
                    at,
                    None,
                    ("grade",),
                )
            )
        self.ice = value
        if value.low is not None:
            self.ice_scored_at = at
        self.ice_ever_complete = self.ice_ever_complete or value.complete

    def _absorb_items(
        self,
        at: datetime,
        used: Sequence[Observed],
        items_from: Callable[[datetime], list[Observed]],
        problems: list[Problem],
    ) -> ice.IceValue | None:
        items = [e for e in used if is_item(e)]
        if not items or (self.grouped_until is not None and at <= self.grouped_until):
            return None
        for name in {_item_name(e) for e in items}:
            same = [e for e in items if _item_name(e) == name]
            problems += repeated(same, [e.points if isinstance(e, IceItem) else e.shown for e in same])
        group = ice.item_group([e for e in items_from(at) if isinstance(e, ENTRY_TYPES_OF_ITEMS)])
        self.grouped_until = group.until
        for name, result in group.results.items():
            if result == "not-valid-at-baseline":
                names = (name, *ORIENTATION_ITEMS) if name == "orientation" else (name,)
                self.invalid_items = self.invalid_items.union(names)
        value = ice.value_of_items(at, group, self.invalid_items, self.unasked_items)
        self.absent_items = None if value.low is None else ice.never_named(group, value)
        return value if value.low is not None or value.reason else None  # only points that do not count: no value

    def _absorb_consciousness(self, at: datetime, kinds: Kinds, policy: Policy, problems: list[Problem]) -> None:
        charted: list[Consciousness] = kinds.get(Consciousness, [])
        if charted:
            grades = [CONSCIOUSNESS_GRADES[e.level] for e in charted]
            problems += repeated(charted, [e.level for e in charted])
            self.consciousness = ConsciousnessValue(at=at, grade=worst(grades), entries=tuple(charted))
            self.level_charted_at = at
        reasons: list[NotAssessed] = [
            e
            for e in kinds.get(NotAssessed, [])
            if e.tool == "consciousness" and e.reason in ("sedated", "unarousable")
        ]
        if reasons:
            unarousable = any(e.reason == "unarousable" for e in reasons)
            self.consciousness = ConsciousnessValue(
                at=at,
                grade=CONSCIOUSNESS_GRADES["unarousable"] if unarousable else None,
                reason="" if unarousable else "sedated",
                entries=(*reasons, *charted),
            )
            self.level_charted_at = at if unarousable else self.level_charted_at
        scores: list[Rass] = kinds.get(Rass, [])
        inferred: list[GcsEye | Rass] = sorted([*kinds.get(GcsEye, []), *scores], key=lambda e: e.reference)
        if scores:
            deep_at = at if min(e.score for e in scores) <= DEEP_SEDATION else None
            self.sedation = replace(self.sedation, deep_at=deep_at)
        if inferred and not charted and not reasons and policy.inferred_consciousness != "off":
            grades = [GCS_EYE_GRADES[e.score] if isinstance(e, GcsEye) else rass_grade(e.score) for e in inferred]
            self.consciousness = ConsciousnessValue(at=at, grade=worst(grades), inferred=True, entries=tuple(inferred))

    def _disown(self, attributed: Event, policy: Policy) -> None:
        """What is due to another cause ends what its domain carries with the same code or with no higher grade."""
        ended: list[Event]
        if isinstance(attributed, Seizure):
            ended = _ended_by(attributed, self.seizures)
            self.seizures = tuple(e for e in self.seizures if e not in ended)
        elif isinstance(attributed, Motor):
            ended = _ended_by(attributed, self.motor)
            self.motor = tuple(e for e in self.motor if e not in ended)
        else:
            ended = _ended_by(attributed, self.icp_edema)
            self.icp_edema = tuple(e for e in self.icp_edema if e not in ended)
        since = attributed.at - policy.event_carry
        recent = (pair for pair in self.disowned if pair[1].at >= since)
        self.disowned = (*recent, *((entry, attributed) for entry in ended if event_grade(entry).high))

    def _absorb_events(self, at: datetime, kinds: Kinds, problems: list[Problem]) -> None:
        seizures: list[Seizure] = kinds.get(Seizure, [])
        if seizures:
            problems += repeated(seizures, [(e.finding, e.duration_seconds) for e in seizures])
            positive = tuple(e for e in seizures if e.finding != "none")
            kept = () if len(positive) < len(seizures) and not positive else self.seizures
            self.seizures = (*kept, *positive) or tuple(seizures)
        motor: list[Motor] = kinds.get(Motor, [])
        if motor:
            problems += repeated(motor, [e.finding for e in motor], coexist=True)
            specific = tuple(e for e in motor if e.finding != "weakness-unspecified")
            self.motor = specific or self.motor
            problems += [
                Problem(
                    "finding-unspecific",
                    e.reference,
                    e.element,
                    "Weakness is charted without saying whether it is deep and focal; it is not counted.",
                    at,
                    None,
                    ("grade",),
                )
                for e in motor
                if e.finding == "weakness-unspecified"
            ]
        signs: list[IcpEdema] = kinds.get(IcpEdema, [])
        icp = [e for e in signs if e.finding != HEMORRHAGE]
        hemorrhage = tuple(e for e in signs if e.finding == HEMORRHAGE)
        if hemorrhage:
            self.hemorrhage = hemorrhage
            problems += [
                Problem(
                    "hemorrhage-excluded",
                    e.reference,
                    e.element,
                    "Intracranial hemorrhage was recorded; ASTCT excludes it, and edema with it, from the grade.",
                    at,
                    None,
                    ("grade",),
                )
                for e in hemorrhage
            ]
        edema = ("focal-edema", "diffuse-edema")
        if hemorrhage and any(e.finding in edema for e in icp):
            self.excluded = (*self.excluded, *(e for e in icp if e.finding in edema))
            icp = [e for e in icp if e.finding not in edema]
        if icp:
            problems += repeated(icp, [e.finding for e in icp], coexist=True)
            self.icp_edema = tuple(icp)


def _ended_by(attributed: Event, carried: Sequence[Event]) -> list[Event]:
    low = event_grade(attributed).low
    return [e for e in carried if e.finding == attributed.finding or event_grade(e).high <= low]


def worst(grades: Sequence[GradeRange]) -> GradeRange:
    """The worse of several ranges, at both ends."""
    result = grades[0]
    for grade in grades[1:]:
        result = result.worst_with(grade)
    return result


def repeated(entries: Sequence[Entry], values: Sequence[object], *, coexist: bool = False) -> list[Problem]:
    """The problem of several values of one domain at one instant; ``coexist``: several signs may stand together."""
    if len(entries) < 2:
        return []
    distinct = {repr(value) for value in values}
    others = ", ".join(entry.reference for entry in entries[1:])
    first = entries[0]
    if len(distinct) == 1:
        return [
            Problem(
                "duplicate", first.reference, first.element, f"The same value is charted again in {others}.", first.at
            )
        ]
    if coexist and "'none'" not in distinct:
        return []
    shown = ", ".join(entry.shown for entry in entries)
    message = f"Different values are charted at one instant ({shown}; also {others}); the worse counts."
    return [Problem("conflicting-values", first.reference, first.element, message, first.at, None, ("grade",))]
