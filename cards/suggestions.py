"""Drafts a user can accept: document the grade, an assessment, EEG or imaging. Never a drug or a procedure.

All are new R4 resources (CDS Hooks action ``create``). The service never reads back an Observation whose
method is COMPUTED_METHOD: a grade it computed itself is no evidence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from cards.json_values import time_json
from cards.sources import CANONICAL
from icans.record import Evidence

COMPUTED_METHOD = {
    "coding": [
        {
            "system": f"{CANONICAL}/CodeSystem/icans-method",
            "code": "computed-from-recorded-items",
            "display": "Computed from recorded items",
        }
    ],
    "text": "computed from recorded items",
}
_OBSERVATION = re.compile(r"Observation/[A-Za-z0-9.-]{1,64}")
_PATIENT = re.compile(r"Patient/[A-Za-z0-9.-]{1,64}")


def document_grade(patient: str, grade: int, at: datetime, evidence: Iterable[Evidence]) -> list[dict[str, Any]]:
    """A preliminary Observation of the computed ICANS grade, derived from the Observations it rests on."""
    resource: dict[str, Any] = {
        "resourceType": "Observation",
        "status": "preliminary",
        "code": {
            "coding": [
                {
                    "system": f"{CANONICAL}/CodeSystem/icans-assessment",
                    "code": "documented-icans-grade",
                    "display": "ICANS grade",
                }
            ],
            "text": "ICANS grade (ASTCT 2019)",
        },
        "subject": {"reference": patient},
        "effectiveDateTime": time_json(at),
        "valueInteger": grade,
        "method": COMPUTED_METHOD,
    }
    derived = dict.fromkeys(item.reference for item in evidence if _OBSERVATION.fullmatch(item.reference))
    if derived:
        resource["derivedFrom"] = [{"reference": reference} for reference in derived]
    return _suggestion(patient, "Document the grade", f"Draft observation: ICANS grade {grade}, computed", resource)


def draft_assessment(patient: str) -> list[dict[str, Any]]:
    """A draft request for an ICE (or CAPD) with level of consciousness."""
    return _draft(patient, "Draft an assessment", "ICE (or CAPD) and level of consciousness")


def draft_eeg(patient: str) -> list[dict[str, Any]]:
    """A draft request for an EEG."""
    return _draft(patient, "Draft an EEG order", "EEG")


def draft_imaging(patient: str) -> list[dict[str, Any]]:
    """A draft request for brain imaging."""
    return _draft(patient, "Draft an imaging order", "Brain imaging")


def _draft(patient: str, label: str, requested: str) -> list[dict[str, Any]]:
    resource = {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "proposal",
        "code": {"text": requested},
        "subject": {"reference": patient},
    }
    return _suggestion(patient, label, f"Draft request: {requested}", resource)


def _suggestion(patient: str, label: str, description: str, resource: dict[str, Any]) -> list[dict[str, Any]]:
    if not _PATIENT.fullmatch(patient):
        return []
    return [{"label": label, "actions": [{"type": "create", "description": description, "resource": resource}]}]
