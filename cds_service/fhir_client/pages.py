"""What a FHIR server sent: one resource, or one page of a search, and what is wrong with it.

A page is used as far as it can be read. What it leaves out is a flaw, in plain words after "the FHIR server".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from cds_service.json_members import Malformed, members_of

#: How a resource is marked in a page that the search did not look for.
_BROUGHT_ALONG = frozenset({"include", "outcome"})


class Unreadable(Exception):
    """What was asked for could not be read. reason: in plain words, after "the FHIR server"; status: HTTP.

    later: the server asks to try again later.
    """

    def __init__(self, reason: str, status: int | None = None, *, later: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.status, self.later = reason, status, later


@dataclass(slots=True)
class Page:
    """One page of a search.

    entries: each as JSON, with the type of its resource ("" : unknown) and whether the search itself found it.
    next: the address of the next page, "" if the link has none, None after the last. total: as stated, else 0.
    """

    entries: list[tuple[bytes, str, bool]] = field(default_factory=list)
    next: str | None = None
    total: int = 0
    flaws: list[str] = field(default_factory=list)


class _Link(msgspec.Struct, frozen=True, gc=False):
    relation: str | None = None
    url: str | None = None


class _Typed(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    resource_type: str | None = None


class _Searched(msgspec.Struct, frozen=True, gc=False):
    mode: str | None = None


class _Entry(msgspec.Struct, frozen=True, gc=False):
    resource: _Typed | None = None
    search: _Searched | None = None


class _Issue(msgspec.Struct, frozen=True, gc=False):
    severity: str | None = None
    code: str | None = None


class _Envelope(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    resource_type: str | None = None
    total: msgspec.Raw = msgspec.Raw(b"")
    link: list[_Link] | None = None
    entry: list[msgspec.Raw] | None = None
    issue: list[_Issue] | None = None


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_ENTRY = msgspec.json.Decoder(_Entry)


def resource_of(data: bytes) -> str:
    """The type of the one resource that an answer is. Raises Unreadable for anything else, and for an outcome."""
    return _envelope(data).resource_type or ""


def page_of(data: bytes) -> Page:
    """An answer to a search. Raises Unreadable if it is no Bundle."""
    envelope = _envelope(data)
    if envelope.resource_type != "Bundle":
        raise Unreadable(f"answered a search with a {envelope.resource_type}, not with a Bundle")
    page = Page()
    try:
        members_of(data.removeprefix(b"\xef\xbb\xbf"))
    except Malformed:
        page.flaws.append("names an element of its answer twice")
    stated = bytes(envelope.total)
    page.total = int(stated) if stated.isdigit() and len(stated) < 10 else 0
    page.next = next((link.url or "" for link in envelope.link or () if is_next(link.relation)), None)
    for raw in envelope.entry or ():
        _take(bytes(raw), page)
    return page


def is_next(relation: str | None) -> bool:
    """Whether a link of a Bundle leads to the next page, in whatever letter case a server writes it."""
    return relation is not None and relation.strip().lower() == "next"


def _take(raw: bytes, page: Page) -> None:
    try:
        entry = _ENTRY.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        entry = _Entry()
    if entry.resource is None:
        page.flaws.append("sends an entry without a resource")
    kind = (entry.resource and entry.resource.resource_type) or ""
    mode = entry.search.mode if entry.search else None
    is_found = entry.resource is not None and kind != "OperationOutcome" and mode not in _BROUGHT_ALONG
    page.entries.append((raw, kind, is_found))


def _envelope(data: bytes) -> _Envelope:
    text = data.removeprefix(b"\xef\xbb\xbf")
    start = text[:512].lstrip().lower()
    if not start:
        raise Unreadable("answered with nothing")
    if start.startswith(b"<"):
        kind = "an HTML page" if b"<html" in start or b"<!doctype html" in start else "XML"
        raise Unreadable(f"answered with {kind}, not with FHIR JSON")
    try:
        text.decode()
        envelope = _ENVELOPE.decode(text)
    except UnicodeDecodeError as error:
        raise Unreadable("answered with what is not UTF-8") from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise Unreadable("answered with what is not FHIR JSON") from error
    if not envelope.resource_type:
        raise Unreadable("answered with JSON that is not FHIR")
    if envelope.resource_type == "OperationOutcome":
        raise Unreadable(f"answered with an OperationOutcome ({', '.join(_issues(envelope)) or 'no issue'})")
    return envelope


def _issues(envelope: _Envelope) -> Iterator[str]:
    """Severity and code of the issues: their texts may speak of the patient."""
    stated = sorted({f"{issue.severity or 'unknown'}: {issue.code or 'unknown'}" for issue in envelope.issue or ()})
    return (text for text in stated if text.isascii() and text.isprintable() and len(text) < 50)
