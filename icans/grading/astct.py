"""The ICANS table of ASTCT 2019, one row a cell, and grades as intervals that are honest about what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from icans.record import ICE_ITEM_POINTS, IcpEdema, Motor, Seizure


class GradeRange(NamedTuple):
    """A grade between ``low`` and ``high`` inclusive; low == high where the grade is known."""

    low: int
    high: int

    def worst_with(self, other: GradeRange) -> GradeRange:
        """The overall grade of two domains: the worse decides at both ends (ASTCT 2019, Table 5, footnote)."""
        if self.low >= other.low:
            return self if self.high >= other.high else _RANGES[self.low, other.high]
        return other if other.high >= self.high else _RANGES[other.low, self.high]

    def span(self, other: GradeRange) -> GradeRange:
        """The smallest range that holds both: either may be true."""
        return GradeRange(min(self.low, other.low), max(self.high, other.high))


#: Every range there is, made once.
_RANGES = {(low, high): GradeRange(low, high) for high in range(5) for low in range(high + 1)}
GRADE_0 = GradeRange(0, 0)
AROUSABLE = GradeRange(0, 3)
UNKNOWN = GradeRange(0, 4)

# The table (ASTCT 2019, Lee et al., Biol Blood Marrow Transplant 25:625, Tables 5 and 6). One row a cell.

#: ICE score -> grade; 0 points depend on arousal (see ice_grade).
ICE_GRADES = {10: 0, 9: 1, 8: 1, 7: 1, 6: 2, 5: 2, 4: 2, 3: 2, 2: 3, 1: 3}
#: CAPD below this allows grade 0 to 1 by itself, from it on grade 3 (Table 6).
CAPD_GRADE_3 = 9
CAPD_BELOW = GradeRange(0, 1)
CAPD_FROM = GradeRange(3, 3)
#: Depressed level of consciousness. A fully alert person also awakens spontaneously, hence the range.
CONSCIOUSNESS_GRADES = {
    "alert": GRADE_0,
    "awakens-spontaneously": GradeRange(0, 1),
    "depressed-awakens-spontaneously": GradeRange(1, 1),
    "awakens-to-voice": GradeRange(2, 2),
    "awakens-to-tactile": GradeRange(3, 3),
    "unarousable": GradeRange(4, 4),
}
SEIZURE_GRADES = {
    "none": GRADE_0,
    "brief-or-resolving": GradeRange(3, 3),
    "nonconvulsive-resolving": GradeRange(3, 3),
    "unspecified": GradeRange(3, 4),
    "prolonged": GradeRange(4, 4),
    "repetitive-without-recovery": GradeRange(4, 4),
}
#: A seizure longer than this is life-threatening; the kinds whose duration decides.
PROLONGED_SEIZURE_SECONDS = 300
TIMED_SEIZURES = frozenset({"brief-or-resolving", "prolonged", "unspecified"})
#: Tremor and myoclonus do not influence the grade; unspecified weakness is not "deep focal".
MOTOR_GRADES = {
    "none": GRADE_0,
    "deep-focal-weakness": GradeRange(4, 4),
    "weakness-unspecified": GRADE_0,
    "tremor": GRADE_0,
    "myoclonus": GRADE_0,
    "asterixis": GRADE_0,
    "gait-instability": GRADE_0,
}
#: Intracranial hemorrhage, with or without edema, is not a neurotoxicity feature.
HEMORRHAGE = "intracranial-hemorrhage"
ICP_EDEMA_GRADES = {
    "none": GRADE_0,
    "focal-edema": GradeRange(3, 3),
    "diffuse-edema": GradeRange(4, 4),
    "posturing": GradeRange(4, 4),
    "cranial-nerve-vi-palsy": GradeRange(4, 4),
    "papilledema": GradeRange(4, 4),
    "cushing-triad": GradeRange(4, 4),
    HEMORRHAGE: GRADE_0,
}
#: Consciousness inferred from the eye response of the Glasgow Coma Scale (project decision).
GCS_EYE_GRADES = {4: GradeRange(0, 1), 3: GradeRange(2, 2), 2: GradeRange(3, 4), 1: GradeRange(4, 4)}
#: RASS of deep sedation, and below: no CAPD is obtained then (Traube et al., Crit Care Med 2014;42:656).
DEEP_SEDATION = -4
#: Domains charted when something happens, and carried.
EVENT_DOMAINS = ("seizure", "motor", "icp-edema")
#: Order in which domains are named where they decide together.
DOMAIN_ORDER = ("ice", "capd", "consciousness", "seizure", "motor", "icp-edema", "documented")


def ice_grade(low: int, high: int, arousable: bool | None) -> GradeRange:
    """Grade of an ICE score between ``low`` and ``high`` points (0 to 10).

    arousable: True with a consciousness that is not "unarousable", False with it, None if unknown. ICE 0
    is grade 3 in an awake patient (global aphasia) and 4 in an unarousable one (ASTCT 2019, Table 5).
    """

    def grade(points: int, if_unknown: int) -> int:
        if points:
            return ICE_GRADES[points]
        return if_unknown if arousable is None else 3 if arousable else 4

    return GradeRange(grade(high, 3), grade(low, 4))


def rass_grade(score: int) -> GradeRange:
    """Consciousness inferred from RASS -5 to +4 (project decision)."""
    if score >= 0:
        return GRADE_0
    if score > DEEP_SEDATION:
        return GradeRange(2, 2)
    return GradeRange(3, 4) if score == DEEP_SEDATION else GradeRange(4, 4)


def seizure_grade(finding: str, duration_seconds: Decimal | None) -> GradeRange:
    """Grade of a seizure; a charted duration decides between rapidly resolving and prolonged (> 5 min)."""
    if duration_seconds is not None and finding in TIMED_SEIZURES:
        prolonged = duration_seconds > PROLONGED_SEIZURE_SECONDS
        return SEIZURE_GRADES["prolonged" if prolonged else "brief-or-resolving"]
    return SEIZURE_GRADES[finding]


def event_grade(event: Seizure | Motor | IcpEdema) -> GradeRange:
    """Grade of a seizure, motor or ICP and edema finding."""
    if isinstance(event, Seizure):
        return seizure_grade(event.finding, event.duration_seconds)
    return MOTOR_GRADES[event.finding] if isinstance(event, Motor) else ICP_EDEMA_GRADES[event.finding]


def table_in_force() -> dict[str, Any]:
    """The grading table as ``policy show`` prints it: by setting, a grade or its lowest and highest."""
    return {
        "ice_item_points": dict(ICE_ITEM_POINTS),
        "ice_grade": {str(g): min(p for p, grade in ICE_GRADES.items() if grade == g) for g in range(4)},
        "consciousness_grade": _shown(CONSCIOUSNESS_GRADES),
        "seizure_grade": _shown(SEIZURE_GRADES),
        "prolonged_seizure": PROLONGED_SEIZURE_SECONDS // 60,
        "motor_grade": _shown(MOTOR_GRADES),
        "icp_edema_grade": _shown({k: v for k, v in ICP_EDEMA_GRADES.items() if k != HEMORRHAGE}),
        "capd_grade_3": CAPD_GRADE_3,
        "gcs_eye_grade": {str(score): list(GCS_EYE_GRADES[score]) for score in GCS_EYE_GRADES},
        "rass_grade": {str(score): list(rass_grade(score)) for score in range(0, -6, -1)},
    }


def _shown(grades: Mapping[str, GradeRange]) -> dict[str, Any]:
    return {name: grade.low if grade.low == grade.high else list(grade) for name, grade in grades.items()}
