"""From what stands charted at an instant to one graded assessment (ASTCT 2019, worst domain decides)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from icans.grading.assessment import Assessment, DomainValue
from icans.grading.astct import CAPD_GRADE_3, DOMAIN_ORDER, EVENT_DOMAINS, GRADE_0, HEMORRHAGE, UNKNOWN, GradeRange
from icans.grading.domains import Domains, Surroundings
from icans.grading.in_force import InForce
from icans.grading.reasons import weight
from icans.record import (
    Capd,
    DocumentedGrade,
    GcsEye,
    IceItem,
    IceTotal,
    NotAssessed,
    Observed,
    Problem,
    Rass,
    evidence_of,
)

#: Charted, said and never counted; they make no row and replace nothing.
UNCOUNTED_FINDINGS = frozenset({"weakness-unspecified", HEMORRHAGE})


def assess(
    at: datetime, in_force: InForce, own: Sequence[Observed], around: Surroundings, unused: list[Problem]
) -> Assessment | None:
    """Grade what stands charted at ``at``; ``own`` is what was charted at that very instant.

    Returns None if nothing charted then can be used for this patient; ``unused`` takes the reasons. Ranges follow
    ASTCT 2019 (Lee et al., Tables 5 and 6); what is missing widens them.
    """
    grading = Domains(at, in_force, own, around)
    grading.choose_tool()
    arousal = grading.grade_consciousness()
    grading.grade_tool(arousal)
    events = grading.grade_events()
    tool_stands = grading.ice is not None or grading.capd is not None or grading.unable
    row = _row(in_force, grading, tool_stands)
    drives = bool(row.documented) and not tool_stands and not around.tool_follows
    documented_stands = row.documented and (tool_stands or not around.tool_follows)
    if not (row.valued or row.reason or row.state or row.inferred or documented_stands):
        unused += [p for p in grading.problems if p.at == at and p.code == "wrong-tool-for-age"]
        return None
    graded = _grade(in_force, grading, row.documented if drives else ())
    by_itself = tool_stands or drives or arousal is not None or any(v.working.low > 0 for v in grading.fresh_events)
    assessable = by_itself or any(v.working.low > 0 for v in events)
    if assessable:
        _note_context(grading, in_force, graded)
    domains = tuple(sorted(grading.domains, key=_domain_order) if len(grading.domains) > 1 else grading.domains)
    working, baseline, value = graded.working, in_force.baseline, grading.ice
    decides = assessable and working.low > 0 and not graded.at_baseline
    event_domains = {v.domain for v in events}
    return Assessment(
        at=at,
        earliest=min([e.earliest for e in grading.own]),
        day=own[0].day,
        references=_references(grading, own),
        full=row.full,
        reason=row.reason,
        assessable=assessable,
        working=working if assessable else None,
        strict=graded.strict if assessable else None,
        domains=domains,
        excluded=tuple(grading.excluded),
        unrecorded=grading.unrecorded() if assessable else (),
        missing=tuple(_missing(grading, working, drives)) if assessable else ("ice",),
        not_documented=tuple([d for d in EVENT_DOMAINS if d not in event_domains]) if events else EVENT_DOMAINS,
        deciding_domain=_deciding(domains, grading.sedated) if decides else None,
        ice_low=value.low if value else None,
        ice_high=value.high if value else None,
        ice_maximum=value.maximum if value else None,
        ice_complete=bool(value and value.complete),
        capd=grading.capd,
        baseline_ice=baseline.low if baseline is not None else None,
        without_carried=graded.without_carried if by_itself else None,
        clear=assessable and graded.clear,
        at_baseline=graded.at_baseline,
        under_sedation=grading.sedated,
        inconclusive=grading.sedated and value is not None and not drives,
        documented=_documented_now(in_force, grading.since),
        notes=tuple(dict.fromkeys(grading.notes)),
        problems=tuple(grading.problems),
    )


@dataclass(frozen=True, slots=True)
class _Graded:
    """The interval of an assessment in the making: without_carried leaves out events charted earlier."""

    working: GradeRange
    strict: GradeRange
    without_carried: GradeRange
    clear: bool
    at_baseline: bool


def _grade(in_force: InForce, grading: Domains, documented: Sequence[DocumentedGrade]) -> _Graded:
    """From the domains to one interval; ``documented``: the grade charted by a clinician where it decides."""
    if documented:
        working = strict = without_carried = _documented_range(grading, documented)
    else:
        working, strict, without_carried = grading.overall()
    at_baseline = _at_baseline(grading, in_force, working, grading.domains)
    clear = at_baseline or _clear(grading, working, grading.domains)
    fresh = grading.without_earlier_events()
    if _at_baseline(grading, in_force, without_carried, fresh) or _clear(grading, without_carried, fresh):
        without_carried = GRADE_0
    if at_baseline:
        working, strict = GradeRange(0, working.high), GradeRange(0, strict.high)
    return _Graded(working, strict, without_carried, clear, at_baseline)


def _documented_now(in_force: InForce, since: datetime) -> int | None:
    if in_force.documented and in_force.documented[0].at >= since:
        return max(e.grade for e in in_force.documented)
    return None


@dataclass(frozen=True, slots=True)
class _Row:
    """What an instant holds at its own time: a value of the patient's tool, why there is none, a charted state or
    event, an inferred level of consciousness, documented grades. full: it answers the call for an assessment."""

    valued: bool
    reason: str
    state: bool
    inferred: bool
    documented: list[DocumentedGrade]
    full: bool


def _row(in_force: InForce, grading: Domains, tool_stands: bool) -> _Row:
    infers = grading.around.policy.inferred_consciousness != "off"
    state = inferred = False
    documented: list[DocumentedGrade] = []
    for entry in grading.own:
        if isinstance(entry, (GcsEye, Rass)):
            inferred = inferred or infers
        elif isinstance(entry, DocumentedGrade):
            if entry.grade < 5:  # death is no row
                documented.append(entry)
        elif isinstance(entry, NotAssessed):
            state = state or (entry.tool == "consciousness" and entry.reason == "unarousable")
        elif not isinstance(entry, (IceTotal, IceItem, Capd)):
            uncounted = getattr(entry, "finding", None) in UNCOUNTED_FINDINGS or entry in in_force.excluded
            state = state or not uncounted
    valued, reason = grading.tool_valued(), grading.reason_now()
    tried = weight(reason) == 2 or (weight(reason) == 1 and grading.level_charted())
    beside = tool_stands or any(weight(earlier) == 1 for _, earlier in grading.reasons)
    full = valued or tried or bool(documented) or (state and beside)
    return _Row(valued, reason, state, inferred, documented, full)


def _domain_order(value: DomainValue) -> int:
    return DOMAIN_ORDER.index(value.domain)


def _documented_range(grading: Domains, documented: Sequence[DocumentedGrade]) -> GradeRange:
    """A documented grade stands by itself; a recorded domain that surely exceeds it widens it."""
    entry = max(documented, key=lambda e: e.grade)
    grade = entry.grade
    result = GradeRange(grade, grade)
    for value in grading.domains:
        if value.working.low > grade:
            result = result.worst_with(value.working)
    own = GradeRange(grade, grade)
    grading.domains.append(
        DomainValue(
            domain="documented",
            working=own,
            strict=own,
            shown=f"grade {grade} charted by a clinician",
            time=entry.at,
            evidence=evidence_of(documented),
        )
    )
    return result


def _clear(grading: Domains, working: GradeRange, counted: Sequence[DomainValue]) -> bool:
    """Cannot be told from grade 0: nothing above it, or no more than an alert level of consciousness leaves open.

    counted: the domains that ``working`` rests on.
    """
    if grading.sedated or working.low > 0 or working.high > 1:
        return False
    if working.high == 0 or (grading.ice is not None and grading.ice.every_valid_item_obtained):
        return True
    others = [v for v in counted if v.domain not in ("capd", "documented")]
    return grading.capd is not None and grading.capd < CAPD_GRADE_3 and all(v.strict.high == 0 for v in others)


def _at_baseline(grading: Domains, in_force: InForce, working: GradeRange, counted: Sequence[DomainValue]) -> bool:
    """The ICE is no worse than before the infusion and every other recorded domain is 0 (project decision)."""
    baseline, value = in_force.baseline, grading.ice
    if baseline is None or value is None or value.low is None or grading.sedated or working.high == 0:
        return False
    if value.reason == "unarousable":
        return False  # charted beside points: the worse counts
    if grading.missing_consciousness is UNKNOWN:
        return False  # nothing shows that the patient was awake
    others = [v for v in counted if v.domain not in ("ice", "documented")]
    return baseline.low is not None and value.low >= baseline.low and all(v.working.high == 0 for v in others)


def _deciding(domains: Sequence[DomainValue], sedated: bool) -> str:
    """The worst domain, the first in the order in which they are named if several are; ICE proves nothing sedated."""
    return max([v for v in domains if v.domain != "ice" or not sedated], key=_lowest).domain


def _lowest(value: DomainValue) -> int:
    return value.working.low


def _missing(grading: Domains, working: GradeRange, drives: bool) -> list[str]:
    """What would settle the working interval: items of an incomplete ICE, domains, a seizure's duration."""
    if working.low == working.high:
        return []
    missing: list[str] = []
    value = grading.ice
    if not drives:
        tool = "ice" if grading.around.tools.ice else "capd"
        if grading.sedated:
            missing += [tool, "consciousness"]
        elif grading.missing_tool is not None and grading.missing_tool.high > working.low:
            missing.append(tool)
        elif value is not None and value.low != value.high and _may_raise(grading, "ice", working):
            if value.mismatch or value.ranged:
                missing.append("ice")
            else:
                missing += [f"ice-{item}" for item in value.missing]
        if grading.missing_consciousness is UNKNOWN and not grading.sedated and working.low < 4:
            missing.append("consciousness")
    for domain in grading.domains:
        open_ended = domain.working.high > domain.working.low and domain.working.high > working.low
        if open_ended and domain.domain == "consciousness":
            missing.append("consciousness")
        elif open_ended and domain.domain == "seizure":
            missing.append("seizure-duration")
        elif open_ended and domain.domain in ("motor", "icp-edema"):
            missing.append(domain.domain)
    return list(dict.fromkeys(missing))


