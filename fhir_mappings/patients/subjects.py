"""Whose resource it is: subjects by relative, absolute, urn:uuid, contained and logical reference."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from fhir_mappings.fhir_types import elements as lean
from fhir_mappings.intake.relevance import TYPED_REFERENCE, RelevantResource, patient_key

_IDENTIFIER = re.compile(r"[?&]identifier=([^&]*)")


#: A subject of another type than Patient.
NOT_A_PATIENT = "subject-missing"


class NotThisSubject(ValueError):
    """A subject that is no patient of this input, or cannot be determined; ``code`` is the problem code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class _ContainedResource(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    resource_type: str | None = None
    id: str | None = None
    identifier: tuple[lean.Identifier, ...] | None = None
    link: tuple[lean.Link, ...] | None = None


class _Container(msgspec.Struct, frozen=True, gc=False):
    contained: tuple[_ContainedResource, ...] | None = None


_IDENTIFIED = msgspec.json.Decoder(_ContainedResource)
_CONTAINER = msgspec.json.Decoder(_Container)


class Subjects:
    """The patients of one input, and whom a reference means.

    Two servers' patients with one id are taken for one: the base of a URL differs between a server's own
    links and those of a proxy before it. Patient resources that a link of type replaces or replaced-by
    connects are one patient, named by the id asked for, else by the one that replaces (L6).
    """

    def __init__(self, patients: Iterable[RelevantResource], wanted: str | None = None) -> None:
        self._by_url: dict[str, str] = {}
        self._by_identifier: dict[tuple[str | None, str], set[str]] = {}
        self._systems: set[str | None] = set()
        self._replaces: set[tuple[str, str]] = set()
        self._names: dict[str, str] = {}
        self.named: set[str] = set()
        links = [(key, link) for key, links in map(self._add, patients) for link in links]
        for key, link in links:
            self._link(key, link)
        self._merge(wanted)

    def name(self, key: str) -> str:
        """The one name of a patient who may have several."""
        return self._names.get(key, key)

    def same(self, key: str) -> list[str]:
        """All names of a patient that merged resources give, the replacing ones first."""
        names = [other for other, name in self._names.items() if name == self.name(key)] or [key]
        replaced = {other for _, other in self._replaces}
        return sorted(names, key=lambda other: (other in replaced, other))

    def of(self, subject: lean.Reference | None, raw: bytes) -> str | None:
        """``Patient/ID`` of a resource's subject, None if it names nobody; raises NotThisSubject."""
        if subject is None or (subject.reference is None and subject.identifier is None):
            return None
        reference = subject.reference
        if reference is None:
            return self._logical(subject.identifier)
        reference = reference.strip().rstrip("/")
        if reference.startswith("#"):
            return self._contained(reference[1:], raw)
        if reference in self._by_url:
            return self.name(self._by_url[reference])
        if "?" in reference:
            return self._conditional(reference)
        typed = TYPED_REFERENCE.search(reference)
        if typed is None:
            raise NotThisSubject("reference-unresolved", "The subject is not in the input.")
        if typed[1] != "Patient":
            raise NotThisSubject(NOT_A_PATIENT, f"The subject is a {typed[1]}, not a patient.")
        return self.name(self._by_url.setdefault(reference, f"Patient/{typed[2]}"))

    def _add(self, found: RelevantResource) -> tuple[str, tuple[lean.Link, ...]]:
        key = patient_key(found)
        if key is None:
            return "", ()
        self.named.add(key)
        if found.full_url:
            self._by_url[found.full_url] = key
        try:
            identified = _IDENTIFIED.decode(found.raw)
        except msgspec.MsgspecError:
            return key, ()
        for identifier in identified.identifier or ():
            if identifier.value:
                self._systems.add(identifier.system)
                self._by_identifier.setdefault((identifier.system, identifier.value), set()).add(key)
        return key, identified.link or ()

    def _link(self, key: str, link: lean.Link) -> None:
        stated = (link.other.reference or "").strip().rstrip("/") if link.other else ""
        typed = TYPED_REFERENCE.search(stated)
        other = self._by_url.get(stated) or (f"Patient/{typed[2]}" if typed and typed[1] == "Patient" else None)
        if other is not None and link.type == "replaces":
            self._replaces.add((key, other))
        elif other is not None and link.type == "replaced-by":
            self._replaces.add((other, key))

    def _merge(self, wanted: str | None) -> None:
        """One name for all that are linked, over any number of links."""
        groups: dict[str, set[str]] = {}
        for pair in self._replaces:
            joined = set(pair).union(*(groups.get(key, ()) for key in pair))
            groups.update(dict.fromkeys(joined, joined))
        replaced = {other for _, other in self._replaces}
        for key, group in groups.items():
            standing = sorted(group - replaced or group, key=lambda other: (other not in self.named, other))
            self._names[key] = wanted if wanted in group and wanted is not None else standing[0]

    def _logical(self, identifier: lean.Identifier | None) -> str | None:
        """Who has the identifier; None if it tells nothing here."""
        value = identifier.value if identifier else None
        system = identifier.system if identifier else None
        keys = {self.name(key) for key in self._by_identifier.get((system, value), ())} if value else set()
        if len(keys) == 1:
            return next(iter(keys))
        if value and system in self._systems and not keys and system is not None:
            raise NotThisSubject("other-patient", "The subject's identifier is another patient's.")
        return None

    def _conditional(self, reference: str) -> str | None:
        token = _IDENTIFIER.search(reference)
        system, _, value = (token[1] if token else "").replace("%7C", "|").rpartition("|")
        return self._logical(lean.Identifier(system=system or None, value=value))

    def _contained(self, identity: str, raw: bytes) -> str | None:
        """A contained Patient is recognised by its identifiers; without any it is nobody else."""
        try:
            contained = _CONTAINER.decode(raw).contained or ()
        except msgspec.MsgspecError:
            contained = ()
        for resource in contained:
            if resource.id == identity and resource.resource_type == "Patient":
                if not resource.identifier:
                    return None
                return self._any_of(resource.identifier)
        raise NotThisSubject("reference-unresolved", "The contained subject is not in the resource.")

    def _any_of(self, identifiers: tuple[lean.Identifier, ...]) -> str | None:
        complaint: NotThisSubject | None = None
        for identifier in identifiers:
            try:
                found = self._logical(identifier)
            except NotThisSubject as error:
                complaint = complaint or error
            else:
                if found is not None:
                    return found
        if complaint is not None:
            raise complaint
        return None
