"""What a check of mappings found: one row a code, a unit, a route, an event; counted, dated, exemplified.

Rows are bounded: what is beyond LARGEST is counted and not listed, so that a check needs the same memory for
a day of one ward and for a year of a hospital.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from fhir_mappings.fhir_types import elements as lean
from fhir_mappings.terminology import systems as canonical

UNDERSTOOD = "understood"
LOOKS_RELEVANT = "looks-relevant"
IRRELEVANT = "irrelevant"
REFUSED = "refused"
VERDICTS = (UNDERSTOOD, LOOKS_RELEVANT, REFUSED, IRRELEVANT)
#: Rows of one verdict, and references that are shown for all of a row.
LARGEST = 10_000
REFERENCES = 2
_LONGEST_TEXT = 200
_PUBLISHED_ELSEWHERE = frozenset({canonical.UCUM, canonical.SCORE, canonical.INGREDIENT, canonical.ROUTE})


@dataclass(frozen=True, slots=True)
class CodedItem:
    """What a row is about.

    kind: "observation", "procedure", "condition", "drug", "question" (by what they are named), "answer",
    "reason" (of not assessing), "unit", "route", "event", "value" (how something is charted), "resource".
    verdict: one of VERDICTS. system, code, display: as charted ("" where there is none).
    meaning: the project's code it is understood as. lost: what its absence costs. map_to: what to do about it.
    targets: the code systems that a site can map it to. proposal: what it may mean, ``ingredient|prednisone``.
    """

    kind: str
    verdict: str
    system: str = ""
    code: str = ""
    display: str = ""
    meaning: str = ""
    lost: str = ""
    map_to: str = ""
    targets: tuple[str, ...] = ()
    proposal: str = ""


CodedItems = list[CodedItem]


@dataclass(slots=True)
class ReportRow:
    """An item, how often it occurs, from when to when, and where (the first two)."""

    item: CodedItem
    count: int = 0
    first: datetime | None = None
    last: datetime | None = None
    references: list[str] = field(default_factory=list)

    def add(self, reference: str, at: datetime | None) -> None:
        self.count += 1
        if at is not None:
            self.first = at if self.first is None else min(self.first, at)
            self.last = at if self.last is None else max(self.last, at)
        if len(self.references) < REFERENCES and reference not in self.references:
            self.references.append(reference)


@dataclass(slots=True)
class Report:
    """resources: seen, by type. unlisted: occurrences beyond LARGEST rows, by verdict."""

    mappings: str
    resources: Counter[str] = field(default_factory=Counter)
    unlisted: Counter[str] = field(default_factory=Counter)
    _rows: dict[tuple[str, ...], ReportRow] = field(default_factory=dict)
    _listed: Counter[str] = field(default_factory=Counter)

    def note(self, item: CodedItem, reference: str, at: datetime | None) -> None:
        named = (item.kind, item.verdict, item.system, item.code)
        key: tuple[str, ...] = (*named, item.meaning, item.lost)
        if not item.code:
            key += (item.display[:_LONGEST_TEXT],)
        row = self._rows.get(key)
        if row is None:
            if self._listed[item.verdict] >= LARGEST:
                self.unlisted[item.verdict] += 1
                return
            row = self._rows[key] = ReportRow(item)
            self._listed[item.verdict] += 1
        row.add(reference, at)

    def rows(self, verdict: str) -> list[ReportRow]:
        """The rows of a verdict, the most frequent first."""
        found = [row for row in self._rows.values() if row.item.verdict == verdict]
        return sorted(found, key=_order)


def _order(row: ReportRow) -> tuple[int, str, str, str, str]:
    item = row.item
    return -row.count, item.kind, item.system, item.code, item.display


def named_by(
    kind: str,
    concept: lean.CodeableConcept,
    verdict: str,
    pair: tuple[str | None, str | None] | None = None,
    *,
    meaning: str = "",
    lost: str = "",
    map_to: str = "",
    targets: tuple[str, ...] = (),
    proposal: str = "",
) -> CodedItem:
    """A row about a concept, shown by one of its codings: the one given, else the one a site would map."""
    system, code = pair if pair is not None else mappable(concept)
    display = next(
        (coding.display for coding in concept.coding or () if (coding.system, coding.code) == (system, code)), None
    )
    return CodedItem(
        kind,
        verdict,
        system or "",
        (code or "").strip(),
        display or concept.text or next(iter(concept.texts), ""),
        meaning,
        lost,
        map_to,
        targets,
        proposal,
    )


def what_it_may_be(proposal: str, otherwise: str) -> str:
    """What to map something to: the proposal, if there is one."""
    return f"{proposal.replace('|', ' ')}, if that is what it means" if proposal else otherwise


def unit_of(quantity: lean.Quantity, verdict: str, *, meaning: str = "", lost: str = "", map_to: str = "") -> CodedItem:
    """A row about the unit of a quantity; "none" where it has none."""
    unit = quantity.code or quantity.unit or ""
    display = (quantity.unit or "") if unit else "none"
    return CodedItem("unit", verdict, quantity.system or "", unit, display, meaning, lost, map_to)


def mappable(concept: lean.CodeableConcept) -> tuple[str | None, str | None]:
    """The coding that a site would map: the first complete one of a local system, else the first complete one."""
    complete = [(system, code) for system, code in concept.pairs if system and code]
    local = [pair for pair in complete if is_local(pair[0])]
    return next(iter([*local, *complete]), (None, None))


def is_local(system: str | None) -> bool:
    """Whether a code system is none of the published ones that are known here."""
    found = canonical.canonical_system(system)
    return found not in canonical.PUBLISHED and found not in _PUBLISHED_ELSEWHERE and not _hl7(found or "")


def only_local(concept: lean.CodeableConcept) -> bool:
    """Whether a concept has codings and all are local: nobody but the site can say what it means."""
    return bool(concept.pairs) and all(is_local(system) for system, _ in concept.pairs)


def _hl7(system: str) -> bool:
    return system.startswith(("http://terminology.hl7.org/", "http://hl7.org/fhir/"))
