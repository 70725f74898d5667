"""One assessment: all that was charted at one instant, with what was charted in the hour before (B1-B14)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from icans.policy.policy import Policy
from icans.record import (
    Capd,
    Consciousness,
    DocumentedGrade,
    GcsEye,
    IcpEdema,
    Motor,
    NotAssessed,
    Observed,
    Rass,
    Record,
    Seizure,
)
from tests.oracle import events, grades
from tests.oracle import in_force as charted
from tests.oracle import tool_for_age as tools
from tests.oracle.events import Standing
from tests.oracle.grades import NOTHING, UNKNOWN, Range, worst
from tests.oracle.in_force import ALONE, BESIDE, Ice, Statement
from tests.oracle.memory import by

ORDER = ("ice", "capd", "consciousness", "seizure", "motor", "icp-edema", "documented")


@dataclass
class Graded:
    """One row, graded. shown: the interval entries show; counts: the one that decides (clear is 0)."""

    at: datetime
    full: bool
    assessable: bool
    shown: Range
    strict: Range
    counts: Range
    clear: bool = False
    sedated: bool = False
    deciding: str | None = None
    ice: Ice | None = None
    capd: Capd | None = None
    documented_drives: bool = False
    documented: int | None = None
    moves: bool = False  # it set another headline
    carried_only: bool = False  # nothing but events charted before it makes it assessable
    weak: bool = False  # it has a reason for a missing ICE or CAPD that does not make it full (L13)
    contributions: dict[str, Range] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    earliest: datetime | None = None
    placed: datetime | None = None  # where it stands, if ``at`` is moved to the start of its day
    values: list[Standing] = field(default_factory=list)  # what it rests on: domain, when charted, grade (L14)


@dataclass
class State:
    """The consciousness in force: its grades, and how they were charted."""

    at: datetime
    range: Range
    inferred: bool


def consciousness_entries(record: Record, policy: Policy) -> list[Observed]:
    inferred = policy.inferred_consciousness != "off"
    return [
        entry
        for entry in record.observed
        if not entry.other_cause
        and (isinstance(entry, Consciousness) or unarousable(entry) or (inferred and isinstance(entry, GcsEye | Rass)))
    ]


def unarousable(entry: Observed) -> bool:
    return isinstance(entry, NotAssessed) and entry.tool == "consciousness" and entry.reason == "unarousable"


def consciousness(record: Record, policy: Policy, at: datetime) -> State | None:
    """B3, B7: the newest in the hour; charted before inferred, the worse of equals."""
    window = [e for e in consciousness_entries(record, policy) if at - policy.combination_window <= e.at <= at]
    if not window:
        return None
    newest = max(e.at for e in window)
    last = [e for e in window if e.at == newest]
    direct = [e for e in last if not isinstance(e, GcsEye | Rass)]
    chosen = direct or last
    ranges = [(4, 4) if unarousable(e) else grades.mapped(e) for e in chosen]  # type: ignore[arg-type]
    return State(newest, worst(*ranges), inferred=not direct)


def deep_rass(record: Record, policy: Policy, at: datetime) -> bool:
    """B8: the newest RASS of the hour is -4 or -5, at which CAPD is invalid."""
    window = [
        e
        for e in record.observed
        if isinstance(e, Rass) and not e.other_cause and at - policy.combination_window <= e.at <= at
    ]
    if not window:
        return False
    newest = max(e.at for e in window)
    return min(e.score for e in window if e.at == newest) <= -4


def said_sedated(record: Record, policy: Policy, at: datetime, last: Statement | None) -> bool:
    """An explicit "sedated" that nothing newer, and no "unarousable" beside it, answers.

    It speaks of the patient, whatever tool it is charted with; only a value of the patient's tool answers it.
    """
    since = at - policy.combination_window if last is None else last.at
    for s in charted.statements(record, policy):
        reasons = s.ice_reasons | s.capd_reasons
        if since <= s.at <= at and "sedated" in reasons and "unarousable" not in reasons:
            return True
    said = [
        e.at
        for e in record.observed
        if isinstance(e, NotAssessed)
        and not e.other_cause
        and e.tool == "consciousness"
        and e.reason == "sedated"
        and at - policy.combination_window <= e.at <= at
    ]
    unable = {e.at for e in record.observed if unarousable(e) and not e.other_cause}
    said = [s for s in said if s not in unable]
    state = consciousness(record, policy, at)
    return bool(said) and (state is None or max(said) >= state.at)


def tools_standing(
    record: Record, policy: Policy, since: datetime, until: datetime, unarousable_too: bool = False
) -> list[datetime]:
    """Where in [since, until] an ICE or CAPD value stands that was assessable when charted (B5).

    unarousable_too: and where the patient was found unarousable for it.
    """
    stands = []
    for statement in charted.statements(record, policy):
        at = statement.at
        if not since <= at <= until:
            continue
        hour = [s for s in charted.statements(record, policy) if at - policy.combination_window <= s.at <= at]
        used = tools.accepted(record, policy, at, tools.day_of(record, at), hour)
        if not used or used[-1].at != at:
            continue
        s = used[-1]
        sedated = charted.running(record, policy, at) or said_sedated(record, policy, at, s)
        unable = "unarousable" in s.ice_reasons | s.capd_reasons and not sedated
        points = s.ice is not None and s.ice.low >= 1 and "unarousable" not in s.ice_reasons
        ice = points or (s.ice is not None and not sedated)
        capd = s.capd is not None and s.capd.at == at and not sedated and not deep_rass(record, policy, at)
        if ice or capd or (unable and unarousable_too):
            stands.append(at)
    return stands


def documented_near(record: Record, policy: Policy, at: datetime) -> int | None:
    """The newest documented grade of the hour before."""
    near = [
        e
        for e in record.observed
        if isinstance(e, DocumentedGrade) and not e.other_cause and at - policy.combination_window <= e.at <= at
    ]
    newest = max((e.at for e in near), default=None)
    return max((e.grade for e in near if e.at == newest), default=None)


def row_times(record: Record, policy: Policy) -> list[datetime]:
    """B1: instants with a usable value."""
    times = {s.at for s in charted.statements(record, policy) if tool_statement(record, policy, s)}
    times |= {e.at for e in consciousness_entries(record, policy)}
    times |= {e.at for e in record.observed if events.usable(record, e) or (documents(e) and not e.other_cause)}
    return sorted(times)


def tool_statement(record: Record, policy: Policy, s: Statement) -> bool:
    return bool(tools.accepted(record, policy, s.at, tools.day_of(record, s.at), [s]))


def documents(entry: Observed) -> bool:
    return isinstance(entry, DocumentedGrade)


def grade(
    record: Record,
    policy: Policy,
    at: datetime,
    headline: int,
    infusion: datetime | None,
    without_events_before: datetime | None = None,
) -> Graded | None:
    """The row at this instant, None if nothing in it is usable. headline: H before it (for sedation)."""
    if without_events_before is not None:
        kept = tuple(
            e
            for e in record.observed
            if not (isinstance(e, Seizure | Motor | IcpEdema) and e.at < without_events_before)
        )
        record = Record(
            patient=record.patient,
            observed=kept,
            sedatives=record.sedatives,
            birth=record.birth,
            developmental_delay=record.developmental_delay,
        )
    hour = policy.combination_window
    day = tools.day_of(record, at)
    own = [e for e in record.observed if e.at == at and not e.other_cause]
    window = tools.accepted(
        record, policy, at, day, [s for s in charted.statements(record, policy) if at - hour <= s.at <= at]
    )
    last = window[-1] if window else None
    docs = [e.grade for e in own if isinstance(e, DocumentedGrade) and e.grade < 5]

    state = consciousness(record, policy, at)
    sedated = charted.running(record, policy, at) or said_sedated(record, policy, at, last)
    in_force = events.in_force(record, policy, at)
    result = contributions(record, policy, at, headline, last, state, sedated)
    working, strict, ice, capd, state_usable = result
    unable = last is not None and not sedated and "unarousable" in last.ice_reasons | last.capd_reasons
    ice_before = ice is not None or capd is not None or unable
    follows = [s for s in tools_standing(record, policy, at, at + hour) if s > at]
    drives = bool(docs) and not ice_before and not follows

    own_tool = last is not None and last.at == at
    own_state = any(e.at == at for e in consciousness_entries(record, policy))
    own_charted = any(isinstance(e, Consciousness) or unarousable(e) for e in own)
    own_event = any(events.usable(record, e) for e in own)
    if not (own_tool or own_state or own_event or drives or (docs and ice_before)):
        return None
    full, weak = standing_of_reasons(record, policy, at, window, sedated)
    full |= bool(docs) or ((own_charted or own_event) and (ice_before or beside(window)))

    values = {**working, **in_force}
    if drives:
        g = max(docs)
        low_above = {d: r for d, r in values.items() if r[0] > g}
        total = worst((g, g), *low_above.values())
        total_strict = total
        values["documented"] = (g, g)
    else:
        total = worst(*values.values())
        total_strict = worst(*strict.values(), *in_force.values())
    assessable = state_usable or drives or total[0] > 0
    graded = Graded(at, full, assessable, total, total_strict, total, sedated=sedated, ice=ice, capd=capd)
    graded.contributions = values
    graded.weak = by("L13", weak and not full)
    graded.values = [(d, time_of(record, policy, at, d, state), r) for d, r in values.items() if d not in in_force]
    graded.values += events.standing(record, policy, at)
    own_low = any(value[0] > 0 for domain, since, value in graded.values if domain in in_force and since == at)
    graded.carried_only = assessable and not (state_usable or drives or own_low)
    graded.documented_drives = drives
    graded.documented = max(docs) if drives else documented_near(record, policy, at)
    graded.references = tuple(sorted({e.reference for e in own}))
    graded.earliest = min((e.earliest for e in own), default=at)
    if not assessable:
        return graded
    judge_clear(record, policy, graded, infusion, state)
    if graded.shown[0] > 0:
        graded.deciding = next(d for d in ORDER if d in values and values[d][0] == graded.shown[0])
    graded.missing = missing(record, policy, graded, state, last, infusion)
    return graded


def standing_of_reasons(
    record: Record, policy: Policy, at: datetime, window: list[Statement], sedated: bool
) -> tuple[bool, bool]:
    """L13: whether the ICE or CAPD charted at this instant, or the reason for none, makes the row full by itself or
    beside the consciousness charted within the hour; and whether there is a reason."""
    if not window or window[-1].at != at:
        return False, False
    last = window[-1]
    reason = max(last.ice_strength, last.capd_strength)
    if any(v is not None and v.at == at for v in (last.ice, last.capd)) or reason == ALONE:
        return True, bool(reason)
    charted_state = any(
        (isinstance(e, Consciousness) or unarousable(e)) and at - policy.combination_window <= e.at <= at
        for e in consciousness_entries(record, policy)
    )
    return reason == BESIDE and charted_state and not sedated, bool(reason)


def beside(window: list[Statement]) -> bool:
    """The newest said of ICE or of CAPD within the hour is a reason that makes a row full beside consciousness."""
    ice = [s for s in window if s.ice or s.ice_strength]
    capd = [s for s in window if s.capd or s.capd_strength]
    return any(s.ice_strength == BESIDE for s in ice[-1:]) or any(s.capd_strength == BESIDE for s in capd[-1:])


def time_of(record: Record, policy: Policy, at: datetime, domain: str, state: State | None) -> datetime:
    """When the value of a domain was charted that counts at this instant."""
    if domain == "consciousness":
        return state.at if state is not None else at
    charted_for = [
        s.at
        for s in charted.statements(record, policy)
        if at - policy.combination_window <= s.at <= at
        and ((domain == "ice" and (s.ice or s.ice_reasons)) or (domain == "capd" and (s.capd or s.capd_reasons)))
    ]
    return max(charted_for, default=at)


def contributions(
    record: Record,
    policy: Policy,
    at: datetime,
    headline: int,
    last: Statement | None,
    state: State | None,
    sedated: bool,
) -> tuple[dict[str, Range], dict[str, Range], Ice | None, Capd | None, bool]:
    """Working and strict grades of the ICE or CAPD domain and of consciousness; whether either is usable."""
    ice = last.ice if last else None
    capd = last.capd if last else None
    ice_unarousable = last is not None and "unarousable" in last.ice_reasons
    capd_unarousable = last is not None and "unarousable" in last.capd_reasons
    if sedated:
        if ice is not None and ice.low >= 1 and not ice_unarousable:
            r = (0, max(headline, grades.ice_range(ice.low, ice.high, "arousable")[1]))
            return {"ice": r}, {"ice": r, "consciousness": (0, 3)}, ice, None, True
        return (
            {"ice": UNKNOWN, "consciousness": UNKNOWN},
            {"ice": UNKNOWN, "consciousness": UNKNOWN},
            None,
            None,
            False,
        )
    arousal = "unknown"
    if state is not None:
        arousal = "arousable" if state.range[1] < 4 else "unarousable" if state.range[0] == 4 else "unknown"
    if capd is not None and deep_rass(record, policy, at):
        capd = None
    scored: dict[str, Range] = {}
    if ice is not None:
        scored["ice"] = grades.ice_range(ice.low, ice.high, arousal)
    if ice_unarousable:
        scored["ice"] = worst((4, 4), scored.get("ice", NOTHING))
    if capd is not None:
        scored["capd"] = grades.capd_range(capd)
    if capd_unarousable:
        scored["capd"] = worst((4, 4), scored.get("capd", NOTHING))
    usable = bool(scored) or state is not None
    if not scored:
        scored["ice"] = (0, 3) if arousal == "arousable" else UNKNOWN
    awake = (ice is not None and ice.low >= 1) or (capd is not None and capd.total < 9)
    if state is None:
        working = NOTHING if awake else UNKNOWN
        strict = (0, 3) if awake else UNKNOWN
    elif state.inferred and state.range == (2, 2) and policy.inferred_consciousness == "cautious":
        working = NOTHING if awake else (0, 2)
        strict = (0, 2)
    else:
        working = strict = state.range
    return {**scored, "consciousness": working}, {**scored, "consciousness": strict}, ice, capd, usable


def judge_clear(
    record: Record,
    policy: Policy,
    graded: Graded,
    infusion: datetime | None,
    state: State | None,
) -> None:
    """B10: what counts as grade 0, and the patient's own baseline."""
    low, high = graded.shown
    if graded.sedated:
        return
    ice, capd = graded.ice, graded.capd
    base, invalid = baseline(record, policy, infusion, graded.at)
    if high == 0:
        graded.clear = True
    if low == 0 and high <= 1 and ice is not None:
        graded.clear |= set(ice.missing) <= invalid and not ice.ranged and not ice.mismatch
    if low == 0 and high <= 1 and ice is None and capd is not None and capd.total < 9:
        graded.clear |= state is None or (state.range == NOTHING)
    others = [r for domain, r in graded.contributions.items() if domain != "ice"]
    unarousable_for_it = graded.contributions.get("ice", NOTHING)[0] == 4
    at_baseline = ice is not None and base is not None and ice.low >= base and not unarousable_for_it
    if at_baseline and all(r[1] == 0 for r in others):
        graded.clear = True
        graded.shown = (0, high)
        graded.strict = (0, graded.strict[1])
    if graded.clear:
        graded.counts = NOTHING


