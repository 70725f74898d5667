"""``icans-cds mappings check``: which codes and units of some data are understood, and a ConceptMap to fill in."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from cds_service.errors import DONE, NOT_FHIR, Refusal

if TYPE_CHECKING:
    from fhir_mappings.mapping_report import Line, Report

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
    from cds_service.inputs import Inputs, stream
    from cds_service.settings import load_settings
    from cds_service.site import site_of
    from fhir_mappings import NotFhir
    from fhir_mappings.mapping_check import MappingCheck

    site = site_of(load_settings(None, os.environ, {"mappings_folder": options.mappings_folder}))
    inputs, check, read = Inputs(), MappingCheck(site.terminology), 0
    for source in stream(options.paths, inputs):
        try:
            check.take(source)
            read += 1
        except NotFhir as refusal:
            _say(str(refusal))
            inputs.unread.append(refusal.name)
    if not read:
        raise Refusal("nothing was read: none of the input is FHIR", NOT_FHIR)
    if inputs.passed_over:
        _say(f"of the folder, .json and .ndjson files are read; passed over: {inputs.passed_over}")
    if options.write_template is not None:
        _write_template(check.report, site.terminology, options.write_template)
    if options.format == "json":
        result = orjson.dumps(report_json(check.report), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    else:
        result = report_text(check.report).encode()
    _write(result, options.output)
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
    return "\n\n".join(parts) + "\n"


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
    shown = f'"{subject.display}"' if subject.display and subject.display != subject.code else ""
    meaning = f"-> {subject.meaning}" if subject.meaning else ""
    yield "  " + " ".join(part for part in (subject.kind, code, shown, meaning) if part)
    when = f", {line.first:%Y-%m-%d %H:%M} to {line.last:%Y-%m-%d %H:%M} UTC" if line.first and line.last else ""
    yield f"    {line.count} times{when}; {', '.join(line.references)}"
    if subject.lost:
        yield f"    lost: {subject.lost}"
    if subject.map_to:
        yield f"    map to: {subject.map_to}"


def _write_template(report: Report, terminology: Any, file: Path) -> None:
    from fhir_mappings.mapping_template import template

    found = template(report, terminology)
    _write(orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE), file)
    elements = sum(len(group["element"]) for group in found.get("group", ()))
    _say(f"{file}: {elements} codes to map; fill in targets and give its folder as --mappings")


def _iso(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()


def _write(result: bytes, output: Path | None) -> None:
    if output is None:
        sys.stdout.buffer.write(result)
        sys.stdout.buffer.flush()
        return
    try:
        output.write_bytes(result)
    except OSError as error:
        raise Refusal(f"{output} cannot be written: {error.strerror}") from error


def _say(message: str) -> None:
    print(f"icans-cds: {message}", file=sys.stderr)
