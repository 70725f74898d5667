"""What the rules carry from one instant to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from icans.course.course import Course
from icans.grading.assessment import Assessment
from icans.grading.in_force import REASONS_ITEM_MISSING, InForce
from icans.policy.policy import Policy
from icans.record import ORIENTATION_ITEMS, NotAssessed, is_item
from icans.refractory.treatment import Treatment
from icans.steroids.exposure import Exposure


@dataclass(slots=True)
class State:
    """Everything the rules carry from one instant to the next."""

    in_force: InForce
    course: Course
    treatment: Treatment
    exposure: Exposure
    last_dose_until: datetime | None = None
    dead: bool = False
    uncounted_until: datetime | None = None  # how long administrations of an unknown drug are reported

    def copy(self) -> State:
        return State(
            self.in_force.copy(),
            self.course.copy(),
            self.treatment.copy(),
            self.exposure.copy(),
            self.last_dose_until,
            self.dead,
            self.uncounted_until,
        )

    def take_baseline(self, at: datetime, assessments: Sequence[Assessment], policy: Policy) -> None:
        """At an infusion: the last complete ICE before it, and the items that were then not asked for a reason."""
        in_force, since = self.in_force, at - policy.baseline_window
        in_force.baseline = None
        for assessment in reversed(assessments):
            if assessment.at < since:
                break
            if assessment.ice_complete and in_force.baseline is None:
                in_force.baseline = in_force.complete_ice.get(assessment.at)
        newest = in_force.ice if in_force.ice is not None and in_force.ice.at >= since else None
        if newest is not None:
            reasons = [
                e
                for e in newest.entries
                if isinstance(e, NotAssessed) and is_item(e) and e.reason in REASONS_ITEM_MISSING
            ]
            in_force.unasked_items = frozenset(
                name for e in reasons for name in (ORIENTATION_ITEMS if e.tool == "orientation" else (e.tool,))
            )
