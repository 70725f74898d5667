"""The Medications of an input, found by the references of administrations."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from fhir_mappings.fhir_types import decode as judged
from fhir_mappings.fhir_types import elements as lean
from fhir_mappings.fhir_types.medication import Medication
from fhir_mappings.fhir_types.validate import Refused
from fhir_mappings.intake.relevance import RelevantResource
from icans.record import Problem

_TYPED = re.compile(r"(?:^|/)(Medication/[A-Za-z0-9\-._]+)(?:/_history/[^/]+)?$")
_NUMBER = re.compile(r"\d{1,18}", re.ASCII)
_AFFECTS = ("dose", "treatment-start")


class _Dated(msgspec.Struct, frozen=True, gc=False):
    meta: lean.Meta | None = None


_DATED = msgspec.json.Decoder(_Dated)


class Medications:
    """Reads a Medication when a reference leads to it; of several versions the last by number and time."""

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
                medication = judged.medication(found.raw)
            except Refused as refusal:
                problem = Problem("invalid-resource", found.reference, refusal.element, str(refusal), affects=_AFFECTS)
                self.problems.append(problem)
            else:
                readable.append((_order(found), medication))
        return max(readable, key=lambda item: item[0])[1] if readable else None


def _order(found: RelevantResource) -> tuple[int, str, bytes]:
    """Version number, time of filing and text, by which the later of two versions is told."""
    meta = _DATED.decode(found.raw).meta or lean.Meta()
    number = meta.version_id or ""
    return int(number) if _NUMBER.fullmatch(number) else 0, meta.last_updated or "", found.raw
