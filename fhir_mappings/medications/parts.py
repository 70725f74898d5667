"""Administrations that consist of others (partOf): the parent and its parts are one dose, told twice (L8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from icans.record import Dose, Entry, Problem


def joined(entries: Sequence[Entry]) -> tuple[list[Entry], list[Problem]]:
    """The entries, each parent and its parts of the same drug as one dose: at least the smaller of parent and
    sum of parts, at most the larger, at the start of the earliest row."""
    standing = {entry.reference: entry for entry in entries if isinstance(entry, Dose) and entry.superseded is None}
    parts: dict[str, list[Dose]] = {}
    for dose in standing.values():
        parent = next((name for name in dose.part_of if name in standing and name != dose.reference), None)
        if parent is not None and standing[parent].drug == dose.drug and not standing[parent].part_of:
            parts.setdefault(parent, []).append(dose)
    if not parts:
        return list(entries), []
    whole = {name: _one(standing[name], held) for name, held in parts.items()}
    gone = {dose.reference for held in parts.values() for dose in held}
    kept = [
        entry
        for entry in entries
        if not (isinstance(entry, Dose) and entry.superseded is None and entry.reference in gone | whole.keys())
    ]
    return [*kept, *whole.values()], [_problem(dose) for dose in whole.values() if dose.contradicting]


def _one(parent: Dose, parts: list[Dose]) -> Dose:
    rows = [parent, *parts]
    first = min(rows, key=lambda dose: (dose.at, dose.reference))
    ends = [dose.end for dose in rows if dose.end is not None]
    least = min(parent.lower_mg, sum((part.lower_mg for part in parts), Decimal(0)))
    highest = [part.upper_mg for part in parts]
    most = None
    if parent.upper_mg is not None and None not in highest:
        most = max(parent.upper_mg, sum((upper for upper in highest if upper is not None), Decimal(0)))
    return replace(
        parent,
        at=first.at,
        earliest=first.earliest,
        day=first.day,
        known=min(dose.known for dose in rows),
        end=max(ends) if ends else None,
        lower_mg=least,
        upper_mg=most,
        contradicting=most is not None and most != least,
        identifiers=parent.identifiers.union(*(part.identifiers for part in parts)),
        problems=tuple(dict.fromkeys(code for dose in rows for code in dose.problems)),
    )


def _problem(dose: Dose) -> Problem:
    message = f"{dose.drug}: the administration and its parts state different amounts."
    return Problem(
        "conflicting-values", dose.reference, "partOf", message, dose.at, dose.known, ("dose", "treatment-start")
    )
