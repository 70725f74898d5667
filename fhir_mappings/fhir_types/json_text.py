"""JSON as a text: decoded without loss, however large its numbers, and whether an object names a key twice."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from math import isfinite
from typing import Any

import orjson

#: Levels of nesting up to which a document is read; objects and arrays are one level each.
DEEPEST = 900
#: Integers of more digits are kept as Decimal: Python refuses to turn them into an int.
_LONGEST_INTEGER = 400
# Typed decoders count their levels as Python frames, a few for each.
sys.setrecursionlimit(max(sys.getrecursionlimit(), 6 * DEEPEST))


class RepeatedKeys(dict[str, Any]):
    """An object that names some keys twice; ``repeated`` are these, and the last value is kept."""

    repeated: frozenset[str] = frozenset()


def decoded(raw: bytes | memoryview) -> Any:
    """What the text says, fractions as Decimal; raises ValueError if it is no JSON (NaN and Infinity are none)."""
    try:
        return json.loads(
            bytes(raw),
            object_pairs_hook=_object,
            parse_float=_fraction,
            parse_int=_integer,
            parse_constant=_no_constant,
        )
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def has_repeated_keys(raw: bytes) -> bool:
    """Whether any object of the text names a key twice; raises ValueError if it is no JSON.

    Without a backslash every string has two quotation marks, so a decode that keeps one of two equal keys
    loses some; only then, or with a backslash, is it looked at object by object.
    """
    if b"\\" not in raw:
        try:
            return raw.count(b'"') != orjson.dumps(orjson.loads(raw)).count(b'"')
        except orjson.JSONDecodeError:
            pass  # a number that is no double: the slow way decides
    return first_repeated_key(decoded(raw)) is not None


def first_repeated_key(value: Any) -> str | None:
    """A key that occurs twice in one object, anywhere in what was decoded; None if there is none."""
    pending = [value]
    while pending:
        value = pending.pop()
        if isinstance(value, RepeatedKeys):
            return min(value.repeated)
        pending.extend(value.values() if isinstance(value, dict) else value if isinstance(value, list) else ())
    return None


def depth(raw: bytes) -> int:
    """Levels of nesting of a JSON text."""
    deepest = level = 0
    in_string = escaped = False
    for sign in raw:
        if in_string:
            if escaped:
                escaped = False
            elif sign == 0x5C:
                escaped = True
            elif sign == 0x22:
                in_string = False
        elif sign == 0x22:
            in_string = True
        elif sign in b"{[":
            level += 1
            deepest = max(deepest, level)
        elif sign in b"}]":
            level -= 1
    return deepest


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    keys = [key for key, _ in pairs]
    marked = RepeatedKeys(found)
    marked.repeated = frozenset(key for key in found if keys.count(key) > 1)
    return marked


def _fraction(text: str) -> Decimal | float:
    """Exact where a double could hold it at all: an exponent of millions would fill the memory later."""
    number = float(text)
    return Decimal(text) if isfinite(number) and (number or not Decimal(text)) else number


def _integer(text: str) -> int | Decimal:
    return int(text) if len(text) <= _LONGEST_INTEGER else Decimal(text)


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is no JSON number")
