"""Mutated charts through every door: ``python -m tests.properties.mutants.charts 200000``.

A small chart (infusion, a decisive ICE, an ICE by items, a seizure, two doses) is changed in three ways: anywhere, in
elements that do not decide, in one that decides. Each mutant goes through ``evaluate_bundle``, ``replay_bundle`` or
``handle_hook``. What must hold is in the docstrings of ``answer``, ``changed`` and ``silent``. Mutants are drawn from
a seed, so that they can be drawn again.
"""

from __future__ import annotations

import argparse
import copy
import json
import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from cds_service import HookError, evaluate_bundle, handle_hook, replay_bundle
from cds_service.evaluation import PatientNotFound, SeveralPatients
from fhir_mappings import NotFhir
from tests.support.builders import (
    PATIENT_ID,
    bundle,
    hook_request,
    ice,
    ice_items,
    infusion,
    on_day,
    search_set,
    seizure,
    steroid,
)
from tests.support.mutations import mutants

Json = dict[str, Any]
SERVICE = "icans-patient-view"
DATUM = on_day(5, "08:00")
NOW, END = (datetime.fromisoformat(on_day(day, "14:00")) for day in (5, 7))
NOTE = {"text": "written by hand"}
CHART: tuple[Json, ...] = (
    {"resourceType": "Patient", "id": PATIENT_ID, "birthDate": "1961-04-02", "name": [{"family": "Case"}]},
    infusion(on_day(0, "08:30"), id="infusion") | {"note": [NOTE]},
    ice(on_day(0), 10, id="before"),
    ice(DATUM, 2, id="ice") | {"note": [NOTE], "category": [{"text": "exam"}]},
    ice_items(
        on_day(5, "12:00"), {"orientation": 1, "naming": 0, "commands": 1, "writing": 0, "attention": 0}, id="items"
    ),
    seizure(on_day(5, "09:30"), "brief-or-resolving", 60, id="seizure"),
    steroid(on_day(5, "09:00"), "dexamethasone", "10", id="dex") | {"note": [NOTE], "category": {"text": "ward"}},
    steroid(on_day(5, "10:00"), "methylprednisolone", "62.5", end=on_day(5, "11:00"), id="mp"),
)
#: Elements of each type that decide nothing: any fault in them costs a note in the list of problems.
_INERT = {
    "Observation": """
        category basedOn partOf encounter performer interpretation note specimen device referenceRange language text
        identifier foo recorded fhir_comments extension meta.profile meta.security subject.foo code.extension
        code.coding.0.version code.coding.0.userSelected code.coding.0.foo""",
    "MedicationAdministration": """
        instantiates category context supportingInformation performer reasonCode reasonReference request device note
        eventHistory text language extension foo fhir_comments meta.profile dosage.foo dosage.id
        medicationCodeableConcept.coding.0.version""",
    "Procedure": """
        category encounter recorder asserter performer location reasonCode note outcome report complication followUp
        text language identifier extension foo""",
    "Patient": """
        name telecom gender address maritalStatus contact communication photo text generalPractitioner language
        extension foo""",
}
INERT = {kind: names.split() for kind, names in _INERT.items()}
FAULTS = json.loads("""[
    null, "", " ", "x ", 5, -1.5, true, [], {}, [null], [{}], [[]], {"foo": 1}, {"coding": "x"}, {"text": ""},
    {"reference": ""}, [{"reference": null}], {"coding": [{"system": "", "code": ""}]}, [{"value": ""}],
    {"start": "0001-01-01"}, [{"url": "", "valueCode": 1}], [{"valueCode": "x"}], "9999-99-99", [{"text": "\\u0000"}],
    {"extension": [{"valueString": "x"}]}, 1000000000000000000000000000000
]""")
#: Faults after which an element that decides cannot be read; GONE takes it away.
GONE = object()
BROKEN = (GONE, None, "", {}, [], [None], True, {"foo": 1}, "nonsense")
NO_TIME = (*BROKEN, "2026-02-30", 20260306, "0001-01-01T00:00:00Z", "9999-12-31")
NO_POINTS = (*BROKEN, 99, -1, 2.5, "three", [2])
NOT_THE_PATIENT = ({"reference": "Group/g"}, {"reference": "Device/d"}, {"reference": "Location/l"})
UNKNOWN_MODIFIER = ([{"url": "http://example.org/unknown", "valueBoolean": True}],)
DECIDING: dict[str, dict[str, tuple[Any, ...]]] = {
    "Observation/ice": {
        "status": BROKEN,
        "effectiveDateTime": NO_TIME,
        "valueInteger": NO_POINTS,
        "subject": BROKEN + NOT_THE_PATIENT,
        "focus": ([{"reference": "Patient/baby"}],),
        "modifierExtension": UNKNOWN_MODIFIER,
        "implicitRules": ("http://example.org/rules",),
    },
    "MedicationAdministration/dex": {
        "status": BROKEN,
        "medicationCodeableConcept": BROKEN,
        "effectiveDateTime": NO_TIME,
        "subject": NOT_THE_PATIENT,
        "dosage": BROKEN,
        "dosage.dose": BROKEN,
        "dosage.dose.value": BROKEN,
        "dosage.dose.code": ("nonsense", 5, {}),
        "dosage.route": (GONE, "nonsense", {"text": "???"}),
        "modifierExtension": UNKNOWN_MODIFIER,
    },
    "Procedure/infusion": {"status": BROKEN, "performedDateTime": NO_TIME},
}
KEY_OF = {
    "Observation": "observations",
    "MedicationAdministration": "medicationAdministrations",
    "Procedure": "procedures",
    "Condition": "conditions",
}
REFERENCES = [f"{each['resourceType']}/{each['id']}" for each in CHART]
#: So many mutants of a kind are printed.
SHOWN = 40
#: What the three Python functions may raise for data that are not what they ask for.
DOCUMENTED = (NotFhir, SeveralPatients, PatientNotFound)


