"""Clause A: is the grade at the 24-hour evaluation better than at treatment start?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from icans.grading import Assessment
from icans.policy import Policy


@dataclass(frozen=True, slots=True)
class Verdict:
    """kind: "met", "responded" or "indeterminate"; reason for the last; late: evaluated after the tolerance."""

    kind: str
    reason: str = ""
    late: bool = False

    @property
    def label(self) -> str:
        return f"{self.kind}:{self.reason}" if self.reason else self.kind


def improved(assessment: Assessment, reference: Assessment) -> bool:
    """A definite decrease by at least one grade."""
    return assessment.counts_as.high <= reference.counts_as.low - 1


def not_below(assessment: Assessment, reference: Assessment) -> bool:
    """Surely no better than the reference."""
    return assessment.counts_as.low >= max(1, reference.counts_as.high)


def judge(
    start: datetime,
    earliest: datetime,
    reference: Assessment,
    evaluation: Assessment,
    active: bool,
    policy: Policy,
    rows: Sequence[Assessment],
) -> Verdict:
    """The verdict of an assessable evaluation, with the reasons why it may be open, in their precedence.

    start, earliest: treatment start and, where only its day is known, the first instant it may have been.
    active: steroids were given without a gap up to the evaluation. rows: all assessments so far.
    """
    late = evaluation.at > start + policy.evaluation_late
    kind = _kind(reference, evaluation, policy)
    imprecise = earliest != start or reference.earliest != reference.at or evaluation.earliest != evaluation.at
    if imprecise and _kind_if_earlier(earliest, rows, policy) != kind:
        return Verdict("indeterminate", "time-imprecise", late)
    if kind != "met":
        return Verdict(kind, "interval-overlap" if kind == "indeterminate" else "", late)
    if not active:
        return Verdict("indeterminate", "treatment-gap", late)
    without = evaluation.without_carried
    if without is not None and without.high <= reference.counts_as.low - 1:
        return Verdict("indeterminate", "event-carry", late)
    if _ice_only(reference, evaluation):
        return Verdict("indeterminate", "ice-only", late)
    return Verdict("met", "", late)


def _kind(reference: Assessment, evaluation: Assessment, policy: Policy) -> str:
    if improved(evaluation, reference):
        return "responded"
    if not_below(evaluation, reference) and evaluation.counts_as.low >= policy.minimum_grade:
        return "met"
    return "indeterminate"


def _kind_if_earlier(start: datetime, rows: Sequence[Assessment], policy: Policy) -> str:
    """What the verdict would be, had treatment started (and the rows been charted) at the start of their days."""
    full = sorted((r for r in rows if r.full and r.assessable), key=lambda r: r.earliest)
    before = [r for r in full if start - policy.reference_before <= r.earliest <= start]
    in_window = [r for r in full if start + policy.evaluation_from <= r.earliest <= start + policy.evaluation_due]
    after = [r for r in full if r.earliest > start + policy.evaluation_due]
    evaluation = in_window[-1] if in_window else after[0] if after else None
    if not before or evaluation is None:
        return "unknown"
    return _kind(before[-1], evaluation, policy)


def _ice_only(reference: Assessment, evaluation: Assessment) -> bool:
    """The ICE improved by two points or more while the grade did not, and nothing else got worse."""
    if not (reference.ice_complete and evaluation.ice_complete) or reference.working != evaluation.working:
        return False
    before, now = reference.ice_score, evaluation.ice_score
    if before is None or now is None or now - before < 2:
        return False
    highs = {v.domain: v.working.high for v in reference.domains}
    return all(v.working.high <= highs.get(v.domain, 0) for v in evaluation.domains if v.domain != "ice")
