"""Every scenario through replay, through evaluate at the time of each alert, and through the hook."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from cds_service import evaluate_bundle, handle_hook, replay_bundle
from tests.spec.scenarios import SCENARIOS
from tests.spec.tables import (
    Expected,
    Scenario,
    collection,
    expected_alerts,
    expected_problems,
    expected_values,
)
from tests.support.builders import hook_request

#: Findings that a table names only where it is about them: a patient is seldom seen on schedule in a table.
ONLY_WHERE_NAMED = {"icans-active", "assessment-overdue", "assessment-not-found", "data-quality"}
EVERY = pytest.mark.parametrize("scenario", SCENARIOS, ids=[f"{s.number} {s.title[:50]}" for s in SCENARIOS])


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


def agrees(expected: dict[str, Any], facts: dict[str, Any]) -> bool:
    return all(facts.get(name) == value for name, value in expected.items())


def matches(expected: Expected, alert: dict[str, Any]) -> bool:
    return (
        (alert["type"], alert["at"], alert["shownAt"]) == (expected.type, expected.at, expected.shown_at)
        and alert["indicator"] == expected.indicator
        and agrees(expected.facts, alert["facts"])
        and (not expected.until_given or alert["until"] == expected.until)
        and bool(alert.get("withdrawn")) == expected.withdrawn
        and (alert.get("reopenedAt") or []) == expected.reopened_at
    )


def told(alert: dict[str, Any]) -> str:
    shown = "" if alert["shownAt"] == alert["at"] else f" shown {alert['shownAt']}"
    return f"{alert['at']} {alert['type']} {alert['indicator']}{shown} until {alert['until']} {alert['facts']}"


@EVERY
def test_replay_gives_exactly_these_alerts(scenario: Scenario) -> None:
    replayed = replay_bundle(as_json(collection(scenario)))[0]
    wanted = expected_alerts(scenario)
    named = {e.type for e in wanted}
    rest = [a for a in replayed["alerts"] if a["type"] in named or a["type"] not in ONLY_WHERE_NAMED]
    missing = []
    for expected in wanted:
        found = next((a for a in rest if matches(expected, a)), None)
        if found is None:
            missing.append(expected)
        else:
            rest.remove(found)
    assert (missing, [told(a) for a in rest]) == ([], [])
    assert expected_problems(scenario) <= {p["code"] for p in replayed["problems"]}


@EVERY
def test_evaluate_says_the_same_at_each_time(scenario: Scenario) -> None:
    body = as_json(collection(scenario))
    for expected in expected_alerts(scenario):
        evaluated = evaluate_bundle(body, as_of=datetime.fromisoformat(expected.shown_at))
        holding = [
            f
            for f in evaluated["findings"]
            if f["type"] == expected.type and f["at"] == expected.at and agrees(expected.facts, f["facts"])
        ]
        assert holding, (expected, [(f["type"], f["at"], f["facts"]) for f in evaluated["findings"]])
    for value in expected_values(scenario):
        evaluated = evaluate_bundle(body, as_of=datetime.fromisoformat(value.as_of))
        assert at_path(evaluated, value.path) == value.value, value


def at_path(evaluated: Any, path: str) -> Any:
    found = evaluated
    for step in path.split("."):
        if found is None:
            return None
        found = found[int(step)] if step.isdigit() else found[step]
    return found


@EVERY
def test_the_hook_says_the_same_at_each_time(scenario: Scenario) -> None:
    chart = collection(scenario)
    times = {e.shown_at for e in expected_alerts(scenario)} | {v.as_of for v in expected_values(scenario)}
    for time in sorted(times):
        as_of = datetime.fromisoformat(time)
        answer = json.loads(handle_hook("icans-patient-view", hook_request(chart, time), as_of=as_of))
        told_by_hook = set()
        for card in answer["cards"]:
            alert = card["extension"]["org.icans-cds.alert"]
            told_by_hook.add(alert["findingId"])
            told_by_hook |= {other["findingId"] for other in alert.get("alsoHolds", [])}
        findings = evaluate_bundle(as_json(chart), as_of=as_of)["findings"]
        assert told_by_hook == {f["findingId"] for f in findings}


@EVERY
def test_replay_shows_the_cards_that_evaluate_gives(scenario: Scenario) -> None:
    body = as_json(collection(scenario))
    for shown in replay_bundle(body)[0]["cards"]:
        assert shown["card"] in evaluate_bundle(body, as_of=datetime.fromisoformat(shown["shownAt"]))["cards"]
