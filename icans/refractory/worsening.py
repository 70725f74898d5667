"""Clause B, worse within a day of treatment start, and a grade that rises again after the verdict."""

from __future__ import annotations

from dataclasses import replace

from icans.facts import ReWorsening
from icans.findings import Finding, key_time
from icans.grading.assessment import Assessment
from icans.record import evidence_of
from icans.refractory.day_only import is_vague, worsens
from icans.refractory.lines import Line, Situation, hours_between, rests_on
from icans.steroids.exposure import RECENT, last_24h


def worse_under_treatment(line: Line, assessment: Assessment, active: bool, situation: Situation) -> bool:
    """Clause B: surely above the reference within 24 hours of treatment start, for the first time.

    active: steroids were given without a gap up to the assessment. Where only the day of something is known, it must
    hold at either end of that day.
    """
    reference = line.reference
    if reference is None or line.met_b is not None or assessment.at <= max(line.start, reference.at):
        return False
    if assessment.at > line.start + situation.policy.evaluation_due or not active:
        return False
    if assessment.counts_as.low > reference.counts_as.high:
        return not is_vague(line, assessment) or worsens(line, assessment, situation)
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
