"""From bytes to resources, each still as bytes: Bundles of any type, single resources, NDJSON.

Nothing is read here but the envelope. What cannot be an envelope raises NotFhir, naming input and place;
what is missing from an envelope (a page not followed, a part the server left out) becomes a Gap.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import msgspec

from fhir_mappings.fhir_types.json_text import (
    DEEPEST,
    RepeatedKeys,
    decoded,
    depth,
    first_repeated_key,
    has_repeated_keys,
)
from fhir_mappings.fhir_types.validate import Refused

_NOTHING = msgspec.Raw(b"")
_BYTE = re.compile(r"\(byte (\d+)\)")
_RESOURCE_TYPE = re.compile(r"[A-Z][A-Za-z]{1,63}")
#: A level takes two signs at least, so that a shorter resource is not nested too deeply.
_SURELY_FLAT = 2 * (DEEPEST - 100)
_LISTS = frozenset({"entry", "link"})
_TWICE = 'The element "{}" occurs twice in the Bundle; which one is meant is not guessed.'
_One = TypeVar("_One")
_BETWEEN_ENTRIES = (b" ", b"\t", b"\r", b"\n", b",")
_TRAILING = "trailing characters"


class NotFhir(ValueError):
    """Input that is not FHIR JSON: which one, where, and why."""

    def __init__(self, name: str, place: str, reason: str) -> None:
        super().__init__(f"{name}: {place}: {reason}" if place else f"{name}: {reason}")
        self.name, self.place, self.reason = name, place, reason


@dataclass(frozen=True, slots=True)
class Source:
    """One input, such as a file or a prefetch value: its name and its bytes."""

    name: str
    data: bytes


class Deletion(msgspec.Struct, frozen=True, gc=False):
    """What says that a resource was deleted: its reference as written, the version and time of the deletion."""

    reference: str
    version: str | None = None
    when: str | None = None


class RawResource(msgspec.Struct, frozen=True, gc=False):
    """One resource as bytes. deleted: instead, the deletion of one. included: it is no match of the search
    itself, but came with one."""

    raw: msgspec.Raw
    prefix: str = ""
    index: int | None = None
    full_url: str | None = None
    deleted: Deletion | None = None
    included: bool = False

    @property
    def place(self) -> str:
        """Where it is in its input, such as ``entry[3].resource``."""
        if self.index is None:
            return self.prefix
        return f"{self.prefix}entry[{self.index}]" + ("" if self.deleted else ".resource")


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that the input itself says is not in it, or that could not be taken out of it."""

    place: str
    message: str
    code: str = "partial-data"


@dataclass(slots=True)
class Contents:
    """What one source holds. has_matches: whether anything but outcomes is in it."""

    parts: list[RawResource] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    is_bundle: bool = False
    included: int = 0


class Link(msgspec.Struct, frozen=True, gc=False):
    relation: str | None = None
    url: str | None = None


class Request(msgspec.Struct, frozen=True, gc=False):
    method: str | None = None
    url: str | None = None


