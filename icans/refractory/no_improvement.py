"""Clause A: is the grade at the 24-hour evaluation better than at treatment start?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from icans.grading.assessment import Assessment
from icans.grading.astct import UNKNOWN
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
    if kind != "met":
        return Verdict(kind, "interval-overlap" if kind == "indeterminate" else "", late)
    if not active:
        return Verdict("indeterminate", "treatment-gap", late)
    without = evaluation.without_carried
    if without is not None and without.high <= reference.counts_as.low - 1:
        return Verdict("indeterminate", "event-carry", late)
    if _ice_only(reference, evaluation, policy):
        return Verdict("indeterminate", "ice-only", late)
    return Verdict("met", "", late)


def _kind(reference: Assessment, evaluation: Assessment, policy: Policy) -> str:
    if improved(evaluation, reference):
        return "responded"
    if not_below(evaluation, reference) and evaluation.counts_as.low >= policy.minimum_grade:
        return "met"
    return "indeterminate"


def _ice_only(reference: Assessment, evaluation: Assessment, policy: Policy) -> bool:
    """The ICE improved while the grade did not, and nothing else got worse."""
    if not (reference.ice_complete and evaluation.ice_complete) or reference.working != evaluation.working:
        return False
    before, now = reference.ice_score, evaluation.ice_score
    if before is None or now is None or now - before < policy.ice_gain:
        return False
    highs = {v.domain: v.working.high for v in reference.domains}
    if before == 0:
        highs.setdefault("consciousness", UNKNOWN.high)  # not recorded, and nothing shows that the patient was awake
    return all(v.working.high <= highs.get(v.domain, 0) for v in evaluation.domains if v.domain != "ice")