@dataclass(frozen=True, slots=True)
class Mutant:
    """A changed chart. reference: the resource that was changed ("" where anywhere); change: how, in words."""

    resources: tuple[Json, ...]
    reference: str = ""
    change: str = ""

    def __str__(self) -> str:
        return f"{self.reference}: {self.change}" if self.change else json.dumps(self.resources)


def _evaluate(chart: Json) -> Json:
    return evaluate_bundle(_bytes(chart), as_of=NOW, patient=PATIENT_ID)


def _replay(chart: Json) -> Json:
    courses = replay_bundle(_bytes(chart), patient=PATIENT_ID, as_of=END)
    return courses[0] if courses else {}


def _hook(chart: Json) -> Json:
    rows = [entry["resource"] for entry in chart["entry"]]
    prefetch: Json = {"patient": next((row for row in rows if row.get("resourceType") == "Patient"), None)}
    for kind, key in KEY_OF.items():
        prefetch[key] = search_set([row for row in rows if row.get("resourceType") == kind])
    call = {**json.loads(hook_request(bundle(), NOW.isoformat())), "prefetch": prefetch}
    answered: Json = json.loads(handle_hook(SERVICE, _bytes(call)))
    return answered


def _bytes(chart: Json) -> bytes:
    return json.dumps(chart).encode("utf-8", "surrogatepass")


DOORS: dict[str, Callable[[Json], Json]] = {"evaluate": _evaluate, "replay": _replay, "hook": _hook}


def answer(door: str, resources: Sequence[Json]) -> Json | None:
    """What a door answers; None where it refuses the data as documented. Raises what no door may raise."""
    try:
        return DOORS[door](
            {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in resources]}
        )
    except DOCUMENTED:
        return None
    except HookError as refusal:
        assert refusal.status in (400, 412), refusal.status
        return None


@cache
def as_charted(door: str) -> Json:
    found = answer(door, CHART)
    assert found is not None
    return found


def placed(resource: Json, path: str, value: Any) -> Json:
    """A copy with ``value`` at ``path`` (GONE: without it); holders that are not there are made."""
    changed: Json = copy.deepcopy(resource)
    holder: Any = changed
    *holders, last = path.split(".")
    for name in holders:
        holder = holder[int(name)] if name.isdigit() else holder.setdefault(name, {})
    if value is GONE:
        holder.pop(last, None)
    else:
        holder[last] = copy.deepcopy(value)
    return changed


def mutant(position: int, path: str, value: Any) -> Mutant:
    """CHART with one element of one of its resources changed."""
    resource = CHART[position]
    resources = (*CHART[:position], placed(resource, path, value), *CHART[position + 1 :])
    shown = "taken away" if value is GONE else json.dumps(value)[:80]
    return Mutant(resources, REFERENCES[position], f"{path} {shown}")


def inert_mutants() -> Iterator[Mutant]:
    """Every fault in every element that does not decide, in every resource."""
    for position, resource in enumerate(CHART):
        for path in INERT[resource["resourceType"]]:
            yield from (mutant(position, path, fault) for fault in FAULTS)


