"""The prefetch of a CDS Hooks call: which keys it has, which could be read, what is missing without them.

A key may be split (observations, observations2, ...). Absent is unknown; null and an empty Bundle mean that
the search found nothing (CDS Hooks 2.0.1, prefetch); a value of the wrong shape counts as absent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from fhir_mappings.intake.bundles import Gap, NotFhir, Source
from fhir_mappings.intake.gather import AFFECTS, SOURCE_OF, RelevantResources, take
from fhir_mappings.intake.relevance import Selector, patient_key

#: Keys and the type of resource that each is for.
FAMILIES = {
    "patient": "Patient",
    "observations": "Observation",
    "medicationAdministrations": "MedicationAdministration",
    "procedures": "Procedure",
    "conditions": "Condition",
    "medications": "Medication",
}
#: Accepted, but not asked for.
_UNASKED = frozenset({"medications"})
_KEY = re.compile(rf"({'|'.join(FAMILIES)})([2-9]|[1-9]\d+)?", re.ASCII)
_COSTS = {
    "patient": "the age, and a recorded death, are unknown",
    "observations": "no assessment can be read",
    "medicationAdministrations": "steroid doses and sedation are unknown",
    "procedures": "the infusion may be missing",
    "conditions": "developmental delay is unknown",
    "medications": "drugs named by reference may be unknown",
}


@dataclass(slots=True)
class Prefetched:
    """missing: keys of which nothing could be read. unread: their resource types. patient: ``Patient/ID`` of
    the Patient under ``patient``."""

    missing: tuple[str, ...] = ()
    unread: set[str] = field(default_factory=set)
    patient: str | None = None


def read_keys(
    prefetch: Mapping[str, bytes | None], selector: Selector, gathered: RelevantResources, reasons: Mapping[str, str]
) -> Prefetched:
    """Takes every value that can be read into ``gathered`` and says what could not, with the reasons known."""
    unreadable: dict[str, list[str]] = {family: [] for family in FAMILIES}
    present: dict[str, list[str]] = {family: [] for family in FAMILIES}
    prefetched = Prefetched()
    for key in sorted(prefetch):
        named = _KEY.fullmatch(key)
        if named is None:
            continue
        family = named[1]
        present[family].append(key)
        before = len(gathered.of("Patient"))
        if not _take_value(key, family, prefetch[key], selector, gathered):
            unreadable[family].append(key)
        elif family == "patient" and prefetched.patient is None:
            prefetched.patient = next((patient_key(found) for found in gathered.of("Patient")[before:]), None)
    missing: list[str] = []
    for family, keys in present.items():
        told = [key for key in reasons if (named := _KEY.fullmatch(key)) and named[1] == family]
        absent = list(dict.fromkeys([*_absent_parts(family, keys), *(key for key in told if key not in keys)]))
        gathered.gaps.extend(_absence(key, family, reasons.get(key)) for key in absent)
        gathered.gaps.extend(
            (key, Gap(f"prefetch.{key}", f"{reasons[key]}."), AFFECTS[FAMILIES[family]])
            for key in keys
            if key in reasons
        )
        if (absent or unreadable[family] or told) and FAMILIES[family] in SOURCE_OF:
            gathered.incomplete.add(SOURCE_OF[FAMILIES[family]])
        if len(unreadable[family]) == len(keys) and family not in _UNASKED:
            missing.extend([*unreadable[family], *absent])
            prefetched.unread.add(FAMILIES[family])
    prefetched.missing = tuple(sorted(missing))
    return prefetched


def _absent_parts(family: str, keys: list[str]) -> list[str]:
    """Keys that should be there: the family's own, and the parts before the last part that is there."""
    if not keys:
        return [] if family in _UNASKED else [family]
    last = max(int(key.removeprefix(family) or 1) for key in keys)
    expected = [family, *(f"{family}{number}" for number in range(2, last + 1))] if last < 1000 else keys
    return [key for key in expected if key not in keys]


def _absence(key: str, family: str, reason: str | None) -> tuple[str, Gap, tuple[str, ...]]:
    message = f"{reason or f'The call holds no {key}'}: {_COSTS[family]}."
    return key, Gap(f"prefetch.{key}", message), AFFECTS[FAMILIES[family]]


def _take_value(key: str, family: str, value: bytes | None, selector: Selector, gathered: RelevantResources) -> bool:
    """Whether the value could be read."""
    asked = FAMILIES[family]
    affects = AFFECTS[asked]
    if value is None:
        if family != "patient":
            return True
        gathered.gaps.append((key, Gap("prefetch.patient", f"The patient is null: {_COSTS[family]}."), affects))
        return False
    held = RelevantResources()
    try:
        taken = take(Source(key, value), selector, held, f"prefetch.{key}.", asked)
    except NotFhir as error:
        message = f"The value of {key} {error.reason}; it counts as absent: {_COSTS[family]}."
        gathered.gaps.append((key, Gap(f"prefetch.{key}", message), affects))
        return False
    if taken.is_bundle or taken.types[asked]:
        gathered.add(held)
        return not taken.failed or taken.matches > 0
    if taken.types["OperationOutcome"]:
        gathered.gaps.extend(held.gaps)
    else:
        message = f"The value of {key} is neither a Bundle nor a {asked}; it counts as absent."
        gathered.gaps.append((key, Gap(f"prefetch.{key}", message), affects))
    return False
