"""From bytes to resources, each still as bytes: Bundles of any type, single resources, NDJSON.

Nothing is read here but the envelope. What cannot be an envelope raises NotFhir, naming input and place;
what is missing from an envelope (a page not followed, a part the server left out) becomes a Gap.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from fhir_mappings.fhir_types.validate import Refused, refuse_repeated_keys

_NOTHING = msgspec.Raw(b"")
_BYTE = re.compile(r"\(byte (\d+)\)")
_RESOURCE_TYPE = re.compile(r"[A-Z][A-Za-z]{1,63}")
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


class RawResource(msgspec.Struct, frozen=True, gc=False):
    """One resource as bytes. deleted: reference of a resource that a history says was deleted, and when."""

    raw: msgspec.Raw
    prefix: str = ""
    index: int | None = None
    full_url: str | None = None
    deleted: tuple[str, str | None] | None = None

    @property
    def place(self) -> str:
        """Where it stands in its input, such as ``entry[3].resource``."""
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
    """What one source holds. has_matches: whether anything but outcomes stands in it."""

    parts: list[RawResource] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    is_bundle: bool = False


class Link(msgspec.Struct, frozen=True, gc=False):
    relation: str | None = None
    url: str | None = None


class Request(msgspec.Struct, frozen=True, gc=False):
    method: str | None = None
    url: str | None = None


class Response(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    status: str | None = None
    last_modified: str | None = None


class Entry(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    full_url: str | None = None
    resource: msgspec.Raw = _NOTHING
    request: Request | None = None
    response: Response | None = None


class Bundle(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    resource_type: Literal["Bundle"]
    link: list[Link] | None = None
    entry: list[Entry] | None = None


class LooseBundle(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A Bundle whose entries are taken one by one, because one of them is not what it should be."""

    resource_type: Literal["Bundle"]
    link: msgspec.Raw = _NOTHING
    entry: list[msgspec.Raw] | None = None


class Envelope(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    resource_type: Any = None
    body: Any = None


_BUNDLE = msgspec.json.Decoder(Bundle)
_LOOSE_BUNDLE = msgspec.json.Decoder(LooseBundle)
_ENTRY = msgspec.json.Decoder(Entry)
_ENVELOPE = msgspec.json.Decoder(Envelope)


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


def bundle_contents(raw: msgspec.Raw | bytes, place: str) -> Contents:
    """What a Bundle holds; raises msgspec.ValidationError if it has not the shape of a Bundle and Refused if
    its envelope names an element twice."""
    gathered = Contents(is_bundle=True)
    try:
        bundle = _BUNDLE.decode(raw)
    except msgspec.ValidationError:
        _take_loose(_LOOSE_BUNDLE.decode(raw), bytes(raw), place, gathered)
        return gathered
    data = bytes(raw)
    entries = bundle.entry or []
    if data.count(b'"resource"') != sum(bool(entry.resource) for entry in entries):
        _take_loose(_LOOSE_BUNDLE.decode(raw), data, place, gathered)
        return gathered
    _refuse_repeated_envelope(data, entries)
    for index, entry in enumerate(entries):
        if entry.resource:
            gathered.parts.append(RawResource(entry.resource, place, index, entry.full_url))
        else:
            _take_response(entry, place, index, gathered)
    _note_next(bundle.link or [], place, gathered)
    return gathered


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
    except RecursionError as error:
        raise NotFhir(name, "", "is nested too deeply") from error
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
        raise NotFhir(name, "body", "is a wrapper around FHIR, not a FHIR resource: the resource stands in its body")
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
            gathered.parts.append(RawResource(part.raw, prefix, part.index, part.full_url, part.deleted))
    if first is not None and not gathered.parts:
        raise first
    return gathered


def _take_response(entry: Entry, place: str, index: int, gathered: Contents) -> None:
    """An entry without resource: a deletion, or the answer to one part of a batch."""
    if entry.request is not None and entry.request.method == "DELETE" and entry.request.url:
        modified = entry.response.last_modified if entry.response else None
        gathered.parts.append(RawResource(_NOTHING, place, index, entry.full_url, (entry.request.url, modified)))
    elif entry.response is not None and (entry.response.status or "").startswith(("4", "5")):
        message = f"The server answered one part of the batch with status {entry.response.status!r}."
        gathered.gaps.append(Gap(f"{place}entry[{index}]", message))


def _take_loose(bundle: LooseBundle, data: bytes, place: str, gathered: Contents) -> None:
    _refuse_second_entry_list(data, [bytes(raw) for raw in bundle.entry or []])
    for index, raw in enumerate(bundle.entry or []):
        entry_place = f"{place}entry[{index}]"
        try:
            if bytes(raw).count(b'"resource"') > 1:
                refuse_repeated_keys(bytes(raw))
            entry = _ENTRY.decode(raw)
            if entry.resource:
                gathered.parts.append(RawResource(entry.resource, place, index, entry.full_url))
            else:
                _take_response(entry, place, index, gathered)
        except Refused as error:
            gathered.gaps.append(Gap(entry_place, str(error), "invalid-resource"))
        except msgspec.ValidationError as error:
            message = f"The entry is not a FHIR Bundle entry ({error})."
            gathered.gaps.append(Gap(entry_place, message, "invalid-resource"))
    try:
        links = msgspec.json.decode(bundle.link, type=list[Link]) if bundle.link else []
    except msgspec.ValidationError:
        gathered.gaps.append(Gap(f"{place}link", "The links of the Bundle are not readable: a page may be missing."))
    else:
        _note_next(links, place, gathered)


def _note_next(links: list[Link], place: str, gathered: Contents) -> None:
    if any(link.relation == "next" for link in links):
        gathered.gaps.append(Gap(f"{place}link", "The search has a further page (link next) that was not followed."))


def _refuse_repeated_envelope(data: bytes, entries: list[Entry]) -> None:
    """Raises Refused if the Bundle itself names an element twice: its text without what stands between the
    first and the last resource is checked."""
    filled = [entry.resource for entry in entries if entry.resource]
    if not filled:
        refuse_repeated_keys(data)
        return
    first, last = bytes(filled[0]), bytes(filled[-1])
    refuse_repeated_keys(data[: data.find(first)] + b"{}" + data[data.rfind(last) + len(last) :])


def _refuse_second_entry_list(data: bytes, entries: list[bytes]) -> None:
    """The same, where the entries themselves may be anything: they must follow each other in the text."""
    start = end = data.find(entries[0]) if entries else 0
    for entry in entries:
        while data[end : end + 1] in _BETWEEN_ENTRIES:
            end += 1
        if not data.startswith(entry, end):
            raise Refused('The element "entry" stands twice in the Bundle; which one is meant is not guessed.')
        end += len(entry)
    refuse_repeated_keys(data[:start] + b"{}" + data[end:] if entries else data)


def _malformed(name: str, data: bytes, error: msgspec.DecodeError) -> NotFhir:
    found = _BYTE.search(str(error))
    place = _position(data, int(found[1])) if found else f"{_position(data, len(data))} (end)"
    reason = str(error).split(" (byte")[0].replace("JSON is malformed", "is not valid JSON")
    return NotFhir(name, place, reason if "not valid JSON" in reason else f"is not valid JSON: {reason}")


def _position(data: bytes, offset: int) -> str:
    line = data.count(b"\n", 0, offset) + 1
    column = offset - data.rfind(b"\n", 0, offset)
    return f"line {line}, column {column}"
