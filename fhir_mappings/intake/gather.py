"""All resources that matter out of all inputs, each still as bytes, and what is missing from the inputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from fhir_mappings.fhir_types.validate import Refused
from fhir_mappings.intake.bundles import Contents, Deletion, Gap, RawResource, Source, bundle_contents, contents
from fhir_mappings.intake.relevance import Probe, RelevantResource, Selector, probe

#: What the absence of a type of resource could change.
AFFECTS: dict[str, tuple[str, ...]] = {
    "Observation": ("grade",),
    "QuestionnaireResponse": ("grade",),
    "MedicationAdministration": ("dose", "treatment-start"),
    "Procedure": ("infusion",),
    "Medication": ("dose", "treatment-start"),
    "Condition": (),
    "Patient": (),
}
EVERYTHING = ("grade", "dose", "treatment-start", "infusion")
#: Which of icans.record.SOURCES a resource belongs to.
SOURCE_OF = {
    "Observation": "observations",
    "QuestionnaireResponse": "observations",
    "Procedure": "procedures",
    "MedicationAdministration": "administrations",
}
#: Types that are searched for by their codes.
_BY_CODE = frozenset({"Observation", "Procedure"})
_FAILED = frozenset({"error", "fatal"})


class Issue(msgspec.Struct, frozen=True, gc=False):
    severity: str | None = None
    code: str | None = None


class Outcome(msgspec.Struct, frozen=True, gc=False):
    issue: tuple[Issue, ...] | None = None


_OUTCOME = msgspec.json.Decoder(Outcome)


@dataclass(slots=True)
class RelevantResources:
    """found: resources that matter, by type. counts: all resources seen, by type.

    identities: Type/id and fullUrl of every resource seen, for telling whether a reference leads anywhere.
    gaps: what is missing, each with the input it is missing from and what it could change.
    incomplete: the sources (SOURCE_OF) that were not read in full.
    subjects: the subject elements of all resources seen, by the type they were searched for ("" for none).
    """

    found: dict[str, list[RelevantResource]] = field(default_factory=dict)
    deletions: list[Deletion] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    gaps: list[tuple[str, Gap, tuple[str, ...]]] = field(default_factory=list)
    incomplete: set[str] = field(default_factory=set)
    subjects: dict[str, set[bytes]] = field(default_factory=dict)
    seen: list[tuple[Probe, str | None]] = field(default_factory=list)

    def add(self, other: RelevantResources) -> None:
        """Adds all that another gathering holds."""
        for resource_type, found in other.found.items():
            self.found.setdefault(resource_type, []).extend(found)
        self.deletions.extend(other.deletions)
        self.counts.update(other.counts)
        self.gaps.extend(other.gaps)
        self.incomplete |= other.incomplete
        for asked, subjects in other.subjects.items():
            self.subjects.setdefault(asked, set()).update(subjects)
        self.seen.extend(other.seen)

    def of(self, *types: str) -> list[RelevantResource]:
        return [found for resource_type in types for found in self.found.get(resource_type, ())]

    def identities(self) -> dict[str, str]:
        """Every name of every resource seen (Type/id, fullUrl), and the name that its entries carry."""
        names: dict[str, str] = {}
        for seen, full_url in self.seen:
            reference = f"{seen.resource_type}/{seen.id}" if seen.id else full_url
            if reference is not None:
                names[reference] = reference
                names[full_url or reference] = reference
        return names


@dataclass(slots=True)
class Intake:
    """What one input held. asked: the type it was searched for, "" if it is no answer to a search.
    failed: it says itself that it could not be answered."""

    asked: str = ""
    types: Counter[str] = field(default_factory=Counter)
    is_bundle: bool = False
    failed: bool = False

    @property
    def matches(self) -> int:
        return self.types.total() - self.types["OperationOutcome"] - self.types["Bundle"]


def gather(sources: Iterable[Source], selector: Selector) -> RelevantResources:
    """Raises NotFhir for the first input that is none."""
    gathered = RelevantResources()
    for source in sources:
        take(source, selector, gathered)
    return gathered


def take(
    source: Source,
    selector: Selector,
    gathered: RelevantResources,
    prefix: str = "",
    asked: str = "",
) -> Intake:
    """Adds what one input holds; ``prefix`` is put before every place, ``asked`` is the type it was searched
    for, which says what its gaps could change (otherwise its own types say so). Raises NotFhir."""
    content = contents(source)
    intake = Intake(asked, is_bundle=content.is_bundle)
    gaps: list[Gap] = []
    _take_contents(content, selector, gathered, intake, gaps)
    gathered.counts.update(intake.types)
    changed = AFFECTS[asked] if asked else _affected(intake.types)
    if gaps:
        held = {asked} if asked else intake.types.keys() & SOURCE_OF.keys() or SOURCE_OF.keys()
        gathered.incomplete |= {SOURCE_OF[name] for name in held if name in SOURCE_OF}
    gathered.gaps.extend(
        (source.name, Gap(f"{prefix}{gap.place}".rstrip("."), gap.message, gap.code), changed) for gap in gaps
    )
    return intake


def _affected(types: Counter[str]) -> tuple[str, ...]:
    """What a gap in an input of these types could change: of one that holds nothing, everything."""
    held = types.keys() - {"OperationOutcome", "Bundle"}
    changed = {effect for resource_type in held for effect in AFFECTS.get(resource_type, ())}
    return tuple(effect for effect in EVERYTHING if effect in changed) if held else EVERYTHING


def _take_contents(
    content: Contents, selector: Selector, gathered: RelevantResources, intake: Intake, gaps: list[Gap]
) -> None:
    gaps.extend(content.gaps)
    subjects = gathered.subjects.setdefault(intake.asked, set())
    for part in content.parts:
        if part.deleted is not None:
            gathered.deletions.append(part.deleted)
            continue
        try:
            seen = probe(part)
        except Refused as refusal:
            gaps.append(Gap(part.place, str(refusal), "invalid-resource"))
            continue
        resource_type = seen.resource_type
        intake.types[resource_type] += 1
        gathered.seen.append((seen, part.full_url))
        if not part.included:
            subjects.add(bytes(seen.subject))
        found = selector.found(part, seen, intake.asked in _BY_CODE)
        if found is None:
            continue
        if resource_type == "Bundle":
            _take_nested(part, selector, gathered, intake, gaps)
        elif resource_type == "OperationOutcome":
            _take_outcome(part, intake, gaps)
        else:
            gathered.found.setdefault(resource_type, []).append(found)


def _take_nested(
    part: RawResource, selector: Selector, gathered: RelevantResources, intake: Intake, gaps: list[Gap]
) -> None:
    inner = Intake(intake.asked)
    try:
        content = bundle_contents(part.raw, f"{part.place}.")
    except (msgspec.ValidationError, Refused) as error:
        gaps.append(Gap(part.place, f"The Bundle in the Bundle cannot be read ({error}).", "invalid-resource"))
        return
    _take_contents(content, selector, gathered, inner, gaps)
    intake.types.update(inner.types)
    intake.failed = intake.failed or inner.failed


def _take_outcome(part: RawResource, intake: Intake, gaps: list[Gap]) -> None:
    """The server's own words are not repeated: they may speak of the patient."""
    try:
        issues = _OUTCOME.decode(part.raw).issue or ()
    except msgspec.MsgspecError:
        issues = ()
    stated = sorted({f"{issue.severity or 'unknown'}: {issue.code or 'unknown'}" for issue in issues})
    intake.failed = intake.failed or any(issue.severity in _FAILED for issue in issues)
    message = f"The server says that something is missing (OperationOutcome, {', '.join(stated) or 'no issue'})."
    gaps.append(Gap(part.place, message))