def deciding_mutants() -> Iterator[Mutant]:
    """Every fault in every element that decides, in one resource of each kind."""
    for reference, elements in DECIDING.items():
        for path, faults in elements.items():
            yield from (mutant(REFERENCES.index(reference), path, fault) for fault in faults)


def with_noise(found: Mutant, rng: random.Random) -> Mutant:
    """One to three faults more, in elements that do not decide, anywhere in the chart."""
    resources = list(found.resources)
    more = []
    for _ in range(rng.randint(1, 3)):
        position = rng.randrange(len(CHART))
        path, fault = rng.choice(INERT[CHART[position]["resourceType"]]), rng.choice(FAULTS)
        try:
            resources[position] = placed(resources[position], path, fault)
        except (AttributeError, TypeError, LookupError):
            continue  # the element's holder is what was broken
        more.append(f"{REFERENCES[position]}: {path} {json.dumps(fault)[:80]}")
    return Mutant(tuple(resources), found.reference, "; ".join(filter(None, [found.change, *more])))


def anywhere_mutants(count: int, seed: int) -> Iterator[Mutant]:
    """The chart with one to three things changed anywhere, resource types included."""
    for resources in mutants(list(CHART), count, seed):
        yield Mutant(tuple(each for each in resources if isinstance(each, dict)))


def changed(door: str, found: Mutant) -> str:
    """What a fault in an element that does not decide changed: nothing may, but for the list of problems."""
    return _differences(door, answer(door, found.resources))


def _differences(door: str, after: Json | None) -> str:
    before = as_charted(door)
    if after is None:
        return "refused"
    return ", ".join(name for name in before if name != "problems" and before[name] != after.get(name))


def silent(door: str, found: Mutant) -> str:
    """Why a fault in an element that decides is passed over in silence.

    The answer is as charted, or the resource is named by what holds at NOW, hours after the datum: by a finding of
    ``evaluate``, by a card of the hook, by an alert of the replay. And a dose that may have been given leaves no exact
    sum without it.
    """
    after = answer(door, found.resources)
    if after is None or not _differences(door, after):
        return _differences(door, after)
    shown = after[{"evaluate": "findings", "replay": "alerts", "hook": "cards"}[door]]
    if door == "replay":
        shown = [alert for alert in shown if datetime.fromisoformat(alert["shownAt"]) <= NOW]
    if found.reference not in json.dumps(shown):
        return "named nowhere"
    if door == "evaluate" and found.reference.startswith("MedicationAdministration"):
        upper = after["exposure"]["upperBoundMg"]
        if upper is not None and upper < as_charted(door)["exposure"]["upperBoundMg"]:
            return f"upper bound {upper} mg"
    return ""


def complaint(kind: str, door: str, found: Mutant) -> str:
    """What is wrong with the answer of a door to a mutant; "" if nothing."""
    try:
        if kind == "anywhere":
            answer(door, found.resources)
            return ""
        return changed(door, found) if kind == "inert" else silent(door, found)
    except Exception as error:  # noqa: BLE001 (any is what is looked for)
        frame = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} in {frame.name} ({frame.filename.rpartition('/')[2]}:{frame.lineno})"


def drawn(count: int, seed: int) -> Iterator[tuple[str, str, Mutant]]:
    """Kind, door and mutant; of ten, four are changed anywhere, four where nothing decides, two where it does."""
    rng = random.Random(seed)
    inert, deciding, doors = list(inert_mutants()), list(deciding_mutants()), list(DOORS)
    anywhere = anywhere_mutants(count, seed)
    for number in range(count):
        door = doors[number % len(doors)]
        if number % 10 < 4:
            yield "anywhere", door, next(anywhere)
        elif number % 10 < 8:
            yield "inert", door, with_noise(rng.choice(inert), rng)
        else:
            yield "deciding", door, with_noise(rng.choice(deciding), rng)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.properties.mutants.charts", description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=None, help="stop after that long")
    options = parser.parse_args(arguments)
    started, counts, wrong = time.monotonic(), Counter[str](), Counter[str]()
    for kind, door, found in drawn(options.count, options.seed):
        counts[f"{kind}, {door}"] += 1
        text = complaint(kind, door, found)
        if text:
            wrong[kind] += 1
            if wrong[kind] <= SHOWN:
                print(f"{kind}, {door}: {text}: {str(found)[:400]}", flush=True)
        if options.minutes is not None and time.monotonic() - started > options.minutes * 60:
            break
    for name, seen in sorted(counts.items()):
        print(f"{seen:>8} {name}")
    print(f"{counts.total():>8} mutants from seed {options.seed}, {wrong.total()} wrong {dict(wrong)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
