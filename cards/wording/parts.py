"""The parts every card is made of, whatever it says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from cards.json_values import number_text
from cards.markdown import escape
from cards.sources import Source
from cards.view import Times, View
from icans.facts import Facts
from icans.findings import FINDING_TYPES, Alert
from icans.record import Dose

Stated = TypeVar("Stated", bound=Facts)


@dataclass(slots=True, kw_only=True)
class Body:
    """What a card's detail says of its finding, in Markdown.

    lead: the first line, what was recorded and what follows. points: computation, what is missing, excluded,
    inferred or stale. blocks: tables and paragraphs below. evidence_table: whether the finding's evidence is
    tabled (a sum of doses has its own table).
    """

    lead: str
    points: list[str] = field(default_factory=list)
    blocks: list[str] = field(default_factory=list)
    suggestions: list[dict[str, Any]] = field(default_factory=list)
    evidence_table: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """How one type of finding reads, by which rule and source.

    summary: a card's first line, plain text. body: its detail, Markdown. line: one short plain line for a place
    that states the time itself, such as a replay.
    """

    summary: Callable[[Alert, View], str]
    body: Callable[[Alert, View], Body]
    line: Callable[[Alert, Times], str]
    rule: str
    source: Source


def facts_of(alert: Alert, kind: type[Stated]) -> Stated:
    """The latest facts: a card speaks of what is known now, not of what was first shown. TypeError for another type."""
    latest, as_of_now = alert.finding.facts, alert.facts
    if not isinstance(latest, kind):
        raise TypeError(f"{alert.finding.type} states no {kind.__name__}")
    running = FINDING_TYPES[latest.type].running
    return replace(latest, **{name: getattr(as_of_now, name) for name in running}) if running else latest


def words(codes: object, dictionary: Mapping[str, str]) -> str:
    """Codes as a comma-separated text; a code without an entry is said with its hyphens as spaces."""
    if codes is None:
        return ""
    listed = codes if isinstance(codes, (list, tuple)) else [codes]
    return ", ".join(dictionary.get(str(code), str(code).replace("-", " ")) for code in listed)


def count(number: int, singular: str, plural: str | None = None) -> str:
    """``1 administration``, ``3 administrations``."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"


def amount_text(dose: Dose) -> str:
    """``10 mg``, or ``amount not charted``."""
    return f"{number_text(dose.lower_mg)} mg" if dose.amount_known else "amount not charted"


def named(references: Sequence[str], most: int = 5) -> str:
    """The first references and how many more there are. Escaped."""
    more = len(references) - most
    return ", ".join(escape(reference) for reference in references[:most]) + (f" and {more} more" if more > 0 else "")
