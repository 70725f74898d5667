"""The policy in force as text, and as a file of overrides to fill in."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any

from cds_service.output.text import WIDTH, wrapped

if TYPE_CHECKING:
    from icans import PolicyEntry

_TEMPLATE_HEAD = """\
# Overrides of the policy: take the mark away from a line, change its value, and name the file with --policy FILE
# (commands) or policy_file (configuration). What is left out keeps its default; what lies outside the range given
# is refused at start-up. Units: UCUM. Every setting with its source: icans-cds policy show
"""


def policy_text(entries: Iterable[PolicyEntry]) -> str:
    """Settings with value, unit, source and safe range, under the sections of the policy file."""
    lines: list[str] = []
    for section, settings in _sections(entries):
        lines += ["", f"[{section}]"] if lines else [f"[{section}]"]
        for entry in settings:
            mark = " (overridden)" if entry.overridden else ""
            unit = f" {entry.unit}" if entry.unit else ""
            lines += wrapped(f"  {entry.key} = ", f"{value_text(entry.value)}{unit}{mark}")
            lines += wrapped("      ", entry.meaning)
            lines += wrapped("      ", f"{basis_text(entry)} [{range_text(entry)}]")
    return "\n".join(lines) + "\n"


def policy_template(entries: Iterable[PolicyEntry]) -> str:
    """A policy file in TOML with every setting that may be overridden, commented out where it has its default."""
    lines = [_TEMPLATE_HEAD]
    for section, settings in _sections(entry for entry in entries if entry.overridable):
        lines.append(f"\n[{section}]")
        for entry in settings:
            unit = f" ({entry.unit})" if entry.unit else ""
            for text in (f"{entry.meaning}{unit}; {range_text(entry)}", basis_text(entry)):
                lines += textwrap.wrap(text, WIDTH, initial_indent="# ", subsequent_indent="#   ")
            mark = "" if entry.overridden else "#"
            lines += [f"{mark}{entry.key} = {_toml(entry.value)}", ""]
    return "\n".join(lines)


def _sections(entries: Iterable[PolicyEntry]) -> Iterator[tuple[str, Iterator[PolicyEntry]]]:
    return groupby(entries, key=lambda entry: entry.section)


def basis_text(entry: PolicyEntry) -> str:
    """Where a value is from: its source, and the reason where the project decided."""
    return f"{entry.citation}: {entry.reason}" if entry.reason else entry.citation


def range_text(entry: PolicyEntry) -> str:
    """What a site may set instead."""
    if not entry.overridable:
        return "fixed"
    if entry.choices:
        return f"may be {', '.join(entry.choices)}"
    bounds = [f"{name} {end}" for name, end in (("from", entry.minimum), ("to", entry.maximum)) if end is not None]
    return f"may be {' '.join(bounds)}" if bounds else "may be true or false"


def value_text(value: Any) -> str:
    """A value of any kind in words: ``30``, ``ice: 3; capd: 0 to 1``, ``195, 380``."""
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_grades(item)}" for name, item in value.items())
    if isinstance(value, tuple | list | frozenset):
        return ", ".join(value_text(item) for item in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _grades(value: Any) -> str:
    """``2``, or ``3 to 4`` for a lowest and highest grade."""
    if not isinstance(value, tuple | list):
        return value_text(value)
    return " to ".join(dict.fromkeys(value_text(item) for item in value))


def _toml(value: Any) -> str:
    """A value as TOML writes it; overridable settings are numbers, texts, truth values and lists of them."""
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_toml, value))}]"
    return f'"{value}"' if isinstance(value, str) else value_text(value)
