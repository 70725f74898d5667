"""The policy file: complete, cited, and overridable only where and as far as it says."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import fields
from datetime import timedelta
from decimal import Decimal

import pytest

from cds_service.site.policy import current_policy, current_policy_entries, default_text
from icans.grading.astct import table_in_force
from icans.policy.file import load_policy, policy_entries
from icans.policy.policy import Policy, PolicyError
from icans.record import CONSCIOUSNESS_LEVELS, ICE_ITEM_POINTS, ICP_EDEMA_FINDINGS, MOTOR_FINDINGS, SEIZURE_FINDINGS

DEFAULT, TABLE = default_text(), table_in_force()


def test_every_threshold_the_rules_read_has_an_entry_and_every_other_entry_is_fixed():
    read = {field.name for field in fields(Policy)} - {"label"}
    entries = {entry.key: entry for entry in current_policy_entries()}
    assert read <= entries.keys()
    assert not [key for key in entries.keys() - read if entries[key].overridable]


def test_every_entry_names_its_source_or_its_reason_and_its_safe_range():
    for entry in current_policy_entries():
        assert entry.meaning and entry.citation and entry.citation_short, entry.key
        assert entry.reason or not entry.citation_short.startswith("project decision"), entry.key
        has_range = entry.minimum is not None and entry.maximum is not None
        assert not entry.overridable or has_range or entry.choices or isinstance(entry.value, bool), entry.key


def test_sources_are_shown_in_full():
    entry = next(entry for entry in current_policy_entries() if entry.key == "evaluation_due")
    assert "doi 10.3324/haematol.2025.288954" in entry.citation
    assert entry.citation_short == "Fridberg et al. 2026, Table 1, footnote"


def test_each_source_can_be_found_and_is_cited():
    document = tomllib.loads(DEFAULT)
    sources = document.pop("sources")
    cited = set(re.findall(r"\b[a-z]+\d{4}\b", json.dumps(document)))
    assert cited == sources.keys()
    places = r"doi 10\.\d{4}|PMID \d{8}|\d{4};\d+[(:]|abstract \d{4}|Manual"
    assert not [key for key, source in sources.items() if not re.search(places, source["full"])]


def test_defaults():
    policy = current_policy()
    assert policy.label == "icans-default/1"
    assert policy.monitoring == timedelta(days=90)
    assert policy.combination_window == timedelta(minutes=60)
    assert policy.treatment_gap == timedelta(hours=30)
    assert policy.duplicate_window == timedelta(seconds=60)
    assert policy.tiers == (Decimal(195), Decimal(380), Decimal("532.5"), Decimal(850))
    assert policy.factors["methylprednisolone"] * 1000 == Decimal("187.5")
    assert policy.inferred_consciousness == "cautious"
    assert policy.protocol_enrolled == "none"
    assert policy.preliminary_observations is False


def test_conversion_factors_follow_from_the_published_equivalents():
    equivalents = {
        "dexamethasone": "0.75",
        "betamethasone": "0.75",
        "methylprednisolone": "4",
        "triamcinolone": "4",
        "prednisone": "5",
        "prednisolone": "5",
        "deflazacort": "6",
        "hydrocortisone": "20",
        "cortisone": "25",
    }
    expected = {drug: Decimal("0.75") / Decimal(dose) for drug, dose in equivalents.items()}
    assert current_policy().factors == expected


def test_the_grading_table_stands_in_one_place():
    section = tomllib.loads(DEFAULT)["astct"]
    assert section and all("value" not in entry and entry["citation"] for entry in section.values())
    assert set(section) == set(table_in_force())


def test_the_grading_table_speaks_of_the_findings_of_the_record():
    value = {entry.key: entry.value for entry in current_policy_entries()}
    assert value["ice_item_points"] == ICE_ITEM_POINTS
    assert value["ice_grade"] == {"0": 10, "1": 7, "2": 3, "3": 1}
    assert set(value["consciousness_grade"]) == set(CONSCIOUSNESS_LEVELS)
    assert set(value["seizure_grade"]) == set(SEIZURE_FINDINGS)
    assert set(value["motor_grade"]) == set(MOTOR_FINDINGS)
    assert set(value["icp_edema_grade"]) == set(ICP_EDEMA_FINDINGS) - {"intracranial-hemorrhage"}


@pytest.mark.parametrize(
    "override",
    [
        "treatment_gap = 36",
        "[settings]\ntreatment_gap = 36",
        "[settings.treatment_gap]\nvalue = 36\nreason = 'local'",
        "[refractoriness]\ntreatment_gap = 36.0",
        "[refractoriness.treatment_gap]\nvalue = 36\nunit = 'h'",
    ],
)
def test_an_override_may_be_written_in_each_of_these_ways(override):
    policy = load_policy(DEFAULT, TABLE, override)
    assert policy.treatment_gap == timedelta(hours=36)
    assert policy.label == load_policy(DEFAULT, TABLE, "treatment_gap = 36").label


@pytest.mark.parametrize("override", ["", "treatment_gap = 30", "treatment_gap = 30.0", DEFAULT])
def test_what_says_the_same_keeps_the_label(override):
    assert load_policy(DEFAULT, TABLE, override) == load_policy(DEFAULT, TABLE)


def test_the_label_carries_a_fingerprint_of_what_differs():
    labels = {load_policy(DEFAULT, TABLE, f"treatment_gap = {hours}").label for hours in (24, 30, 36, 48)}
    assert len(labels) == 4
    for label in labels - {"icans-default/1"}:
        name, fingerprint = label.split("+")
        assert name == "icans-default/1"
        assert len(fingerprint) == 8 and int(fingerprint, 16) >= 0


def test_an_overridden_entry_says_so():
    entries = {entry.key: entry for entry in policy_entries(DEFAULT, TABLE, "treatment_gap = 36")}
    assert entries["treatment_gap"].overridden and entries["treatment_gap"].value == 36
    assert not entries["monitoring"].overridden


@pytest.mark.parametrize(
    ("override", "key", "reason"),
    [
        ("treatment_gpa = 36", "treatment_gpa", "unknown setting"),
        ("[settings]\nsomething = 1", "something", "unknown setting"),
        ("treatment_gap = 23.9", "treatment_gap", "must be between 24 and 48 h, not 23.9"),
        ("treatment_gap = 48.1", "treatment_gap", "must be between 24 and 48 h, not 48.1"),
        ("treatment_gap = '36 h'", "treatment_gap", "must be a number, not '36 h'"),
        ("treatment_gap = nan", "treatment_gap", "must be a number, not 'NaN'"),
        ("treatment_gap = true", "treatment_gap", "must be a number, not 'True'"),
        ("[settings.treatment_gap]\nvalue = 2\nunit = 'd'", "treatment_gap", "unit cannot be changed"),
        ("[settings.treatment_gap]\nvalue = 96\nmaximum = 96", "treatment_gap", "maximum cannot be changed"),
        ("[settings.treatment_gap]\nreason = 'none'", "treatment_gap", "states no value"),
        ("treatment_gap = 36\n[settings]\ntreatment_gap = 36", "treatment_gap", "stated twice"),
        ("steroid_days = 10.5", "steroid_days", "must be a whole number, not 10.5"),
        ("preliminary_observations = 1", "preliminary_observations", "must be true or false, not '1'"),
        ("inferred_consciousness = 'on'", "inferred_consciousness", "must be one of off, cautious"),
        ("tiers = [380, 195]", "tiers", "must rise from tier to tier"),
        ("tiers = [380]", "tier_indicators", "must name one indicator for each of the 1 tiers"),
        ("tiers = []", "tiers", "must be a list of numbers, not []"),
        ("tier_indicators = ['critical', 'info', 'info', 'info']", "tier_indicators", "not 'critical'"),
        ("ice_item_window = 30\ncombination_window = 20", "ice_item_window", "must not be longer than"),
        ("[ice_grade]\n1 = 8", "ice_grade", "cannot be overridden"),
        ("seizure_grade = { none = 0 }", "seizure_grade", "cannot be overridden"),
        ("[factors]\ndexamethasone = 1.25", "factors", "cannot be overridden"),
        ("evaluation_due = 48", "evaluation_due", "cannot be overridden"),
        ("version = 2", "version", "must be 1 or left out"),
        ("treatment_gap = ", "", "not a TOML file"),
    ],
)
def test_what_cannot_be_used_is_refused_with_key_and_reason(override, key, reason):
    with pytest.raises(PolicyError) as refused:
        load_policy(DEFAULT, TABLE, override)
    assert refused.value.key == key
    assert reason in refused.value.reason


def test_both_ends_of_a_safe_range_are_allowed():
    for entry in current_policy_entries():
        if not entry.overridable or entry.minimum is None or entry.key in ("tiers", "ice_item_window"):
            continue
        for value in (entry.minimum, entry.maximum):
            load_policy(DEFAULT, TABLE, f"{entry.key} = {value}")


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(PolicyError, match=r"cannot read .*absent\.toml"):
        current_policy(tmp_path / "absent.toml")


def test_a_site_file_is_read(tmp_path):
    site = tmp_path / "site.toml"
    site.write_text('protocol_enrolled = "all"\n', encoding="utf-8")
    assert current_policy(site).protocol_enrolled == "all"