def baseline(record: Record, policy: Policy, infusion: datetime | None, at: datetime) -> tuple[int | None, set[str]]:
    """The patient's own ICE before the infusion, never one under sedation."""

    def usable(s: Statement) -> bool:
        sedated = charted.running(record, policy, s.at) or said_sedated(record, policy, s.at, s)
        return not sedated and any(a.ice for a in tools.accepted(record, policy, s.at, tools.day_of(record, s.at), [s]))

    return charted.baseline(record, policy, infusion, at, usable)


def charted_in(domain: str, state: State | None, graded: Graded) -> bool:
    """Whether something is charted in this domain beside a documented grade that drives."""
    if domain == "consciousness":
        return state is not None and not graded.sedated
    return domain in ("seizure", "motor", "icp-edema")


def missing(
    record: Record,
    policy: Policy,
    graded: Graded,
    state: State | None,
    last: Statement | None,
    infusion: datetime | None,
) -> tuple[str, ...]:
    """Items and domains that would settle the grade: open ones whose upper end exceeds what is certain."""
    low = graded.shown[0]
    found: list[str] = []
    usual = tools.tool(record, policy, graded.at, tools.day_of(record, graded.at))
    usual = "capd" if usual == "capd" else "ice"
    if graded.sedated and low < graded.shown[1] and not graded.documented_drives:
        found = [usual, "consciousness"]
    open_domains = {d for d, r in graded.contributions.items() if r[0] < r[1] and r[1] > low} - {"capd"}
    _, invalid = baseline(record, policy, infusion, graded.at)
    for domain in ORDER:
        if domain not in open_domains or (graded.sedated and domain in ("ice", "capd", "consciousness")):
            continue
        if graded.documented_drives and not charted_in(domain, state, graded):
            continue
        if domain == "ice" and graded.ice is not None:
            if graded.ice.mismatch or (graded.ice.ranged and not graded.ice.missing):
                found.append("ice")
            elif graded.ice.low < graded.ice.high:
                found += ["ice-" + item for item in graded.ice.missing if item not in invalid]
        else:
            found.append({"seizure": "seizure-duration", "ice": usual}.get(domain, domain))
    return tuple(found)
