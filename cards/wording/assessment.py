"""How one graded assessment reads: deciding value, computation, what is missing and what is not counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cards.markdown import escape
from cards.view import View
from cards.wording.parts import words
from icans.facts import GradeChange
from icans.grading.assessment import Assessment, DomainValue
from icans.grading.astct import GradeRange
from icans.policy.policy import Policy, in_words
from icans.record import (
    CONSCIOUSNESS_LEVELS,
    ICE_ITEM_POINTS,
    ICE_MAXIMUM,
    ICP_EDEMA_FINDINGS,
    MOTOR_FINDINGS,
    SEIZURE_FINDINGS,
)

#: Codes of the record that are shown where nothing else was charted: words with hyphens.
_CODES = frozenset({*CONSCIOUSNESS_LEVELS, *SEIZURE_FINDINGS, *MOTOR_FINDINGS, *ICP_EDEMA_FINDINGS})
DOMAINS = {
    "ice": "ICE",
    "capd": "CAPD",
    "consciousness": "level of consciousness",
    "seizure": "seizure",
    "motor": "motor findings",
    "icp-edema": "raised ICP or cerebral edema",
    "documented": "grade charted by a clinician",
}
_EVENTS = {"seizure": "seizure", "motor": "weakness", "icp-edema": "edema/ICP"}
#: What is charted, or missing: domains, ICE items, scores and details.
NAMES = {
    **DOMAINS,
    **{f"ice-{item}": f"ICE {item}" for item in ICE_ITEM_POINTS},
    "documented-icans-grade": "grade charted by a clinician",
    "ice-total": "ICE score",
    "capd-total": "CAPD score",
    "gcs-eye": "GCS eye response",
    "rass": "RASS",
    "seizure-duration": "duration of the seizure and return to baseline",
}
#: The published criterion of a grade, shortened (ASTCT 2019, Lee et al., Table 5 and its table for children).
CRITERIA = {
    ("ice", 1): "ICE 7-9",
    ("ice", 2): "ICE 3-6",
    ("ice", 3): "ICE 0-2",
    ("ice", 4): "ICE 0, unarousable and unable to perform ICE",
    ("capd", 3): "CAPD 9 or more",
    ("capd", 4): "unable to perform CAPD",
    ("consciousness", 1): "awakens spontaneously",
    ("consciousness", 2): "awakens to voice",
    ("consciousness", 3): "awakens only to tactile stimulus",
    ("consciousness", 4): "unarousable or needs vigorous or repetitive tactile stimuli, stupor or coma",
    (
        "seizure",
        3,
    ): "clinical seizure that resolves rapidly, or nonconvulsive and resolving with intervention",
    ("seizure", 4): "seizure over 5 min, or repetitive without return to baseline in between",
    ("motor", 4): "deep focal motor weakness",
    ("icp-edema", 3): "focal edema on neuroimaging",
    ("icp-edema", 4): "diffuse edema, posturing, cranial nerve VI palsy, papilledema or Cushing's triad",
}
REASONS = {
    "other-cause": "charted as due to another cause",
    "sedated": "patient sedated",
    "sedation": "a sedative was running",
    "wrong-tool-for-age": "tool does not fit the patient's age",
    "hemorrhage-excluded": "hemorrhage with or without edema is not graded as ICANS",
    "not-valid-at-baseline": "not valid for this patient at baseline",
}
_NOTES: Mapping[str, Callable[[Policy], str]] = {
    "at-baseline": lambda _: "ICE is at this patient's own baseline and no other domain is abnormal.",
    "no-baseline": lambda _: "No baseline ICE found.",
    "under-sedation": lambda _: "Charted while a sedative was running: it ends no episode and proves no improvement.",
    "recent-bolus": lambda policy: (
        f"A sedative bolus was given within the {in_words(policy.bolus_note)} before: its effect cannot be told apart."
    ),
    "events-re-documentation-due": lambda policy: (
        f"A motor or ICP finding older than {in_words(policy.event_carry)} has not been documented again: counted as "
        "possible."
    ),
    "implausible-pair": lambda _: "The recorded values contradict each other; the worse counts.",
    "age-unknown": lambda _: "Age is not known: whether ICE or CAPD applies could not be checked.",
}


def range_text(low: int | None, high: int | None) -> str:
    """``2`` or ``2-3``."""
    if low is None or high is None:
        return "not known"
    return str(low) if low == high else f"{low}-{high}"


def grade_text(grade: Any, low: Any, high: Any, *, rising: bool, open_above: bool = False) -> str:
    """The headline in words: ``grade 2``, ``at least grade 3`` or, on the way down, ``at most grade 1``."""
    if rising and (open_above or (high is not None and high > grade)):
        return f"at least grade {grade}"
    if not rising and low is not None and low < grade:
        return f"at most grade {grade}"
    return f"grade {grade}"


def ice_text(assessment: Assessment | None, change: GradeChange | None = None) -> str:
    """``ICE 5 of 10``, ``ICE 5-8 of 10`` or ``ICE 8/9 assessable``; empty if there is none."""
    low = high = None
    if change is not None:
        low, high = change.ice_low, change.ice_high
        if change.ice_score is not None:
            low = high = change.ice_score
    if low is None and assessment is not None:
        low, high = assessment.ice_low, assessment.ice_high
    if low is None or high is None:
        return ""
    maximum = assessment.ice_maximum if assessment is not None else None
    if maximum is not None and maximum < ICE_MAXIMUM:
        return f"ICE {low}/{maximum} assessable"
    return f"ICE {range_text(low, high)} of {ICE_MAXIMUM}"


def deciding_text(assessment: Assessment | None, change: GradeChange | None = None) -> str:
    """The value that decides the grade, such as ``ICE 5 of 10``; empty if not known. Not escaped."""
    deciding = None if change is None else change.deciding_domain
    ice = ice_text(assessment, change)
    if deciding == "ice" and ice:
        return ice
    if assessment is not None:
        chosen = _domain(assessment, deciding)
        if chosen is not None:
            return domain_text(chosen)
        if deciding is None and not ice:
            return "; ".join(domain_text(value) for value in assessment.domains[:2])
    return ice if deciding is None else DOMAINS.get(deciding, deciding)


def domain_text(value: DomainValue) -> str:
    """The value as charted with the domain's name before it, such as ``seizure: brief``. Not escaped."""
    code = value.domain
    named = value.shown.lower().startswith(code)
    if code == "documented" or (named and code in ("ice", "capd")):
        return value.shown
    return f"{DOMAINS.get(code, code)}: {bare_value(value)}"


