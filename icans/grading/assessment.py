"""One graded assessment, and what each domain contributes to it."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

from icans.grading.astct import GRADE_0, UNKNOWN, GradeRange
from icans.record import Evidence, Problem


class DomainValue(NamedTuple):
    """What one domain contributes to an assessment.

    domain: "ice", "capd", "consciousness", "seizure", "motor", "icp-edema" or "documented".
    working, strict: the grades it allows; strict leaves unrecorded consciousness open.
    shown: the value as a clinician says it ("ICE 5", "awakens to voice").
    status: "charted", "inferred" (from GCS or RASS), "carried" (charted in an earlier assessment),
        "not-assessable" or "excluded" (contributes nothing); reason says why for the last two.
    """

    domain: str
    working: GradeRange
    strict: GradeRange
    shown: str
    time: datetime
    status: str = "charted"
    reason: str = ""
    evidence: tuple[Evidence, ...] = ()


class Assessment(NamedTuple):
    """All that was charted at one instant, graded with what was charted in the hour before.

    working, strict: None if nothing could be graded (assessable is then False).
    domains: what counts; excluded: what was recorded and does not, with its reason.
    unrecorded: domains without a value and the grades that each leaves open in the working interval.
    missing: items or domains that would settle the grade. not_documented: event domains never charted.
    ice_low, ice_high: bounds of the ICE score; ice_maximum: points that could be obtained (10 if all
        items are valid for this patient). baseline_ice: ICE before the infusion, None if not recorded.
    without_carried: the grade it would count as without events charted earlier than this assessment, None if nothing
        could be graded then.
    clear: counts as grade 0 (no neurotoxicity recorded, or at the patient's own baseline).
    inconclusive: an ICE obtained under sedation; it ends nothing and proves nothing.
    documented: grade charted by a clinician within the hour, None if none.
    full: it answers the call for an assessment. reason: why the patient's tool has no value at this instant, "" if it
        has one or nothing is charted about it.
    notes: what the reader must know, as codes: "consciousness-not-recorded", "consciousness-inferred",
        "at-baseline", "below-baseline", "no-baseline", "under-sedation", "recent-bolus",
        "sedation-unchecked", "events-re-documentation-due", "implausible-pair", "age-unknown".
    """

    at: datetime
    earliest: datetime
    day: date
    references: tuple[str, ...]
    full: bool
    assessable: bool
    working: GradeRange | None
    strict: GradeRange | None
    domains: tuple[DomainValue, ...] = ()
    excluded: tuple[DomainValue, ...] = ()
    unrecorded: tuple[tuple[str, GradeRange], ...] = ()
    missing: tuple[str, ...] = ()
    not_documented: tuple[str, ...] = ()
    deciding_domain: str | None = None
    ice_low: int | None = None
    ice_high: int | None = None
    ice_maximum: int | None = None
    ice_complete: bool = False
    capd: int | None = None
    baseline_ice: int | None = None
    without_carried: GradeRange | None = None
    clear: bool = False
    at_baseline: bool = False
    under_sedation: bool = False
    inconclusive: bool = False
    documented: int | None = None
    reason: str = ""
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def put_off(self) -> bool:
        """Instead of an ICE or CAPD a reason is charted that does not answer the call for one; it ends no clock."""
        return bool(self.reason) and not self.full

    @property
    def counts_as(self) -> GradeRange:
        """The grade as it drives headline and treatment clocks: a clear assessment counts as grade 0."""
        if self.clear:
            return GRADE_0
        return self.working or UNKNOWN

    @property
    def by_itself(self) -> bool:
        """It could be graded without events charted earlier; under sedation only those may be left."""
        return self.without_carried is not None

    @property
    def ice_score(self) -> int | None:
        """The ICE score if it is one number."""
        return self.ice_low if self.ice_low == self.ice_high else None

    @property
    def proving(self) -> tuple[DomainValue, ...]:
        """What its lower bound can rest on: an ICE obtained under sedation proves nothing."""
        return tuple([v for v in self.domains if v.domain != "ice" or not self.under_sedation])

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """Everything charted that this assessment rests on, counted or not."""
        return tuple(e for value in (*self.domains, *self.excluded) for e in value.evidence)
