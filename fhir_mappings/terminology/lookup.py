"""Terminology look-ups: what a code or a text of a source means here.

The tables are FHIR ConceptMaps, ValueSets and CodeSystems (bundled/*.json); a site lays its own over
them. Nothing is matched by a part of a word, and a code whose meaning was not verified in a public source
only on an explicit setting.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from fhir_mappings.terminology import systems as canonical
from fhir_mappings.terminology.drug_codes import NationalDrugCodes
from fhir_mappings.terminology.drug_names import DrugName, DrugNames, Phrases, strictest, words
from fhir_mappings.terminology.files import (
    Mapped,
    Source,
    Tables,
    TerminologyError,
    overlay_files,
    read_tables,
)

__all__ = ["ConflictingCodings", "DrugMatch", "Terminology", "TerminologyError", "load_terminology"]

BUNDLED = Path(__file__).parent / "bundled"
LABEL = "icans-mappings/1"
CodePair = tuple[str | None, str | None]
CodePairs = Iterable[CodePair]

#: Order in which the codings of one drug are believed where they disagree; names come last.
_DRUG_SYSTEMS = {
    canonical.RXNORM: 0,
    canonical.SNOMED: 2,
    canonical.ATC: 2,
    canonical.NDC: 3,
    canonical.HCPCS: 3,
}
_SITE_CODE = 1
_NAME = 4
_ROLES = {
    "steroids": "steroid",
    "sedatives": "sedative",
    "paralytics": "paralytic",
    "car-t-products": "car-t",
    "escalations": "escalation",
    "intrathecal-escalations": "intrathecal-escalation",
    "other-drugs": "other",
}
#: Which role is believed where codings disagree: a dose is never hidden, and a drug that would make
#: consciousness not assessable is not assumed.
_ROLE_ORDER = ("steroid", "car-t", "other", "escalation", "intrathecal-escalation", "paralytic", "sedative")
#: Components, and what standard codes only say of procedures.
_NOT_SEARCHED = {"attribution", "seizure-duration", "car-t-infusion"}
#: Panels whose components hold the eye response; a search by code does not look into components.
_PANELS = ((canonical.LOINC, "9269-2"), (canonical.LOINC, "35088-4"))
_ROUTE_ENDINGS = ("qualifier value", "administration", "route", "use")
_RELEVANT = {"assessment": "looks-relevant-assessment", "medication": "looks-relevant-medication"}
#: What is remembered of codes and texts: this many, and none of more signs than the second; callers send any length.
_MEMORY, LONGEST_REMEMBERED = 4096, 2048
_Companion = TypeVar("_Companion")


class ConflictingCodings(ValueError):
    """The codings of one resource mean different things here; ``codes`` are the meanings."""

    def __init__(self, codes: Collection[str]) -> None:
        self.codes = tuple(sorted(codes))
        super().__init__("codings mean different things: " + ", ".join(self.codes))


@dataclass(frozen=True, slots=True)
class DrugMatch:
    """What a drug was recognised as.

    role: "steroid", "sedative", "paralytic", "car-t", "escalation", "intrathecal-escalation" or "other".
    counts (steroids): "yes"; "by-route" (a depot suspension, only by a systemic route); "no" (never).
    by: "code", or "name" where only a text named it.
    conflicting: other ingredients that further codings or texts of the same drug name.
    local: a text says by its form (cream, eye drops ...) that it is not systemic.
    """

    ingredient: str
    role: str
    counts: str
    by: str
    conflicting: tuple[str, ...] = ()
    local: bool = False


@dataclass(frozen=True, slots=True)
class Terminology:
    """Compiled look-ups. ``label`` is name/version, with a digest where a site's files are laid over."""

    label: str
    tables: Tables
    names: DrugNames
    drug_codes: NationalDrugCodes
    roles: dict[str, str]
    relevant_words: dict[str, Phrases]
    _drugs: dict[object, DrugMatch | None] = field(default_factory=dict, repr=False)
    _companions: dict[object, Any] = field(default_factory=dict, repr=False)

    def companion(self, kind: Callable[[Terminology], _Companion]) -> _Companion:
        """The one object of that kind that remembers what it has decided by this terminology; made when first
        asked for, and kept as long as the terminology."""
        return self._companions.get(kind) or self._companions.setdefault(kind, kind(self))  # type: ignore[no-any-return]

    def assessment(self, codings: CodePairs) -> str | None:
        """The icans-assessment code that any of the codings means; panels and groupers mean none.

        Raises ConflictingCodings if two of them mean different assessments.
        """
        return self._meaning(canonical.ASSESSMENT, codings)

    def finding(self, assessment: str, codings: CodePairs, texts: Iterable[str | None] = ()) -> str | None:
        """The icans-finding code of an answer to an assessment, None if it is none of that domain.

        texts: what the answer is in words, which a site may map; asked where no coding means anything.
        Raises ConflictingCodings if the codings name different findings.
        """
        code = self._meaning(canonical.FINDING, codings, assessment, texts)
        if code is None:
            return None
        domains = self.tables.code_systems[canonical.FINDING][code]["domains"].split()
        return code if assessment in domains else None

    def score(self, assessment: str, codings: CodePairs, texts: Iterable[str | None] = ()) -> int | None:
        """The points of an answer (LOINC answers of GCS eye and RASS, or a site's own); texts as in finding.

        Raises ConflictingCodings if the codings give different points.
        """
        code = self._meaning(canonical.SCORE, codings, assessment, texts)
        return None if code is None else int(code)

    def not_assessed(
        self, codings: CodePairs, texts: Iterable[str | None] = (), assessment: str | None = None
    ) -> str | None:
        """Why an assessment was not made, an icans-not-assessed code; texts as in finding.

        Raises ConflictingCodings if the codings give different reasons.
        """
        return self._meaning(canonical.NOT_ASSESSED, codings, assessment, texts)

    def absent(self, codings: CodePairs) -> bool:
        """Whether a coding is of FHIR's standard data-absent-reason: the value is missing, not zero."""
        return any(canonical.canonical_system(system) == canonical.DATA_ABSENT for system, _ in codings)

    def infusion_procedure(self, codings: CodePairs) -> bool:
        """Whether a procedure is the infusion of CAR-T cells."""
        return "car-t-infusion" in self._meanings(canonical.ASSESSMENT, codings, None)

    def developmental_delay(self, codings: CodePairs) -> bool:
        """Whether a condition is in value set developmental-delay (bundled without standard codes)."""
        members = self.tables.value_sets["developmental-delay"]
        return any(key in members for key in _keys(codings))

    def looks_relevant(self, texts: Iterable[str | None], about: str | None = None, codings: CodePairs = ()) -> bool:
        """Whether a text holds a word of value set looks-relevant-assessment or -medication, whole, or a coding
        is in it: of a standard code that may matter, but whose meaning was not verified (L9).

        about: "assessment", "medication", or None for either.
        """
        abouts = self.relevant_words.keys() if about is None else (about,)
        coded = _keys(codings)
        if any(key in self.tables.value_sets[_RELEVANT[each]] for each in abouts for key in coded):
            return True
        return any(self.relevant_words[each].found_in(text) for text in texts if text for each in abouts)

    def drug_matters(self, codings: CodePairs, texts: Iterable[str | None]) -> bool:
        """Whether a drug is read: recognised as more than "other", or of a name that looks relevant; names
        may be in the texts or in the codes of a local list."""
        coded = tuple(codings)
        match = self.drug(coded, named := tuple(texts))
        if match is not None:
            return match.role != "other"
        return self.looks_relevant(_local_texts(coded, named), "medication", coded)

    def drug(self, codings: CodePairs, texts: Iterable[str | None]) -> DrugMatch | None:
        """The drug that the codings, else the texts name, None if nothing here is recognised.

        RxNorm, a site's codes, SNOMED CT and ATC, NDC, then exact normalised names. Where they disagree the
        steroid reading wins and ``conflicting`` names the others, so that a dose is reported, not hidden.
        """
        coded, named = tuple(codings), tuple(text for text in texts if text)
        key = (coded, named)
        if key in self._drugs:
            return self._drugs[key]
        found = self._recognise(coded, named)
        if length_of(coded, named) <= LONGEST_REMEMBERED:
            if len(self._drugs) >= _MEMORY:
                self._drugs.clear()
            self._drugs[key] = found
        return found

    def route(self, codings: CodePairs, texts: Iterable[str | None] = ()) -> str | None:
        """ "systemic", "intrathecal" or "excluded"; None if not recognised, or if the sources disagree."""
        coded, named = self._routes(codings, texts)
        found = {mapped.code for mapped in coded or named}
        return found.pop() if len(found) == 1 else None

    def way(self, codings: CodePairs, texts: Iterable[str | None] = ()) -> str:
        """The route itself ("intravenous", "oral" ...), for telling whether two are the same.

        A route that no map gives a way is known by its words, else its code; "" where there is nothing.
        """
        coded, named = tuple(codings), tuple(texts)
        for routes in self._routes(coded, named):
            found = {mapped.properties[canonical.WAY] for mapped in routes if canonical.WAY in mapped.properties}
            if len(found) == 1:
                return found.pop()
        plain = [" ".join(words(text)) for text in _local_texts(coded, named)]
        return next((name for name in [*plain, *(code for _, code in _keys(coded))] if name), "")

    def _routes(self, codings: CodePairs, texts: Iterable[str | None]) -> tuple[list[Mapped], list[Mapped]]:
        """What the codings, and what the words, are mapped to."""
        table = self.tables.maps[canonical.ROUTE]
        coded = tuple(codings)
        return (
            [mapped for key in _keys(coded) for mapped in table.get(key, ())],
            [mapped for text in _local_texts(coded, texts) for mapped in self._named_route(text)],
        )

    def is_published(self, system: str | None) -> bool:
        """Whether a code system's codes are identifiers; those of other, local systems may be words."""
        return canonical.canonical_system(system) in canonical.PUBLISHED

    def says_local(self, texts: Iterable[str | None]) -> bool:
        """Whether a form or a name says by a whole word (cream, ophthalmic ...) that it is not systemic."""
        return any(not self.names.local_words.isdisjoint(words(text)) for text in texts if text)

    def says_not_given(self, texts: Iterable[str | None]) -> bool:
        """Whether an event that is not listed holds a word (not, held ...) that makes it doubtful."""
        doubtful = self.tables.value_sets["not-given-words"]
        return any((canonical.WORD, word) in doubtful for text in texts if text for word in words(text))

    def event(self, codings: CodePairs, texts: Iterable[str | None] = ()) -> str | None:
        """What an administration row charts: "given", "not-given", "stopped", "rate-change", None if it
        is not listed. A code of reason-medication-not-given is "not-given"."""
        table = self.tables.maps[canonical.EVENT]
        coded = tuple(codings)
        if any(system == canonical.REASON_NOT_GIVEN for system, _ in _keys(coded)):
            return "not-given"
        found = {mapped.code for key in _keys(coded) for mapped in table.get(key, ())}
        for text in _local_texts(coded, texts):
            named = table.get((canonical.EVENT_NAME, text.strip().casefold()), ())
            found.update(mapped.code for mapped in named)
        for event in ("not-given", "stopped", "rate-change", "given"):
            if event in found:
                return event
        return None

    def unit(self, spelling: str) -> str | None:
        """The UCUM code of a local unit spelling, by the exact list (letter case and micro sign aside)."""
        plain = spelling.strip().replace("\u00b5", "u").replace("\u03bc", "u").casefold()
        found = self.tables.maps[canonical.UCUM].get((canonical.UNIT_NAME, plain), ())
        return found[0].code if found else None

    def relevant_codes(self, resource_type: str) -> tuple[str, ...]:
        """The ``system|code`` tokens by which a search finds what is read, sorted.

        "Observation" (all assessments), "Procedure" (the infusion), "MedicationAdministration" (all drugs).
        """
        if resource_type == "MedicationAdministration":
            drugs = self.tables.maps[canonical.INGREDIENT]
            return _tokens(key for key in drugs if key[0] != canonical.MEDICATION_NAME)
        if resource_type not in ("Observation", "Procedure"):
            raise ValueError(f"no codes are listed for {resource_type}")
        assessments = self.tables.maps[canonical.ASSESSMENT].items()
        if resource_type == "Procedure":
            wanted = {"car-t-infusion"}
            panels: tuple[Source, ...] = ()
        else:
            wanted = self.tables.code_systems[canonical.ASSESSMENT].keys() - _NOT_SEARCHED
            panels = _PANELS
        own = [(canonical.ASSESSMENT, code) for code in wanted]
        if resource_type == "Observation":
            own.append((canonical.ASSESSMENT, "car-t-infusion"))
        mapped = [key for key, targets in assessments if any(target.code in wanted for target in targets)]
        return _tokens([*own, *mapped, *panels])

    def _meaning(
        self, target: str, codings: CodePairs, assessment: str | None = None, texts: Iterable[str | None] = ()
    ) -> str | None:
        found = self._meanings(target, codings, assessment)
        if not found:
            named = [(canonical.ANSWER_NAME, canonical.answer_name(text)) for text in texts if text]
            found = self._meanings(target, named, assessment)
        if len(found) > 1:
            raise ConflictingCodings(found)
        return found.pop() if found else None

    def _meanings(self, target: str, codings: CodePairs, assessment: str | None) -> set[str]:
        own, table = self.tables.code_systems[target], self.tables.maps[target]
        found = set()
        for system, code in _keys(codings):
            if system == target and code in own:
                found.add(code)
            for mapped in table.get((system, code), ()):
                if mapped.depends_on is None or mapped.depends_on == assessment:
                    found.add(mapped.code)
        return found

    def _named_route(self, text: str) -> tuple[Mapped, ...]:
        table = self.tables.maps[canonical.ROUTE]
        plain = " ".join(words(text))
        while (canonical.ROUTE_NAME, plain) not in table:
            ending = next((e for e in _ROUTE_ENDINGS if plain.endswith(f" {e}")), None)
            if ending is None:
                return ()
            plain = plain[: -len(ending) - 1]
        return table[canonical.ROUTE_NAME, plain]

    def _recognise(self, codings: tuple[CodePair, ...], texts: tuple[str, ...]) -> DrugMatch | None:
        coded = [pair for key in _keys(codings) for pair in self._coded_drug(key)]
        readings = (self.names.read(text) for text in _local_texts(codings, texts))
        named = [(_NAME, name) for name in readings if name is not None]
        # A name cut short ("predni") decides only where nothing else names the drug.
        clear = coded + [(rank, name) for rank, name in named if not name.truncated]
        found = sorted(clear or named, key=self._precedence)
        if not found:
            return None
        ingredient = found[0][1].ingredient
        same = [name for _, name in [*coded, *named] if name.ingredient == ingredient]
        return DrugMatch(
            ingredient,
            self.roles[ingredient],
            strictest(name.counts for name in same),
            "code" if any(name.ingredient == ingredient for _, name in coded) else "name",
            tuple(sorted({name.ingredient for _, name in found} - {ingredient})),
            any(name.local for name in same),
        )

    def _precedence(self, item: tuple[int, DrugName]) -> tuple[int, int]:
        return _ROLE_ORDER.index(self.roles[item[1].ingredient]), item[0]

    def _coded_drug(self, key: Source) -> Iterable[tuple[int, DrugName]]:
        system, code = key
        if system == canonical.NDC:
            found = self.drug_codes.find(code)
            return [] if found is None else [(_DRUG_SYSTEMS[system], found)]
        rank = _DRUG_SYSTEMS.get(system, _SITE_CODE)
        return [(rank, _drug_name(mapped)) for mapped in self.tables.maps[canonical.INGREDIENT].get(key, ())]


