"""Seeded mutants of JSON documents: types, units, times, nesting, unicode, huge numbers, lost and doubled keys."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

_VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 5, 7.5, 11, 99, 2**31, 10**30, 1e300, "", " ", "5", "x", "a  b", " a", "\u00a0",
    "\u00b5", "\ud7ff", "\u2028", "null", "entered-in-error", "final ", "amended", "mg", "{score}", "1", "min",
    "2026", "2026-03", "2026-03-08", "2026-02-30", "2026-03-08T14:00:00", "2026-03-08T14:00Z", "0000-01-01",
    "9999-12-31", "2026-03-08T14:00:00+15:00", "Patient/p", "Patient/q", "#x", "urn:uuid:1", {}, [], [None], [{}],
    {"value": 5}, {"value": "5", "unit": ""}, {"coding": [{}]}, {"text": "x"}, {"reference": "Patient/p"},
    {"start": "2026-03-09"}, [[]], {"coding": {"system": "x"}}, {"extension": [{"url": "u", "valueCode": "x"}]},
)  # fmt: skip
_KEYS = (
    "foo", "id", "extension", "modifierExtension", "valueString", "valueInteger", "valueQuantity", "text", "code",
    "status", "_status", "resourceType", "contained", "component", "effectivePeriod", "effectiveDateTime", "meta",
    "performedPeriod", "deceasedBoolean", "dosage", "rateQuantity", "rateRatio", "medicationReference", "comparator",
)  # fmt: skip


def mutants(document: Any, count: int, seed: int) -> Iterator[Any]:
    """Copies of a document, each with one to three things changed."""
    rng = random.Random(seed)
    for _ in range(count):
        mutant = copy.deepcopy(document)
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            _mutate(mutant, rng)
        yield mutant


def damaged(raw: bytes, count: int, seed: int) -> Iterator[bytes]:
    """Copies of a text, each with bytes cut out, doubled or replaced."""
    rng = random.Random(seed)
    for _ in range(count):
        start = rng.randrange(len(raw))
        end = min(len(raw), start + rng.choice((1, 1, 2, 5, 40)))
        change = rng.choice(
            (b"", raw[start:end] * 2, bytes([rng.randrange(256)]), b'"', b"{", b"\\", b"\\ud800", b"NaN")
        )
        yield raw[:start] + change + raw[end:]


def doubled_keys(document: dict[str, Any]) -> Iterator[bytes]:
    """The document as text, once for each of its keys, with that key standing twice in its object."""
    whole = json.dumps(document)
    for at in (index for index, character in enumerate(whole) if character == ":" and whole[index - 1] == '"'):
        start = whole.rindex('"', 0, at - 1)
        key = whole[start:at]
        yield f"{whole[:start]}{key}: null, {whole[start:]}".encode()


def _mutate(mutant: Any, rng: random.Random) -> None:
    holders = list(_holders(mutant))
    holder = rng.choice(holders)
    if isinstance(holder, list):
        if not holder or rng.random() < 0.2:
            holder.append(copy.deepcopy(rng.choice(_VALUES)))
        elif rng.random() < 0.3:
            del holder[rng.randrange(len(holder))]
        else:
            holder[rng.randrange(len(holder))] = copy.deepcopy(rng.choice(_VALUES))
        return
    action = rng.random()
    if not holder or action < 0.2:
        holder[rng.choice(_KEYS)] = copy.deepcopy(rng.choice(_VALUES))
    elif action < 0.35:
        del holder[rng.choice(list(holder))]
    else:
        holder[rng.choice(list(holder))] = copy.deepcopy(rng.choice(_VALUES))


def _holders(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _holders(inner)
    elif isinstance(value, list):
        yield value
        for inner in value:
            yield from _holders(inner)
