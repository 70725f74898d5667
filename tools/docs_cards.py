"""One chart for each type of card, small enough to read: what docs/cards.md and its pictures show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cds_service import evaluate_bundle
from tests.support.builders import (
    Resource,
    bundle,
    consciousness,
    documented,
    ice,
    ice_items,
    infusion,
    on_day,
    steroid,
)


@dataclass(frozen=True)
class Example:
    """A chart and the instant at which its card leads."""

    type: str
    shows: str
    when: str
    charted: tuple[Resource, ...]

    def card(self) -> dict[str, Any]:
        """The card that leads with this type."""
        chart = bundle(infusion(on_day(0, "08:30"), id="infusion"), *self.charted)
        found = evaluate_bundle(chart, as_of=datetime.fromisoformat(self.when).astimezone(UTC))
        for card in found["cards"]:
            if card["extension"]["org.icans-cds.alert"]["type"] == self.type:
                return dict(card)
        raise LookupError(f"no card leads with {self.type}: {[card['summary'] for card in found['cards']]}")


def full(when: str, score: int, **more: Any) -> tuple[Resource, ...]:
    """ICE and an alert level of consciousness."""
    name = _name(when)
    return ice(when, score, id=f"ice-{name}", **more), consciousness(when, "alert", id=f"alert-{name}")


def dose(when: str, drug: str, milligrams: str | None) -> Resource:
    return steroid(when, drug, milligrams, id=f"dose-{_name(when)}")


def _name(when: str) -> str:
    """``6-0800`` for 2026-03-06 08:00."""
    return f"{int(when[8:10])}-{when[11:16].replace(':', '')}"


DAY_5 = full(on_day(5), 5)
DEX = dose(on_day(5, "09:00"), "dexamethasone", "10")
DEX_NEXT = dose(on_day(6, "09:00"), "dexamethasone", "10")
WRITING_NOT_DONE: dict[str, int | str] = {
    "orientation": 4,
    "naming": 2,
    "command": 0,
    "writing": "motor",
    "attention": 0,
}
EXAMPLES = (
    Example("grade-change", "The grade became worse.", on_day(6, "08:15"), (*DAY_5, *full(on_day(6), 2))),
    Example(
        "icans-active",
        "Nothing new, and the patient still has ICANS.",
        on_day(6, "12:00"),
        (*DAY_5, *full(on_day(5, "20:00"), 5), *full(on_day(6), 5)),
    ),
    Example(
        "grade-possible-change",
        "An item is missing that would settle the grade.",
        on_day(6, "16:00"),
        (
            *full(on_day(5), 7),
            *full(on_day(6), 8),
            ice_items(on_day(6, "15:00"), WRITING_NOT_DONE, id="items"),
            consciousness(on_day(6, "15:00"), "alert", id="alert"),
        ),
    ),
    Example(
        "grade-discrepancy",
        "The charted grade does not fit the recorded findings.",
        on_day(6, "12:00"),
        (*full(on_day(5), 8), *full(on_day(6), 8), documented(on_day(6, "08:10"), 3, id="charted")),
    ),
    Example(
        "assessment-overdue",
        "The next assessment is late.",
        on_day(6, "21:00"),
        (*DAY_5, *full(on_day(5, "20:00"), 5), *full(on_day(6), 5)),
    ),
    Example(
        "assessment-not-found",
        "Nobody assessed the patient for a day and a half.",
        on_day(3, "21:00"),
        full(on_day(2), 10),
    ),
    Example(
        "refractory",
        "24 hours of steroids, no improvement.",
        on_day(6, "09:30"),
        (*DAY_5, DEX, *full(on_day(6), 5), DEX_NEXT),
    ),
    Example(
        "reassessment-overdue",
        "24 hours of steroids, and no assessment to judge by.",
        on_day(6, "09:30"),
        (*DAY_5, DEX, DEX_NEXT),
    ),
    Example(
        "refractory-indeterminate",
        "ICE is better, the grade is not.",
        on_day(6, "09:30"),
        (*full(on_day(5), 3), DEX, *full(on_day(6), 5), DEX_NEXT),
    ),
    Example(
        "re-worsening",
        "Better after a day, worse again on treatment.",
        on_day(6, "20:30"),
        (*DAY_5, DEX, *full(on_day(6), 8), DEX_NEXT, *full(on_day(6, "20:00"), 5)),
    ),
    Example(
        "cumulative-dose",
        "The sum of steroids passed a tier.",
        on_day(7, "09:30"),
        (
            *DAY_5,
            *(dose(on_day(day, "09:00"), "methylprednisolone", "1000") for day in (5, 6, 7)),
            *full(on_day(6), 8),
            *full(on_day(7), 8),
        ),
    ),
    Example(
        "steroid-days",
        "The tenth day with a steroid.",
        on_day(10, "09:30"),
        (
            *(dose(on_day(day, "09:00"), "dexamethasone", "10") for day in range(1, 11)),
            *full(on_day(9), 10),
            *full(on_day(10), 10),
        ),
    ),
    Example(
        "dose-unknown",
        "A steroid was given, nobody knows how much.",
        on_day(5, "16:30"),
        (*DAY_5, dose(on_day(5, "16:00"), "methylprednisolone", None)),
    ),
    Example(
        "data-quality",
        "A value that cannot be.",
        on_day(5, "12:30"),
        (*DAY_5, ice(on_day(5, "12:00"), 11, id="eleven")),
    ),
)