@lru_cache(maxsize=16)
def load_terminology(overlay: Path | None = None, *, unverified: bool = False) -> Terminology:
    """The bundled terminology with a site's folder of ConceptMap and ValueSet files laid over it.

    unverified: also use codes whose meaning was not verified in a public source. Raises TerminologyError
    (file, element, reason) for the first thing that is wrong with a file.
    """
    tables = read_tables(BUNDLED, overlay, unverified)
    drugs = tables.maps[canonical.INGREDIENT]
    by_name = {
        tuple(code.split()): _drug_name(targets[0])
        for (system, code), targets in drugs.items()
        if system == canonical.MEDICATION_NAME and targets
    }
    national = {
        code: _drug_name(targets[0]) for (system, code), targets in drugs.items() if system == canonical.NDC and targets
    }
    return Terminology(
        label=_label(overlay, unverified),
        tables=tables,
        names=DrugNames(
            by_name,
            *(frozenset(_listed(tables, name)) for name in ("form-words", "local-form-words", "depot-words")),
        ),
        drug_codes=NationalDrugCodes.of(national),
        roles={code: role for name, role in _ROLES.items() for code in _listed(tables, name)},
        relevant_words={
            about: Phrases(frozenset(tuple(code.split()) for code in _listed(tables, name)))
            for about, name in _RELEVANT.items()
        },
    )