def bare_value(value: DomainValue) -> str:
    """The value as charted without the domain's name; a code of the record as words. Not escaped."""
    shown = value.shown
    if shown.lower().startswith(value.domain):
        shown = shown[len(value.domain) :].lstrip(": ")
    return shown.replace("-", " ") if shown in _CODES else shown


def computation(assessment: Assessment, view: View) -> str:
    """The grade in one line: what each domain gives, and that the worst decides."""
    if assessment.working is None or not assessment.domains:
        return ""
    parts = []
    for value in assessment.domains:
        text = f"{escape(domain_text(value))} gives {_range(value.working)}"
        if value.status == "inferred":
            text += " (inferred)"
        elif value.status == "carried":
            text += f" (carried from {view.clock(value.time)})"
        parts.append(text)
    parts += [f"{_UNRECORDED[domain]}: {_range(grades)}" for domain, grades in assessment.unrecorded]
    worst = f"; the worst decides: {_range(assessment.working)}" if len(parts) > 1 else ""
    return f"Computed: {'; '.join(parts)}{worst}."


_UNRECORDED = {"ice": "ICE not done", "consciousness": "level of consciousness not recorded"}


def assessment_points(assessment: Assessment, view: View) -> list[str]:
    """What a reader must know of an assessment: computation, missing, not counted, inferred."""
    points = [computation(assessment, view)]
    if assessment.missing:
        points.append(f"Missing, would settle the grade: {escape(words(assessment.missing, NAMES))}.")
    if assessment.not_documented:
        points.append(f"Not charted: {escape(words(assessment.not_documented, _EVENTS))}.")
    points.extend(excluded_points(assessment, view))
    strict = assessment.strict
    if strict is not None and assessment.working is not None and strict != assessment.working:
        how = "inferred, not charted" if "consciousness-inferred" in assessment.notes else "not recorded"
        points.append(f"Consciousness {how}: grade {_range(strict)} possible.")
    elif "consciousness-inferred" in assessment.notes:
        points.append("Consciousness inferred, not charted.")
    points.extend(_NOTES[note](view.policy) for note in assessment.notes if note in _NOTES)
    return [point for point in points if point]


def sedation_unchecked(assessment: Assessment | None, view: View, change: GradeChange | None = None) -> bool:
    """Whether the grade rests on consciousness or ICE 0 while administrations could not be read."""
    if assessment is not None and "sedation-unchecked" in assessment.notes:
        return True
    if view.administrations_read:
        return False
    now = view.evaluation.grade
    deciding = (change and change.deciding_domain) or (assessment or now).deciding_domain
    if deciding != "ice":
        return deciding == "consciousness"
    ice = ice_text(assessment, change)
    return ice.startswith(("ICE 0 ", "ICE 0-", "ICE 0/")) if ice else now.ice_score == 0


def when(assessment: Assessment, view: View) -> str:
    """The time of an assessment; the day alone where no more is charted."""
    if assessment.earliest == assessment.at:
        return view.time(assessment.at)
    return view.whole_day(assessment.day)


def charted_at(assessment: Assessment, view: View) -> str:
    """The time of an assessment as day and clock of the course; the day alone where no more is charted."""
    return view.in_course(assessment.at) if assessment.earliest == assessment.at else view.whole_day(assessment.day)


def reason_text(value: DomainValue) -> str:
    """Why a value is not counted. Not escaped."""
    return REASONS.get(value.reason, value.reason.replace("-", " ")) or value.status.replace("-", " ")


def excluded_points(assessment: Assessment, view: View) -> list[str]:
    """What was recorded and does not count, and why."""
    return [_excluded(value, view) for value in assessment.excluded]


def _excluded(value: DomainValue, view: View) -> str:
    if value.reason == "ended-by-other-cause":
        since = value.evidence[-1].time
        return (
            f"No longer counted: {escape(domain_text(value))} ({view.clock(value.time)}), attributed to another cause"
            f"{f' at {view.clock(since)}' if since else ''}."
        )
    reason = reason_text(value)
    verb = "Recorded, not assessable" if value.status == "not-assessable" else "Recorded, not counted"
    return f"{verb}: {escape(domain_text(value))} ({escape(reason)})."


def _range(grade: GradeRange) -> str:
    return range_text(grade.low, grade.high)


def _domain(assessment: Assessment, name: object) -> DomainValue | None:
    return next((value for value in assessment.domains if value.domain == name), None)
