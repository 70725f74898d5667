"""What a line of a scenario table says: ``when | what | how``, read into FHIR or into an expectation.

when: ``D5 08:00`` counts days from the infusion's day 2026-03-01, UTC. what: as a nurse would say it
("ICE 5", "consciousness alert", "dexamethasone 20 mg IV"). how: "until D6 08:00", "version 2 filed D5 12:00",
"filed D5 12:00", "entered-in-error", "not-done", "other cause".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.support import builders
from tests.support.builders import Resource, on_day

FULL_ICE = {
    "year": 1,
    "month": 1,
    "city": 1,
    "hospital": 1,
    "naming": 3,
    "command": 1,
    "writing": 1,
    "attention": 1,
}
INSTANT = re.compile(r"D(-?\d+) (\d\d:\d\d(?::\d\d)?)")


@dataclass(frozen=True)
class Scenario:
    """One scenario: what is charted, and every alert, problem and value at an instant that follows."""

    number: str
    title: str
    charted: str
    expected: str
    birth: str | None = "1970-01-01"
    deceased: str | None = None


@dataclass(frozen=True)
class Expected:
    """One expected alert."""

    type: str
    at: str
    shown_at: str
    indicator: str
    facts: dict[str, Any]
    until: str | None = None
    until_given: bool = False
    withdrawn: bool = False
    reopened_at: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ExpectedValue:
    """A value of the whole assessment as of an instant: a dotted path and what is there."""

    as_of: str
    path: str
    value: Any


def lines(table: str) -> list[list[str]]:
    """The rows of a table; a row whose first cells are empty goes on with the one before."""
    rows: list[list[str]] = []
    for line in table.strip().splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if cells[0] or not rows:
            rows.append(cells)
        else:
            rows[-1][-1] += ", " + cells[-1]
    return rows


def instant(text: str) -> str:
    found = INSTANT.fullmatch(text.strip())
    if found is None:
        return text.strip()
    return on_day(int(found[1]), found[2])


def plain(text: str) -> Any:
    """A value as it is in JSON."""
    if INSTANT.fullmatch(text):
        return instant(text)
    if text in ("true", "false", "none"):
        return {"true": True, "false": False, "none": None}[text]
    if "+" in text:
        return [plain(part) for part in text.split("+")]
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return text


def collection(scenario: Scenario) -> Resource:
    """The scenario's chart as a Bundle."""
    resources = [charted(line) for line in lines(scenario.charted)]
    deceased = instant(scenario.deceased) if scenario.deceased else None
    return builders.bundle(*resources, birth=scenario.birth, deceased=deceased)


def charted(cells: list[str]) -> Resource:
    when, what, how = (*cells, "")[:3]
    at = on_day(int(when[1:]))[:10] if re.fullmatch(r"D-?\d+", when) else instant(when)
    more: dict[str, Any] = {}
    for part in filter(None, (p.strip() for p in how.split(","))):
        more |= modifier(part)
    for pattern, build in PHRASES:
        found = re.fullmatch(pattern, what)
        if found is not None:
            return build(at, *found.groups(), **more)
    raise ValueError(f"no such phrase: {what!r}")


def modifier(part: str) -> dict[str, Any]:
    if found := re.fullmatch(r"id (\S+)", part):
        return {"id": found[1]}
    if found := re.fullmatch(r"version (\d+) filed (.+)", part):
        return {"version": found[1], "updated": instant(found[2]), "status": "amended"}
    if found := re.fullmatch(r"filed (.+)", part):
        return {"issued": instant(found[1])}
    if found := re.fullmatch(r"until (.+)", part):
        return {"end": instant(found[1])}
    if part in ("entered-in-error", "not-done", "preliminary"):
        return {"status": part}
    if part == "other cause":
        return {"other_cause": True}
    raise ValueError(f"no such modifier: {part!r}")


def score(at: str, text: str, **more: Any) -> Resource:
    value = plain(text)
    return builders.ice(at, value, **more)


def items(at: str, text: str, **more: Any) -> Resource:
    """``year 1 writing literacy``: points, or why not assessed; ``full but``: the others all obtained."""
    words = text.removeprefix("full but ").split()
    results = {words[i]: plain(words[i + 1]) for i in range(0, len(words), 2)}
    if text.startswith("full but "):
        results = {**FULL_ICE, **results}
    return builders.ice_items(at, results, **more)


def drug(at: str, name: str, amount: str, route: str, **more: Any) -> Resource:
    milligrams = None if amount == "?" else amount.replace(",", "")
    return builders.administration(at, name, milligrams, None if route == "route?" else route, **more)


def fit(at: str, finding: str, seconds: str | None, **more: Any) -> Resource:
    return builders.seizure(at, finding, int(seconds) if seconds else None, **more)


def ranged(at: str, low: str, high: str, **more: Any) -> Resource:
    return builders.ice(at, int(low), int(high), **more)


def whole(build: Callable[..., Resource]) -> Callable[..., Resource]:
    return lambda at, number, **more: build(at, int(number), **more)


PHRASES: tuple[tuple[str, Callable[..., Resource]], ...] = (
    (r"infusion", builders.infusion),
    (r"ICE (\d+)-(\d+)", ranged),
    (r"ICE items (.+)", items),
    (r"ICE not assessed: (\S+)", lambda at, why, **more: builders.not_assessed(at, "ice-total", why, **more)),
    (r"ICE (\S+)", score),
    (r"CAPD (\d+)", whole(builders.capd)),
    (r"consciousness (\S+)", builders.consciousness),
    (r"seizure (\S+)(?: (\d+) s)?", fit),
    (r"motor (\S+)", builders.motor),
    (r"icp-edema (\S+)", builders.icp_edema),
    (r"documented grade (\d)", whole(builders.documented)),
    (r"GCS eye (\d)", whole(builders.gcs_eye)),
    (r"RASS ([+-]?\d)", whole(builders.rass)),
    (r"(\w+) ([\d.,?]+) mg (\S+)", drug),
)


def expected_alerts(scenario: Scenario) -> list[Expected]:
    found = []
    for when, what, *rest in lines(scenario.expected):
        if when == "problem" or when.startswith("as of") or not when:
            continue
        kind, indicator = what.split()
        facts: dict[str, Any] = {}
        fixed: dict[str, Any] = {"shown_at": instant(when)}
        for name, value in pairs(rest[0] if rest else ""):
            if name == "shown":
                fixed["shown_at"] = instant(value)
            elif name == "until":
                fixed |= {"until": plain(value), "until_given": True}
            elif name == "reopened":
                fixed["reopened_at"] = [instant(value)]
            elif name == "withdrawn":
                fixed["withdrawn"] = True
            else:
                facts[name] = plain(value)
        found.append(Expected(kind, instant(when), indicator=indicator, facts=facts, **fixed))
    return found


def pairs(text: str) -> list[tuple[str, str]]:
    """``grade 3, until D5 08:00`` as name and value."""
    parts = [part.strip().partition(" ") for part in text.split(",") if part.strip()]
    return [(name, value.strip()) for name, _, value in parts]


def expected_problems(scenario: Scenario) -> set[str]:
    return {cells[1] for cells in lines(scenario.expected) if cells[0] == "problem"}


def expected_values(scenario: Scenario) -> list[ExpectedValue]:
    found = []
    for cells in lines(scenario.expected):
        if cells[0].startswith("as of"):
            as_of = instant(cells[0].removeprefix("as of").strip())
            found += [ExpectedValue(as_of, name, plain(value)) for name, value in pairs(cells[1])]
    return found
