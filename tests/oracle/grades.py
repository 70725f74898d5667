"""The ASTCT 2019 table, transcribed a second time and independently of the engine (Lee et al. 2019)."""

from __future__ import annotations

from datetime import timedelta

from icans.policy.policy import Policy
from icans.record import Capd, Consciousness, GcsEye, IcpEdema, Motor, Rass, Seizure

Range = tuple[int, int]
NOTHING: Range = (0, 0)
UNKNOWN: Range = (0, 4)

CHARTED: dict[str, Range] = {
    "alert": (0, 0),
    "awakens-spontaneously": (0, 1),
    "depressed-awakens-spontaneously": (1, 1),
    "awakens-to-voice": (2, 2),
    "awakens-to-tactile": (3, 3),
    "unarousable": (4, 4),
}
SEIZURES: dict[str, Range] = {
    "none": (0, 0),
    "brief-or-resolving": (3, 3),
    "nonconvulsive-resolving": (3, 3),
    "prolonged": (4, 4),
    "repetitive-without-recovery": (4, 4),
    "unspecified": (3, 4),
}
GCS_EYES: dict[int, Range] = {4: (0, 1), 3: (2, 2), 2: (3, 4), 1: (4, 4)}


def worst(*ranges: Range) -> Range:
    """The worse at both ends."""
    return max(low for low, _ in ranges), max(high for _, high in ranges)


def ice_grade(score: int, arousal: str) -> Range:
    """GRD-1 and GRD-2; arousal is "arousable", "unarousable" or "unknown"."""
    if score == 0:
        return {"arousable": (3, 3), "unarousable": (4, 4), "unknown": (3, 4)}[arousal]
    grade = 3 if score <= 2 else 2 if score <= 6 else 1 if score <= 9 else 0
    return grade, grade


def ice_range(low: int, high: int, arousal: str) -> Range:
    """Grades of an ICE total between low and high points."""
    return ice_grade(high, arousal)[0], ice_grade(low, arousal)[1]


def capd_range(value: Capd) -> Range:
    return (3, 3) if value.total >= 9 else (0, 1)


def mapped(value: Consciousness | GcsEye | Rass) -> Range:
    """Consciousness as charted, or as GCS eye and RASS map onto it."""
    if isinstance(value, Consciousness):
        return CHARTED[value.level]
    if isinstance(value, GcsEye):
        return GCS_EYES[value.score]
    if value.score >= 0:
        return (0, 0)
    if value.score >= -3:
        return (2, 2)
    return (3, 4) if value.score == -4 else (4, 4)


def seizure_range(value: Seizure) -> Range:
    """GRD-4: longer than five minutes is grade 4, five minutes exactly is grade 3."""
    timed = value.finding in ("brief-or-resolving", "prolonged", "unspecified")
    if timed and value.duration_seconds is not None:
        return (4, 4) if value.duration_seconds > 300 else (3, 3)
    return SEIZURES[value.finding]


def motor_range(value: Motor) -> Range:
    return (4, 4) if value.finding == "deep-focal-weakness" else NOTHING


def icp_range(value: IcpEdema) -> Range:
    if value.finding in ("none", "intracranial-hemorrhage"):
        return NOTHING
    return (3, 3) if value.finding == "focal-edema" else (4, 4)


def freshness(policy: Policy, grade: int) -> tuple[timedelta, int]:
    """How long a full assessment is fresh at a headline grade, and the interval in hours it is due at (C5, L24)."""
    if grade >= 2:
        interval, grace = policy.interval_severe, policy.grace_severe
    elif grade == 1 and policy.protocol_enrolled != "all":
        interval, grace = policy.interval_grade_1, policy.grace_grade_1
    else:
        interval, grace = policy.interval_mild, policy.grace_mild
    return interval + grace, int(interval.total_seconds() // 3600)
