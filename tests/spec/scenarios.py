"""The clinical scenarios, by number. The infusion is on day 0 at 08:30 unless the table leaves it out."""

from __future__ import annotations

from tests.spec.courses import COURSES
from tests.spec.grading import GRADING
from tests.spec.imperfect_data import TIME
from tests.spec.treatment import REFRACTORINESS, STEROIDS

#: Heading of each group in docs/scenarios.md.
GROUPS = {
    "Grading": GRADING,
    "Steroid exposure": STEROIDS,
    "Twenty-four hours without improvement": REFRACTORINESS,
    "Time, corrections and missing data": TIME,
    "Three published courses": COURSES,
}
SCENARIOS = tuple(scenario for group in GROUPS.values() for scenario in group)
