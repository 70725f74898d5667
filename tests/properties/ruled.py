"""Strategies for courses that seldom come about by chance: each is about what one or two rules decide."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from icans.record import (
    ICE_ITEM_POINTS,
    NOT_ASSESSED_REASONS,
    Capd,
    Consciousness,
    Death,
    Dose,
    Escalation,
    IceItem,
    IceTotal,
    IcpEdema,
    Infusion,
    Motor,
    NotAssessed,
    Observed,
    Problem,
    Rass,
    Record,
    Refused,
    Sedative,
    Seizure,
)
from tests.properties.strategies import (
    ADULT,
    CHILD,
    DAY_0,
    PATIENT,
    Shape,
    amended,
    corrected,
    day_only,
    filed,
    findings_at,
    hours,
    sedatives_at,
    stamp,
)

LATE = Shape()
ON_TIME = Shape(corrections=False, late=False)


def course(**entries: Any) -> Record:
    """A record with its infusion on day 0; death, birth and what could not be used as handed in."""
    infusion = Infusion(**stamp(DAY_0, None, "Procedure/i0"), source="procedure")
    lists = {name: tuple(value) if isinstance(value, list) else value for name, value in entries.items()}
    return Record(**{"patient": PATIENT, "infusions": (infusion,), "birth": ADULT, **lists})


def ice(at: datetime, score: int, name: str, known: datetime | None = None) -> IceTotal:
    return IceTotal(**stamp(at, known, f"Observation/{name}"), low=score, high=score)


def dose(at: datetime, milligrams: Any, name: str, drug: str = "dexamethasone", known: datetime | None = None) -> Dose:
    amount = Decimal(str(milligrams))
    fields = stamp(at, known, f"MedicationAdministration/{name}")
    return Dose(**fields, drug=drug, lower_mg=amount, upper_mg=amount, route="systemic")


@st.composite
def minutes(draw: st.DrawFn) -> timedelta:
    return timedelta(minutes=draw(st.sampled_from((0, 0, 0, 0, 1, -1))))


@st.composite
def filing(draw: st.DrawFn, entries: list[Any], shape: Shape) -> list[Any]:
    """The same entries, some of them filed late, amended or taken back."""
    if not shape.late:
        return entries
    late = [replace(e, known=draw(filed(e.at, shape))) for e in entries]
    return [version for entry in late for version in draw(corrected(entry, amended))]


@st.composite
def reasons(draw: st.DrawFn, shape: Shape = LATE) -> Record:
    """Every reason why ICE was not assessed, for the whole or by item, beside consciousness charted and inferred."""
    start = DAY_0 + hours(draw(st.sampled_from((1, 24, 60))))
    observed: list[Observed] = []
    at = start
    for number in range(draw(st.integers(2, 9))):
        at += draw(st.sampled_from((hours(0.5), hours(1), hours(4), hours(12), hours(24), hours(36)))) + draw(minutes())
        name = f"r{number}"
        fields = stamp(at, None, f"Observation/{name}")
        kind = draw(st.sampled_from(("reason", "reason", "reason", "items", "ice", "seizure")))
        if kind == "reason":
            reason = draw(st.sampled_from(NOT_ASSESSED_REASONS))
            observed.append(NotAssessed(**fields, tool="ice", reason=reason))
        elif kind == "items":
            given_reasons = draw(st.lists(st.sampled_from(NOT_ASSESSED_REASONS), min_size=1, max_size=3))
            scored = draw(st.booleans())
            for position, item in enumerate(ICE_ITEM_POINTS):
                charted = stamp(at, None, f"Observation/{name}-{position}")
                if scored and draw(st.booleans()):
                    observed.append(IceItem(**charted, item=item, points=draw(st.integers(0, ICE_ITEM_POINTS[item]))))
                elif item != "orientation":
                    reason = given_reasons[position % len(given_reasons)]
                    observed.append(NotAssessed(**charted, tool=item, reason=reason))
        elif kind == "ice":
            observed.append(ice(at, draw(st.sampled_from((10, 9, 8, 5, 4, 2, 0))), name))
        else:
            observed.append(Seizure(**fields, finding="brief-or-resolving"))
        level = at + draw(st.sampled_from((hours(0), hours(-1), hours(-0.5), hours(1), hours(0.5)))) + draw(minutes())
        charted = stamp(level, None, f"Observation/{name}-level")
        beside = draw(st.sampled_from(("", "", "charted", "inferred")))
        if beside == "charted":
            said = draw(st.sampled_from(("alert", "awakens-to-voice", "awakens-to-tactile", "unarousable")))
            observed.append(Consciousness(**charted, level=said))
        elif beside == "inferred":
            observed.append(Rass(**charted, score=draw(st.sampled_from((0, -1, -2, -4, -5)))))
    doses = [dose(at, 10, "d0"), dose(at + hours(12), 10, "d1")] if draw(st.booleans()) else []
    return course(observed=draw(filing(observed, shape)), doses=draw(filing(doses, shape)))


@st.composite
def other_causes(draw: st.DrawFn, shape: Shape = LATE) -> Record:
    """Events, half of them attributed to another cause, carried into assessments on treatment."""
    onset = DAY_0 + hours(48)
    observed: list[Observed] = [ice(onset, draw(st.sampled_from((10, 9, 6, 4, 2))), "onset")]
    marks = (-1, 0, 0.5, 1, 2, 6, 12, 18, 23, 24, 24.5, 30, 47)
    for number in range(draw(st.integers(2, 7))):
        at = onset + hours(draw(st.sampled_from(marks))) + draw(minutes())
        fields = stamp(at, None, f"Observation/e{number}")
        cause = draw(st.booleans())
        kind = draw(st.sampled_from(("seizure", "seizure", "motor", "icp")))
        if kind == "seizure":
            finding = draw(st.sampled_from(("brief-or-resolving", "prolonged", "unspecified", "none")))
            observed.append(Seizure(**fields, finding=finding, other_cause=cause))
        elif kind == "motor":
            finding = draw(st.sampled_from(("deep-focal-weakness", "none", "tremor")))
            observed.append(Motor(**fields, finding=finding, other_cause=cause))
        else:
            finding = draw(st.sampled_from(("focal-edema", "diffuse-edema", "none", "intracranial-hemorrhage")))
            observed.append(IcpEdema(**fields, finding=finding, other_cause=cause))
    for number in range(draw(st.integers(1, 4))):
        at = onset + hours(draw(st.sampled_from(marks))) + draw(minutes())
        observed.append(ice(at, draw(st.sampled_from((10, 9, 7, 6, 4, 2))), f"i{number}"))
    doses = [dose(onset + hours(draw(st.sampled_from((-1, 0, 1, 2)))), 20, "d0")]
    doses += [dose(onset + hours(24), 20, "d1")] if draw(st.booleans()) else []
    return course(observed=draw(filing(observed, shape)), doses=draw(filing(doses, shape)))


@st.composite
def sedated(draw: st.DrawFn, shape: Shape = LATE) -> Record:
    """Few assessments and several sedations, so that deadlines fall into them."""
    onset = DAY_0 + hours(draw(st.sampled_from((6, 30))))
    observed: list[Observed] = []
    if draw(st.integers(0, 3)):
        observed.append(ice(onset, draw(st.sampled_from((9, 9, 5, 2, 10))), "onset"))
    for number in range(draw(st.integers(0, 4))):
        at = onset + hours(draw(st.integers(1, 120)))
        observed += draw(findings_at(shape, at, at, number))
    sedatives: list[Sedative] = []
    at = onset
    for number in range(draw(st.integers(1, 4))):
        at += hours(draw(st.sampled_from((0.5, 6, 11, 12, 12, 24, 36)))) + draw(minutes())
        given = draw(sedatives_at(at, at, number))
        sedatives.append(given)
        if given.end is not None and draw(st.booleans()):
            at = given.end
    start = onset + hours(draw(st.sampled_from((0, 1, 12))))
    doses = [dose(start + hours(12 * number), 10, f"d{number}") for number in range(draw(st.integers(0, 5)))]
    return course(
        observed=draw(filing(observed, shape)),
        doses=draw(filing(doses, shape)),
        sedatives=draw(filing(sedatives, shape)),
    )


@st.composite
def treated_children(draw: st.DrawFn, shape: Shape = LATE) -> Record:
    """CAPD before and after treatment, some of it only a little better."""
    onset = DAY_0 + hours(48)
    start = onset + hours(draw(st.sampled_from((-1, 0, 1, 2))))
    opening = draw(st.sampled_from((9, 13, 20, 30)))
    observed: list[Observed] = [Capd(**stamp(onset, None, "Observation/onset"), total=opening)]
    for number in range(draw(st.integers(1, 4))):
        at = start + hours(draw(st.sampled_from((2, 12, 16, 20, 24, 25, 30, 31, 48)))) + draw(minutes())
        total = max(0, min(32, opening - draw(st.sampled_from((0, 3, 4, 4, 5, 10, -2)))))
        observed.append(Capd(**stamp(at, None, f"Observation/c{number}"), total=total))
        if draw(st.integers(0, 3)) == 0:
            charted = stamp(at, None, f"Observation/l{number}")
            observed.append(Consciousness(**charted, level=draw(st.sampled_from(("alert", "awakens-to-voice")))))
    doses = [dose(start + hours(8 * number), 10, f"d{number}") for number in range(draw(st.integers(1, 6)))]
    return course(observed=draw(filing(observed, shape)), doses=draw(filing(doses, shape)), birth=CHILD)


GIVEN = ("plain", "plain", "bag", "bag", "small", "small", "unknown", "it", "oral", "route")


@st.composite
def long_treatment(draw: st.DrawFn, shape: Shape = LATE) -> Record:
    """Two weeks of daily doses: sums, tiers over bags, days too small to count, other routes."""
    doses: list[Dose] = []
    daily = draw(st.sampled_from((20, 40, 100)))
    for day in range(draw(st.integers(8, 15))):
        at = DAY_0 + hours(24 * day + draw(st.sampled_from((-1, 0, 1, 12, 15))))
        for number in range(draw(st.integers(1, 2))):
            name, at = f"d{day}-{number}", at + hours(draw(st.sampled_from((0, 0, 1, 6))))
            kind = draw(st.sampled_from(GIVEN))
            given = dose(at, daily, name)
            if kind == "bag":
                given = replace(given, end=at + hours(draw(st.sampled_from((0.5, 3, 4, 5, 12, 23)))))
            elif kind == "small":
                given = dose(at, draw(st.sampled_from((5, 10, 20, 26, 27))), name, "hydrocortisone")
            elif kind == "unknown":
                given = replace(
                    given, drug=draw(st.sampled_from(("dexamethasone", "hydrocortisone"))), lower_mg=Decimal(0)
                )
                given = replace(given, upper_mg=draw(st.sampled_from((None, Decimal(daily)))))
            elif kind == "it":
                given = replace(given, route="intrathecal")
            elif kind == "route":
                given = replace(given, route="unknown")
            elif kind == "oral":
                doses.append(replace(given, reference=given.reference + "-iv", way="intravenous"))
                given = replace(given, way="oral")
            doses.append(day_only(given) if shape.day_only and draw(st.integers(0, 3)) == 0 else given)
    observed: list[Observed] = [ice(DAY_0 + hours(24), 10, "first")]
    if draw(st.booleans()):
        observed.append(ice(DAY_0 + hours(24 * draw(st.integers(1, 6)) + 2), 5, "onset"))
    agents = [Escalation(**stamp(DAY_0 + hours(80), None, "MedicationAdministration/e0"), drug="anakinra")]
    return course(
        observed=observed, doses=draw(filing(doses, shape)), escalations=agents if draw(st.booleans()) else []
    )


@st.composite
def quiet(draw: st.DrawFn, shape: Shape = LATE) -> Record:
    """A month in which hardly anybody looks: what is not found, and until when that is reported."""
    observed: list[Observed] = []
    for number in range(draw(st.integers(0, 4))):
        at = (
            DAY_0
            + hours(draw(st.sampled_from((1, 24, 200, 264, 299, 300, 301, 312, 336, 400, 600, 684, 700))))
            + draw(minutes())
        )
        fields = stamp(at, None, f"Observation/q{number}")
        kind = draw(st.sampled_from(("ice", "ice", "onset", "reason", "rass")))
        if kind == "reason":
            observed.append(
                NotAssessed(**fields, tool="ice", reason=draw(st.sampled_from(("asleep", "refused", "sedated"))))
            )
            if draw(st.booleans()):
                observed.append(Rass(**stamp(at, None, f"Observation/q{number}-rass"), score=-1))
        elif kind == "rass":
            observed.append(Rass(**fields, score=draw(st.sampled_from((0, -1, -2)))))
        elif kind == "onset":
            observed += [ice(at, 9, f"q{number}"), ice(at + hours(8), 10, f"q{number}-clear")]
        else:
            observed.append(ice(at, 10, f"q{number}"))
    sedatives = []
    if draw(st.integers(0, 2)) == 0:
        at = DAY_0 + hours(draw(st.sampled_from((30, 36, 300, 336))))
        fields = stamp(at, None, "MedicationAdministration/s0")
        sedatives = [Sedative(**fields, drug="propofol", kind="infusion", end=at + hours(draw(st.integers(1, 72))))]
    known = stamp(DAY_0 + hours(24 * 33), None, "MedicationAdministration/late")
    doses = [dose(known["at"], 1, "late", "hydrocortisone")]
    return course(observed=draw(filing(observed, shape)), sedatives=sedatives, doses=doses)


@st.composite
def contradicted_deaths(draw: st.DrawFn, shape: Shape = LATE) -> Record:
    """A death on record, and what was done about a day after it."""
    died = DAY_0 + hours(draw(st.sampled_from((-24, -1, 60, 72))))
    observed: list[Observed] = [ice(DAY_0 + hours(50), draw(st.sampled_from((10, 9, 4))), "before")]
    doses: list[Dose] = [dose(DAY_0 + hours(51), 20, "before")] if draw(st.booleans()) else []
    after = died + hours(draw(st.sampled_from((1, 12, 24, 24, 25, 48)))) + draw(minutes())
    if draw(st.booleans()):
        observed.append(ice(after, draw(st.sampled_from((10, 8, 3))), "after"))
    else:
        doses.append(dose(after, 20, "after"))
    death = Death(**stamp(died, draw(filed(died, shape)), PATIENT))
    return course(observed=draw(filing(observed, shape)), doses=draw(filing(doses, shape)), death=death)


@st.composite
def refused(draw: st.DrawFn, shape: Shape = LATE) -> Record:
    """Administrations that may have been steroids and assessments that could not be used, among others that could."""
    onset = DAY_0 + hours(30)
    observed: list[Observed] = [ice(onset, draw(st.sampled_from((10, 9, 4))), "onset")]
    doses = [dose(onset + hours(10 * number), 70, f"d{number}") for number in range(draw(st.integers(1, 6)))]
    found: list[Refused] = []
    for number in range(draw(st.integers(1, 4))):
        at = DAY_0 + hours(draw(st.integers(-4, 90)))
        known = max(at, draw(filed(at, shape)))
        may_be = draw(st.sampled_from((("dose",), ("dose",), ("dose", "sedative"), ("assessment",), ("infusion",))))
        kind = "Observation" if may_be == ("assessment",) else "MedicationAdministration"
        reference = f"{kind}/x{number}"
        affects = ("grade",) if may_be == ("assessment",) else ("dose",)
        gone = known + hours(20) if shape.corrections and draw(st.integers(0, 3)) == 0 else None
        problem = Problem("invalid-resource", reference, "value", "cannot be used", at, known, affects, gone)
        found.append(
            Refused(
                reference=reference, may_be=may_be, problems=(problem,), at=at, known=known, day=at.date(),
                superseded=gone, superseded_by=None if gone is None else reference,
            )
        )  # fmt: skip
    problems = tuple(p for r in found for p in r.problems)
    return course(observed=observed, doses=draw(filing(doses, shape)), refused=tuple(found), problems=problems)
