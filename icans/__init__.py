"""The clinic: ICANS grading, its course over time, steroid exposure and refractoriness. Pure: no I/O, no clock.

The names below are for other rooms; nothing else of this package is imported from outside.
"""

from icans.engine.run import evaluate, replay
from icans.facts import DataQuality, OneOf, Range, published_name
from icans.findings import (
    FINDING_TYPES,
    Alert,
    CourseSummary,
    Evaluation,
    ExposureNow,
    GradeNow,
    RefractoryNow,
    Replay,
    RuleNow,
    TimelineEntry,
)
from icans.grading.assessment import Assessment
from icans.grading.astct import table_in_force
from icans.policy.file import load_policy, policy_entries
from icans.policy.policy import Policy, PolicyEntry, PolicyError
from icans.record import Death, Dose, Escalation, Problem, Record

__all__ = [
    "FINDING_TYPES",
    "Alert",
    "Assessment",
    "CourseSummary",
    "DataQuality",
    "Death",
    "Dose",
    "Escalation",
    "Evaluation",
    "ExposureNow",
    "GradeNow",
    "OneOf",
    "Policy",
    "PolicyEntry",
    "PolicyError",
    "Problem",
    "Range",
    "Record",
    "RefractoryNow",
    "Replay",
    "RuleNow",
    "TimelineEntry",
    "evaluate",
    "load_policy",
    "policy_entries",
    "published_name",
    "replay",
    "table_in_force",
]
