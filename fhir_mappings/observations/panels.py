"""Observations that stand together: members of a panel, contained ones, what the panel says of them all."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property

import msgspec

from fhir_mappings.fhir_types import elements as lean
from fhir_mappings.intake.gather import RelevantResources
from fhir_mappings.intake.relevance import Selector
from fhir_mappings.observations.entries import attributes_to_other_cause

_OBSERVATION = re.compile(r"(?:^|/)(Observation/[A-Za-z0-9\-._]+)(?:/_history/[^/]+)?$")


class _Typed(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    resource_type: str | None = None
    id: str | None = None


_TYPED = msgspec.json.Decoder(_Typed)
_EACH = msgspec.json.Decoder(tuple[msgspec.Raw, ...])
_CONTAINED = msgspec.json.Decoder(lean.Observation)


class Panels:
    """Follows hasMember within one input."""

    def __init__(self, gathered: RelevantResources) -> None:
        self._gathered = gathered

    @cached_property
    def _names(self) -> dict[str, str]:
        return self._gathered.identities()

    def attributed(self, observations: Iterable[lean.Observation], selector: Selector) -> set[str]:
        """Members of panels that attribute their findings to another cause."""
        members: set[str] = set()
        for panel in observations:
            if panel.has_member and panel.component and attributes_to_other_cause(panel, selector):
                members.update(name for name in map(self.member, panel.has_member) if name is not None)
        return members

    def member(self, reference: lean.Reference) -> str | None:
        """Name of the Observation of this input that a member reference means, None if it is not there."""
        stated = reference.reference or ""
        if stated in self._names:
            return self._names[stated]
        typed = _OBSERVATION.search(stated)
        return self._names.get(typed[1]) if typed else None

    def unresolved(self, panel: lean.Observation) -> list[tuple[int, str]]:
        """Position and text of each member that is in this input neither as an Observation nor contained."""
        return [
            (index, reference.reference or "without a reference")
            for index, reference in enumerate(panel.has_member or ())
            if not (reference.reference or "").startswith("#") and self.member(reference) is None
        ]


def contained_members(panel: lean.Observation) -> tuple[list[tuple[str, lean.Observation]], list[str]]:
    """Contained members of a panel by their local id, and the local ids that lead nowhere.

    A contained Observation depends on its panel: what it does not say of status and time, the panel says.
    """
    wanted = [
        (reference.reference or "")[1:]
        for reference in panel.has_member or ()
        if (reference.reference or "").startswith("#")
    ]
    if not wanted:
        return [], []
    held = _contained_observations(panel.contained)
    found = [(identity, _completed(held[identity], panel)) for identity in wanted if identity in held]
    return found, [identity for identity in wanted if identity not in held]


def _contained_observations(raw: msgspec.Raw) -> dict[str, lean.Observation]:
    held: dict[str, lean.Observation] = {}
    for part in _EACH.decode(raw) if raw else ():
        typed = _TYPED.decode(part)
        if typed.resource_type == "Observation" and typed.id:
            held[typed.id] = _CONTAINED.decode(part)
    return held


def _completed(member: lean.Observation, panel: lean.Observation) -> lean.Observation:
    times = ("effective_date_time", "effective_instant", "effective_period", "effective_timing")
    inherited: dict[str, object] = {
        "issued": member.issued or panel.issued,
        "status": member.status or panel.status,
    }
    if all(getattr(member, name) is None for name in times):
        inherited |= {name: getattr(panel, name) for name in times}
    return msgspec.structs.replace(member, **inherited)
