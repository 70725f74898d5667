"""Versions of one resource: their order, and from when each holds.

The first is known as its kind says, a later one not before it was filed (meta.lastUpdated), and replaces
the earlier from then on; entered-in-error or a deletion removes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from fhir_mappings.contribution import Contribution
from fhir_mappings.fhir_types.json_text import decoded
from fhir_mappings.intake.relevance import RelevantResource
from icans.record import Problem

_EARLIEST = datetime.min.replace(tzinfo=UTC)
_LATEST = datetime.max.replace(tzinfo=UTC)
_NUMBER = re.compile(r"\d{1,18}", re.ASCII)
#: How a resource's status moves on: of versions without number and time the later status is the later one.
_STATUS_ORDER = ("registered", "preliminary", "in-progress", "final", "completed", "amended", "corrected")
_ENTERED_IN_ERROR = "entered-in-error"


@dataclass(slots=True)
class Version:
    """One version of a resource; ``found`` is None where the version is its deletion.

    filed: meta.lastUpdated. replaces_from: from when it replaces an earlier one (filed; in a live call at
    most now). deleted: it says of itself that it was deleted. refusal: why it cannot be used, whatever it
    says. foreign: it is not about a patient
    at all. notes: what is reported of it if it is used. partial: the server left elements out.
    resource: what was read from its bytes, in its lean form.
    """

    found: RelevantResource | None
    number: str | None
    filed: datetime | None
    status: str
    replaces_from: datetime | None = None
    deleted: bool = False
    partial: bool = False
    refusal: Problem | None = None
    foreign: bool = False
    notes: tuple[Problem, ...] = ()
    resource: object = None

    @property
    def removes(self) -> bool:
        return self.found is None or self.deleted or self.status == _ENTERED_IN_ERROR

    @property
    def broken(self) -> bool:
        """Whether nothing could be read of it."""
        return self.resource is None and not self.removes


def merge(
    versions: Sequence[Version],
    reference: str,
    read: Callable[[Version], Contribution],
    affects: tuple[str, ...],
) -> Contribution:
    """What all versions of one resource contribute together."""
    steps = ordered(versions)
    if len(steps) == 1 and len(steps[0]) == 1:
        return read(steps[0][0])
    contributions = [[_standing(version, position, read) for version in step] for position, step in enumerate(steps)]
    merged = Contribution()
    superseded: datetime | None = None
    for position in reversed(range(len(steps))):
        known = _known(contributions[: position + 1])
        for contribution in contributions[position]:
            standing = contribution if superseded is None else contribution.until(superseded, reference)
            merged.entries.extend(standing.entries)
            merged.problems.extend(standing.problems)
            merged.refused.extend(standing.refused)
        if len(steps[position]) > 1:
            message = "It occurs more than once, with nothing that shows which is the later; all are considered."
            merged.problems.append(Problem("conflicting-values", reference, "meta.versionId", message, affects=affects))
        # What cannot be read replaces nothing.
        if known is not None and not all(version.broken for version in steps[position]):
            superseded = known if superseded is None else min(known, superseded)
    return merged


def ordered(versions: Sequence[Version]) -> list[list[Version]]:
    """Versions by number, then by the time of filing, then by status; what cannot be distinguished comes together.

    Equal content counts once, however often it was sent.
    """
    if len(versions) == 1:
        return [list(versions)]
    distinct = {_content(version): version for version in versions}
    numbered = all(_NUMBER.fullmatch(version.number or "") for version in distinct.values())
    ranked = sorted((_rank(version, numbered), content) for content, version in distinct.items())
    steps: list[list[Version]] = []
    last = None
    for rank, content in ranked:
        if rank != last:
            steps.append([])
        steps[-1].append(distinct[content])
        last = rank
    return steps


def _rank(version: Version, numbered: bool) -> tuple[int, datetime, int]:
    number = int(version.number or 0) if numbered else 0
    if version.removes:
        return (number, version.filed or (_EARLIEST if numbered else _LATEST), len(_STATUS_ORDER))
    status = _STATUS_ORDER.index(version.status) if version.status in _STATUS_ORDER else -1
    return (number, version.filed or _EARLIEST, status)


def _content(version: Version) -> bytes:
    if version.found is None:
        return f"deleted {version.number} {version.filed}".encode()
    try:
        return json.dumps(decoded(version.found.raw), sort_keys=True, default=str).encode()
    except ValueError:
        return version.found.raw


def _standing(version: Version, position: int, read: Callable[[Version], Contribution]) -> Contribution:
    """One version as it came; a later one is known when it was filed, and one that removes says nothing."""
    contribution = Contribution() if version.found is None else read(version)
    if position == 0:
        return contribution
    if version.removes:
        contribution = Contribution(contribution.known)
    return contribution if version.replaces_from is None else contribution.not_before(version.replaces_from)


def _known(earlier: Sequence[Sequence[Contribution]]) -> datetime | None:
    """From when the last of these is known; one that does not say is known with the one before."""
    for step in reversed(earlier):
        known = [contribution.known for contribution in step if contribution.known is not None]
        if known:
            return min(known)
    return None
