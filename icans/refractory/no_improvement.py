"""Clause A: is the grade at the 24-hour evaluation better than at treatment start?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from icans.grading.assessment import Assessment
from icans.grading.astct import UNKNOWN, GradeRange
from icans.policy.policy import Policy


@dataclass(frozen=True, slots=True)
class Verdict:
    """kind: "met", "responded" or "indeterminate"; reason for the last; late: evaluated after the tolerance."""

    kind: str
    reason: str = ""
    late: bool = False

    @property
    def label(self) -> str:
        return f"{self.kind}:{self.reason}" if self.reason else self.kind


#: The row that should settle it could not be graded (sedation, no usable value).
NOT_ASSESSABLE = Verdict("indeterminate", "not-assessable")


def improved(assessment: Assessment, reference: Assessment) -> bool:
    """A definite decrease by at least one grade."""
    return assessment.counts_as.high <= reference.counts_as.low - 1


def not_below(assessment: Assessment, reference: Assessment) -> bool:
    """Surely no better than the reference."""
    return assessment.counts_as.low >= max(1, reference.counts_as.high)


def judge(start: datetime, reference: Assessment, evaluation: Assessment, active: bool, policy: Policy) -> Verdict:
    """The verdict of an assessable evaluation, with the reasons why it may be open, in their precedence.

    start: treatment start. active: steroids were given without a gap up to the evaluation.
    """
    late = evaluation.at > start + policy.evaluation_late
    kind = _kind(reference, evaluation, policy)
    if kind == "responded":
        return Verdict(kind, "", late)
    reason = _left_open(kind == "met", reference, evaluation, active, policy)
    return Verdict("indeterminate" if reason else "met", reason, late)


def _left_open(not_better: bool, reference: Assessment, evaluation: Assessment, active: bool, policy: Policy) -> str:
    """Why an answer that is no improvement decides nothing, "" if it does. not_better: it is surely none."""
    if not_better and not active:
        return "treatment-gap"
    without = evaluation.without_carried
    if without is not None and without.high <= reference.counts_as.low - 1:
        return "event-carry"
    if not not_better:
        return "interval-overlap"
    tool = _improved_within_grade(reference, evaluation, policy)
    return f"{tool}-only" if tool else ""


def _kind(reference: Assessment, evaluation: Assessment, policy: Policy) -> str:
    if improved(evaluation, reference):
        return "responded"
    if not_below(evaluation, reference) and evaluation.counts_as.low >= policy.minimum_grade:
        return "met"
    return "indeterminate"


def _improved_within_grade(reference: Assessment, evaluation: Assessment, policy: Policy) -> str:
    """The tool whose score improved while the grade did not and nothing else got worse, "" if none did."""
    if reference.working != evaluation.working:
        return ""
    least = policy.ice_gain_grade_1 if reference.counts_as == GradeRange(1, 1) else policy.ice_gain
    before, now = (a.ice_score if a.ice_complete else None for a in (reference, evaluation))
    rose = before is not None and now is not None and now - before >= least
    if rose and _else_no_worse("ice", reference, evaluation):
        return "ice"
    before, now = reference.capd, evaluation.capd
    fell = before is not None and now is not None and before - now >= policy.capd_gain
    return "capd" if fell and _else_no_worse("capd", reference, evaluation) else ""


def _else_no_worse(tool: str, reference: Assessment, evaluation: Assessment) -> bool:
    """No domain but that of the tool has a higher upper bound than in the reference."""
    highs = {value.domain: value.working.high for value in reference.domains}
    if "consciousness-not-recorded" not in reference.notes:  # nor does anything show that the patient was awake
        highs.setdefault("consciousness", UNKNOWN.high)
    return all(v.working.high <= highs.get(v.domain, 0) for v in evaluation.domains if v.domain != tool)