def _may_raise(grading: Domains, domain: str, working: GradeRange) -> bool:
    """The domain's own range decides part of the overall one."""
    return any(v.domain == domain and v.working.low < v.working.high > working.low for v in grading.domains)


def _note_context(grading: Domains, in_force: InForce, graded: _Graded) -> None:
    policy = grading.around.policy
    if grading.sedated:
        grading.notes.append("under-sedation")
    for bolus in in_force.sedation.boluses:
        if grading.at - policy.bolus_note <= bolus.at <= grading.at:
            grading.notes.append("recent-bolus")
            message = (
                f"{bolus.drug} was given as a bolus in the hours before the assessment; sedation may lower the score."
            )
            grading.problems.append(Problem("sedation", bolus.reference, bolus.element, message, bolus.at))
    if not grading.around.administrations_read and (
        any(v.domain == "consciousness" for v in grading.domains) or (grading.ice is not None and grading.ice.low == 0)
    ):
        grading.notes.append("sedation-unchecked")
    value = grading.ice
    if value is not None and value.low is not None:
        if graded.at_baseline:
            grading.notes.append("at-baseline")
        elif in_force.baseline is None:
            grading.notes.append("no-baseline")
        elif in_force.baseline.low is not None and value.low < in_force.baseline.low:
            grading.notes.append("below-baseline")


def _references(grading: Domains, own: Sequence[Observed]) -> tuple[str, ...]:
    """The resources charted at this instant, then those of the hour before that it is graded with."""
    references = dict.fromkeys([own[0].reference] if len(own) == 1 else sorted([e.reference for e in own]))
    used = [e.reference for v in grading.domains if v.status != "carried" for e in v.evidence]
    references.update(dict.fromkeys(sorted(used) if len(used) > 1 else used))
    return tuple(references)
