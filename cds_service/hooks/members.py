"""The members of a hook request, taken apart without building the prefetch: it is scanned once."""

from __future__ import annotations

import re

import msgspec

from cds_service.json_members import Malformed, Members, end_of, members_of


class _Prefetching(msgspec.Struct):
    prefetch: dict[str, msgspec.Raw] | None = None


_PREFETCHING = msgspec.json.Decoder(_Prefetching)
_PREFETCH = re.compile(rb'"prefetch"[ \t\r\n]*:[ \t\r\n]*(?={)')


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
    outer = members_of(body, "")
    return outer, members_of(outer["prefetch"], "prefetch") if outer.get("prefetch", b"null") != b"null" else {}


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
    end = end_of(body, place.end(), prefetch)
    if end is None:
        return None
    outer = members_of(body[: place.end()] + b"null" + body[end:], "")
    return (outer, prefetch) if outer.get("prefetch") == b"null" else None
