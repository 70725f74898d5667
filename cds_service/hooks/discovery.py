"""The discovery document (CDS Hooks 2.0.1, ``GET /cds-services``), with prefetch templates from the terminology."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from cds_service.hooks.services import (
    LONGEST_TEMPLATE,
    OBSERVATIONS,
    PREFETCH,
    PROCEDURES,
    SERVICES,
    USAGE_REQUIREMENTS,
)

if TYPE_CHECKING:
    from fhir_mappings import Terminology


def discovery(*terminologies: Terminology) -> dict[str, Any]:
    """All services offered; the same for every caller, and without any look at a FHIR server."""
    templates = prefetch_templates(*terminologies)
    return {
        "services": [
            {
                "hook": service.hook,
                "title": service.title,
                "description": service.description,
                "id": service.id,
                "prefetch": templates,
                "usageRequirements": USAGE_REQUIREMENTS,
            }
            for service in SERVICES.values()
        ]
    }


def prefetch_templates(*terminologies: Terminology) -> dict[str, str]:
    """Prefetch keys and templates: one search a kind of data, split where a template would grow too long.

    Callers of several FHIR servers are offered the codes of all their terminologies.
    """
    observations = split_template(OBSERVATIONS, _codes(terminologies, "Observation"))
    procedures = split_template(PROCEDURES, _codes(terminologies, "Procedure"))
    return {
        "patient": PREFETCH["patient"],
        **_numbered("observations", observations),
        "medicationAdministrations": PREFETCH["medicationAdministrations"],
        **_numbered("procedures", procedures),
        "conditions": PREFETCH["conditions"],
    }


def split_template(template: str, tokens: Iterable[str]) -> list[str]:
    """The template with ``system|code`` tokens for its CODES, as often as keeps each within LONGEST_TEMPLATE."""
    room = LONGEST_TEMPLATE - len(template) + len("CODES")
    lists: list[str] = []
    for token in (quote(token, safe=":/|.-_~") for token in tokens):
        if lists and len(lists[-1]) + 1 + len(token) <= room:
            lists[-1] += f",{token}"
        else:
            lists.append(token)
    return [template.replace("CODES", joined) for joined in lists]


def _codes(terminologies: Iterable[Terminology], resource_type: str) -> list[str]:
    return sorted({code for terminology in terminologies for code in terminology.relevant_codes(resource_type)})


def _numbered(key: str, templates: list[str]) -> dict[str, str]:
    return {key if number == 1 else f"{key}{number}": text for number, text in enumerate(templates, start=1)}
