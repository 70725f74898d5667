"""Writes docs/scenarios.md from the scenario tables: ``python -m tests.spec.document``."""

from __future__ import annotations

from pathlib import Path

from tests.spec.scenarios import GROUPS
from tests.spec.tables import Scenario, lines

PAGE = Path(__file__).parents[2] / "docs" / "scenarios.md"
PREFACE = """# Scenarios

Each table is a test: what is charted, and everything that follows. The test run sends every one through
`replay`, through `evaluate` at the time of each alert, and through the CDS Hooks service. Times are UTC; D5 is
the fifth day after the infusion's day, 2026-03-01. `until` is the first instant at which an alert no longer
holds, `shown` when it could first be seen where that is later than the instant it speaks of. Alerts about
missing assessments and the standing `icans-active` stand only in tables that are about them. This page is
written by `python -m tests.spec.document`.
"""


def table(rows: list[list[str]], heads: tuple[str, ...]) -> list[str]:
    width = len(heads)
    filled = [(*row, *[""] * width)[:width] for row in rows]
    return [
        "| " + " | ".join(heads) + " |",
        "|" + "---|" * width,
        *("| " + " | ".join(row) + " |" for row in filled),
    ]


def chapter(scenario: Scenario) -> str:
    """One scenario as Markdown."""
    who = []
    if scenario.birth not in (None, "1970-01-01"):
        who.append(f"Born {scenario.birth}.")
    if scenario.deceased:
        who.append(f"Death recorded at {scenario.deceased}.")
    expected = [row if row[0] != "problem" else ["", f"problem {row[1]}"] for row in lines(scenario.expected)]
    expected = [["", *row] if row[0].startswith("as of") else row for row in expected]
    expected = [[row[1], "", row[2]] if len(row) > 2 and row[0] == "" else row for row in expected]
    return "\n".join(
        [
            f"### {scenario.number}. {scenario.title}",
            "",
            *([" ".join(who), ""] if who else []),
            *table(lines(scenario.charted), ("when", "charted", "")),
            "",
            *table(expected, ("when", "follows", "facts")),
            "",
        ]
    )


def page() -> str:
    parts = [PREFACE]
    for heading, scenarios in GROUPS.items():
        parts.append(f"## {heading}\n")
        parts += [chapter(scenario) for scenario in scenarios]
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
