"""The members of a JSON object as bytes, each name once.

A decoder keeps the last value of a name that occurs twice; here a repeated name is refused, not guessed.
"""

from __future__ import annotations

import json
import re

import msgspec

Members = dict[str, bytes]

_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_KEY = re.compile(rb'[ \t\r\n]*("(?:[^"\\]|\\.)*")[ \t\r\n]*:[ \t\r\n]*')
_SEPARATOR = re.compile(rb"[ \t\r\n]*([,}])")


class Malformed(ValueError):
    """Not a JSON object whose names occur once. element: where, "" for the whole. repeated: a name occurs twice."""

    def __init__(self, element: str, reason: str, repeated: bool = False) -> None:
        super().__init__(f"{element or 'The body'} {reason}.")
        self.element, self.repeated = element, repeated


def members_of(data: bytes, element: str = "") -> Members:
    """The members of a JSON object. Raises Malformed, which names the element."""
    try:
        decoded = _MEMBERS.decode(data)
    except msgspec.ValidationError as error:
        raise Malformed(element, "is not a JSON object") from error
    except msgspec.DecodeError as error:
        raise Malformed(element, f"is not valid JSON: {error}") from error
    except RecursionError as error:
        raise Malformed(element, "is nested too deeply") from error
    members = {key: bytes(value) for key, value in decoded.items()}
    if end_of(data, data.index(b"{"), members) is None:
        raise Malformed(element, "has a member twice", repeated=True)
    return members


def end_of(data: bytes, start: int, members: Members) -> int | None:
    """Where the object at ``start`` ends if these are its members, one after the other; None if not."""
    position, separator = start + 1, b","
    for key, value in members.items():
        name = _KEY.match(data, position)
        if name is None or json.loads(name[1]) != key or not data.startswith(value, name.end()):
            return None
        after = _SEPARATOR.match(data, name.end() + len(value))
        if after is None:
            return None
        position, separator = after.end(), after[1]
    if not members:
        after = _SEPARATOR.match(data, position)
        return after.end() if after is not None and after[1] == b"}" else None
    return position if separator == b"}" else None
