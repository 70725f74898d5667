"""What a name, an answer or a route may mean, by the distance of its words from those that are known here.

Never used for reading: a proposal is shown, and counts only once the site has accepted it. rapidfuzz is imported
here and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from rapidfuzz import fuzz, process

from fhir_mappings.terminology import systems as canonical
from fhir_mappings.terminology.drug_names import words
from fhir_mappings.terminology.lookup import Terminology

#: Likeness in percent from which words are taken for the same; below are drugs of a similar ending, such as
#: clonazepam and lorazepam (84).
ALIKE = 88
#: Words shorter than this are like too many others to be compared by distance.
_SHORTEST = 6
#: Of a longer text the rest is not compared.
_MOST_WORDS, _LONGEST = 16, 200
_REMEMBERED = 4096
_POINTS = re.compile(r"(?:grade|score|level|points)?\s*:?\s*([+-]?\d{1,2})(?![\d./])[^\d<>]*")
_DENYING = frozenset({"no", "not", "non", "without", "denies", "denied", "never", "unable"})


class Proposals:
    """Proposes meanings by one terminology, each as the code system's short name and the code, ``ingredient|...``."""

    def __init__(self, terminology: Terminology) -> None:
        self._terminology = terminology
        self._names = {" ".join(name): found.ingredient for name, found in terminology.names.names.items()}
        routes = terminology.tables.maps[canonical.ROUTE].items()
        self._routes = {code: found[0].code for (system, code), found in routes if system == canonical.ROUTE_NAME}
        self._drugs: dict[tuple[str, ...], str] = {}

    def drug(self, texts: Iterable[str]) -> str:
        """The ingredient that some words of the texts name or nearly name; "" for none, and for several."""
        named = tuple(text[:_LONGEST] for text in texts)
        if named not in self._drugs:
            if len(self._drugs) >= _REMEMBERED:
                self._drugs.clear()
            found = {ingredient for text in named for ingredient in self._ingredients(words(text)[:_MOST_WORDS])}
            relevant = [ingredient for ingredient in found if self._terminology.roles[ingredient] != "other"]
            self._drugs[named] = f"ingredient|{relevant[0]}" if len(found) == len(relevant) == 1 else ""
        return self._drugs[named]

    def cells(self, texts: Iterable[str]) -> bool:
        """Whether words of the texts name, or nearly name, a CAR-T product."""
        return self._terminology.roles.get(self.drug(texts).partition("|")[2]) == "car-t"

    def route(self, text: str) -> str:
        """How a route counts whose words are nearly those of a listed one."""
        found = _nearest(" ".join(words(text)), self._routes)
        return f"administration-route|{found}" if found else ""

    def answer(self, text: str, assessment: str | None, targets: Iterable[str]) -> str:
        """The finding, the points or the reason for not assessing that an answer says; of "no ..." nothing."""
        said = words(text)[:_MOST_WORDS]
        codes = self._terminology.tables.code_systems
        if canonical.SCORE in targets and (number := _POINTS.fullmatch(text.strip().lower())):
            return f"icans-score|{int(number[1])}"
        if not _DENYING.isdisjoint(said):
            return ""
        if canonical.FINDING in targets:
            own = [code for code, of in codes[canonical.FINDING].items() if assessment in of["domains"].split()]
            if found := _nearest(" ".join(said), {" ".join(words(code)): code for code in own}):
                return f"icans-finding|{found}"
        if canonical.NOT_ASSESSED in targets:
            reasons = [code for code in codes[canonical.NOT_ASSESSED] if code in said]
            return f"icans-not-assessed|{reasons[0]}" if len(reasons) == 1 else ""
        return ""

    def _ingredients(self, said: tuple[str, ...]) -> Iterable[str]:
        """What the words name, the longest names first; a word belongs to one name."""
        start = 0
        while start < len(said):
            for length in range(min(self._terminology.names.longest, len(said) - start), 0, -1):
                found = _nearest(" ".join(said[start : start + length]), self._names)
                if found:
                    yield found
                    start += length - 1
                    break
            start += 1


def _nearest(said: str, known: Mapping[str, str]) -> str:
    """What the known words mean that are nearest to those said, "" if none is near."""
    if said in known:
        return known[said]
    if len(said) < _SHORTEST:
        return ""
    found = process.extractOne(said, known.keys(), scorer=fuzz.ratio, score_cutoff=ALIKE)
    return known[found[0]] if found else ""
