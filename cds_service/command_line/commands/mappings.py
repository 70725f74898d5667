"""``icans-cds mappings check``: which codes and units of some data are understood, and a ConceptMap to fill in."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cds_service.command_line.options import compiled_site, create_folder, json_bytes, say, settings_of, write
from cds_service.errors import DONE, NOT_FHIR, Refusal

if TYPE_CHECKING:
    from fhir_mappings import Report, ReportRow, Terminology

#: Names are shown up to here in the text; JSON has them whole.
LONGEST_DISPLAY = 80
_TITLES = {
    "understood": "Understood",
    "looks-relevant": "Looks relevant and is not understood",
    "refused": "Not valid FHIR, and therefore not used",
    "irrelevant": "Irrelevant here",
}
_JSON_KEYS = {
    "understood": "understood",
    "looks-relevant": "looksRelevant",
    "refused": "refused",
    "irrelevant": "irrelevant",
}


def mappings_check(options: Namespace) -> int:
    """``icans-cds mappings check``."""
    from cds_service.command_line.files import Inputs, stream
    from fhir_mappings import MappingCheck, NotFhir

    terminology = compiled_site(options).terminology
    inputs, check, read = Inputs(), MappingCheck(terminology), 0
    for source in stream(options.paths, inputs, settings_of(options).body_bytes):
        try:
            check.take(source)
            read += 1
        except NotFhir as refusal:
            inputs.unread.append(str(refusal))
    for message in inputs.unread:
        say(message)
    if not read:
        raise Refusal("nothing was read: none of the input is FHIR", NOT_FHIR)
    if inputs.passed_over:
        say(f"files of the folder that hold no resources, by their names, passed over: {inputs.passed_over}")
    as_json = options.format == "json"
    write(json_bytes(report_json(check.report)) if as_json else report_text(check.report).encode(), options.output)
    if options.write_template is not None:
        _write_template(check.report, terminology, options.write_template)
    if options.write_csv is not None:
        _write_csv(check.report, options.write_csv)
    return NOT_FHIR if inputs.unread else DONE


def report_json(report: Report) -> dict[str, Any]:
    """The report: a list of rows for each verdict; times of unknown instants are null."""
    found: dict[str, Any] = {"mappings": report.mappings, "resources": dict(sorted(report.resources.items()))}
    for verdict, key in _JSON_KEYS.items():
        found[key] = [_row_json(row) for row in report.rows(verdict)]
    found["unlisted"] = dict(sorted(report.unlisted.items()))
    return found


def report_text(report: Report) -> str:
    """The report for a terminal."""
    seen = ", ".join(f"{number} {kind}" for kind, number in sorted(report.resources.items()))
    parts = [f"Mappings {report.mappings}. Read: {seen or 'no resource'}."]
    for verdict, title in _TITLES.items():
        rows = report.rows(verdict)
        if rows or verdict != "refused":
            parts.append("\n".join([f"{title}: {len(rows)}", *(text for row in rows for text in _row_text(row))]))
    if report.unlisted:
        parts.append(f"Beyond the lines listed: {sum(report.unlisted.values())} occurrences of further codes.")
    return "".join(sign if sign.isprintable() or sign == "\n" else " " for sign in "\n\n".join(parts) + "\n")


def _row_json(row: ReportRow) -> dict[str, Any]:
    item = row.item
    return {
        "kind": item.kind,
        "system": item.system,
        "code": item.code,
        "display": item.display,
        "meaning": item.meaning,
        "count": row.count,
        "first": _iso(row.first),
        "last": _iso(row.last),
        "references": row.references,
        "lost": item.lost,
        "mapTo": item.map_to,
    }


def _row_text(row: ReportRow) -> Iterator[str]:
    item = row.item
    code = f"{item.system}|{item.code}" if item.system and item.code else item.code
    display = " ".join(item.display.split())
    display = display if len(display) <= LONGEST_DISPLAY else f"{display[:LONGEST_DISPLAY]}..."
    shown = f'"{display}"' if display and display != item.code else ""
    meaning = f"-> {item.meaning}" if item.meaning else ""
    yield "  " + " ".join(part for part in (item.kind, code, shown, meaning) if part)
    when = f", {row.first:%Y-%m-%d %H:%M} to {row.last:%Y-%m-%d %H:%M} UTC" if row.first and row.last else ""
    often = "once" if row.count == 1 else f"{row.count} times"
    yield f"    {often}{when}; {', '.join(row.references)}"
    if item.lost:
        yield f"    lost: {item.lost}"
    if item.map_to:
        yield f"    map to: {item.map_to}"


def _write_template(report: Report, terminology: Terminology, file: Path) -> None:
    from fhir_mappings import mapping_template

    found = mapping_template(report, terminology)
    create_folder(file.parent)
    write(json_bytes(found), file)
    elements = sum(len(group["element"]) for group in found.get("group", ()))
    say(f"{file}: {elements} codes to map; fill in targets and give its folder as --mappings")


def _write_csv(report: Report, file: Path) -> None:
    from fhir_mappings import mapping_csv

    found, rows = mapping_csv(report)
    create_folder(file.parent)
    write(found, file)
    say(f"{file}: {rows} codes to map; tick what is right in the column accept and give its folder as --mappings")


def _iso(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()
