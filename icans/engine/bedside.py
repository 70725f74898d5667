"""What a reader asks first: ICE and consciousness as last charted, the last steroid, what is due next."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from icans.findings import Bedside
from icans.grading.assessment import Assessment, DomainValue

if TYPE_CHECKING:
    from icans.engine.history import History


def bedside(at: datetime, history: History) -> Bedside:
    """As known and charted up to ``at``."""
    course, policy = history.state.course, history.policy
    scored: list[Assessment] = []
    consciousness: DomainValue | None = None
    for row in reversed(history.log.rows):
        if row.ice_low is not None and len(scored) < 2:
            scored.append(row)
        if consciousness is None:
            consciousness = next((v for v in row.domains if v.domain == "consciousness"), None)
        if len(scored) == 2 and consciousness is not None:
            break
    overdue = course.overdue.waits if course.overdue is not None else None
    line = history.state.treatment.current(course.episode)
    due = line.start + policy.evaluation_due if line is not None and line.verdict is None else None
    return Bedside(
        since=course.headline_at,
        ice=scored[0] if scored else None,
        ice_before=scored[1] if len(scored) > 1 else None,
        consciousness=consciousness,
        last_dose=history.doses.last_systemic(at),
        overdue_from=overdue if overdue is not None and overdue > at else None,
        reassessment_at=due if due is not None and due > at else None,
    )
