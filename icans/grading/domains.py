"""What each ASTCT domain contributes to one assessment: counted, excluded, inferred, carried or missing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from icans.grading import ice
from icans.grading.assessment import DomainValue
from icans.grading.astct import (
    AROUSABLE,
    CAPD_BELOW,
    CAPD_FROM,
    CAPD_GRADE_3,
    EVENT_DOMAINS,
    GRADE_0,
    HEMORRHAGE,
    UNKNOWN,
    GradeRange,
    event_grade,
    ice_grade,
)
from icans.grading.in_force import CapdValue, ConsciousnessValue, InForce, worst
from icans.grading.reasons import strongest
from icans.grading.tool_for_age import Tools
from icans.policy.policy import Policy
from icans.record import (
    Capd,
    Consciousness,
    DocumentedGrade,
    Entry,
    Evidence,
    GcsEye,
    IcpEdema,
    Motor,
    Observed,
    Problem,
    Rass,
    Seizure,
    evidence_of,
)


class Surroundings(NamedTuple):
    """What the grade of an assessment depends on beside the charted values.

    headline: the grade before it. tool_follows: an ICE or CAPD value stands in the window after it, so a
    documented grade does not drive. tools: which tool applies. administrations_read: sedation could be checked.
    """

    headline: int
    tool_follows: bool
    tools: Tools
    administrations_read: bool
    policy: Policy


class Domains:
    """One assessment in the making; each method adds one domain."""

    def __init__(self, at: datetime, in_force: InForce, own: Sequence[Observed], around: Surroundings) -> None:
        self.at, self.in_force, self.around = at, in_force, around
        self.own = [e for e in own if not e.other_cause]
        self.since = at - around.policy.combination_window
        self.domains: list[DomainValue] = []
        self.fresh_events: list[DomainValue] = []
        self.excluded: list[DomainValue] = []
        self.notes: list[str] = []
        self.problems: list[Problem] = []
        self.missing: list[str] = []
        self.ice: ice.IceValue | None = None
        self.capd: int | None = None
        self.capd_value: CapdValue | None = None
        self.capd_ignored = False
        self.unable = False
        self.reasons: list[tuple[datetime, str]] = []  # why the patient's tool has no value, and since when
        self.missing_consciousness: GradeRange | None = None
        consciousness = in_force.consciousness
        self.consciousness = consciousness if consciousness and consciousness.at >= self.since else None
        value = in_force.ice
        self.charted_ice = value if value and value.at >= self.since else None
        self.sedated = self._is_sedated()

    def _is_sedated(self) -> bool:
        """By what was given, or by what was charted in the window."""
        sedation, tools = self.in_force.sedation, self.around.tools
        own = ((tools.ice, self.in_force.ice), (tools.capd, self.in_force.capd))
        answers = [value.at for applies, value in own if applies and value is not None]
        return (
            sedation.runs_until(self.at, self.around.policy) is not None
            or sedation.charted_since(self.since, answers)
            or (self.consciousness is not None and self.consciousness.reason == "sedated")
        )

    def _recent(self, value: object) -> bool:
        at = getattr(value, "at", None)
        return at is not None and at >= self.since

    def exclude(self, domain: str, entries: Sequence[Entry], reason: str, evidence: tuple[Evidence, ...] = ()) -> None:
        for entry in entries:
            self.excluded.append(
                DomainValue(
                    domain=domain,
                    working=GRADE_0,
                    strict=GRADE_0,
                    shown=entry.shown,
                    time=entry.at,
                    status="not-assessable" if reason == "sedation" else "excluded",
                    reason=reason,
                    evidence=evidence or evidence_of([entry]),
                )
            )

    def choose_tool(self) -> None:
        """Take the ICE or CAPD of the window if it is this patient's tool and sedation does not void it."""
        tools, capd = self.around.tools, self.in_force.capd if self._recent(self.in_force.capd) else None
        value = self.charted_ice
        if value is not None and not tools.ice:
            self.exclude("ice", value.entries, "wrong-tool-for-age")
            self._wrong_tool(value.entries[0], "ICE is not used for this age; CAPD is.")
            value = None
        if capd is not None and not tools.capd:
            self.exclude("capd", capd.entries, "wrong-tool-for-age")
            self._wrong_tool(capd.entries[0], "CAPD is not used for this age; ICE is.")
            capd = None
        if capd is not None and tools.age_unknown:
            self.notes.append("age-unknown")
            self._wrong_tool(capd.entries[0], "The birth date is not known: ICE is used where there is one, else CAPD.")
            scored = self.in_force.ice_scored_at
            if scored is not None and scored >= self.since:
                self.exclude("capd", capd.entries, "age-unknown")
                self.capd_ignored, capd = True, None
        if value is not None and value.low is None and capd is not None and capd.at > value.at:
            value = None  # ICE and CAPD are one domain: a newer score replaces the reason for none
        elif value is not None and value.low is not None and capd is not None and capd.total is None:
            capd = capd if capd.at >= value.at else None
        if value is not None and value.low is None:
            self.reasons.append((value.at, value.stated))
        if capd is not None and capd.total is None:
            self.reasons.append((capd.at, capd.reason))
        if tools.age_imprecise and (capd is not None or value is not None):
            entry = (value or capd).entries[0]  # type: ignore[union-attr]
            message = "Only the year of birth is known; ICE and CAPD are both accepted and the worse counts."
            self.problems.append(Problem("time-imprecise", entry.reference, entry.element, message, self.at))
        if capd is not None:
            deep = self.in_force.sedation.deep_at
            self.unable = capd.reason == "unarousable" and not self.sedated
            if self.sedated or (deep is not None and deep >= self.since and not self.unable) or capd.total is None:
                if not self.unable:
                    reason = "sedation" if self.sedated else capd.reason or "RASS -4 or -5"
                    self.exclude("capd", capd.entries, reason)
                capd = None
        self.capd = capd.total if capd else None
        self.capd_value = capd
        if value is not None and value.low is not None and self.sedated and not value.points_obtained:
            self.exclude("ice", value.entries, "sedation")
            value = None
        self.ice = value

    def tool_valued(self) -> bool:
        """The patient's tool has a value of this very instant, be it void."""
        tools, ice_value, capd = self.around.tools, self.in_force.ice, self.in_force.capd
        by_ice = tools.ice and ice_value is not None and ice_value.at == self.at and ice_value.low is not None
        by_capd = tools.capd and not self.capd_ignored and capd is not None and capd.at == self.at
        return by_ice or (by_capd and capd is not None and capd.total is not None)

    def reason_now(self) -> str:
        """Why the patient's tool has no value at this very instant; "" if it has one, or none is stated."""
        return "" if self.tool_valued() else strongest(reason for at, reason in self.reasons if at == self.at)

    def level_charted(self) -> bool:
        """A level of consciousness is charted in the window, not inferred and not void."""
        charted_at = self.in_force.level_charted_at
        return not self.sedated and charted_at is not None and charted_at >= self.since

    def tool_charted(self) -> tuple[bool, bool]:
        """Whether the chosen tool has a value charted at this very instant, and whether it says "unarousable"."""
        ice_value, capd = self.ice, self.capd_value
        value = ice_value is not None and ice_value.at == self.at and ice_value.low is not None
        value = value or (capd is not None and capd.at == self.at)
        said = ice_value is not None and ice_value.at == self.at and ice_value.reason == "unarousable"
        unable = self.unable and self.in_force.capd is not None and self.in_force.capd.at == self.at
        return value, (said and not self.sedated) or unable

    def _wrong_tool(self, entry: Entry, message: str) -> None:
        self.problems.append(
            Problem("wrong-tool-for-age", entry.reference, entry.element, message, entry.at, None, ("grade",))
        )

    def grade_consciousness(self) -> GradeRange | None:
        """Add consciousness; returns what the newest value means for arousal, None if not recorded."""
        value = self.consciousness
        awake = (self.ice is not None and self.ice.points_obtained) or (
            self.capd is not None and self.capd < CAPD_GRADE_3
        )
        if value is not None and (self.sedated or value.grade is None):
            self.exclude("consciousness", value.entries, "sedation")
            value = None
        if value is None or value.grade is None:
            if not awake:
                self.missing_consciousness = UNKNOWN
                return None
            self.notes.append("consciousness-not-recorded")
            self.missing_consciousness = AROUSABLE
            return None
        working = strict = value.grade
        if value.inferred:
            self.notes.append("consciousness-inferred")
            if self.around.policy.inferred_consciousness == "cautious" and value.grade == GradeRange(2, 2):
                strict = GradeRange(0, 2)
                working = GRADE_0 if awake else strict
        self.missing_consciousness = None
        shown = _consciousness_shown(value)
        self.domains.append(
            DomainValue(
                domain="consciousness",
                working=working,
                strict=strict,
                shown=shown,
                time=value.at,
                status="inferred" if value.inferred else "charted",
                evidence=evidence_of(value.entries),
            )
        )
        self._implausible(value)
        return working.worst_with(value.grade)

    def _implausible(self, value: ConsciousnessValue) -> None:
        points = self.ice.low if self.ice is not None else None
        if points is None or value.grade is None or points < 1:
            return
        if value.grade.high == 4 or (value.grade.low >= 3 and points >= 7):
            entry = value.entries[0]
            self.notes.append("implausible-pair")
            message = f"ICE {points} and consciousness '{entry.shown}' do not fit together; the worse counts."
            self.problems.append(
                Problem("inconsistent-arousal", entry.reference, entry.element, message, entry.at, None, ("grade",))
            )

    def grade_tool(self, arousal: GradeRange | None) -> None:
        """Add ICE and CAPD; without either the tool may still be anything that arousal allows."""
        if self.ice is not None and self.ice.reason == "unarousable" and not self.sedated:
            self._tool("ice", GradeRange(4, 4), "ICE not possible: unarousable", self.ice.at, self.ice.entries)
        elif self.ice is not None and self.ice.low is not None and self.ice.high is not None:
            arousable = None
            if arousal is not None:
                arousable = True if arousal.high < 4 else False if arousal.low == 4 else None
            grade = ice_grade(self.ice.low, self.ice.high, arousable)
            self._tool("ice", grade, _ice_shown(self.ice), self.ice.at, self.ice.entries)
        elif self.ice is not None:
            self.exclude("ice", self.ice.entries, "sedation" if self.ice.reason == "sedated" else self.ice.reason)
            self.ice = None
        if self.capd_value is not None and self.capd is not None:
            grade = CAPD_BELOW if self.capd < CAPD_GRADE_3 else CAPD_FROM
            self._tool("capd", grade, f"CAPD {self.capd}", self.capd_value.at, self.capd_value.entries)
        if self.unable and self.in_force.capd is not None:
            unable = self.in_force.capd
            self._tool("capd", GradeRange(4, 4), "CAPD not possible: unarousable", unable.at, unable.entries)
        self.missing_tool: GradeRange | None = None
        if self.ice is None and self.capd is None and not self.unable:
            self.missing_tool = AROUSABLE if arousal is not None and arousal.high < 4 else UNKNOWN

    def _tool(self, domain: str, grade: GradeRange, shown: str, at: datetime, entries: Sequence[Entry]) -> None:
        self.domains.append(
            DomainValue(domain=domain, working=grade, strict=grade, shown=shown, time=at, evidence=evidence_of(entries))
        )

    def grade_events(self) -> list[DomainValue]:
        """Add seizure (carried for a day), motor and ICP/edema (carried until charted again); returns them."""
        policy, in_force = self.around.policy, self.in_force
        cutoff = self.at - policy.event_carry
        before = len(self.domains)
        seizures = [e for e in in_force.seizures if e.at >= cutoff] if in_force.seizures else ()
        if seizures:
            worst_seizure = max(seizures, key=lambda e: _order(event_grade(e)))
            self._event("seizure", seizures, [event_grade(e) for e in seizures], worst_seizure)
        if in_force.motor:
            self._standing("motor", in_force.motor, [event_grade(e) for e in in_force.motor], cutoff)
        if in_force.icp_edema:
            self._standing("icp-edema", in_force.icp_edema, [event_grade(e) for e in in_force.icp_edema], cutoff)
        for event, attributed in in_force.disowned:
            if attributed.at >= cutoff:
                self.exclude(_domain_of(event), [event], "ended-by-other-cause", evidence_of([event, attributed]))
        for bleeding in in_force.hemorrhage:
            if bleeding.at >= cutoff:
                self.exclude("icp-edema", [bleeding], HEMORRHAGE)
        for entry in in_force.excluded:
            if entry.at >= self.since:
                other = entry.other_cause
                self.exclude(_domain_of(entry), [entry], "other-cause" if other else HEMORRHAGE)
        return self.domains[before:]

    def _standing(self, domain: str, entries: Sequence[Entry], grades: Sequence[GradeRange], cutoff: datetime) -> None:
        """An event that stands until charted again; older than a day it only may still be there."""
        worst_entry = max(zip(grades, entries, strict=True), key=lambda pair: pair[0].low)[1]
        if entries[0].at < cutoff:
            grades = [GradeRange(0, grade.high) for grade in grades]
            if worst(grades).high:
                self.notes.append("events-re-documentation-due")
        self._event(domain, entries, grades, worst_entry)

    def _event(self, domain: str, entries: Sequence[Entry], grades: Sequence[GradeRange], shown: Entry) -> None:
        grade, fresh = worst(grades), [g for g, e in zip(grades, entries, strict=True) if e.at == self.at]
        value = DomainValue(
            domain=domain,
            working=grade,
            strict=grade,
            shown=f"{domain}: {shown.shown}",
            time=shown.at,
            status="charted" if fresh or not grade.high else "carried",
            evidence=evidence_of(entries),
        )
        self.domains.append(value)
        if fresh:
            self.fresh_events.append(value._replace(working=worst(fresh), strict=worst(fresh)))

    def without_earlier_events(self) -> list[DomainValue]:
        """The domains as they would count had no event been charted before this instant."""
        return [v for v in self.domains if v.domain not in EVENT_DOMAINS] + self.fresh_events

    def overall(self) -> tuple[GradeRange, GradeRange, GradeRange]:
        """The worst domain, with what is not recorded at what it may be: the working and the strict interval,
        and the working one without events charted earlier."""
        working = strict = GRADE_0
        for value in self.domains:
            working = working.worst_with(value.working)
            strict = strict.worst_with(value.strict)
        fresh = worst([GRADE_0, *(value.working for value in self.without_earlier_events())])
        if self.sedated and self.ice is not None:
            return self._under_sedation()
        missing = self.missing_consciousness
        if missing is not None:
            strict = strict.worst_with(missing)
            if missing is not AROUSABLE:
                working, fresh = working.worst_with(missing), fresh.worst_with(missing)
        if self.missing_tool is not None:
            working, strict = working.worst_with(self.missing_tool), strict.worst_with(self.missing_tool)
            fresh = fresh.worst_with(self.missing_tool)
        return working, strict, fresh

    def unrecorded(self) -> tuple[tuple[str, GradeRange], ...]:
        """Domains without a value and the grades that each leaves open in the working interval."""
        if self.sedated and self.ice is not None:
            return ()
        consciousness = self.missing_consciousness if self.missing_consciousness is not AROUSABLE else None
        left_open = (("ice", self.missing_tool), ("consciousness", consciousness))
        return tuple((domain, grades) for domain, grades in left_open if grades is not None)

    def _under_sedation(self) -> tuple[GradeRange, GradeRange, GradeRange]:
        """An ICE of at least one point under sedation proves nothing but may be a change; events still count."""
        high = self.around.headline
        events = GRADE_0
        for value in self.domains:
            if value.domain == "ice":
                high = max(high, value.working.high)
            elif value.domain != "consciousness":
                events = events.worst_with(value.working)
        fresh = worst([GRADE_0, *(value.working for value in self.fresh_events)])
        possible = GradeRange(0, high)
        return (
            possible.worst_with(events),
            GradeRange(0, max(high, 3)).worst_with(events),
            possible.worst_with(fresh),
        )


def _order(grade: GradeRange) -> tuple[int, int]:
    return grade.low, grade.high


def _domain_of(entry: Observed) -> str:
    if isinstance(entry, Seizure):
        return "seizure"
    if isinstance(entry, Motor):
        return "motor"
    if isinstance(entry, IcpEdema):
        return "icp-edema"
    if isinstance(entry, Capd):
        return "capd"
    if isinstance(entry, DocumentedGrade):
        return "documented"
    return "consciousness" if isinstance(entry, (Consciousness, GcsEye, Rass)) else "ice"


def _consciousness_shown(value: ConsciousnessValue) -> str:
    if not value.inferred:
        return f"consciousness {', '.join(entry.shown for entry in value.entries)}"
    scales = (f"{'RASS' if isinstance(e, Rass) else 'GCS eye response'} {e.shown}" for e in value.entries)
    return f"consciousness inferred from {', '.join(scales)}"


def _ice_shown(value: ice.IceValue) -> str:
    points = f"{value.low}" if value.low == value.high else f"{value.low}-{value.high}"
    if value.maximum < 10 and value.low is not None:
        return f"ICE {value.low}/{value.maximum} assessable"
    return f"ICE {points}"
