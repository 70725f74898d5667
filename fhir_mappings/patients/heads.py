"""What is the same in every kind of resource: its status, its subject, its version; each read by itself."""

from __future__ import annotations

from typing import Any

import msgspec

from fhir_mappings.fhir_types import elements as lean

_NOTHING = msgspec.Raw(b"")
#: Extensions of meta by which servers mark what was deleted (docs/ehr-vendors.md).
SOFT_DELETED = (b"http://azurehealthcareapis.com/data-extensions/deleted-state",)


class Meta(lean.Meta, frozen=True, rename="camel", gc=False, omit_defaults=True):
    tag: tuple[lean.Coding, ...] | None = None
    extension: msgspec.Raw = _NOTHING

    @property
    def says_deleted(self) -> bool:
        """Whether the server keeps the resource only to say that it was deleted."""
        return bool(self.extension) and any(url in bytes(self.extension) for url in SOFT_DELETED)

    @property
    def is_subsetted(self) -> bool:
        """Whether the server says that it left elements out (L11)."""
        return bool(self.tag) and any(tag.code == "SUBSETTED" for tag in self.tag or ())


class Head(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """What every resource says of itself. subject_broken: it has a subject that is no Reference."""

    meta: Meta | None = None
    status: str | None = None
    subject: lean.Reference | None = None
    subject_broken: bool = msgspec.field(default=False, name="-")


class _Loosely(msgspec.Struct, frozen=True, gc=False):
    meta: msgspec.Raw = _NOTHING
    status: msgspec.Raw = _NOTHING
    subject: msgspec.Raw = _NOTHING


class _LooseMeta(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    version_id: msgspec.Raw = _NOTHING
    last_updated: msgspec.Raw = _NOTHING
    tag: msgspec.Raw = _NOTHING
    extension: msgspec.Raw = _NOTHING


_HEAD = msgspec.json.Decoder(Head)
_LOOSELY = msgspec.json.Decoder(_Loosely)


def head(raw: bytes) -> Head:
    """The head of a resource, without what of it cannot be read."""
    try:
        return _HEAD.decode(raw)
    except msgspec.MsgspecError:
        pass
    try:
        loosely = _LOOSELY.decode(raw)
    except msgspec.MsgspecError:
        return Head()
    subject = _part(loosely.subject, lean.Reference)
    broken = subject is None and bytes(loosely.subject).strip() not in (b"", b"null")
    return Head(_meta(loosely.meta), _part(loosely.status, str), subject, broken)


def _meta(raw: msgspec.Raw) -> Meta | None:
    """The parts of a meta that can be read; a version number may be a number."""
    loosely = _part(raw, _LooseMeta)
    if loosely is None:
        return None
    number = _part(loosely.version_id, str | int)
    return Meta(
        version_id=None if number is None else str(number),
        last_updated=_part(loosely.last_updated, str),
        tag=_part(loosely.tag, tuple[lean.Coding, ...]),
        extension=loosely.extension,
    )


def _part(raw: msgspec.Raw, kind: Any) -> Any:
    try:
        return msgspec.json.decode(raw, type=kind) if raw else None
    except msgspec.MsgspecError:
        return None