def length_of(codings: CodePairs, texts: Iterable[str]) -> int:
    """Signs of some codings and texts together."""
    return sum(len(part or "") for pair in codings for part in pair) + sum(map(len, texts))


def _listed(tables: Tables, value_set: str) -> list[str]:
    return [code for system, code in tables.value_sets[value_set] if system in (canonical.WORD, canonical.INGREDIENT)]


def _drug_name(mapped: Mapped) -> DrugName:
    properties = mapped.properties
    return DrugName(mapped.code, properties.get(canonical.COUNTS, "yes"), canonical.TRUNCATED in properties)


def _label(overlay: Path | None, unverified: bool) -> str:
    if overlay is None and not unverified:
        return LABEL
    digest = hashlib.sha256(b"unverified" if unverified else b"")
    for path in overlay_files(overlay) if overlay is not None else ():
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return f"{LABEL}+{digest.hexdigest()[:8]}"


def _keys(codings: CodePairs) -> list[Source]:
    """System and code of the codings that have both, systems under their one URL."""
    return [(canonical.ALIASES.get(system, system), code.strip()) for system, code in codings if system and code]


def _local_texts(codings: CodePairs, texts: Iterable[str | None]) -> list[str]:
    """The texts, and the codes of systems that carry words (a local list), not of published ones."""
    published = canonical.PUBLISHED
    local = [code for system, code in codings if code and canonical.canonical_system(system) not in published]
    return [*(text for text in texts if text), *local]


def _tokens(keys: Iterable[Source]) -> tuple[str, ...]:
    return tuple(sorted(f"{system}|{code}" for system, code in keys))
