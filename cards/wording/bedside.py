"""The first block of an answer: how the patient is now, and what is due next."""

from __future__ import annotations

from cards.markdown import escape
from cards.view import View
from cards.wording.assessment import bare_value, charted_at, ice_text, range_text
from cards.wording.exposure import is_open, sedated_part
from cards.wording.parts import amount_text
from icans.record import ICE_MAXIMUM


def now_points(view: View) -> list[str]:
    """Grade, ICE with its change, consciousness, last steroid, what is due; empty where no grade is known."""
    if view.evaluation.monitoring != "active":
        return []
    if view.evaluation.grade.working is None:
        return []
    points = [_grade(view), _ice(view), _consciousness(view), _steroid(view), _due(view)]
    return [point for point in points if point]


def _grade(view: View) -> str:
    grade, now = view.evaluation.grade, view.evaluation.bedside
    known = "Last known grade" if grade.stale else "Grade"
    latest = range_text(grade.low, grade.high)
    open_ = "" if latest == str(grade.working) else f" (latest assessment allows {latest})"
    since = ""
    if now.since is not None:
        since = f" since {view.when(now.since)}" if now.since < view.now else ", new"
    return f"{known} {grade.working}{since}{open_}{_held(view)}."


def _held(view: View) -> str:
    """The event that holds a grade after its own instant, and until when."""
    latest = view.evaluation.grade.assessment
    if latest is None or latest.working is None or latest.without_carried is None:
        return ""
    held = [v for v in latest.domains if v.status == "carried" and v.working.low == latest.working.low]
    if not held or latest.without_carried.low >= latest.working.low:
        return ""
    event = held[0]
    until = ""
    if event.domain == "seizure":
        until = f" until {view.in_course(event.time + view.policy.event_carry)}"
    name = {"seizure": "seizure", "motor": "weakness", "icp-edema": "ICP or edema finding"}[event.domain]
    return f"; held by the {name} of {view.in_course(event.time)}{until}"


def _ice(view: View) -> str:
    now = view.evaluation.bedside
    if now.ice is None:
        return ""
    changes = []
    score = now.ice.ice_score
    if now.ice_before is not None and score is not None and now.ice_before.ice_score is not None:
        changes.append(f"{score - now.ice_before.ice_score:+d} since {view.in_course(now.ice_before.at)}")
    if now.ice.baseline_ice is not None and score is not None:
        changes.append(f"{score - now.ice.baseline_ice:+d} from baseline")
    changed = f": {', '.join(changes)}".replace("+0", "no change") if changes else ""
    shown = f"ICE {score}/{ICE_MAXIMUM}" if score is not None else ice_text(now.ice)
    return f"{escape(shown)} ({charted_at(now.ice, view)}){changed}."


def _consciousness(view: View) -> str:
    value = view.evaluation.bedside.consciousness
    if value is None:
        return ""
    return f"Consciousness: {escape(bare_value(value))} ({view.in_course(value.time)})."


def _steroid(view: View) -> str:
    if not view.administrations_read:
        return "Steroids: not read."
    dose = view.evaluation.bedside.last_dose
    if dose is None:
        exposure = view.evaluation.exposure
        known = exposure is not None and not exposure.uncounted and not is_open(exposure)
        return "No steroid on record." if known else "No steroid on record that could be read; one may have been given."
    ago = view.ago(dose.at) if dose.precise else view.whole_day(dose.day)
    return f"Last steroid: {escape(dose.drug)} {amount_text(dose)}, {ago}."


def _due(view: View) -> str:
    now = view.evaluation.bedside
    due = sedated_part(view)
    if now.reassessment_at is not None:
        due.append(f"24-hour reassessment {view.in_course(now.reassessment_at)}")
    if now.overdue_from is not None:
        due.append(f"full assessment by {view.in_course(now.overdue_from)}")
    return f"Due: {'; '.join(due)}." if due else ""
