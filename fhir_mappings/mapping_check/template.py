"""A ConceptMap to fill in: every code of a report that a site could map, by what it could be mapped to.

FHIR R4 ConceptMap. An element without target says nothing yet and is passed over when the file is read, so
that the file can be filled in bit by bit.
"""

from __future__ import annotations

from typing import Any

from fhir_mappings.mapping_check.report import IRRELEVANT, LOOKS_RELEVANT, Report, ReportRow
from fhir_mappings.terminology import systems as canonical
from fhir_mappings.terminology.lookup import Terminology

HINT = f"{canonical.BASE}/StructureDefinition/mapping-hint"
_CONCEPT_MAP_EXAMPLE = '"target": [{"code": "ice-total", "equivalence": "equivalent"}]'
_HOW = (
    "Codes of this site that icans-cds does not understand yet. Each element is one code as it is charted; its "
    "mapping-hint says how often and where it occurs and what it may mean. To map it, add a target to the element, "
    f"such as {_CONCEPT_MAP_EXAMPLE}, with a code of the code system that the group names as its target. Leave "
    "elements that mean nothing here without target, or delete them. An answer is listed once under each code system "
    "that it may belong to: give it a target under one of them. A coded answer that means different things "
    'under different questions needs a dependsOn in its target: {"property": "'
    f'{canonical.ASSESSMENT}", "value": "the icans-assessment code of the question"}}. Put the file into the folder '
    "that is given as --mappings (or mappings_folder in the configuration). Codes of the target code systems: "
)


def mapping_template(report: Report, terminology: Terminology) -> dict[str, Any]:
    """The ConceptMap, most frequent codes first; without any group if there is nothing to map."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in [*report.rows(LOOKS_RELEVANT), *report.rows(IRRELEVANT)]:
        for target in row.item.targets:
            elements = groups.setdefault((row.item.system, target), [])
            if all(element["code"] != row.item.code for element in elements):
                elements.append(_element(row))
    found: dict[str, Any] = {
        "resourceType": "ConceptMap",
        "id": "site-codes",
        "name": "SiteCodes",
        "title": "Codes of this site",
        "status": "draft",
        "description": _HOW + _listed({target for _, target in groups} or {canonical.ASSESSMENT}, terminology),
    }
    if groups:
        found["group"] = [
            {"source": source, "target": target, "element": elements}
            for (source, target), elements in sorted(groups.items(), key=lambda item: _rank(*item[0]))
        ]
    return found


def _element(row: ReportRow) -> dict[str, Any]:
    item = row.item
    parts = [f"{item.kind}, {row.count} times", f"for example {', '.join(row.references)}"]
    parts += [item.map_to] if item.map_to else []
    found: dict[str, Any] = {
        "extension": [{"url": HINT, "valueString": "; ".join(parts)}],
        "code": item.code,
    }
    return found | {"display": item.display} if item.display.strip() else found


def _rank(source: str, target: str) -> tuple[int, str, str]:
    order = (canonical.ASSESSMENT, canonical.FINDING, canonical.SCORE, canonical.NOT_ASSESSED)
    return (order.index(target) if target in order else len(order), target, source)


def _listed(targets: set[str], terminology: Terminology) -> str:
    systems = terminology.tables.code_systems
    return " ".join(
        f"{target.rpartition('/')[2]}: {', '.join(systems[target])}." for target in sorted(targets) if target in systems
    )
