"""``icans-cds explain``: why there is a card, and why there is none."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from cds_service import evaluate_bundle, replay_bundle
from cds_service.command_line.main import main
from tests.support.builders import consciousness, ice, on_day, steroid
from tests.support.charts import chart

EXAMPLES = Path(__file__).resolve().parents[3] / "cds_service" / "examples"
T = on_day(5)
ONSET = ice(T, 5), consciousness(T, "alert")


@pytest.fixture
def explained(tmp_path: Path, capfdbinary):
    """What the command prints of a chart at an instant."""

    def run(when, *charted, more=(), status=0):
        path = tmp_path / "chart.json"
        path.write_text(json.dumps(chart(*charted)), encoding="utf-8")
        assert main(["explain", str(path), "--as-of", when, *more]) == status
        said = capfdbinary.readouterr()
        return (said.out if status == 0 else said.err).decode()

    return run


def test_a_patient_without_a_card_learns_which_rule_came_nearest(explained):
    well = ice(T, 10), consciousness(T, "alert")
    text = explained(T, *well)
    assert "No card: grade-change came nearest. Not met: the grade has not changed in the last 24" in text
    assert "It would take an assessment surely above or below grade 0." in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 100


def test_a_patient_never_assessed_is_told_what_is_missing(explained):
    document = json.loads(explained(on_day(1), more=["--format", "json"]))
    assert (document["cards"], document["nearest"]) == ([], "icans-active")
    near = next(rule for rule in document["rules"] if rule["id"] == document["nearest"])
    assert near["unmet"] == ["no grade is on record"]


def test_unmet_conditions_stand_fewest_first_and_fired_rules_before_them(explained):
    rules = json.loads(explained(T, *ONSET, more=["--format", "json"]))["rules"]
    assert [rule["fired"] for rule in rules] == sorted((rule["fired"] for rule in rules), reverse=True)
    numbers = [len(rule["unmet"]) for rule in rules]
    assert numbers == sorted(numbers)
    assert all(bool(rule["unmet"]) is not rule["fired"] for rule in rules)
    assert all(rule["source"] and (rule["wouldChange"] or rule["fired"]) for rule in rules)


def test_the_values_compared_are_those_of_the_instant(explained):
    dose = steroid(on_day(5, "09:00"), "dexamethasone", "10")
    text = explained(on_day(6, "08:00"), *ONSET, dose, more=["--rule", "refractory:no-improvement-24h"])
    assert "unmet    24 h since treatment start have not passed." in text
    assert "needs    the time 2026-03-07 09:00 UTC." in text
    assert "hours since treatment start 23" in text


def test_L15_too_little_given_before_a_worsening_is_named(explained):
    doses = steroid(on_day(5, "09:00"), "dexamethasone", "4"), steroid(on_day(5, "15:00"), "dexamethasone", "6")
    worse = ice(on_day(5, "12:00"), 2), consciousness(on_day(5, "12:00"), "alert")
    rule = ["--rule", "refractory:worsening-under-treatment"]
    early = explained(on_day(5, "16:00"), *ONSET, *doses, *worse, more=rule)
    assert "to the last assessment do not reach 10 mg" in " ".join(early.split())
    after = ice(on_day(5, "17:00"), 2), consciousness(on_day(5, "17:00"), "alert")
    assert "Fired" in explained(on_day(5, "18:00"), *ONSET, *doses, *worse, *after, more=rule)


def test_one_rule_of_a_type_with_several(explained):
    document = json.loads(explained(T, *ONSET, more=["--rule", "cumulative-dose", "--format", "json"]))
    assert [rule["id"] for rule in document["rules"]] == [
        f"cumulative-dose:{mg}" for mg in ("195", "380", "532.5", "850")
    ]
    assert document["rules"][0]["wouldChange"] == "195 mg more, dexamethasone-equivalent"


def test_an_unknown_rule_is_refused_with_those_there_are(explained):
    said = explained(T, *ONSET, more=["--rule", "B99"], status=2)
    assert "there is no rule 'B99'; there are assessment-not-found" in said


@pytest.mark.parametrize("when", [T, on_day(5, "20:00"), on_day(6, "09:00"), on_day(6, "21:00"), on_day(12)])
def test_a_rule_has_fired_exactly_while_its_finding_holds(when):
    doses = [steroid(on_day(5 + day, "09:00"), "methylprednisolone", "1000") for day in range(4)]
    found = evaluate_bundle(chart(*ONSET, *doses, ice(on_day(6), 5)), as_of=datetime.fromisoformat(when))
    fired = {rule["id"].partition(":")[0] for rule in found["rules"] if rule["fired"]}
    assert fired == {finding["type"] for finding in found["findings"]}


@pytest.mark.parametrize("name", ["s0", "s1", "s2"])
def test_a_rule_whose_conditions_are_met_has_a_finding_that_holds_or_has_ended(name: str) -> None:
    bundle = json.loads((EXAMPLES / f"{name}.json").read_bytes())
    alerts = replay_bundle(bundle)[0]["alerts"]
    ended = 0
    for at in sorted({at for alert in alerts for at in (alert["shownAt"], alert["until"]) if at}):
        now = evaluate_bundle(bundle, as_of=datetime.fromisoformat(at))
        holding = {finding["type"] for finding in now["findings"]}
        shown = {alert["type"] for alert in alerts if alert["shownAt"] <= at}
        for rule in now["rules"]:
            kind = rule["id"].split(":")[0]
            assert not rule["fired"] or kind in holding, (at, rule)
            if "it was shown and has ended" in rule["unmet"]:
                ended += 1
                assert kind in shown, (at, rule)
    assert ended
