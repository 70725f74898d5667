"""Courses that stand exactly on a boundary of a rule, where generated ones seldom do."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from icans.record import (
    Birth,
    Capd,
    Consciousness,
    Death,
    DocumentedGrade,
    Dose,
    IceItem,
    IceTotal,
    IcpEdema,
    Infusion,
    NotAssessed,
    Observed,
    Rass,
    Record,
    Sedative,
    Seizure,
)
from tests.properties.strategies import ADULT, CHILD, DAY_0, PATIENT, day_only, hours, stamp

ONSET = DAY_0 + timedelta(days=3)


def ice(at: datetime, score: int) -> IceTotal:
    return IceTotal(**stamp(at, None, f"Observation/ice-{at:%d%H%M}"), low=score, high=score)


def dexamethasone(at: datetime, milligrams: int) -> Dose:
    amount = Decimal(milligrams)
    reference = f"MedicationAdministration/{at:%d%H%M}"
    return Dose(**stamp(at, None, reference), drug="dexamethasone", lower_mg=amount, upper_mg=amount, route="systemic")


def item(at: datetime, name: str, points: int | str) -> Observed:
    """Points of one ICE item, or why it was not assessed."""
    charted = stamp(at, None, f"Observation/{name}-{at:%d%H%M}")
    if isinstance(points, str):
        return NotAssessed(**charted, tool=name, reason=points)
    return IceItem(**charted, item=name, points=points)


def rass(at: datetime, score: int) -> Rass:
    return Rass(**stamp(at, None, f"Observation/rass{score}-{at:%d%H%M}"), score=score)


def course(*entries: Observed | Dose | Sedative | Death, birth: Birth | None = ADULT) -> Record:
    return Record(
        patient=PATIENT,
        observed=tuple(e for e in entries if isinstance(e, Observed)),
        doses=tuple(e for e in entries if isinstance(e, Dose)),
        sedatives=tuple(e for e in entries if isinstance(e, Sedative)),
        infusions=(Infusion(**stamp(DAY_0, None, "Procedure/i0"), source="procedure"),),
        death=next((e for e in entries if isinstance(e, Death)), None),
        birth=birth,
    )


def level(at: datetime, said: str, *, other_cause: bool = False) -> Consciousness:
    reference = stamp(at, None, f"Observation/level-{at:%d%H%M}")
    return Consciousness(**reference, level=said, other_cause=other_cause)


def last_dose_before_evaluation(gap: timedelta) -> Record:
    """Treatment starts with the onset; nothing is given from then until the late evaluation."""
    return course(ice(ONSET, 4), dexamethasone(ONSET, 20), ice(ONSET + gap, 4))


def sedated_until(end: timedelta) -> Record:
    """ICE 0 at the onset, under a sedative until then."""
    given = stamp(ONSET - hours(6), None, "MedicationAdministration/propofol")
    return course(Sedative(**given, drug="propofol", kind="infusion", end=ONSET + end), ice(ONSET, 0))


def seizure(at: datetime, seconds: int = 600) -> Seizure:
    reference = stamp(at, None, f"Observation/seizure-{at:%d%H%M}")
    return Seizure(**reference, finding="prolonged", duration_seconds=Decimal(seconds))


def steady(*entries: Observed | Dose) -> Record:
    """ICE 4 every twelve hours from the onset on, beside what is given."""
    return course(*(ice(ONSET + hours(12 * number), 4) for number in range(8)), *entries)


def edema(at: datetime) -> IcpEdema:
    return IcpEdema(**stamp(at, None, f"Observation/edema-{at:%d%H%M}"), finding="focal-edema")


def died(at: datetime) -> DocumentedGrade:
    return DocumentedGrade(**stamp(at, None, f"Observation/grade-{at:%d%H%M}"), grade=5)


def bag(at: datetime, milligrams: int, length: timedelta) -> Dose:
    return replace(dexamethasone(at, milligrams), end=at + length)


def capd(at: datetime, total: int) -> Capd:
    return Capd(**stamp(at, None, f"Observation/capd-{at:%d%H%M}"), total=total)


def propofol(at: datetime, end: datetime) -> Sedative:
    given = stamp(at, None, f"MedicationAdministration/propofol-{at:%d%H%M}")
    return Sedative(**given, drug="propofol", kind="infusion", end=end)


def no_ice(at: datetime, reason: str) -> NotAssessed:
    return NotAssessed(**stamp(at, None, f"Observation/none-{at:%d%H%M}"), tool="ice", reason=reason)


def attributed(entry: Observed, later: timedelta) -> Observed:
    """The same finding charted again, with another cause."""
    return replace(
        entry, other_cause=True, **stamp(entry.at + later, None, f"Observation/cause-{entry.at + later:%d%H%M}")
    )


def of_kind(finding: str) -> Seizure:
    return Seizure(**stamp(ONSET, None, "Observation/event"), finding=finding)


MINUTE = timedelta(minutes=1)
NEAR = (-MINUTE, timedelta(0), MINUTE)
DUE = ONSET + hours(24)
COURSES_OF_RULINGS: tuple[Record, ...] = (
    # L13: reasons beside consciousness charted just inside the hour, and a clock that they end or do not
    *(
        course(ice(ONSET, 9), level(ONSET + hours(20) - hours(1) + near, "alert"), no_ice(ONSET + hours(20), reason))
        for near in NEAR
        for reason in ("language", "refused", "sedated")
    ),
    *(course(ice(ONSET, 4), no_ice(DUE, "motor"), level(DUE + hours(1) + near, "awakens-to-voice")) for near in NEAR),
    course(ice(ONSET, 9), no_ice(ONSET + hours(2), "refused"), level(ONSET + hours(2), "awakens-to-tactile")),
    # L14: the headline in force at treatment start was set by a partial row after the last full one
    *(
        course(
            *(ice(ONSET, 9), level(ONSET + hours(3), said), dexamethasone(ONSET + hours(4), 20)),
            *(ice(ONSET + hours(8), 2), ice(ONSET + hours(27), last)),
        )
        for said in ("awakens-to-voice", "awakens-to-tactile")
        for last in (2, 4, 9)
    ),
    # L15: worse before, at and after the dose with which treatment has begun
    *(
        course(
            *(ice(ONSET, 9), dexamethasone(ONSET, 4), ice(ONSET + hours(4) + near, 4)),
            *(dexamethasone(ONSET + hours(4), 8), ice(ONSET + hours(6) + near, second)),
        )
        for near in NEAR
        for second in (2, 9)
    ),
    # L16: given three hours before the onset was charted
    *(
        course(
            dexamethasone(ONSET - hours(3) + near, 20), ice(ONSET, 4), ice(ONSET + hours(21), 4), bag(DUE, 300, MINUTE)
        )
        for near in NEAR
    ),
    # L17: the same event again with another cause, a milder one and a graver one
    *(
        course(of_kind(charted), ice(ONSET, 9), attributed(of_kind(cause), hours(2)), ice(ONSET + hours(2) + near, 9))
        for charted in ("brief-or-resolving", "prolonged", "unspecified")
        for cause in ("brief-or-resolving", "prolonged", "unspecified")
        for near in NEAR[:2]
    ),
    # L18: CAPD falls by three, four or five in a patient whose level of consciousness is known; ICE gains one point
    *(
        course(
            *(capd(ONSET, 20), level(ONSET, "alert"), dexamethasone(ONSET, 20)),
            *(capd(DUE, 20 - fall), level(DUE, "alert")),
            birth=CHILD,
        )
        for fall in (3, 4, 5)
    ),
    *(course(ice(ONSET, before), dexamethasone(ONSET, 20), ice(DUE, before + 1)) for before in (3, 7, 8, 9)),
    # L19: no better at grade 1
    course(ice(ONSET, 9), dexamethasone(ONSET, 20), ice(DUE, 9)),
    # L20: a critical finding that has been shown for a day, and one whose other clause was met since
    course(
        *(ice(ONSET, 9), dexamethasone(ONSET, 20), ice(ONSET + hours(5), 4), ice(DUE - hours(1), 4)),
        *(ice(ONSET + hours(12 * later), 4) for later in range(3, 8)),
    ),
    # L22: better but for an event that is carried, which holds or only widens the grade
    *(
        course(
            *(ice(ONSET, 2), edema(ONSET + hours(charted)), dexamethasone(ONSET, 20)),
            *(ice(ONSET + hours(at), 8) for at in (23, 26)),
        )
        for charted in (-2, 1, 23)
    ),
    # L24: due a day after the last assessment at grade 1, and while a sedative runs
    *(course(ice(ONSET, 9), ice(DUE + near, 9)) for near in NEAR),
    *(
        course(
            ice(ONSET, score), propofol(DUE - hours(13), DUE + near), dexamethasone(ONSET, 20), ice(DUE + hours(40), 9)
        )
        for score in (9, 4)
        for near in NEAR
    ),
    *(
        course(
            ice(ONSET, 4),
            propofol(ONSET + hours(12) + near, DUE),
            propofol(DUE, DUE + hours(12)),
            ice(DUE + hours(40), 9),
        )
        for near in NEAR
    ),
    # L25: nobody looked for a day and a half, two weeks after the infusion
    *(
        course(ice(DAY_0 + timedelta(days=14) - hours(36) + near, 10), dexamethasone(DAY_0 + timedelta(days=40), 1))
        for near in NEAR
    ),
    course(
        *(ice(ONSET, 9), ice(DUE, 10), dexamethasone(DAY_0 + timedelta(days=40), 1)),
        *(ice(DAY_0 + timedelta(days=13), 9), ice(DAY_0 + timedelta(days=14), 10)),
    ),
    course(dexamethasone(DAY_0 + timedelta(days=40), 1)),
    # L27: tiers crossed while bags run, which end within four hours or later
    *(
        course(
            bag(ONSET, 200, hours(4) + near), dexamethasone(ONSET - hours(1), 194), bag(ONSET + hours(1), 200, hours(9))
        )
        for near in NEAR
    ),
    course(bag(ONSET, 300, hours(24))),
    course(bag(ONSET, 400, hours(40)), dexamethasone(ONSET + hours(20.5), 200)),
    course(*(dexamethasone(DAY_0 + timedelta(days=day), 1) for day in range(10))),
    # L28: ten days, one of which is too small to count
    *(
        course(
            *(dexamethasone(DAY_0 + timedelta(days=day), 2) for day in range(11) if day != 4),
            replace(dexamethasone(DAY_0 + timedelta(days=4), small), drug="hydrocortisone"),
        )
        for small in (26, 27)
    ),
    # L37: only before the infusion was anything full charted
    course(ice(DAY_0 - hours(1), 10), level(ONSET, "awakens-to-tactile")),
    # L38: a reference at the start of the day of treatment only
    course(ice(ONSET, 4), day_only(dexamethasone(DUE, 20)), ice(ONSET + hours(60), 4)),
    # D6: sedated after 24 hours, and a seizure carried
    *(
        course(
            *(ice(ONSET, 4), dexamethasone(ONSET, 20), seizure(ONSET + hours(10))),
            *(propofol(ONSET + hours(12), ONSET + hours(30)), no_ice(ONSET + hours(at), "sedated")),
        )
        for at in (23, 26)
    ),
    course(ice(DAY_0 + hours(10), 4), Death(**stamp(DAY_0 - hours(1), None, "Patient/p1"))),
    # L5: assessed about a day after the recorded death
    *(
        course(ice(ONSET, 4), Death(**stamp(ONSET + hours(1), None, "Patient/p1")), ice(ONSET + hours(25) + near, 2))
        for near in NEAR
    ),
)
BOUNDARY_COURSES: tuple[Record, ...] = (
    *(last_dose_before_evaluation(hours(30) + near) for near in NEAR),
    *(sedated_until(near) for near in NEAR),
    *(course(ice(ONSET, 9), level(ONSET, "alert"), seizure(ONSET, seconds)) for seconds in (299, 300, 301)),
    # an ICE of the hour before; the level of consciousness alone is graded with it
    *(course(ice(ONSET - hours(1) + near, 4), level(ONSET, "alert")) for near in NEAR),
    # clear for a day, then worse: another episode or the same
    *(
        course(ice(ONSET, 4), ice(ONSET + hours(8), 10), ice(ONSET + hours(32) + near, 10), ice(ONSET + hours(40), 5))
        for near in NEAR
    ),
    # only the ICE gains, by one, two or three points of one grade
    *(course(ice(ONSET, 3), dexamethasone(ONSET, 20), ice(ONSET + hours(24), 3 + gain)) for gain in (1, 2, 3)),
    # treatment start known by its day only: on the day of the onset, and later with and without a gap
    steady(day_only(dexamethasone(ONSET, 20)), dexamethasone(ONSET + hours(24), 20)),
    steady(day_only(dexamethasone(ONSET + hours(24), 20)), dexamethasone(ONSET + hours(44), 20)),
    steady(day_only(dexamethasone(ONSET + hours(24), 20)), dexamethasone(ONSET + hours(60), 20)),
    # 30 h without a dose, counted from the start of that day, and a minute less and more
    *(
        course(
            *(ice(ONSET + hours(later), 4) for later in (0, 24, 60)),
            day_only(dexamethasone(ONSET + hours(24), 20)),
            dexamethasone(ONSET + hours(45.5) + near, 20),
        )
        for near in NEAR
    ),
    # so is the assessment at treatment start, or the one that is judged
    *(
        course(day_only(ice(ONSET, 4)), dexamethasone(ONSET + hours(at), 20), ice(ONSET + hours(40), 4))
        for at in (9, 16)
    ),
    *(course(ice(ONSET, 4), dexamethasone(ONSET, 20), day_only(ice(ONSET + hours(at), 8))) for at in (1, 16, 24, 30)),
    # sums about the first tiers, and about what a treatment start needs
    *(course(dexamethasone(ONSET, 97), dexamethasone(ONSET + hours(1), last)) for last in (97, 98, 99)),
    *(course(dexamethasone(ONSET, 300), dexamethasone(ONSET + hours(1), last)) for last in (79, 80, 81)),
    *(
        course(ice(ONSET, 4), dexamethasone(ONSET, 5), dexamethasone(ONSET + hours(4), last), ice(ONSET + hours(24), 4))
        for last in (4, 5, 6)
    ),
    # no better than a day ago but for an edema charted then: at the patient's own baseline without it
    course(
        *(ice(DAY_0 - hours(1), 2), ice(ONSET, 1), edema(ONSET), dexamethasone(ONSET + hours(1), 20)),
        *(ice(ONSET + hours(25) + near, 2) for near in NEAR[1:]),
    ),
    # only the ICE gains, and a level of consciousness that the reference does not have is charted beside it
    *(
        course(ice(ONSET, before), seizure(ONSET), dexamethasone(ONSET, 20), ice(due, before + 3), level(due, said))
        for due in (ONSET + hours(24),)
        for before in (0, 1)
        for said in ("awakens-to-tactile", "unarousable")
    ),
    # what has another cause is known by its day only, what counts to the minute
    course(
        day_only(level(ONSET, "awakens-to-voice", other_cause=True)),
        *(
            ice(ONSET + timedelta(days=1) - hours(8.5), 2),
            dexamethasone(ONSET + hours(17), 20),
            ice(ONSET + hours(58), 0),
        ),
    ),
    # an overdue assessment that a missing reassessment outranks until the treatment is renewed, or the patient dies
    *(
        course(
            *(ice(ONSET, 5), dexamethasone(ONSET + hours(23), 20), ice(ONSET + hours(39) - 6 * MINUTE, 2)),
            *(dexamethasone(ONSET + hours(71), 20), died(ONSET + hours(71) + near)),
        )
        for near in NEAR
    ),
    # due at the very instant of death, while the missing reassessment outranks it
    course(
        *(ice(ONSET, 8), dexamethasone(ONSET, 20)),
        Death(**stamp(ONSET + hours(36), None, "Patient/p1")),
    ),
    # RASS twice at one instant, deep and awake, beside a CAPD
    *(
        course(
            Capd(**stamp(ONSET, None, "Observation/capd"), total=20), rass(ONSET, -4), rass(ONSET, other), birth=None
        )
        for other in (-5, 0)
    ),
    # an item that is not valid at baseline, scored all the same beside the others and their sum
    course(
        item(ONSET, "city", "not-valid-at-baseline"),
        *(item(ONSET + hours(24), name, 1) for name in ("year", "month", "hospital")),
        *(item(ONSET + hours(24), name, 0) for name in ("city", "naming", "command")),
        item(ONSET + hours(24), "orientation", 4),
    ),
    # a dose over a period that runs on from before the infusion keeps the line active: 31 h after its own dose
    course(
        replace(dexamethasone(DAY_0 - hours(2), 20), end=DAY_0 + hours(10)),
        *(ice(DAY_0 + hours(1), 3), dexamethasone(DAY_0 + hours(2), 20), ice(DAY_0 + hours(33), 3)),
    ),
    *COURSES_OF_RULINGS,
)
