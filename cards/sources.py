"""The published sources that cards cite, and the CDS Hooks ``source`` of a card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

#: Canonical base of the project's code systems: an identifier, never fetched.
CANONICAL = "https://icans-cds.org/fhir"
TOPICS = f"{CANONICAL}/CodeSystem/card-topic"
OVERRIDE_REASONS = f"{CANONICAL}/CodeSystem/override-reason"


@dataclass(frozen=True, slots=True)
class Source:
    """A publication: ``label`` fits a card's source line, ``citation`` and ``url`` find it."""

    label: str
    citation: str
    url: str = ""


ASTCT = Source(
    "ASTCT consensus grading 2019 (Lee et al.)",
    "Lee et al. 2019, doi 10.1016/j.bbmt.2018.12.758",
    "https://doi.org/10.1016/j.bbmt.2018.12.758",
)
FRIDBERG = Source(
    "Fridberg et al., Haematologica 2026",
    "Fridberg et al. 2026, doi 10.3324/haematol.2025.288954",
    "https://doi.org/10.3324/haematol.2025.288954",
)
STRATI = Source(
    "Strati et al., Blood 2021",
    "Strati et al. 2021, PMID 33534891 (abstract)",
    "https://pubmed.ncbi.nlm.nih.gov/33534891/",
)
ASCO_8011 = Source("ASCO 2020 abstract 8011", "ASCO 2020, abstract 8011")
RECORD = Source("The available record", "")

TOPIC_DISPLAY = {
    "icans": "ICANS grade",
    "refractory": "ICANS under steroid treatment",
    "steroids": "Steroid exposure",
    "data": "Data quality",
}

_OVERRIDE_REASONS = (
    ("other-cause", "Findings have another cause"),
    ("already-reviewed", "Already reviewed"),
    ("sedation", "Patient is sedated"),
    ("data-error", "Error in the recorded data"),
    ("not-applicable", "Does not apply to this patient"),
)


def card_source(source: Source, module: str, about_url: str | None) -> dict[str, Any]:
    """The ``source`` of a card: the publication a finding rests on, else the service, and its topic as a Coding."""
    topic = {"system": TOPICS, "code": module, "display": TOPIC_DISPLAY[module]}
    url = source.url or about_url
    return {"label": source.label, "url": url, "topic": topic} if url else {"label": source.label, "topic": topic}


def override_reasons() -> list[dict[str, str]]:
    """Reasons a user can give for putting a card aside, as Codings."""
    return [{"system": OVERRIDE_REASONS, "code": code, "display": display} for code, display in _OVERRIDE_REASONS]
