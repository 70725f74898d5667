"""The CSV file of a report: every code or text that a site could map, with a proposal and a column to tick."""

from __future__ import annotations

from fhir_mappings.mapping_check.report import IRRELEVANT, LOOKS_RELEVANT, Report, ReportRow
from fhir_mappings.terminology import spreadsheet


def mapping_csv(report: Report) -> tuple[bytes, int]:
    """The file, and how many rows it has: those that look relevant first, each by how often it occurs."""
    rows: dict[tuple[str, str, str, str], dict[str, str]] = {}
    for row in [*report.rows(LOOKS_RELEVANT), *report.rows(IRRELEVANT)]:
        item = row.item
        if item.targets:
            rows.setdefault((item.system, item.code, item.proposal, item.kind), _cells(row))
    return spreadsheet.written(rows.values()), len(rows)


def _cells(row: ReportRow) -> dict[str, str]:
    item = row.item
    return {
        "proposal": item.proposal,
        "system": item.system,
        "code": item.code,
        "text": item.display,
        "kind": item.kind,
        "count": str(row.count),
        "may be": " or ".join(target.rpartition("/")[2] for target in item.targets),
        "examples": " ".join(row.references),
        "lost": item.lost,
    }
