"""The Medications of an input, found by the references of administrations."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from fhir_mappings.fhir_types import elements as lean
from fhir_mappings.fhir_types.decode import decode
from fhir_mappings.fhir_types.medication import Medication, Substance
from fhir_mappings.fhir_types.validate import NOT_READ, Refused
from fhir_mappings.intake.relevance import RelevantResource
from icans.record import Problem

_TYPED = re.compile(r"(?:^|/)((?:Medication|Substance)/[A-Za-z0-9\-._]+)(?:/_history/[^/]+)?$")
_NUMBER = re.compile(r"\d{1,18}", re.ASCII)
_AFFECTS = ("dose", "treatment-start")


class _Dated(msgspec.Struct, frozen=True, gc=False):
    meta: lean.Meta | None = None


_DATED = msgspec.json.Decoder(_Dated)


class Medications:
    """Reads a Medication or Substance when a reference leads to it; of several versions the last."""

    def __init__(self, found: Iterable[RelevantResource]) -> None:
        self._found: dict[str, list[RelevantResource]] = {}
        self._read: dict[str, Medication | None] = {}
        self.problems: list[Problem] = []
        for medication in found:
            for name in {medication.reference, medication.full_url or medication.reference}:
                self._found.setdefault(name, []).append(medication)

    def __call__(self, reference: str) -> Medication | None:
        """The Medication that "Medication/1", a URL or a urn:uuid means; None if it is not in the input."""
        name = reference
        if name not in self._found:
            typed = _TYPED.search(reference)
            name = typed[1] if typed else reference
        if name not in self._read:
            self._read[name] = self._readable(self._found.get(name, []))
        return self._read[name]

    def _readable(self, versions: list[RelevantResource]) -> Medication | None:
        readable: list[tuple[tuple[int, str, bytes], Medication]] = []
        for found in versions:
            try:
                read = decode(found.type, found.raw)
            except Refused as refusal:
                problem = Problem("invalid-resource", found.reference, refusal.element, str(refusal), affects=_AFFECTS)
                self.problems.append(problem)
            else:
                readable.append((_order(found), _as_medication(read.resource)))
                self.problems.extend(
                    Problem("invalid-resource", found.reference, fault.element, NOT_READ.format(fault.message))
                    for fault in read.faults
                )
        return max(readable, key=lambda item: item[0])[1] if readable else None


def _as_medication(resource: Medication | Substance) -> Medication:
    """A Substance names a drug as the code of a Medication does."""
    if isinstance(resource, Medication):
        return resource
    code = resource.code
    return Medication(code=code.concept or code if code is not None else None)


def _order(found: RelevantResource) -> tuple[int, str, bytes]:
    """Version number, time of filing and text, by which the later of two versions is recognised."""
    try:
        meta = _DATED.decode(found.raw).meta or lean.Meta()
    except msgspec.MsgspecError:
        meta = lean.Meta()
    number = meta.version_id or ""
    return int(number) if _NUMBER.fullmatch(number) else 0, meta.last_updated or "", found.raw
