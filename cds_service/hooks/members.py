"""The members of a hook request, taken apart without building the prefetch: it is scanned once.

A decoder keeps the last value of a name that stands twice; here a repeated name is refused, not guessed.
"""

from __future__ import annotations

import json
import re

import msgspec

Members = dict[str, bytes]


class _Prefetching(msgspec.Struct):
    prefetch: dict[str, msgspec.Raw] | None = None


_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_PREFETCHING = msgspec.json.Decoder(_Prefetching)
_KEY = re.compile(rb'[ \t\r\n]*("(?:[^"\\]|\\.)*")[ \t\r\n]*:[ \t\r\n]*')
_PREFETCH = re.compile(rb'"prefetch"[ \t\r\n]*:[ \t\r\n]*(?={)')
_SEPARATOR = re.compile(rb"[ \t\r\n]*([,}])")


class Malformed(ValueError):
    """Not a JSON object whose names stand once. element: "" for the body, or "prefetch"."""

    def __init__(self, element: str, reason: str) -> None:
        super().__init__(f"{element or 'The body'} {reason}.")
        self.element = element


def request_members(body: bytes) -> tuple[Members, Members]:
    """The members of the body and those of its prefetch, each value as JSON. Raises Malformed."""
    body = body.removeprefix(b"\xef\xbb\xbf")
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise Malformed("", f"is not UTF-8 (byte {error.start})") from error
    apart = _apart(body)
    if apart is not None:
        return apart
    outer = _members(body, "")
    return outer, _members(outer["prefetch"], "prefetch") if outer.get("prefetch", b"null") != b"null" else {}


def _apart(body: bytes) -> tuple[Members, Members] | None:
    """The usual request, its prefetch scanned once; None for what needs a closer look."""
    try:
        decoded = _PREFETCHING.decode(body).prefetch
    except (msgspec.DecodeError, RecursionError):
        return None
    place = _PREFETCH.search(body)
    if not decoded or place is None:
        return None
    prefetch = {key: bytes(value) for key, value in decoded.items()}
    end = _end_of(body, place.end(), prefetch)
    if end is None:
        return None
    outer = _members(body[: place.end()] + b"null" + body[end:], "")
    return (outer, prefetch) if outer.get("prefetch") == b"null" else None


def _members(data: bytes, element: str) -> Members:
    try:
        decoded = _MEMBERS.decode(data)
    except msgspec.ValidationError as error:
        raise Malformed(element, "is not a JSON object") from error
    except msgspec.DecodeError as error:
        raise Malformed(element, f"is not valid JSON: {error}") from error
    except RecursionError as error:
        raise Malformed(element, "is nested too deeply") from error
    members = {key: bytes(value) for key, value in decoded.items()}
    if _end_of(data, data.index(b"{"), members) is None:
        raise Malformed(element, "has a member twice")
    return members


def _end_of(data: bytes, start: int, members: Members) -> int | None:
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
