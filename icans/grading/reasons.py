"""Why an ICE or CAPD is missing, and whether that answers the call for an assessment (project decision).

A tool that could not be used because of the patient's state was tried. One that the patient cannot do at all, for
language, sight or hearing, was tried if somebody charted the level of consciousness with it. A patient who was left
to sleep, or who refused, was not assessed.
"""

from __future__ import annotations

from collections.abc import Iterable

#: These make a row full by themselves; those beside a charted level of consciousness; all others never.
FULL_ALONE = frozenset({"unarousable", "sedated", "aphasia"})
FULL_BESIDE_CONSCIOUSNESS = frozenset({"language", "vision", "hearing", "literacy", "motor", "not-valid-at-baseline"})


def weight(reason: str) -> int:
    """How far a reason answers the call for an assessment: 2 alone, 1 beside consciousness, 0 never."""
    return 2 if reason in FULL_ALONE else 1 if reason in FULL_BESIDE_CONSCIOUSNESS else 0


def weakest(reasons: Iterable[str]) -> str:
    """Of the reasons of one ICE's items the one that answers least; "" of none."""
    return min(sorted(filter(None, reasons)), key=weight, default="")


def strongest(reasons: Iterable[str]) -> str:
    """Of several statements at one instant the one that answers most; "" of none."""
    return max(sorted(filter(None, reasons)), key=weight, default="")
