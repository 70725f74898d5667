"""Mappings as a CSV file: one row a code or text, a column for its meaning and one to tick.

What ``icans-cds mappings check --write-csv`` writes comes back through a spreadsheet program and is read as
mappings: ticked rows are ConceptMap elements. Programs change what looks like a number, a date or a formula, so
that such cells are written with an apostrophe before them, which is taken off again.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from fhir_mappings.terminology import systems as canonical

COLUMNS = ("accept", "proposal", "question", "system", "code", "text", "kind", "count", "may be", "examples", "lost")
_NEEDED = frozenset({"accept", "proposal", "system", "code"})
_TICKS = frozenset({"x", "yes", "y", "true", "1", "ja", "j", "\u2713", "\u2714"})
_NO_TICKS = frozenset({"", "no", "n", "false", "0", "nein", "-"})
#: What no spreadsheet program changes: addresses, whole numbers it holds exactly, plain words.
_SAFE = re.compile(r"(https?://|urn:)\S*|[1-9][0-9]{0,14}|(?!true$|false$)[a-z_][a-z_ |-]*", re.IGNORECASE)
_AS_CHARTED = frozenset({"code", "text"})
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")


class BadRow(ValueError):
    """What is wrong with a file: the row (0 for the whole file), the column, why."""

    def __init__(self, row: int, column: str, reason: str) -> None:
        super().__init__(reason)
        self.row, self.column, self.reason = row, column, reason


def written(rows: Iterable[Mapping[str, str]]) -> bytes:
    """The file, in UTF-8 with the mark by which spreadsheet programs recognise it."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({column: _guarded(column, value) for column, value in row.items()})
    return text.getvalue().encode("utf-8-sig")


def groups_of(path: Path, targets: Iterable[str]) -> list[tuple[int, dict[str, Any]]]:
    """Number of its first row, and group, of each code that a ticked row maps; its rows are one element.

    targets: the code systems to which a proposal may go. Raises BadRow, OSError.
    """
    names = {_short(target): target for target in targets}
    elements: dict[tuple[str, str, str], tuple[int, list[dict[str, Any]]]] = {}
    for number, row in _rows(path):
        accept = row["accept"].casefold()
        if accept not in _TICKS | _NO_TICKS:
            raise BadRow(number, "accept", f"{row['accept']!r} is no tick: x, or nothing")
        if accept in _NO_TICKS:
            continue
        system, _, code = row["proposal"].rpartition("|")
        target = names.get(_short(system))
        if target is None or not code.strip():
            reason = "is ticked, and its proposal is not like icans-assessment|ice-total"
            raise BadRow(number, "proposal", f"{reason}: {row['proposal']!r}")
        found: dict[str, Any] = {"code": code.strip(), "equivalence": "equivalent"}
        if row.get("question"):
            found["dependsOn"] = [{"property": canonical.ASSESSMENT, "value": row["question"]}]
        elements.setdefault((row["system"], row["code"], target), (number, []))[1].append(found)
    return [
        (number, {"source": system, "target": target, "element": [{"code": code, "target": found}]})
        for (system, code, target), (number, found) in elements.items()
    ]


def _rows(path: Path) -> Iterable[tuple[int, dict[str, str]]]:
    """The rows with their numbers; separated by commas, or by semicolons or tabs as the header is."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadRow(0, "", "is not UTF-8: save it as CSV UTF-8") from None
    header = text.partition("\n")[0]
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=header.count), strict=True)
    try:
        missing = _NEEDED - set(reader.fieldnames or ())
        if missing:
            raise BadRow(0, sorted(missing)[0], "is a column that is missing: it is no CSV of mappings check")
        for number, row in enumerate(reader, start=2):
            # Programs leave out empty cells at the end of a row.
            yield number, {name: _plain(row[name] or "") for name in reader.fieldnames or ()}
    except csv.Error as error:
        raise BadRow(reader.line_num, "", f"is no CSV: {error}") from None


def _short(system: str) -> str:
    return system.strip().rpartition("/")[2] if system.strip() != canonical.UCUM else "ucum"


def _guarded(column: str, value: str) -> str:
    changed = not _SAFE.fullmatch(value) if column in _AS_CHARTED else value.startswith(_FORMULA)
    return f"'{value}" if value and changed else value


def _plain(value: str) -> str:
    return value.strip().removeprefix("'")
