"""Drug names, and other words, as exact normalised words. Nothing here matches a part of a word."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

#: How a name counts, strictest first: never; only by a systemic route; by itself.
STRICTNESS = ("no", "by-route", "yes")
_WORD = re.compile(r"[^\W_]+")
#: Letters that carry no mark to drop, as they are written without.
_PLAIN = str.maketrans(
    {
        "\u03bc": "u",
        "\u00f8": "o",
        "\u0142": "l",
        "\u00e6": "ae",
        "\u0153": "oe",
        "\u00df": "ss",
        "\u0111": "d",
        "\u0131": "i",
    }
)
#: Katakana and Han characters.
_UNSPACED = re.compile(r"[\u30a0-\u30ff\u4e00-\u9fff]{3,}")
_NUMBER = re.compile(r"\d+([a-z]*)")


def words(text: str) -> tuple[str, ...]:
    """The words of a text in lower case, without accents and signs; compatibility forms and micro signs unified."""
    if text.isascii():
        return tuple(_WORD.findall(text.lower()))
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold().translate(_PLAIN))
    plain = "".join(sign for sign in apart if not unicodedata.combining(sign))
    return tuple(_WORD.findall(unicodedata.normalize("NFC", plain)))


@dataclass(frozen=True, slots=True)
class DrugName:
    """What a name, or a code, says: the ingredient, how it counts, whether the name is cut short and
    whether its form (cream, eye drops ...) says that it is not systemic."""

    ingredient: str
    counts: str
    truncated: bool = False
    local: bool = False


@dataclass(frozen=True, slots=True)
class DrugNames:
    """Listed names by their words, and the words that name no drug."""

    names: Mapping[tuple[str, ...], DrugName]
    fillers: frozenset[str]
    local_words: frozenset[str]
    depot_words: frozenset[str]
    longest: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "longest", max(map(len, self.names), default=0))

    def read(self, text: str) -> DrugName | None:
        """The one drug a text names, None if it names none, several, or says anything else.

        Numbers, units and words of form are skipped; every other word must belong to a listed name.
        """
        rest = words(text)
        found: list[DrugName] = []
        local = depot = False
        while rest:
            taken = self._longest_name(rest)
            if taken:
                found.append(self.names[rest[:taken]])
                rest = rest[taken:]
                continue
            word, rest = rest[0], rest[1:]
            local = local or word in self.local_words
            depot = depot or word in self.depot_words
            if not self._names_no_drug(word):
                return None
        if len({name.ingredient for name in found}) != 1:
            return None
        return _together(found, local, depot)

    def _longest_name(self, rest: tuple[str, ...]) -> int:
        for length in range(min(self.longest, len(rest)), 0, -1):
            if rest[:length] in self.names:
                return length
        return 0

    def _names_no_drug(self, word: str) -> bool:
        if word in self.fillers or word in self.local_words:
            return True
        number = _NUMBER.fullmatch(word)
        return number is not None and (not number[1] or number[1] in self.fillers)


def _together(found: list[DrugName], local: bool, depot: bool) -> DrugName:
    counts = strictest(name.counts for name in found)
    if local:
        counts = "no"
    elif depot and counts == "yes":
        counts = "by-route"
    truncated = all(name.truncated for name in found)
    return DrugName(found[0].ingredient, counts, truncated, local)


def strictest(counts: Iterable[str]) -> str:
    """The strictest of several ways of counting."""
    return min(counts, key=STRICTNESS.index)


@dataclass(frozen=True, slots=True)
class Phrases:
    """A list of words and phrases that is looked for by whole words; Japanese and Chinese ones, which no blank
    parts from their neighbours, within words too."""

    phrases: frozenset[tuple[str, ...]]
    lengths: tuple[int, ...] = field(init=False)
    unspaced: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "lengths", tuple(sorted({len(phrase) for phrase in self.phrases})))
        object.__setattr__(self, "unspaced", tuple(sorted(p[0] for p in self.phrases if _UNSPACED.fullmatch(p[0]))))

    def found_in(self, text: str) -> bool:
        rest = words(text)
        if not text.isascii() and any(name in word for word in rest for name in self.unspaced):
            return True
        return any(
            rest[start : start + length] in self.phrases
            for length in self.lengths
            for start in range(len(rest) - length + 1)
        )
