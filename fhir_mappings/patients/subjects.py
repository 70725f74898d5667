"""Whose resource it is: subjects by relative, absolute, urn:uuid, contained and logical reference."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from fhir_mappings.fhir_types import elements as lean
from fhir_mappings.intake.relevance import TYPED_REFERENCE, RelevantResource, patient_key

_IDENTIFIER = re.compile(r"[?&]identifier=([^&]*)")


class NotThisSubject(ValueError):
    """A subject that is no patient of this input, or cannot be told; ``code`` is the problem code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class _ContainedResource(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    resource_type: str | None = None
    id: str | None = None
    identifier: tuple[lean.Identifier, ...] | None = None


class _Container(msgspec.Struct, frozen=True, gc=False):
    contained: tuple[_ContainedResource, ...] | None = None


_IDENTIFIED = msgspec.json.Decoder(_ContainedResource)
_CONTAINER = msgspec.json.Decoder(_Container)


class Subjects:
    """The patients of one input, and whom a reference means.

    Two servers' patients with one id are taken for one: the base of a URL differs between a server's own
    links and those of a proxy before it.
    """

    def __init__(self, patients: Iterable[RelevantResource]) -> None:
        self._by_url: dict[str, str] = {}
        self._by_identifier: dict[tuple[str | None, str], set[str]] = {}
        self._systems: set[str | None] = set()
        self.named: set[str] = set()
        for found in patients:
            self._add(found)

    def of(self, subject: lean.Reference | None, raw: bytes) -> str | None:
        """``Patient/ID`` of a resource's subject, None if it has none; raises NotThisSubject."""
        if subject is None or (subject.reference is None and subject.identifier is None):
            return None
        reference = subject.reference
        if reference is None:
            return self._logical(subject.identifier)
        if reference.startswith("#"):
            return self._contained(reference[1:], raw)
        if reference in self._by_url:
            return self._by_url[reference]
        if "?" in reference:
            return self._conditional(reference)
        typed = TYPED_REFERENCE.search(reference)
        if typed is None:
            raise NotThisSubject("reference-unresolved", "The subject is not in the input.")
        if typed[1] != "Patient":
            raise NotThisSubject("other-patient", f"The subject is a {typed[1]}, not a patient.")
        return self._by_url.setdefault(reference, f"Patient/{typed[2]}")

    def _add(self, found: RelevantResource) -> None:
        key = patient_key(found)
        if key is None:
            return
        self.named.add(key)
        if found.full_url:
            self._by_url[found.full_url] = key
        try:
            identified = _IDENTIFIED.decode(found.raw)
        except msgspec.ValidationError:
            return
        for identifier in identified.identifier or ():
            if identifier.value:
                self._systems.add(identifier.system)
                self._by_identifier.setdefault((identifier.system, identifier.value), set()).add(key)

    def _logical(self, identifier: lean.Identifier | None) -> str:
        value = identifier.value if identifier else None
        system = identifier.system if identifier else None
        keys = self._by_identifier.get((system, value), set()) if value else set()
        if len(keys) == 1:
            return next(iter(keys))
        if system in self._systems and not keys and system is not None:
            raise NotThisSubject("other-patient", "The subject's identifier is another patient's.")
        raise NotThisSubject("reference-unresolved", "The subject is an identifier that no patient here has.")

    def _conditional(self, reference: str) -> str:
        token = _IDENTIFIER.search(reference)
        system, _, value = (token[1] if token else "").replace("%7C", "|").rpartition("|")
        return self._logical(lean.Identifier(system=system or None, value=value))

    def _contained(self, identity: str, raw: bytes) -> str | None:
        """A contained Patient is told by its identifiers; without any it is nobody else."""
        try:
            contained = _CONTAINER.decode(raw).contained or ()
        except msgspec.ValidationError:
            contained = ()
        for resource in contained:
            if resource.id == identity and resource.resource_type == "Patient":
                if not resource.identifier:
                    return None
                return self._any_of(resource.identifier)
        raise NotThisSubject("reference-unresolved", "The contained subject is not in the resource.")

    def _any_of(self, identifiers: tuple[lean.Identifier, ...]) -> str:
        complaint: NotThisSubject | None = None
        for identifier in identifiers:
            try:
                return self._logical(identifier)
            except NotThisSubject as error:
                complaint = complaint if complaint and complaint.code == "other-patient" else error
        raise complaint or NotThisSubject("reference-unresolved", "The contained subject has no identifier.")
