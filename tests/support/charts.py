"""Charts for the rule tests: what was charted, sent through the doors, and what came out of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cds_service import evaluate_bundle, replay_bundle
from tests.support.builders import PATIENT_ID, Resource, bundle, infusion, on_day

INFUSION = infusion(on_day(0, "08:30"), id="infusion")


def chart(*charted: Resource, infused: bool = True, **who: Any) -> Resource:
    return bundle(*((INFUSION,) if infused else ()), *charted, **who)


def evaluated(when: str, *charted: Resource, **who: Any) -> dict[str, Any]:
    """The published JSON of ``evaluate`` as of an instant."""
    return evaluate_bundle(chart(*charted, **who), as_of=datetime.fromisoformat(when), patient=PATIENT_ID)


def replayed(*charted: Resource, until: str | None = None, **who: Any) -> dict[str, Any]:
    """The published JSON of ``replay`` for the one patient."""
    as_of = datetime.fromisoformat(until) if until else None
    return replay_bundle(chart(*charted, **who), patient=PATIENT_ID, as_of=as_of)[0]


def graded(when: str, *charted: Resource, **who: Any) -> tuple[int | None, int | None]:
    """Working interval as of an instant."""
    grade = evaluated(when, *charted, **who)["grade"]
    return grade["low"], grade["high"]


def strictly(when: str, *charted: Resource, **who: Any) -> tuple[int | None, int | None]:
    """Strict interval as of an instant."""
    grade = evaluated(when, *charted, **who)["grade"]
    return grade["strictLow"], grade["strictHigh"]


def alerts(played: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [alert for alert in played["alerts"] if alert["type"] == kind]


def changes(played: dict[str, Any]) -> list[tuple[str, int, int]]:
    """(direction, previous grade, grade) of every grade change that was not withdrawn."""
    return [
        (alert["facts"]["direction"], alert["facts"]["previousGrade"], alert["facts"]["grade"])
        for alert in alerts(played, "grade-change")
        if not alert.get("withdrawn")
    ]


def problems(found: dict[str, Any]) -> set[str]:
    return {problem["code"] for problem in found["problems"]}


def types(found: dict[str, Any]) -> set[str]:
    """The types of all findings that hold."""
    return {finding["type"] for finding in found["findings"]}


def lines(played: dict[str, Any] | str, *charted: Resource) -> list[dict[str, Any]]:
    """Treatment lines as of an instant."""
    found: list[dict[str, Any]] = evaluated(str(played), *charted)["refractory"]["lines"]
    return found
