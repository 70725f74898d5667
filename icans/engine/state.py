"""What the rules carry from one instant to the next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from icans.course.course import Course
from icans.grading.in_force import InForce
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
