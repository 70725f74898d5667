"""``icans-cds mappings check``: which codes and units of some data are understood, and a ConceptMap to fill in."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cds_service.command_line.options import compiled_site, json_bytes, say, write
from cds_service.errors import DONE, NOT_FHIR, Refusal

if TYPE_CHECKING:
    from fhir_mappings import Line, Report, Terminology

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
    from cds_service.command_line.inputs import Inputs, stream
    from fhir_mappings import MappingCheck, NotFhir

    terminology = compiled_site(options).terminology
    inputs, check, read = Inputs(), MappingCheck(terminology), 0
    for source in stream(options.paths, inputs):
        try:
            check.take(source)
            read += 1
        except NotFhir as refusal:
            say(str(refusal))
            inputs.unread.append(refusal.name)
    if not read:
        raise Refusal("nothing was read: none of the input is FHIR", NOT_FHIR)
    if inputs.passed_over:
        say(f"of the folder, .json and .ndjson files are read; passed over: {inputs.passed_over}")
    if options.write_template is not None:
        _write_template(check.report, terminology, options.write_template)
    as_json = options.format == "json"
    write(json_bytes(report_json(check.report)) if as_json else report_text(check.report).encode(), options.output)
    return NOT_FHIR if inputs.unread else DONE


def report_json(report: Report) -> dict[str, Any]:
    """The report: a list of lines for each verdict; times of unknown instants are null."""
    found: dict[str, Any] = {"mappings": report.mappings, "resources": dict(sorted(report.resources.items()))}
    for verdict, key in _JSON_KEYS.items():
        found[key] = [_line_json(line) for line in report.lines(verdict)]
    found["unlisted"] = dict(sorted(report.unlisted.items()))
    return found


def report_text(report: Report) -> str:
    """The report for a terminal."""
    seen = ", ".join(f"{number} {kind}" for kind, number in sorted(report.resources.items()))
    parts = [f"Mappings {report.mappings}. Read: {seen or 'no resource'}."]
    for verdict, title in _TITLES.items():
        lines = report.lines(verdict)
        if lines or verdict != "refused":
            parts.append("\n".join([f"{title}: {len(lines)}", *(text for line in lines for text in _line_text(line))]))
    if report.unlisted:
        parts.append(f"Beyond the lines listed: {sum(report.unlisted.values())} occurrences of further codes.")
    return "".join(sign if sign.isprintable() or sign == "\n" else " " for sign in "\n\n".join(parts) + "\n")


def _line_json(line: Line) -> dict[str, Any]:
    subject = line.subject
    return {
        "kind": subject.kind,
        "system": subject.system,
        "code": subject.code,
        "display": subject.display,
        "meaning": subject.meaning,
        "count": line.count,
        "first": _iso(line.first),
        "last": _iso(line.last),
        "references": line.references,
        "lost": subject.lost,
        "mapTo": subject.map_to,
    }


def _line_text(line: Line) -> Iterator[str]:
    subject = line.subject
    code = f"{subject.system}|{subject.code}" if subject.system and subject.code else subject.code
    display = " ".join(subject.display.split())
    display = display if len(display) <= LONGEST_DISPLAY else f"{display[:LONGEST_DISPLAY]}..."
    shown = f'"{display}"' if display and display != subject.code else ""
    meaning = f"-> {subject.meaning}" if subject.meaning else ""
    yield "  " + " ".join(part for part in (subject.kind, code, shown, meaning) if part)
    when = f", {line.first:%Y-%m-%d %H:%M} to {line.last:%Y-%m-%d %H:%M} UTC" if line.first and line.last else ""
    often = "once" if line.count == 1 else f"{line.count} times"
    yield f"    {often}{when}; {', '.join(line.references)}"
    if subject.lost:
        yield f"    lost: {subject.lost}"
    if subject.map_to:
        yield f"    map to: {subject.map_to}"


def _write_template(report: Report, terminology: Terminology, file: Path) -> None:
    from fhir_mappings import template

    found = template(report, terminology)
    write(json_bytes(found), file)
    elements = sum(len(group["element"]) for group in found.get("group", ()))
    say(f"{file}: {elements} codes to map; fill in targets and give its folder as --mappings")


def _iso(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()
