"""Where a resource that cannot be used belongs in time: the best of its own readable instants (L2)."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fhir_mappings.contribution import Place
from fhir_mappings.settings import ReadSettings
from fhir_mappings.times import When, clamp_to_now, known_from, parse_when

_NOTHING = msgspec.Raw(b"")


class _Instants(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """Every element by which a resource may say when it happened or was recorded, best first; each is decoded
    by itself, so that nothing else of the resource matters."""

    effective_date_time: msgspec.Raw = _NOTHING
    effective_instant: msgspec.Raw = _NOTHING
    effective_period: msgspec.Raw = _NOTHING
    effective_timing: msgspec.Raw = _NOTHING
    effective_time_date_time: msgspec.Raw = _NOTHING
    effective_time_period: msgspec.Raw = _NOTHING
    occurence_date_time: msgspec.Raw = _NOTHING
    occurence_period: msgspec.Raw = _NOTHING
    occurence_timing: msgspec.Raw = _NOTHING
    occurrence_date_time: msgspec.Raw = _NOTHING
    occurrence_period: msgspec.Raw = _NOTHING
    performed_date_time: msgspec.Raw = _NOTHING
    performed_period: msgspec.Raw = _NOTHING
    issued: msgspec.Raw = _NOTHING
    recorded: msgspec.Raw = _NOTHING
    recorded_date: msgspec.Raw = _NOTHING
    authored: msgspec.Raw = _NOTHING
    meta: msgspec.Raw = _NOTHING


class _Span(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A period, a timing or a meta: whatever of them names an instant, best first."""

    start: msgspec.Raw = _NOTHING
    end: msgspec.Raw = _NOTHING
    event: msgspec.Raw = _NOTHING
    repeat: msgspec.Raw = _NOTHING
    bounds_period: msgspec.Raw = _NOTHING
    last_updated: msgspec.Raw = _NOTHING


_INSTANTS = msgspec.json.Decoder(_Instants)
_SPAN = msgspec.json.Decoder(_Span)


def place_of(raw: bytes, settings: ReadSettings) -> Place | None:
    """The place of a resource; None if no instant of it can be read, or all lie later than a live call."""
    try:
        found = _INSTANTS.decode(raw)
    except msgspec.MsgspecError:
        return None
    placed = (clamp_to_now(when, settings) for when in _readable(found, settings))
    when = next((when for when in placed if when is not None), None)
    if when is None:
        return None
    issued = next(_times(found.issued, settings), None) if settings.known == "issued" else None
    return Place(when.at, when.day, known_from(settings, when.at, issued.earliest if issued else None))


def _readable(found: _Instants, settings: ReadSettings) -> Iterator[When]:
    for raw in msgspec.structs.astuple(found):
        yield from _times(raw, settings)


def _times(raw: msgspec.Raw, settings: ReadSettings) -> Iterator[When]:
    if not raw:
        return
    text = bytes(raw)
    try:
        if text.startswith(b'"'):
            when = parse_when(msgspec.json.decode(text, type=str).strip(), settings)
            if isinstance(when, When):
                yield when
        elif text.startswith(b"["):
            for each in msgspec.json.decode(text, type=tuple[msgspec.Raw, ...]):
                yield from _times(each, settings)
        elif text.startswith(b"{"):
            for each in msgspec.structs.astuple(_SPAN.decode(text)):
                yield from _times(each, settings)
    except msgspec.MsgspecError:
        return
