"""What the tests of real EHR shapes have in common: one patient, infused on day 0, looked at on day 6."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from cds_service import evaluate_bundle, handle_hook
from cds_service.instants import instant
from tests.support.builders import (
    PATIENT_ID,
    ROUTES,
    RXNORM,
    SNOMED,
    UCUM,
    Resource,
    bundle,
    concept,
    hook_request,
    infusion,
    on_day,
)

NOW = on_day(6, "12:00")
SUBJECT = {"reference": f"Patient/{PATIENT_ID}"}
INTO_A_VEIN = concept(SNOMED, ROUTES["IV"])
DEXAMETHASONE = concept(RXNORM, "3264", "dexamethasone")
MG_10 = {"value": 10, "unit": "mg", "system": UCUM, "code": "mg"}


def given(when: str = on_day(5, "09:00"), **elements: Any) -> Resource:
    """Dexamethasone 10 mg into a vein on day 5; elements replace, and None removes. ``dosage`` replaces whole,
    ``dose``, ``rateQuantity``, ``method`` and the like are in it."""
    dosage: Resource = {"route": INTO_A_VEIN, "dose": MG_10}
    for name in ("route", "dose", "rateQuantity", "rateRatio", "method", "text", "extension", "modifierExtension"):
        if name in elements:
            dosage[name] = elements.pop(name)
    resource: Resource = {
        "resourceType": "MedicationAdministration",
        "status": "completed",
        "medicationCodeableConcept": DEXAMETHASONE,
        "subject": SUBJECT,
        "effectiveDateTime": when,
        "dosage": {name: value for name, value in dosage.items() if value is not None},
        **elements,
    }
    return {name: value for name, value in resource.items() if value is not None}


def observed(code: Resource, when: str = on_day(5, "08:00"), **elements: Any) -> Resource:
    """An Observation of day 5; an element given as None is left out."""
    resource: Resource = {
        "resourceType": "Observation",
        "status": "final",
        "code": code,
        "subject": SUBJECT,
        "effectiveDateTime": when,
        **elements,
    }
    return {name: value for name, value in resource.items() if value is not None}


def evaluated(*resources: Resource, as_of: str = NOW) -> dict[str, Any]:
    """``evaluate_bundle`` of a patient with these resources and the infusion."""
    return evaluate_bundle(json.dumps(bundle(infusion(on_day(0)), *resources)).encode(), as_of=instant(as_of))


def hooked(*resources: Resource, as_of: str = NOW, **prefetch: Any) -> list[dict[str, Any]]:
    """The cards of a hook call; ``prefetch`` replaces values, and Ellipsis removes one."""
    call = json.loads(hook_request(bundle(infusion(on_day(0)), *resources), as_of))
    call["prefetch"] |= prefetch
    call["prefetch"] = {key: value for key, value in call["prefetch"].items() if value is not ...}
    cards: list[dict[str, Any]] = json.loads(handle_hook("icans-patient-view", json.dumps(call).encode()))["cards"]
    return cards


def exposure(*resources: Resource) -> tuple[float, float | None, int]:
    """Dexamethasone-equivalent mg at least and at most (None: no bound), and doses that could not be counted."""
    found = evaluated(*resources)["exposure"]
    upper = found["upperBoundMg"]
    return found["dexamethasoneEquivalentMg"], upper, found["uncounted"]


def problems(*resources: Resource) -> set[tuple[str, str]]:
    """Code and element of every problem."""
    return {(problem["code"], problem["element"]) for problem in evaluated(*resources)["problems"]}


def problem_codes(*resources: Resource) -> set[str]:
    return {code for code, _ in problems(*resources)}


def grade(*resources: Resource) -> tuple[int | None, int | None, int | None]:
    """Headline (None before any assessment), and the working interval."""
    found = evaluated(*resources)["grade"]
    return found["working"], found["low"], found["high"]


def types(cards: Sequence[dict[str, Any]]) -> set[str]:
    return {card["extension"]["org.icans-cds.alert"]["type"] for card in cards}