class Response(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    status: str | None = None
    last_modified: str | None = None
    etag: str | None = None


class Search(msgspec.Struct, frozen=True, gc=False):
    mode: str | None = None


class Entry(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    full_url: str | None = None
    resource: msgspec.Raw = _NOTHING
    search: Search | None = None
    request: Request | None = None
    response: Response | None = None


class Bundle(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    resource_type: Literal["Bundle"]
    type: str | None = None
    timestamp: str | None = None
    total: int | None = None
    link: list[Link] | None = None
    entry: list[Entry] | None = None


class LooseBundle(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A Bundle whose entries are taken one by one, because one of them is not what it should be."""

    resource_type: Literal["Bundle"]
    type: msgspec.Raw = _NOTHING
    timestamp: msgspec.Raw = _NOTHING
    total: msgspec.Raw = _NOTHING
    link: msgspec.Raw = _NOTHING
    entry: list[msgspec.Raw] | None = None


class Envelope(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    resource_type: Any = None
    body: Any = None


_BUNDLE = msgspec.json.Decoder(Bundle)
_LOOSE_BUNDLE = msgspec.json.Decoder(LooseBundle)
_ENTRY = msgspec.json.Decoder(Entry)
_ENVELOPE = msgspec.json.Decoder(Envelope)
_UNREADABLE = Entry()


def contents(source: Source) -> Contents:
    """The resources of a Bundle, of NDJSON lines, or the one resource; raises NotFhir."""
    data = _text(source)
    if source.name.lower().endswith((".ndjson", ".jsonl")):
        return _lines(source.name, data)
    try:
        return _document(source.name, data)
    except NotFhir as error:
        if _TRAILING in error.reason and data.count(b"\n"):
            return _lines(source.name, data)
        raise


def bundle_contents(raw: msgspec.Raw | bytes, place: str, level: int = 0) -> Contents:
    """What a Bundle holds that is ``level`` levels deep; raises msgspec.ValidationError if it has not the
    shape of a Bundle, Refused if its envelope names an element twice or a resource is nested too deeply."""
    gathered = Contents(is_bundle=True)
    data = bytes(raw)
    try:
        bundle = _BUNDLE.decode(raw)
        entries = bundle.entry or []
        loosely = data.count(b'"resource"') != sum(bool(entry.resource) for entry in entries)
    except msgspec.ValidationError:
        loosely = True
    if loosely:
        bundle = _loosely_read(_LOOSE_BUNDLE.decode(raw), data, place, gathered)
        entries = bundle.entry or []
    else:
        _note_repeated_envelope(data, entries, place, gathered)
    take = gathered.parts.append
    for index, entry in enumerate(entries):
        resource, search = entry.resource, entry.search
        if not resource or entry.request is not None or (search is not None and search.mode == "include"):
            _take_entry(entry, bundle, place, index, gathered)
        else:
            take(RawResource(resource, place, index, entry.full_url))
        if len(memoryview(resource)) > _SURELY_FLAT:
            refuse_deep(resource, level + 3)
    _note_incomplete(bundle, place, gathered)
    return gathered


def refuse_deep(raw: msgspec.Raw | bytes, level: int) -> None:
    """Raises Refused for what is nested too deeply; few texts need to be looked at sign by sign."""
    data = bytes(raw)
    if data.count(b"{") + data.count(b"[") + level > DEEPEST and depth(data) + level > DEEPEST:
        raise Refused(f"It is nested more than {DEEPEST} levels deep.")


def _text(source: Source) -> bytes:
    data = source.data.removeprefix(b"\xef\xbb\xbf")
    start = data[:64].lstrip()
    if not start:
        raise NotFhir(source.name, "", "is empty")
    if start.startswith(b"<"):
        raise NotFhir(source.name, "", "is XML or HTML, not FHIR JSON")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotFhir(source.name, _position(data, error.start), "is not valid UTF-8") from error
    return data


def _document(name: str, data: bytes) -> Contents:
    try:
        envelope = _ENVELOPE.decode(data) if b'"Bundle"' not in data else None
        if envelope is None or envelope.resource_type == "Bundle":
            return _bundle_document(name, data)
        refuse_deep(data, 0)
    except RecursionError as error:
        raise NotFhir(name, "", "is nested too deeply") from error
    except Refused as error:
        raise NotFhir(name, "", str(error)) from error
    except msgspec.ValidationError as error:
        raise NotFhir(name, "", "is JSON, but not a FHIR resource (a resource is an object)") from error
    except msgspec.DecodeError as error:
        raise _malformed(name, data, error) from error
    _require_resource_type(name, envelope)
    return Contents([RawResource(msgspec.Raw(data))])


def _bundle_document(name: str, data: bytes) -> Contents:
    try:
        return bundle_contents(data, "")
    except Refused as error:
        raise NotFhir(name, "", str(error)) from error
    except msgspec.ValidationError as shape:
        envelope = _ENVELOPE.decode(data)
        if envelope.resource_type == "Bundle":
            raise NotFhir(name, "", f"is not a FHIR Bundle: {shape}") from shape
        _require_resource_type(name, envelope)
        return Contents([RawResource(msgspec.Raw(data))])


def _require_resource_type(name: str, envelope: Envelope) -> None:
    stated = envelope.resource_type
    if isinstance(stated, str) and _RESOURCE_TYPE.fullmatch(stated):
        return
    if isinstance(envelope.body, dict) and "resourceType" in envelope.body:
        raise NotFhir(name, "body", "is a wrapper around FHIR, not a FHIR resource: the resource is in its body")
    raise NotFhir(name, "resourceType", "is JSON, but not a FHIR resource (no resourceType)")


def _lines(name: str, data: bytes) -> Contents:
    """NDJSON: a line that cannot be read is a gap; without any that can, the input is not FHIR."""
    gathered = Contents(is_bundle=True)
    first: NotFhir | None = None
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            content = _document(name, line)
        except NotFhir as error:
            first = first or NotFhir(name, f"line {number}", error.reason)
            gathered.gaps.append(Gap(f"line {number}", f"Line {number} is not a FHIR resource ({error.reason})."))
            continue
        gathered.gaps.extend(Gap(f"line {number} {gap.place}", gap.message, gap.code) for gap in content.gaps)
        for part in content.parts:
            prefix = f"line {number} {part.prefix}".rstrip() + (" " if part.index is not None else "")
            gathered.parts.append(RawResource(part.raw, prefix, part.index, part.full_url, part.deleted, part.included))
    if first is not None and not gathered.parts:
        raise first
    return gathered


def _take_entry(entry: Entry, bundle: Bundle, place: str, index: int, gathered: Contents) -> None:
    """A resource, a deletion, or the answer to one part of a batch; an unreadable entry is a gap already."""
    if entry is _UNREADABLE:
        return
    request, response = entry.request, entry.response
    if request is not None and request.method == "DELETE" and (request.url or entry.full_url):
        version = (response.etag or "").removeprefix("W/").strip('"') if response else ""
        when = (response.last_modified if response else None) or bundle.timestamp
        deletion = Deletion(request.url or entry.full_url or "", version or None, when)
        gathered.parts.append(RawResource(_NOTHING, place, index, entry.full_url, deletion))
    elif entry.resource:
        included = entry.search is not None and entry.search.mode == "include"
        gathered.included += included
        gathered.parts.append(RawResource(entry.resource, place, index, entry.full_url, None, included))
    elif response is not None and (response.status or "").startswith(("4", "5")):
        message = f"The server answered one part of the batch with status {response.status!r}."
        gathered.gaps.append(Gap(f"{place}entry[{index}]", message))
    elif response is None or not (response.status or "").startswith(("2", "3")):
        gathered.gaps.append(Gap(f"{place}entry[{index}]", "The entry holds no resource."))


def _loosely_read(bundle: LooseBundle, data: bytes, place: str, gathered: Contents) -> Bundle:
    """A Bundle of which each entry is taken by itself, because one of them is not what it should be."""
    raws = [bytes(raw) for raw in bundle.entry or []]
    _note_second_entry_list(data, raws, place, gathered)
    entries = [_loose_entry(raw, f"{place}entry[{index}]", gathered) for index, raw in enumerate(raws)]
    try:
        links = msgspec.json.decode(bundle.link, type=list[Link] | None) if bundle.link else []
    except msgspec.ValidationError:
        links = []
        gathered.gaps.append(Gap(f"{place}link", "The links of the Bundle are not readable: a page may be missing."))
    kind, timestamp = (_one(raw, str) for raw in (bundle.type, bundle.timestamp))
    return Bundle("Bundle", kind, timestamp, _one(bundle.total, int), links, entries)


def _loose_entry(raw: bytes, place: str, gathered: Contents) -> Entry:
    try:
        if raw.count(b'"resource"') > 1:
            repeated = decoded(raw)
            if isinstance(repeated, RepeatedKeys):
                raise Refused("The entry names an element twice; which one is meant is not guessed.")
        entry = _ENTRY.decode(raw)
    except msgspec.ValidationError as error:
        gathered.gaps.append(Gap(place, f"The entry is not a FHIR Bundle entry ({error}).", "invalid-resource"))
    except ValueError as error:
        gathered.gaps.append(Gap(place, str(error), "invalid-resource"))
    else:
        return entry
    return _UNREADABLE


def _one(raw: msgspec.Raw, kind: type[_One]) -> _One | None:
    try:
        return msgspec.json.decode(raw, type=kind) if raw else None
    except msgspec.ValidationError:
        return None


def _note_incomplete(bundle: Bundle, place: str, gathered: Contents) -> None:
    """A page that was not followed, or a total above the rows that are there."""
    if any(link.relation is not None and link.relation.lower() == "next" for link in bundle.link or []):
        gathered.gaps.append(Gap(f"{place}link", "The search has a further page (link next) that was not followed."))
    elif bundle.type in ("searchset", "history") and bundle.total is not None:
        rows = len(gathered.parts) - gathered.included
        if bundle.total > rows:
            message = f"The search found {bundle.total} rows and holds {rows}."
            gathered.gaps.append(Gap(f"{place}total", message))


def _note_repeated_envelope(data: bytes, entries: list[Entry], place: str, gathered: Contents) -> None:
    """What the Bundle itself names twice: its text without what is between first and last resource."""
    filled = [entry.resource for entry in entries if entry.resource]
    if filled:
        first, last = bytes(filled[0]), bytes(filled[-1])
        data = data[: data.find(first)] + b"{}" + data[data.rfind(last) + len(last) :]
    if has_repeated_keys(data):
        _note_repeated(decoded(data), place, gathered)


def _note_second_entry_list(data: bytes, entries: list[bytes], place: str, gathered: Contents) -> None:
    """The same, where the entries themselves may be anything: they must follow each other in the text."""
    start = end = data.find(entries[0]) if entries else 0
    for entry in entries:
        while data[end : end + 1] in _BETWEEN_ENTRIES:
            end += 1
        if not data.startswith(entry, end):
            gathered.gaps.append(Gap(f"{place}entry", _TWICE.format("entry")))
            return
        end += len(entry)
    try:
        _note_repeated(decoded(data[:start] + b"{}" + data[end:] if entries else data), place, gathered)
    except ValueError:
        gathered.gaps.append(Gap(place.rstrip("."), "The Bundle itself is not readable in full."))


def _note_repeated(envelope: object, place: str, gathered: Contents) -> None:
    """A second list of rows or links makes the search partial; anything else is refused, not guessed."""
    twice = envelope.repeated if isinstance(envelope, RepeatedKeys) else frozenset()
    for name in sorted(twice & _LISTS):
        gathered.gaps.append(Gap(f"{place}{name}", _TWICE.format(name)))
    other = min(twice - _LISTS, default=None if twice else first_repeated_key(envelope))
    if other is not None:
        raise Refused(f'The element "{other}" occurs twice in one object; which one is meant is not guessed.')


def _malformed(name: str, data: bytes, error: msgspec.DecodeError) -> NotFhir:
    found = _BYTE.search(str(error))
    place = _position(data, int(found[1])) if found else f"{_position(data, len(data))} (end)"
    reason = str(error).split(" (byte")[0].replace("JSON is malformed", "is not valid JSON")
    return NotFhir(name, place, reason if "not valid JSON" in reason else f"is not valid JSON: {reason}")


def _position(data: bytes, offset: int) -> str:
    line = data.count(b"\n", 0, offset) + 1
    column = offset - data.rfind(b"\n", 0, offset)
    return f"line {line}, column {column}"
