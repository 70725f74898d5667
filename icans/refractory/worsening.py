"""Clause B, worse within a day of treatment start, and a grade that rises again after the verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from icans.facts import ReWorsening
from icans.findings import Finding, key_time
from icans.grading.assessment import Assessment
from icans.policy.policy import Policy
from icans.record import evidence_of
from icans.refractory.lines import Line, Situation, hours_between, rests_on
from icans.steroids.doses import ClockedDoses
from icans.steroids.exposure import RECENT, last_24h

NOWHERE: Mapping[datetime, datetime] = {}


def worse_under_treatment(line: Line, assessment: Assessment, active: bool, situation: Situation) -> bool:
    """Clause B: surely above the reference within 24 hours of treatment start, for the first time.

    active: steroids were given without a gap up to the assessment.
    """
    reference = line.reference
    if reference is None or line.met_b is not None or assessment.at <= max(line.start, reference.at):
        return False
    if assessment.at > line.start + situation.policy.evaluation_due or not active:
        return False
    given = situation.doses.clocked_between(line.start, assessment.at)
    return worse(assessment, reference) and treated(given, situation.policy)


def worse(assessment: Assessment, reference: Assessment, moved: Mapping[datetime, datetime] = NOWHERE) -> bool:
    """Surely above the reference, by a value of its own that was charted after it.

    moved: instants of which what was charted then is taken for charted at another one.
    """
    high = reference.counts_as.high
    return assessment.counts_as.low > high and any(
        value.working.low > high and moved.get(value.time, value.time) > reference.at for value in assessment.proving
    )


def treated(given: Iterable[tuple[datetime, ClockedDoses]], policy: Policy) -> bool:
    """Whether these doses of a line, each in full at its start, reach the qualifying dose or hold an unknown one."""
    total = Decimal(0)
    for _, doses in given:
        total += doses.amount
        if doses.unknown or total >= policy.qualifying_dose:
            return True
    return False


def worse_again(line: Line, assessment: Assessment, previous: int, situation: Situation) -> Finding:
    """The headline rose from ``previous`` after the verdict of a line under whose treatment the patient still is."""
    at = assessment.at
    facts = ReWorsening(
        episode=line.episode,
        line=line.number,
        previous_grade=previous,
        grade=situation.course.headline,
        hours_since_treatment_start=hours_between(at, line.start),
    )
    key = f"{line.episode}|{line.number}|{key_time(at)}"
    basis, evidence = rests_on(line, assessment, situation)
    _, uncounted = situation.doses.given_between(at - RECENT, at)
    basis = replace(basis, recent_mg=last_24h(at, situation.doses), recent_uncounted=len(uncounted))
    given = evidence_of([d for d in situation.doses.last_doses(at) if d.route != "intrathecal"])
    evidence = tuple(sorted({*evidence, *given}, key=lambda e: (str(e.time), e.reference, e.element)))
    return situation.course.finding(key, at, "warning", facts, evidence, basis)
