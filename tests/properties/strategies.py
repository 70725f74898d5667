"""Hypothesis strategies for records: dense short courses, filed late, backdated, amended, retracted.

Times lie on a half-hour grid with a few minutes' jitter, so that the boundaries of the rules (10 and 60 min,
2, 12, 16, 24, 30, 36 h) are hit exactly and missed by a minute often.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from icans.record import (
    CONSCIOUSNESS_LEVELS,
    ICE_ITEM_POINTS,
    ICP_EDEMA_FINDINGS,
    MOTOR_FINDINGS,
    NOT_ASSESSED_REASONS,
    SEIZURE_FINDINGS,
    Birth,
    Capd,
    Consciousness,
    Death,
    DocumentedGrade,
    Dose,
    Entry,
    GcsEye,
    IceItem,
    IceTotal,
    IcpEdema,
    Infusion,
    Motor,
    NotAssessed,
    Observed,
    Rass,
    Record,
    Sedative,
    Seizure,
)

DAY_0 = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
PATIENT = "Patient/p1"
ADULT = Birth(date(1970, 5, 17), date(1970, 5, 17))
CHILD = Birth(date(2018, 5, 17), date(2018, 5, 17))
TWELVE_THIS_YEAR = Birth(date(2014, 1, 1), date(2014, 12, 31))
TWELVE_ON_DAY_2 = Birth(date(2014, 3, 3), date(2014, 3, 3))
FIFTEEN = Birth(date(2010, 5, 17), date(2010, 5, 17))
AGES = (CHILD, CHILD, ADULT, None, TWELVE_THIS_YEAR, TWELVE_ON_DAY_2, FIFTEEN, FIFTEEN)
SINGLE_ITEMS = tuple(ICE_ITEM_POINTS)


@dataclass(frozen=True)
class Shape:
    """What a generated record may hold."""

    days: int = 5
    observations: int = 12
    doses: int = 5
    sedatives: int = 1
    corrections: bool = True
    late: bool = True
    day_only: bool = False
    children: bool = False
    second_infusion: bool = False
    kinds: tuple[str, ...] = (
        "ice", "ice", "ice", "ice", "ice", "consciousness", "gcs", "rass", "rass", "seizure", "motor",
        "icp", "documented", "items", "items", "not-assessed", "range", "ice-and-consciousness",
    )  # fmt: skip


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def stamp(at: datetime, known: datetime | None, reference: str) -> dict[str, Any]:
    """The fields every entry has, for a thing that happened at an exact instant."""
    return {
        "at": at,
        "earliest": at,
        "known": max(at, known or at),
        "day": at.date(),
        "reference": reference,
        "element": "value",
        "shown": "",
    }


def day_only(entry: Any) -> Any:
    """The same entry with only its day known: it stands at the end of that day."""
    start = datetime.combine(entry.at.date(), datetime.min.time(), UTC)
    end = start + timedelta(days=1)
    moved = replace(entry, at=end, earliest=start, known=max(end, entry.known), day=start.date())
    if isinstance(moved, Dose) and moved.end is not None:
        moved = replace(moved, end=None)
    return moved


@st.composite
def instants(draw: st.DrawFn, shape: Shape) -> datetime:
    half_hours = draw(st.integers(-4, shape.days * 48))
    jitter = draw(st.sampled_from((0, 0, 0, 0, 1, -1, 5, 10, 11)))
    return DAY_0 + timedelta(minutes=30 * half_hours + jitter)


@st.composite
def filed(draw: st.DrawFn, at: datetime, shape: Shape) -> datetime:
    """When a thing of that instant became known."""
    if not shape.late:
        return at
    late = draw(st.sampled_from((0, 0, 0, 0, 0, 0, 1, 2, 6, 25, 40)))
    if draw(st.integers(0, 9)) == 0:
        batch = hours(12)
        return at + (batch - (at - DAY_0) % batch)
    return at + hours(late)


ICE_SCORES = st.sampled_from((10, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0))


@st.composite
def findings_at(draw: st.DrawFn, shape: Shape, at: datetime, known: datetime, number: int) -> list[Observed]:
    """What one visit at the bedside charts."""
    reference = f"Observation/o{number:02d}"
    fields = stamp(at, known, reference)
    if draw(st.integers(0, 29)) == 0:
        fields["other_cause"] = True
    kind = draw(st.sampled_from(shape.kinds))
    if kind == "ice":
        score = draw(ICE_SCORES)
        return [IceTotal(**fields, low=score, high=score)]
    if kind == "range":
        ends = sorted((draw(ICE_SCORES), draw(ICE_SCORES)))
        return [IceTotal(**fields, low=ends[0], high=ends[1])]
    if kind == "consciousness":
        return [Consciousness(**fields, level=draw(st.sampled_from(CONSCIOUSNESS_LEVELS)))]
    if kind == "ice-and-consciousness":
        score = draw(ICE_SCORES)
        level = draw(st.sampled_from(CONSCIOUSNESS_LEVELS))
        other = {**fields, "reference": reference + "-level"}
        return [IceTotal(**fields, low=score, high=score), Consciousness(**other, level=level)]
    if kind == "gcs":
        return [GcsEye(**fields, score=draw(st.sampled_from((4, 4, 3, 2, 1))))]
    if kind == "rass":
        return [Rass(**fields, score=draw(st.sampled_from((1, 0, 0, -1, -2, -3, -4, -5))))]
    if kind == "seizure":
        duration = draw(st.sampled_from((None, None, Decimal(120), Decimal(300), Decimal(301))))
        return [Seizure(**fields, finding=draw(st.sampled_from(SEIZURE_FINDINGS)), duration_seconds=duration)]
    if kind == "motor":
        return [Motor(**fields, finding=draw(st.sampled_from(MOTOR_FINDINGS)))]
    if kind == "icp":
        return [IcpEdema(**fields, finding=draw(st.sampled_from(ICP_EDEMA_FINDINGS)))]
    if kind == "capd":
        return [Capd(**fields, total=draw(st.sampled_from((0, 5, 8, 9, 20))))]
    if kind == "documented":
        return [DocumentedGrade(**fields, grade=draw(st.sampled_from((0, 1, 1, 2, 2, 3, 4, 4, 5))))]
    if kind == "not-assessed":
        tools = ("ice", "ice", "consciousness", *(("capd",) if shape.children else ()))
        tool = draw(st.sampled_from(tools))
        return [NotAssessed(**fields, tool=tool, reason=draw(st.sampled_from(NOT_ASSESSED_REASONS)))]
    return draw(items_at(at, known, number))


@st.composite
def items_at(draw: st.DrawFn, at: datetime, known: datetime, number: int) -> list[Observed]:
    """Loose ICE items over a few minutes, most of them there, most of them obtained."""
    found: list[Observed] = []
    whole = draw(st.booleans())
    for position, item in enumerate(SINGLE_ITEMS):
        if item == "orientation" and (whole or draw(st.integers(0, 3)) > 0):
            continue
        if not whole and draw(st.integers(0, 3)) == 0:
            continue
        later = draw(st.sampled_from((0, 0, 0, 0, 0, 4, 10, 12)))
        when = at + timedelta(minutes=later)
        fields = stamp(when, max(known, when), f"Observation/o{number:02d}-{position}")
        if draw(st.integers(0, 14)) == 0:
            found.append(NotAssessed(**fields, tool=item, reason=draw(st.sampled_from(NOT_ASSESSED_REASONS))))
            continue
        most = ICE_ITEM_POINTS[item]
        points = most if draw(st.integers(0, 3)) else draw(st.integers(0, most))
        found.append(IceItem(**fields, item=item, points=points))
    return found


DRUGS = ("dexamethasone", "dexamethasone", "methylprednisolone", "hydrocortisone", "prednisone")
AMOUNTS = {
    "dexamethasone": (1, 4, 5, 8, 10, 20, 20, 40, 96, 600),
    "methylprednisolone": (4, 40, 125, 1000, 1000, 2000),
    "hydrocortisone": (20, 100, 300),
    "prednisone": (5, 60),
}


@st.composite
def doses_at(draw: st.DrawFn, shape: Shape, at: datetime, known: datetime, number: int) -> list[Dose]:
    """One administration, sometimes twice by an interface."""
    fields: dict[str, Any] = stamp(at, known, f"MedicationAdministration/m{number:02d}")
    drug = draw(st.sampled_from(DRUGS))
    amount: Decimal | None = Decimal(draw(st.sampled_from(AMOUNTS[drug])))
    kind = draw(
        st.sampled_from(("plain",) * 8 + ("unknown", "period", "period", "running", "upper", "route", "it", "zero"))
    )
    lower, upper = amount, amount
    route = {"route": "unknown", "it": "intrathecal"}.get(kind, "systemic")
    end = None
    if kind == "unknown":
        lower, upper = Decimal(0), None
    elif kind in ("upper", "running"):
        lower = Decimal(0)
    elif kind == "zero":
        lower = upper = Decimal(0)
    elif kind == "period":
        end = at + timedelta(minutes=draw(st.sampled_from((30, 60, 720, 1440, 1441, 2000))))
    assert lower is not None
    dose = Dose(**fields, drug=drug, lower_mg=lower, upper_mg=upper, route=route, end=end, running=kind == "running")
    if draw(st.integers(0, 11)) > 0:
        return [dose]
    twin = at + timedelta(seconds=draw(st.sampled_from((0, 30, 60, 61))))
    again = replace(
        dose,
        at=twin,
        earliest=twin,
        known=max(known, twin),
        reference=dose.reference + "-again",
        end=None if end is None else max(end, twin),
    )
    if draw(st.booleans()):
        shared = frozenset({"mar|" + dose.reference})
        return [replace(dose, identifiers=shared), replace(again, identifiers=shared)]
    return [dose, again]


@st.composite
def sedatives_at(draw: st.DrawFn, at: datetime, known: datetime, number: int) -> Sedative:
    fields = stamp(at, known, f"MedicationAdministration/s{number:02d}")
    kind = draw(st.sampled_from(("infusion", "infusion", "infusion", "bolus", "stop")))
    end = None
    if kind == "infusion" and draw(st.booleans()):
        end = at + hours(draw(st.sampled_from((1, 6, 24, 72))))
    return Sedative(**fields, drug=draw(st.sampled_from(("propofol", "midazolam"))), kind=kind, end=end)


@st.composite
def corrected(draw: st.DrawFn, entry: Entry, other: Callable[[Entry], Any]) -> list[Any]:
    """An entry that is sometimes amended or entered in error some hours later."""
    fate = draw(st.integers(0, 11))
    if fate > 2:
        return [entry]
    learnt = entry.known + hours(draw(st.sampled_from((0.5, 3, 20, 30))))
    gone = replace(entry, superseded=learnt, superseded_by=entry.reference)
    if fate == 0:
        return [gone]
    return [gone, replace(other(entry), known=learnt)]


def amended(entry: Entry) -> Entry:
    """The same thing with another value."""
    if isinstance(entry, IceTotal):
        score = (entry.low + 5) % 11
        return replace(entry, low=score, high=score)
    if isinstance(entry, DocumentedGrade):
        return replace(entry, grade=(entry.grade + 1) % 5)
    if isinstance(entry, Dose):
        return replace(entry, lower_mg=Decimal(20), upper_mg=Decimal(20), running=False, route="systemic")
    if isinstance(entry, GcsEye):
        return replace(entry, score=5 - entry.score)
    if isinstance(entry, Rass):
        return replace(entry, score=-entry.score if entry.score else -5)
    return entry


@st.composite
def records(draw: st.DrawFn, shape: Shape = Shape()) -> Record:
    """A record of one patient."""
    observed: list[Observed] = []
    doses: list[Dose] = []
    sedatives: list[Sedative] = []
    shared = [draw(instants(shape)) for _ in range(3)]
    moments = st.one_of(instants(shape), instants(shape), st.sampled_from(shared))
    for number in range(draw(st.integers(1, shape.observations))):
        at = draw(moments)
        observed += draw(findings_at(shape, at, draw(filed(at, shape)), number))
    for number in range(draw(st.integers(0, shape.doses))):
        at = draw(moments)
        doses += draw(doses_at(shape, at, draw(filed(at, shape)), number))
    for number in range(draw(st.integers(0, shape.sedatives)) * draw(st.integers(0, 1))):
        at = draw(moments)
        sedatives.append(draw(sedatives_at(at, draw(filed(at, shape)), number)))
    if shape.day_only:
        observed = [day_only(e) if draw(st.integers(0, 7)) == 0 else e for e in observed]
        doses = [day_only(e) if draw(st.integers(0, 4)) == 0 else e for e in doses]
    if shape.corrections:
        observed = [v for e in observed for v in draw(corrected(e, amended))]
        doses = [v for e in doses for v in draw(corrected(e, amended))]
    infusions = []
    if draw(st.integers(0, 7)) > 0:
        infusions.append(Infusion(**stamp(DAY_0, None, "Procedure/i0"), source="procedure"))
        if shape.second_infusion:
            again = DAY_0 + draw(st.sampled_from((hours(10), hours(24 * 3), hours(24 * 31))))
            infusions.append(Infusion(**stamp(again, None, "Procedure/i1"), source="procedure"))
    death = None
    if draw(st.integers(0, 9)) == 0:
        at = DAY_0 + hours(draw(st.integers(12, shape.days * 24)))
        death = Death(**stamp(at, draw(filed(at, shape)), PATIENT))
    return Record(
        patient=PATIENT,
        observed=tuple(observed),
        infusions=tuple(infusions),
        doses=tuple(doses),
        sedatives=tuple(sedatives),
        death=death,
        birth=draw(st.sampled_from(AGES)) if shape.children else ADULT,
        developmental_delay=shape.children and draw(st.integers(0, 3)) == 0,
    )


@st.composite
def treated_records(draw: st.DrawFn, shape: Shape = Shape()) -> Record:
    """A course with an onset and steroids: assessments and doses at and around the limits of the 24-h rule."""
    onset = DAY_0 + timedelta(days=2, hours=draw(st.sampled_from((0, 3, 11.5))))
    start = onset + timedelta(minutes=draw(st.sampled_from((-181, -180, -179, -90, -60, -30, 0, 60, 60, 180, 1380))))
    observed: list[Observed] = []
    opening = draw(st.sampled_from((9, 6, 5, 4, 2, 2, 1)))
    if draw(st.integers(0, 3)) == 0:
        level = draw(st.sampled_from(CONSCIOUSNESS_LEVELS[1:]))
        observed.append(Consciousness(**stamp(onset, None, "Observation/onset"), level=level))
    else:
        observed.append(IceTotal(**stamp(onset, None, "Observation/onset"), low=opening, high=opening))
    marks = (-24, -12, -1, 0, 0.5, 2, 6, 12, 15.9, 16, 20, 23, 24, 24, 24.5, 26, 30, 30.5, 36, 47, 48, 60, 72)
    for number in range(draw(st.integers(1, 8))):
        at = start + hours(draw(st.sampled_from(marks))) + timedelta(minutes=draw(st.sampled_from((0, 0, 0, 1, -1))))
        at += draw(st.sampled_from((timedelta(0), timedelta(0), timedelta(0), hours(24), hours(48))))
        known = draw(filed(at, shape))
        score = min(10, max(0, opening + draw(st.sampled_from((0, 0, 1, 2, 3, -1, -3, -4, 5, 9)))))
        reference = f"Observation/t{number}"
        if draw(st.integers(0, 2)):
            observed.append(IceTotal(**stamp(at, known, reference), low=score, high=score))
        else:
            observed += draw(findings_at(shape, at, known, number))
    doses: list[Dose] = []
    steps = (0, 0, 6, 8, 12, 18, 23.9, 24, 24, 28, 30, 31, 48)
    for number in range(draw(st.integers(1, 5))):
        at = start if number == 0 else start + hours(draw(st.sampled_from(steps)) * draw(st.integers(1, 2)))
        mg = Decimal(draw(st.sampled_from((20, 20, 10, 10, 5, 40, 9, 1))))
        reference = f"MedicationAdministration/t{number}"
        known = draw(filed(at, shape))
        if draw(st.integers(0, 4)):
            doses.append(
                Dose(
                    **stamp(at, known, reference),
                    drug="dexamethasone",
                    lower_mg=mg,
                    upper_mg=mg,
                    route="systemic",
                )
            )
        else:
            doses += draw(doses_at(shape, at, known, number))
    if shape.day_only:
        observed = [day_only(e) if draw(st.integers(0, 7)) == 0 else e for e in observed]
        doses = [day_only(e) if draw(st.integers(0, 4)) == 0 else e for e in doses]
    if shape.corrections:
        observed = [v for e in observed for v in draw(corrected(e, amended))]
        doses = [v for e in doses for v in draw(corrected(e, amended))]
    return Record(
        patient=PATIENT,
        observed=tuple(observed),
        infusions=(Infusion(**stamp(DAY_0, None, "Procedure/i0"), source="procedure"),),
        doses=tuple(doses),
        birth=ADULT,
    )
